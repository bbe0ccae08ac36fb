"""From what happened to a crossbar to what a chip with analog cells pays for: actions, as exact integers."""

from __future__ import annotations

from collections.abc import Sequence

from edgesdt import actions as act
from edgesdt.crossbar import layout
from edgesdt.crossbar.scales import mapping_of, reference_code, share_bits, tiles
from edgesdt.rules import eqprop_counts
from edgesdt.rules.eqprop_counts import Events
from edgesdt.spec import Spec

ASSUMED_PULSES = 0.5
"""Pulses per synapse whose contrast is formed, where nothing has been run yet (784-300 on MNIST: 0.3 to 0.7)."""
ASSUMED_CARRIED = 0.1
"""Share of the digits that each look finds to be carried, where nothing has been run yet."""
ASSUMED_LEVEL = 0.5
"""Mean of a non-zero input and mean share of a cell, where nothing has been run yet."""


def actions(spec: Spec, events: Events, tally: Sequence[int]) -> dict[str, int]:
    """All of `actions.MEANING` and `actions.CELL_MEANING` for events and the tally of the array (TALLIES)."""
    return _with_cells(spec, eqprop_counts.actions(spec, events), eqprop_counts.Tally.of(events).bias_moves, tally)


def predicted(spec: Spec, learning: bool) -> dict[str, int]:
    """Actions of 1000 samples before anything is run, from the assumptions here and in `eqprop_counts`."""
    counts = eqprop_counts.predicted(spec, learning)
    samples, columns = 1000, spec.chip.layers[1]
    kept = 1.0 - spec.learning.dropout.input if learning else 1.0
    driven = samples * spec.chip.layers[0] * eqprop_counts.ASSUMED_INPUTS * kept
    mapping = mapping_of(spec)
    cells = columns * mapping.cells_per_weight
    squares = driven * (ASSUMED_LEVEL * ((1 << spec.encoder.bits) - 1)) ** 2
    level = ASSUMED_LEVEL * (1 << share_bits(spec))
    moved = columns * eqprop_counts.ASSUMED_MOVED * samples
    pairs = moved * spec.chip.layers[0] * eqprop_counts.ASSUMED_INPUTS * kept if learning else 0.0
    pulses = pairs * ASSUMED_PULSES * mapping.planes * mapping.weight_per_range / float(mapping.digit_weights[0])
    tally = [0.0] * layout.TALLIES
    tally[layout.READS], tally[layout.ROW_DRIVES] = samples, driven
    tally[layout.READ_BASE], tally[layout.READ_SHARE] = squares * cells, squares * cells * level
    for pulse, share in ((layout.PULSES_UP, layout.UP_SHARE), (layout.PULSES_DOWN, layout.DOWN_SHARE)):
        tally[pulse], tally[share] = pulses / 2, pulses / 2 * level
    tally[layout.PULSE_TIMES], tally[layout.SWEPT] = (2 * moved, moved) if learning else (0.0, 0.0)
    if spec.device.array.programming == "verify":
        tally[layout.VERIFY_READS], tally[layout.VERIFY_SHARE] = 2 * pulses, 2 * pulses * level
    tally[layout.CELL_WRITES] = min(pulses, pairs * mapping.planes)  # seldom more than one for a cell
    if learning and mapping.slices > 1:
        looks = _carry_reads(spec, samples)
        tally[layout.VERIFY_READS] += looks
        tally[layout.VERIFY_SHARE] += looks * level
    bias_moves = int(moved) if learning and spec.chip.biases.enabled else 0
    return _with_cells(spec, counts, bias_moves, [int(n) for n in tally])


def _carry_reads(spec: Spec, samples: int) -> float:
    """Reads of single cells that carrying is assumed to take: a look at all, then some for each digit carried."""
    mapping, (n0, n1) = mapping_of(spec), spec.chip.layers
    looked = samples / spec.device.array.carry_every * (mapping.slices - 1) * n0 * n1 * mapping.planes
    return looked * (1 + 5 * ASSUMED_CARRIED)  # two or three reads of either cell


def _with_cells(spec: Spec, counts: dict[str, int], bias_moves: int, tally: Sequence[int]) -> dict[str, int]:
    """The counts of a digital chip with those of its weight memory replaced by those of the array."""
    array, columns = spec.device.array, spec.chip.layers[1]
    row_tiles, column_tiles = tiles(spec)
    mapping, verified = mapping_of(spec), tally[layout.VERIFY_READS]
    planes = mapping.planes
    pulses = tally[layout.PULSES_UP] + tally[layout.PULSES_DOWN]
    rows = min(array.tile_rows, spec.chip.layers[0])
    others = rows + min(array.tile_columns, columns * planes) - 2  # on the two lines of a cell
    lines = others if array.selector == "half_voltage" else 0
    counts = counts | {act.MAC: 0, act.WEIGHT_READ: 0, act.WEIGHT_WRITE: 0}
    read = tally[layout.READS] * columns * row_tiles * mapping.slices
    squares = tally[layout.READ_BASE] // (columns * mapping.cells_per_weight)
    references = squares * column_tiles if planes == 1 else 0  # the rows drive a column of these in every tile
    # a read selects the cell that it looks at (for a carry, too), and the pulses that it finds lacking go where it is
    selected = verified + (0 if array.programming == "verify" else tally[layout.CELL_WRITES])
    if array.programming == "coincidence":  # the lines multiply: no synapse needs arithmetic of its own
        counts |= {act.CONTRAST: 0, act.RATE: bias_moves + tally[layout.SWEPT]}
    return {
        **counts,
        act.ARRAY_READ: tally[layout.READS],
        act.ROW_DRIVE: tally[layout.ROW_DRIVES] * column_tiles + verified,
        act.COLUMN_SAMPLE: read + verified,
        act.ADC_CONVERSION: read + verified,
        act.CODE_ADD: read,
        act.CELL_READ_BASE: tally[layout.READ_BASE] + references,
        act.CELL_READ_SHARE: tally[layout.READ_SHARE] + references * reference_code(spec),
        act.PULSE_UP: tally[layout.PULSES_UP],
        act.PULSE_UP_SHARE: tally[layout.UP_SHARE],
        act.PULSE_DOWN: tally[layout.PULSES_DOWN],
        act.PULSE_DOWN_SHARE: tally[layout.DOWN_SHARE],
        act.PULSE_TIME: tally[layout.PULSE_TIMES],
        act.HALF_SELECTED: pulses * lines,
        act.VERIFY_READ: verified,
        act.VERIFY_SHARE: tally[layout.VERIFY_SHARE],
        act.ROW_PULSE_UP: tally[layout.PULSES_UP],
        act.ROW_PULSE_DOWN: tally[layout.PULSES_DOWN],
        act.COLUMN_PULSE: tally[layout.PULSE_TIMES] * planes,
        act.ROW_SELECT: selected,
        act.COLUMN_SELECT: tally[layout.SWEPT] * planes + verified,
    }
