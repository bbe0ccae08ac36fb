"""What learning did to the cells of a crossbar: the record's `device`, and what the user should be told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.crossbar import Crossbar
from edgesdt.synapses.crossbar.scales import weight_of_pulse
from edgesdt.synapses.crossbar.writing import carry

_MUCH_CLIPPED = 0.05
"""Share of the conversions above which a run warns."""
_MUCH_LOST = 0.15
"""Share of the current that wires may take before the fast model of IR drop can be off by more than 2 %."""

_MUCH_CROWDED = 0.01
"""Share of the digits above which a run warns."""


def clipped_share(crossbar: Crossbar, tally: Sequence[int]) -> float:
    """Share of the conversions in training that were at the end of the converter's range."""
    columns = crossbar.spec.chip.layers[-1] * crossbar.mapping.slices
    made = tally[layout.READS] * crossbar.sensing.row_tiles * columns
    return tally[layout.CLIPPED] / made if made else 0.0


def wear(crossbar: Crossbar, tally: Sequence[int], carries: Sequence[int], lost: float) -> dict[str, object]:
    """The record's `device`; `lost` is the share of the current that the wires take, `carries` as in `carrying`."""
    pulses = crossbar.cells.pulses
    edges = [0, 1, *(10**k for k in range(1, 10))]
    counted, _ = np.histogram(pulses, bins=[*edges, 2**32])
    return {
        "model": crossbar.model.name,
        "family": crossbar.model.family,
        "cells": len(pulses),
        "writes_total": int(pulses.astype(np.int64).sum()),
        "writes_per_cell_max": int(pulses.max(initial=0)),
        "writes_per_cell_mean": float(pulses.mean()),
        "writes_histogram": {
            (f"{low} or more" if low else "never"): int(n)
            for low, n in zip(edges, counted, strict=True)
            if n or low == 0
        },
        "pulses_up": tally[layout.PULSES_UP],
        "pulses_down": tally[layout.PULSES_DOWN],
        "clipped_conversions": clipped_share(crossbar, tally),
        **({"wire_loss": lost} if crossbar.lines else {}),
        **(_carried(carries) if crossbar.above else {}),
        "non_idealities": list(crossbar.model.non_idealities),
        "weight_per_pulse": weight_of_pulse(crossbar.spec),
    }


def _carried(carries: Sequence[int]) -> dict[str, object]:
    looked = max(carries[carry.LOOKED], 1)
    crowded = carries[carry.CROWDED]
    return {
        "carries": carries[carry.CARRIED],
        "carried_digits": carries[carry.CARRIED] / looked,
        "crowded_digits": crowded / looked,
    }


def warnings(crossbar: Crossbar, tally: Sequence[int], carries: Sequence[int], lost: float) -> list[str]:
    """What the user should know about the array, in sentences."""
    share, array, said = clipped_share(crossbar, tally), crossbar.spec.device.array, []
    if share > _MUCH_CLIPPED:
        said.append(
            f"{share:.0%} of the conversions were at the end of the converter's range: device.array.adc_range: "
            f"{array.adc_range:g} is too small for the sums of this chip; a larger adc_range (up to 8) or fewer "
            f"tile_rows ({array.tile_rows}) would hold them"
        )
    if lost > _MUCH_LOST:
        said.append(
            f"the wires take {lost:.0%} of the current: device.array.wire_resistance: {array.wire_resistance:g} Ohm is "
            f"much for tiles of {array.tile_rows} x {array.tile_columns} of these cells; up to {_MUCH_LOST:.0%} it "
            "is modelled within 2 %"
        )
    crowded = carries[carry.CROWDED] / max(carries[carry.LOOKED], 1)
    if crowded > _MUCH_CROWDED:
        said.append(
            f"{crowded:.1%} of the digits were at the end of their cells when they were carried, where updates are "
            f"lost: device.array.carry_every: {array.carry_every} is too seldom for this learning rate"
        )
    if "iv_nonlinearity" in crossbar.model.non_idealities:
        said.append(f"iv_nonlinearity of {crossbar.model.name}: the cells of a chip are read as ohmic, without it")
    return said
