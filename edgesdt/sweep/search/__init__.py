"""Searches: sweeps that choose their own points."""
