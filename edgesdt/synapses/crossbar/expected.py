"""What is expected to happen to arrays before anything is run: tallies from how busy a chip is.

`spec` is that of one weight layer alone (`spec.layers.alone`); a tally has the entries of `layout`, as real numbers.
"""

from __future__ import annotations

from typing import NamedTuple

from edgesdt.spec import Spec
from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.scales import mapping_of, share_bits, step_of

ASSUMED_PULSES = 0.5
"""Pulses per synapse whose update is formed, where nothing has been run yet (784-300 on MNIST: 0.3 to 0.7)."""
ASSUMED_CARRIED = 0.015
"""Share of the digits that each look finds to be carried, where nothing has been run yet (784-300 on MNIST, two slices,
every 1,000 samples: 0.004 to 0.04)."""
ASSUMED_LEVEL = 0.5
"""Mean of a non-zero input and mean share of a cell, where nothing has been run yet."""
ASSUMED_LEVEL_ABOVE = 0.35
"""Root mean square code of a line above the input that is driven, over the converter's highest, where nothing has been
run yet (784-300-10 with labels on MNIST: 0.39)."""
ASSUMED_PULSES_ABOVE = 0.03
"""Pulses per pair of neurons above the input that take part, where nothing has been run yet (the same chip: 0.03)."""


class Update(NamedTuple):
    """What is expected to be updated: neurons whose column is swept, and pairs of neurons whose update is formed."""

    swept: float
    pairs: float


def lowest(spec: Spec, samples: int, driven: float, update: Update | None) -> list[float]:
    """The tally of an array at the input: `driven` rows in all samples; no `update` in inference."""
    columns, mapping = spec.chip.layers[1], mapping_of(spec)
    cells = columns * mapping.cells_per_weight
    squares = driven * (ASSUMED_LEVEL * ((1 << spec.encoder.bits) - 1)) ** 2
    level = ASSUMED_LEVEL * (1 << share_bits(spec))
    pairs = update.pairs if update else 0.0
    pulses = pairs * ASSUMED_PULSES * mapping.planes * mapping.weight_per_range / float(mapping.digit_weights[0])
    written = min(pulses, pairs * mapping.planes)  # with one slice seldom more than one pulse for a cell
    tally = [0.0] * layout.TALLIES
    tally[layout.READS], tally[layout.ROW_DRIVES] = samples, driven
    tally[layout.READ_BASE], tally[layout.READ_SHARE] = squares * cells, squares * cells * level
    _add_pulses(spec, tally, update, pulses, written, level)
    if update and mapping.slices > 1:
        _add_carries(spec, samples, tally, level)
    return tally


def above(
    spec: Spec, reads: tuple[float, float], driven: tuple[float, float], update: Update | None
) -> list[float]:
    """The tallies of an array above the input, forward and back in a row, for so many reads and driven lines."""
    (n0, n1), mapping = spec.chip.layers, mapping_of(spec)
    level = ASSUMED_LEVEL * (1 << share_bits(spec))
    square = (ASSUMED_LEVEL_ABOVE * ((1 << spec.encoder.bits) - 1)) ** 2
    both = []
    for read, lines, across in zip(reads, driven, (n1, n0), strict=True):
        tally = [0.0] * layout.TALLIES
        tally[layout.READS] = min(read, lines)
        tally[layout.ROW_DRIVES] = lines
        tally[layout.READ_BASE] = lines * square * across * mapping.planes
        tally[layout.READ_SHARE] = tally[layout.READ_BASE] * level
        both.append(tally)
    pulses = update.pairs * ASSUMED_PULSES_ABOVE * mapping.planes if update else 0.0
    _add_pulses(spec, both[0], update, pulses, pulses, level)
    return both[0] + both[1]


def _add_pulses(
    spec: Spec, tally: list[float], update: Update | None, pulses: float, written: float, level: float
) -> None:
    for pulse, share in ((layout.PULSES_UP, layout.UP_SHARE), (layout.PULSES_DOWN, layout.DOWN_SHARE)):
        tally[pulse], tally[share] = pulses / 2, pulses / 2 * level
    swept = update.swept if update else 0.0
    tally[layout.PULSE_TIMES], tally[layout.SWEPT], tally[layout.CELL_WRITES] = 2 * swept, swept, written
    if spec.device.array.programming == "verify":
        tally[layout.VERIFY_READS], tally[layout.VERIFY_SHARE] = 2 * written, 2 * written * level


class _Carries(NamedTuple):
    """What carrying is assumed to take: reads of single cells, pulses, and slots of columns."""

    reads: float
    pulses: float
    slots: float


def _carries(spec: Spec, samples: int) -> _Carries:
    """A look at all digits but the last; those carried move by half their reach, and the next by that over the base."""
    mapping, model, (n0, n1) = mapping_of(spec), spec.device.cell_model(), spec.chip.layers
    low, high = model.bounds()
    looked = samples / spec.device.array.carry_every * (mapping.slices - 1)
    carried = looked * n0 * n1 * ASSUMED_CARRIED
    moved = mapping.reach(model) / 2 * (1 + 0.5**mapping.bits_per_cell)
    each = moved / mapping.planes * (high - low) / step_of(model, mapping)
    return _Carries(
        reads=(looked * n0 * n1 + 5 * carried) * mapping.planes,  # two or three reads of each cell that is written
        pulses=carried * mapping.planes * each,
        slots=looked * n1 * 2 * each,  # in nearly every column a digit goes up and another one down
    )


def _add_carries(spec: Spec, samples: int, tally: list[float], level: float) -> None:
    carries = _carries(spec, samples)
    tally[layout.VERIFY_READS] += carries.reads
    tally[layout.VERIFY_SHARE] += carries.reads * level
    tally[layout.PULSE_TIMES] += carries.slots
    for pulse, share in ((layout.PULSES_UP, layout.UP_SHARE), (layout.PULSES_DOWN, layout.DOWN_SHARE)):
        tally[pulse] += carries.pulses / 2
        tally[share] += carries.pulses / 2 * level
