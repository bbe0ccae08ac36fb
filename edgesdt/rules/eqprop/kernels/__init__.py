"""The kernels of the rule: one sample, step by step."""
