"""Reference implementations of the learning rules for tests, benchmarks and docs; the simulator never imports them."""
