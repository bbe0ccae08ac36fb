"""Sums and steps of bytes with the processor's 8-bit instructions."""
