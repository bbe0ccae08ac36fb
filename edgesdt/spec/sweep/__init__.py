"""The `sweep:` section: parameters, ranges, objectives and the resulting variants."""
