"""Compiled arithmetic of cells: pulses, random words, portable functions."""
