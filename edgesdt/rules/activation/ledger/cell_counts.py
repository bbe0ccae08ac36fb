"""From what happened on a chip with layers on cells to what activation learning pays for: actions, as exact integers.

Forward, the rows of an array are driven by signals; back, its columns by outputs, for the errors of every layer: the
lowest, too. Products of an update are formed beside the array.
"""

from __future__ import annotations

from edgesdt.rules.activation.ledger import counts as digital
from edgesdt.rules.activation.ledger.counts import Events
from edgesdt.rules.activation.settings import settings
from edgesdt.rules.activity import ASSUMED, Activity
from edgesdt.spec import Spec, layers
from edgesdt.synapses.crossbar import counts as array_counts
from edgesdt.synapses.crossbar import expected as array_expected
from edgesdt.synapses.crossbar.counts import Tallies
from edgesdt.synapses.crossbar.expected import Update


def actions(spec: Spec, events: Events, tallies: Tallies) -> dict[str, int]:
    """All actions of the chip for its events and the tallies of its arrays, from the input up (reads forward, back)."""
    tallies = array_counts.checked(spec, tallies)
    return digital.actions(spec, events) | array_counts.of_chip(spec, tallies)


def predicted(spec: Spec, learning: bool, activity: Activity = ASSUMED) -> dict[str, int]:
    """Actions of 1000 samples before anything is run, from how busy the chip is expected to be."""
    happened = digital.expected(spec, learning, activity)
    over = activity.cells if learning else activity.cells_at_inference
    tallies = array_counts.in_pairs(spec, expected(spec, learning, activity), over)
    return digital.priced(spec, happened) | array_counts.of_chip(spec, tallies)


def expected(spec: Spec, learning: bool, activity: Activity) -> list[float]:
    """The tallies of all arrays for 1000 samples with `activity` and what is assumed, as `Seen.cells` has them.

    Signals of the image and of the label are read apart; those of a hidden layer, and outputs, have both signs.
    """
    happened, label = digital.expected(spec, learning, activity), settings(spec).label
    found: list[float] = []
    for layer in layers.on_cells(spec):
        alone = layers.alone(spec, layer)
        digits = -(-spec.chip.states.bits // alone.device.array.dac_bits)
        reads = 2 * happened.passes if layer else happened.samples + happened.reloads + happened.passes
        driven = happened.active[layer - 1] if layer else happened.inputs + happened.passes * label.copies
        updates, outputs = happened.updates[layer], happened.outputs[layer]
        update = Update(outputs, happened.pairs[layer]) if learning else None
        both = (float(reads * digits), 2.0 * updates * digits), (float(driven * digits), float(outputs * digits))
        found += array_expected.above(alone, *both, update)
    return found
