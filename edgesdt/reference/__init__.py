"""The same learning computed in other ways: for tests, benchmarks and docs, never imported by the simulator."""
