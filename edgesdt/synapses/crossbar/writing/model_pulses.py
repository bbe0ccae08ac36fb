"""Applies a list of pulses to a device model in Python.

Models without a compiled kernel use it, and so do rare operations such as carries.
"""

from __future__ import annotations

import numpy as np

from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.crossbar import Crossbar
from edgesdt.synapses.crossbar.slices import Slice
from edgesdt.synapses.crossbar.writing.programming import correct, keep_up, show


def apply_pulses(crossbar: Crossbar, target: Slice, listed: int, verified: bool) -> None:
    """Pulse the first `listed` cells of a slice; `verified`: until they show what is wanted, in `rounds` at most."""
    bank, model, cells = target.bank, crossbar.model, crossbar.cells
    for _ in range(bank.rounds if verified else 1):
        listed = correct(listed, bank) if verified else listed
        if listed == 0:
            return
        places, counts = bank.places[:listed], bank.counts[:listed]
        before = bank.shares[places].astype(np.int64)
        model.pulse(cells, counts, places + np.int32(target.first))
        show(target.codes, listed, bank)
        keep_up(target.codes, listed, crossbar.sensing, bank)
        passed = (before + bank.shares[places]) * np.abs(counts.astype(np.int64))
        for total, share, which in (
            (layout.PULSES_UP, layout.UP_SHARE, counts > 0),
            (layout.PULSES_DOWN, layout.DOWN_SHARE, counts < 0),
        ):
            bank.tally[total] += int(np.abs(counts[which].astype(np.int64)).sum())
            bank.tally[share] += int(passed[which].sum()) // 2
