"""Sweeps that choose their own points."""
