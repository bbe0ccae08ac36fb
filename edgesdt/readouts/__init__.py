"""Read-outs: the class of a sample from the outputs of a chip."""
