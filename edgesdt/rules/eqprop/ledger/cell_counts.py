"""From what happened on a chip with layers on cells to what it pays for: actions, as exact integers."""

from __future__ import annotations

from edgesdt.ledger import actions as act
from edgesdt.rules.activity import ASSUMED, Activity, at, kept_inputs
from edgesdt.rules.eqprop.ledger import counts as eqprop_counts
from edgesdt.rules.eqprop.ledger.counts import Events, Tally
from edgesdt.rules.eqprop.settings import settings
from edgesdt.spec import Spec, layers
from edgesdt.synapses.crossbar import counts as array_counts
from edgesdt.synapses.crossbar import expected as array_expected
from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.counts import Tallies
from edgesdt.synapses.crossbar.expected import Update

ASSUMED_STEPS = 0.8
"""Share of the steps of a phase in which some neuron of a layer changes, where nothing has been run yet."""
_SAMPLES = 1000


def actions(spec: Spec, events: Events, tallies: Tallies) -> dict[str, int]:
    """All actions of the chip for its events and the tallies of its arrays, from the input up (reads forward, back)."""
    tallies = array_counts.checked(spec, tallies)
    return _together(spec, eqprop_counts.actions(spec, events), Tally.of(events), tallies)


def predicted(spec: Spec, learning: bool, activity: Activity = ASSUMED) -> dict[str, int]:
    """Actions of 1000 samples before anything is run, from how busy the chip is expected to be."""
    happened = eqprop_counts.expected(spec, learning, activity)
    tally = expected(spec, learning, activity)
    over = activity.cells if learning else activity.cells_at_inference
    tallies = array_counts.in_pairs(spec, tally, over)
    return _together(spec, eqprop_counts.priced(spec, happened), happened, tallies)


def expected(spec: Spec, learning: bool, activity: Activity) -> list[float]:
    """The tallies of all arrays for 1000 samples with `activity` and what is assumed, in a row.

    As `Seen.cells` has them: that of the only layer of a chip; of every layer of several on cells from the input up,
    that of its reads forward and writes, then that of its reads back.
    """
    if layers.count(spec) == 1:
        return _lowest(spec, spec, learning, activity)
    happened = eqprop_counts.expected(spec, learning, activity)
    found: list[float] = []
    for layer in layers.on_cells(spec):
        alone = layers.alone(spec, layer)
        if layer == 0:
            found += [*_lowest(spec, alone, learning, activity), *([0.0] * layout.TALLIES)]
        else:
            found += _above(alone, learning, happened, layer, activity)
    return found


def _lowest(spec: Spec, alone: Spec, learning: bool, activity: Activity) -> list[float]:
    kept = kept_inputs(spec, learning)
    driven = _SAMPLES * spec.chip.layers[0] * activity.inputs * kept
    moved = spec.chip.layers[1] * at(activity.moved, 1) * _SAMPLES
    pairs = moved * spec.chip.layers[0] * activity.inputs * kept
    return array_expected.lowest(alone, _SAMPLES, driven, Update(moved, pairs) if learning else None)


def _above(alone: Spec, learning: bool, happened: Tally, layer: int, activity: Activity) -> list[float]:
    """Tallies of the array above layer `layer` of neurons, whose lines are driven by changes, up and down apart."""
    rule, n1 = settings(alone), alone.chip.layers[1]
    steps = rule.free_steps + (happened.nudged_runs // max(happened.samples, 1)) * rule.nudged_steps
    reads = 2 * ASSUMED_STEPS * steps * happened.samples
    soft = eqprop_counts.is_soft(alone) and layer == len(happened.changes) - 2
    back = 2 * ASSUMED_STEPS * happened.nudged_runs * rule.nudged_steps if soft else reads
    swept = n1 * at(activity.moved, layer + 1) * happened.samples
    update = Update(swept, happened.pairs[layer]) if learning else None
    return array_expected.above(
        alone, (reads, back), (happened.changes[layer], happened.changes[layer + 1]), update
    )


def _together(spec: Spec, counts: dict[str, int], happened: Tally, tallies: Tallies) -> dict[str, int]:
    """The counts of the chip with those of its arrays."""
    made = counts | array_counts.of_chip(spec, tallies)
    paid = eqprop_counts.paid_for(spec, happened)
    for layer, (tally, _) in zip(layers.on_cells(spec), tallies, strict=True):
        if layers.device_of(spec, layer).array.programming == "coincidence":  # the lines multiply: no synapse does
            made[act.CONTRAST] -= paid.pairs[layer]
            made[act.RATE] += tally[layout.SWEPT] - paid.pairs[layer]
            if layers.count(spec) == 1:  # a chip of one layer moves the biases of the neurons that it sweeps, no others
                made[act.RATE] += happened.bias_moves - paid.bias_moves
    return made
