"""The `sweep:` section: parameters, ranges, objectives and the variants that they make."""
