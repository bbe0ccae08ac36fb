"""How speed is measured: rounds, samples, contestants, the machine and its roof."""
