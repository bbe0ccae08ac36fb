"""Writes of an array: updates listed as pulses, programmed, carried between slices."""
