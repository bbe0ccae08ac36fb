"""From what happened on a chip with layers on cells to what backpropagation pays for: actions, as exact integers.

Forward, the rows of an array are driven by inputs or states; back, its columns by errors (`ARRAY_READ_BACK`). The
lowest array is never read back. Products of an update are formed beside the array, but where trains coincide.
"""

from __future__ import annotations

from edgesdt.rules.activity import ASSUMED, Activity
from edgesdt.rules.backprop.ledger import actions as own
from edgesdt.rules.backprop.ledger import counts as digital
from edgesdt.rules.backprop.ledger.counts import Events, Tally
from edgesdt.rules.backprop.settings import settings
from edgesdt.spec import Spec, layers
from edgesdt.synapses.crossbar import counts as array_counts
from edgesdt.synapses.crossbar import expected as array_expected
from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.counts import Tallies
from edgesdt.synapses.crossbar.expected import Update


def actions(spec: Spec, events: Events, tallies: Tallies) -> dict[str, int]:
    """All actions of the chip for its events and the tallies of its arrays, from the input up (reads forward, back)."""
    tallies = array_counts.checked(spec, tallies)
    return _together(spec, digital.actions(spec, events), Tally.of(events), tallies)


def predicted(spec: Spec, learning: bool, activity: Activity = ASSUMED) -> dict[str, int]:
    """Actions of 1000 samples before anything is run, from how busy the chip is expected to be."""
    happened = digital.expected(spec, learning, activity)
    tally = expected(spec, learning, activity)
    over = activity.cells if learning else activity.cells_at_inference
    tallies = array_counts.in_pairs(spec, tally, over)
    return _together(spec, digital.priced(spec, happened), happened, tallies)


def expected(spec: Spec, learning: bool, activity: Activity) -> list[float]:
    """The tallies of all arrays for 1000 samples with `activity` and what is assumed, as `Seen.cells` has them."""
    happened = digital.expected(spec, learning, activity)
    found: list[float] = []
    for layer in layers.on_cells(spec):
        alone = layers.alone(spec, layer)
        update = Update(happened.errors[layer + 1], happened.pairs[layer]) if learning else None
        if layer > 0:
            found += _above(alone, happened, layer, update)
            continue
        found += array_expected.lowest(alone, happened.samples, happened.inputs, update)
        if layers.count(spec) > 1:
            found += [0.0] * layout.TALLIES
    return found


def _above(alone: Spec, happened: Tally, layer: int, update: Update | None) -> list[float]:
    """Tallies of the array above layer `layer` of neurons: a read for each digit, and back for each sign of errors."""
    width = alone.device.array.dac_bits
    states, errors = (-(-bits // width) for bits in (alone.chip.states.bits, settings(alone).errors.bits))
    reads = float(happened.samples * states), float(happened.learned * 2 * errors)
    driven = float(happened.active[layer] * states), float(happened.errors[layer + 1] * errors)
    return array_expected.above(alone, reads, driven, update)


def _together(spec: Spec, counts: dict[str, int], happened: Tally, tallies: Tallies) -> dict[str, int]:
    """The counts of the chip with those of its arrays."""
    made = counts | array_counts.of_chip(spec, tallies)
    paid = digital.paid_for(spec, happened)
    for layer, (tally, _) in zip(layers.on_cells(spec), tallies, strict=True):
        if layers.device_of(spec, layer).array.programming == "coincidence":  # the lines multiply: no synapse does
            made[own.OUTER] -= paid.pairs[layer]
            made[own.STEP] += tally[layout.SWEPT] - paid.pairs[layer]
    return made
