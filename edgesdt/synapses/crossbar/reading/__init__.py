"""Reads of an array: forward, in both directions, with noise and losses on wires."""
