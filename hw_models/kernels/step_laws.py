"""The layout of step laws for the pulse kernel: law codes, columns of a cell's row, indices of the constants.

A cell's row in `Cells.spread` holds its own bounds and steps after device-to-device spread. The families fill rows and
constants, `pulsing` uses them. This module has no code, so that a list of devices needs no compiler.
"""

from __future__ import annotations

AFFINE, EXPONENTIAL, POWER = 0, 1, 2
"""Step of one pulse at state w, before noise: `P0 + P1·w` · `scale·max(1 − A·e^(±gamma·z), 0)` · `scale·om^P0`."""

COLUMNS = ("low", "high", "up_scale", "down_scale", "up0", "down0", "up1", "down1")
"""Meaning of the columns of `Cells.spread` in every step family; `down` is always right after `up`."""
LOW, HIGH, SCALE, P0, P1 = 0, 1, 2, 4, 6
WIDTH = 8

RELATIVE, SCALED, BY_STATE, ADDED, PER_WRITE, WRITE = 0, 1, 2, 3, 4, 5
"""Noise constants. Standard deviation of a pulse: RELATIVE·|step| + SCALED·scale + BY_STATE·|w| + ADDED;
of a whole write of n pulses: PER_WRITE·√n; of what is visible after a write: WRITE."""
EQUAL = 6
"""1 if both directions use the mean of the two steps (only for laws other than AFFINE, whose rows contain it)."""
A_UP, A_DOWN, GAMMA_UP, GAMMA_DOWN, SLOPE, OFFSET = 7, 8, 9, 10, 11, 12
"""Constants of the exponential law, z = 2·SLOPE·w/(high − low) + OFFSET."""
CONSTANTS = 13
