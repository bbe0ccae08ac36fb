"""From what happened on a chip of several weight layers, some on cells, to what it pays for: exact integers."""

from __future__ import annotations

from collections.abc import Sequence

from edgesdt.ledger import actions as act
from edgesdt.rules.activity import ASSUMED, Activity, at
from edgesdt.rules.eqprop import cell_counts
from edgesdt.rules.eqprop import counts as eqprop_counts
from edgesdt.rules.eqprop.counts import Events, Tally
from edgesdt.rules.eqprop.settings import settings
from edgesdt.spec import Spec, layers
from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.scales import mapping_of, reference_code, share_bits, tiles

ASSUMED_STEPS = 0.5
"""Share of the steps of a phase in which some neuron of a layer changes, where nothing has been run yet."""
ASSUMED_LEVEL = 0.35
"""Root mean square code of a driven line over the converter's highest, where nothing has been run yet."""
ASSUMED_PULSES = 0.3
"""Pulses per pair of neurons above the input that take part, where nothing has been run yet."""
Tallies = Sequence[tuple[Sequence[int], Sequence[int]]]
"""Of each layer on cells: reads forward and writes, and reads back."""


def actions(spec: Spec, events: Events, tallies: Tallies) -> dict[str, int]:
    """All actions of the chip for its events and the tallies of its arrays, from the input up."""
    return _together(spec, eqprop_counts.actions(spec, events), Tally.of(events), tallies)


def predicted(spec: Spec, learning: bool, activity: Activity = ASSUMED) -> dict[str, int]:
    """Actions of 1000 samples before anything is run, from how busy the chip is expected to be."""
    happened = eqprop_counts.expected(spec, learning, activity)
    tally = expected(spec, learning, activity)
    over = activity.cells if learning else activity.cells_at_inference
    if over:
        tally = [n * ratio for n, ratio in zip(tally, over, strict=True)]
    whole, one = [int(n) for n in tally], layout.TALLIES
    tallies = [(whole[k : k + one], whole[k + one : k + 2 * one]) for k in range(0, len(whole), 2 * one)]
    return _together(spec, eqprop_counts.priced(spec, happened), happened, tallies)


def expected(spec: Spec, learning: bool, activity: Activity) -> list[float]:
    """The tallies of all arrays for 1000 samples with `activity` and the assumptions above, one after another.

    Of every layer on cells from the input up: that of its reads forward and writes, then that of its reads back.
    """
    happened = eqprop_counts.expected(spec, learning, activity)
    found: list[float] = []
    for layer in layers.on_cells(spec):
        alone = layers.alone(spec, layer)
        if layer == 0:
            found += [*cell_counts.expected(alone, learning, activity), *([0.0] * layout.TALLIES)]
        else:
            found += _expected_above(alone, learning, happened, layer, activity)
    return found


def most_reads(spec: Spec) -> int:
    """Reads of one direction that a sample may take at most, for the digits of both signs."""
    learning = settings(spec)
    steps = learning.free_steps + 2 * learning.nudged_steps + 1
    digits = [-(-spec.chip.states.bits // layers.device_of(spec, k).array.dac_bits) for k in layers.on_cells(spec)]
    return 2 * steps * max(digits)


def _together(spec: Spec, counts: dict[str, int], happened: Tally, tallies: Tallies) -> dict[str, int]:
    made = dict(counts)
    for layer, (tally, back) in zip(layers.on_cells(spec), tallies, strict=True):
        alone = layers.alone(spec, layer)
        found = cell_counts.of_array(alone, tally)
        if layer > 0:
            found = _both_ways(alone, found, back)
        made |= {act.of_layer(name, layer): count for name, count in found.items()}
        if alone.device.array.programming == "coincidence":  # the lines multiply: no synapse needs arithmetic
            pairs = eqprop_counts.paid_for(spec, happened).pairs[layer]
            made[act.CONTRAST] -= pairs
            made[act.RATE] += tally[layout.SWEPT] - pairs
    return made


def _both_ways(spec: Spec, found: dict[str, int], back: Sequence[int]) -> dict[str, int]:
    """The actions `found` of an array read forward, with those of its reads back."""
    rows, columns = spec.chip.layers
    mapping, row_tiles = mapping_of(spec), tiles(spec)[0]
    column_tiles = -(-columns // max(spec.device.array.tile_columns // mapping.planes, 1))
    converted = back[layout.READS] * rows * column_tiles
    squares = back[layout.READ_BASE] // (rows * mapping.planes)
    references = squares * row_tiles if mapping.planes == 1 else 0  # the columns drive a row of these in every tile
    more = {
        act.COLUMN_SAMPLE: converted,
        act.ADC_CONVERSION: converted,
        act.CODE_ADD: converted,
        act.CELL_READ_BASE: back[layout.READ_BASE] + references,
        act.CELL_READ_SHARE: back[layout.READ_SHARE] + references * reference_code(spec),
        act.ARRAY_READ_BACK: back[layout.READS],
        act.COLUMN_DRIVE: back[layout.ROW_DRIVES] * row_tiles,
    }
    return found | {name: found.get(name, 0) + count for name, count in more.items()}


def _expected_above(spec: Spec, learning: bool, happened: Tally, layer: int, activity: Activity) -> list[float]:
    """Tallies of 1000 samples of the array above layer `layer` of neurons; `spec` is that of the array alone."""
    (n0, n1), mapping, rule = spec.chip.layers, mapping_of(spec), settings(spec)
    steps = rule.free_steps + (happened.nudged_runs // max(happened.samples, 1)) * rule.nudged_steps
    level = cell_counts.ASSUMED_LEVEL * (1 << share_bits(spec))
    square = (ASSUMED_LEVEL * ((1 << spec.encoder.bits) - 1)) ** 2
    both = []
    for driven, across in ((happened.changes[layer], n1), (happened.changes[layer + 1], n0)):
        tally = [0.0] * layout.TALLIES
        tally[layout.READS] = min(2 * ASSUMED_STEPS * steps * happened.samples, driven)  # one up and one down
        tally[layout.ROW_DRIVES] = driven
        tally[layout.READ_BASE] = driven * square * across * mapping.planes
        tally[layout.READ_SHARE] = tally[layout.READ_BASE] * level
        both.append(tally)
    if learning:
        pairs = happened.pairs[layer]
        pulses = pairs * ASSUMED_PULSES * mapping.planes
        tally = both[0]
        for pulse, share in ((layout.PULSES_UP, layout.UP_SHARE), (layout.PULSES_DOWN, layout.DOWN_SHARE)):
            tally[pulse], tally[share] = pulses / 2, pulses / 2 * level
        swept = n1 * at(activity.moved, layer + 1) * happened.samples
        tally[layout.PULSE_TIMES], tally[layout.SWEPT], tally[layout.CELL_WRITES] = 2 * swept, swept, pulses
        if spec.device.array.programming == "verify":
            tally[layout.VERIFY_READS], tally[layout.VERIFY_SHARE] = 2 * pulses, 2 * pulses * level
    return both[0] + both[1]
