"""From what happened to a crossbar to what a chip with analog cells pays for: actions, as exact integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edgesdt.arguments import ARGUMENTS
from edgesdt.ledger import actions as act
from edgesdt.rules.activity import ASSUMED, Activity, at, kept_inputs
from edgesdt.rules.eqprop import counts as eqprop_counts
from edgesdt.rules.eqprop.counts import Events
from edgesdt.spec import Spec
from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.scales import mapping_of, reference_code, share_bits, step_of, tiles

ASSUMED_PULSES = 0.5
"""Pulses per synapse whose contrast is formed, where nothing has been run yet (784-300 on MNIST: 0.3 to 0.7)."""
ASSUMED_CARRIED = 0.015
"""Share of the digits that each look finds to be carried, where nothing has been run yet (784-300 on MNIST, two slices,
every 1,000 samples: 0.004 to 0.04)."""
ASSUMED_LEVEL = 0.5
"""Mean of a non-zero input and mean share of a cell, where nothing has been run yet."""


def actions(spec: Spec, events: Events, tally: Sequence[int]) -> dict[str, int]:
    """All of `actions.MEANING` and `actions.CELL_MEANING` for events and the tally of the array (TALLIES)."""
    if not isinstance(tally, Sequence) or len(tally) != layout.TALLIES:
        ARGUMENTS.refuse("tally", f"a {type(tally).__name__}", f"{layout.TALLIES} whole numbers, as `layout` has them")
    tally = [ARGUMENTS.whole(f"tally[{place}]", number, -(1 << 400)) for place, number in enumerate(tally)]
    return _with_cells(spec, eqprop_counts.actions(spec, events), eqprop_counts.Tally.of(events).bias_moves, tally)


def predicted(spec: Spec, learning: bool, activity: Activity = ASSUMED) -> dict[str, int]:
    """Actions of 1000 samples before anything is run, from how busy the chip is expected to be."""
    happened = eqprop_counts.expected(spec, learning, activity)
    tally = expected(spec, learning, activity)
    over = activity.cells if learning else activity.cells_at_inference
    if over:
        tally = [n * ratio for n, ratio in zip(tally, over, strict=True)]
    return _with_cells(spec, eqprop_counts.priced(spec, happened), happened.bias_moves, [int(n) for n in tally])


def expected(spec: Spec, learning: bool, activity: Activity) -> list[float]:
    """The tally of the array (TALLIES) for 1000 samples with `activity` and the assumptions above."""
    samples, columns = 1000, spec.chip.layers[1]
    kept = kept_inputs(spec, learning)
    driven = samples * spec.chip.layers[0] * activity.inputs * kept
    mapping = mapping_of(spec)
    cells = columns * mapping.cells_per_weight
    squares = driven * (ASSUMED_LEVEL * ((1 << spec.encoder.bits) - 1)) ** 2
    level = ASSUMED_LEVEL * (1 << share_bits(spec))
    moved = columns * at(activity.moved, 1) * samples
    pairs = moved * spec.chip.layers[0] * activity.inputs * kept if learning else 0.0
    pulses = pairs * ASSUMED_PULSES * mapping.planes * mapping.weight_per_range / float(mapping.digit_weights[0])
    written = min(pulses, pairs * mapping.planes)  # with one slice seldom more than one pulse for a cell
    tally = [0.0] * layout.TALLIES
    tally[layout.READS], tally[layout.ROW_DRIVES] = samples, driven
    tally[layout.READ_BASE], tally[layout.READ_SHARE] = squares * cells, squares * cells * level
    for pulse, share in ((layout.PULSES_UP, layout.UP_SHARE), (layout.PULSES_DOWN, layout.DOWN_SHARE)):
        tally[pulse], tally[share] = pulses / 2, pulses / 2 * level
    tally[layout.PULSE_TIMES], tally[layout.SWEPT] = (2 * moved, moved) if learning else (0.0, 0.0)
    if spec.device.array.programming == "verify":
        tally[layout.VERIFY_READS], tally[layout.VERIFY_SHARE] = 2 * written, 2 * written * level
    tally[layout.CELL_WRITES] = written
    if learning and mapping.slices > 1:
        _add_carries(spec, samples, tally, level)
    return tally


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


def _with_cells(spec: Spec, counts: dict[str, int], bias_moves: int, tally: Sequence[int]) -> dict[str, int]:
    """The counts of a digital chip with those of its weight memory replaced by those of the array."""
    counts = counts | {act.MAC: 0, act.WEIGHT_READ: 0, act.WEIGHT_WRITE: 0}
    if spec.device.array.programming == "coincidence":  # the lines multiply: no synapse needs arithmetic of its own
        counts |= {act.CONTRAST: 0, act.RATE: bias_moves + tally[layout.SWEPT]}
    return {**counts, **of_array(spec, tally)}


def of_array(spec: Spec, tally: Sequence[int]) -> dict[str, int]:
    """Actions of the array of a chip of one weight layer, read forward."""
    array, columns = spec.device.array, spec.chip.layers[1]
    row_tiles, column_tiles = tiles(spec)
    mapping, verified = mapping_of(spec), tally[layout.VERIFY_READS]
    planes = mapping.planes
    pulses = tally[layout.PULSES_UP] + tally[layout.PULSES_DOWN]
    rows = min(array.tile_rows, spec.chip.layers[0])
    others = rows + min(array.tile_columns, columns * planes) - 2  # on the two lines of a cell
    lines = others if array.selector == "half_voltage" else 0
    read = tally[layout.READS] * columns * row_tiles * mapping.slices
    squares = tally[layout.READ_BASE] // (columns * mapping.cells_per_weight)
    references = squares * column_tiles if planes == 1 else 0  # the rows drive a column of these in every tile
    # a read selects the cell that it looks at (for a carry, too), and the pulses that it finds lacking go where it is
    selected = verified + (0 if array.programming == "verify" else tally[layout.CELL_WRITES])
    return {
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
