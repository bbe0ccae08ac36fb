"""Tallies of arrays over a whole run: whole numbers of any length, kept in a state as decimal texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.synapses.crossbar import layout

_SIGNED = (layout.READ_SHARE, layout.UP_SHARE, layout.DOWN_SHARE, layout.VERIFY_SHARE)
"""Entries that add up share codes, which a cell below its nominal range makes negative."""
_LONGEST = 100


def none() -> list[int]:
    """A tally of nothing."""
    return [0] * layout.TALLIES


def empty(tally: npt.NDArray[np.int64], into: list[int]) -> None:
    """Add `tally` to `into`, and set it to 0."""
    for place, count in enumerate(tally):
        into[place] += int(count)
    tally[:] = 0


def whole_numbers(name: str, texts: npt.NDArray[Any]) -> list[int]:
    """The tally in an array of decimal texts. Raises `ArgumentError` that begins with `name`."""
    allowed = f"{layout.TALLIES} whole numbers as text"
    if not isinstance(texts, np.ndarray) or texts.shape != (layout.TALLIES,) or texts.dtype.kind != "U":
        ARGUMENTS.refuse(name, f"type {getattr(texts, 'dtype', type(texts).__name__)}", allowed)
    found = []
    for place, text in enumerate(texts.tolist()):
        digits = text.removeprefix("-") if place in _SIGNED else text
        if not (digits.isascii() and digits.isdigit() and len(digits) < _LONGEST):
            ARGUMENTS.refuse(f"{name}[{place}]", repr(text[:60]), allowed)
        found.append(int(text))
    return found
