"""What an output is pulled to: the self-defined target, the label."""
