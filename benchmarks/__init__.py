"""Benchmarks of the simulator, run by commands: speed, reproductions, determinism, peak memory, results table."""
