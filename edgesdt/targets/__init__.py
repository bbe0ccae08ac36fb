"""Targets of the output: the self-defined target with its homeostasis, or the label."""
