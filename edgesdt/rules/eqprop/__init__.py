"""Equilibrium propagation with a self-defined target (Liu et al. 2024)."""
