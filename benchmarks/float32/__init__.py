"""Yardsticks of `benchmarks.speed`: every rule in float32 with NumPy and BLAS."""
