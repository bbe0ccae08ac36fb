"""What an output is pulled to: the self-defined target with its homeostasis, or the label."""
