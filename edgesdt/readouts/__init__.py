"""Read-outs: what the outputs of a chip tell about the class."""
