"""Hand listed pulses to a device model: one not pulsed in compiled code, or any for what is done now and then."""

from __future__ import annotations

import numpy as np

from edgesdt.crossbar import layout
from edgesdt.crossbar.bank import Crossbar
from edgesdt.crossbar.programming import correct, show
from edgesdt.crossbar.slicing import Slice
from edgesdt.crossbar.stream import keep_up


def hand_over(crossbar: Crossbar, target: Slice, listed: int, verified: bool) -> None:
    """Give the first `listed` cells of a slice their pulses; `verified`: until they show what its bank wants."""
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
