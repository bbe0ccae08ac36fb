"""What the chip simulator achieves, made by commands: speed, reproductions, determinism, peak memory, results table."""
