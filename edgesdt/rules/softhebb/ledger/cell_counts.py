"""From what happened on a chip with layers on cells to what SoftHebb pays for: actions, as exact integers.

The lowest array is read by the inputs of every sample, and by the means whenever its offsets are due. Of a neuron with
a share of a sample, every cell is read alone. Products of an update are formed beside the array.
"""

from __future__ import annotations

from edgesdt.rules.activity import ASSUMED, Activity
from edgesdt.rules.softhebb.ledger import actions as own
from edgesdt.rules.softhebb.ledger import counts as digital
from edgesdt.rules.softhebb.ledger.counts import Events, Tally
from edgesdt.rules.softhebb.ledger.expected import expected
from edgesdt.rules.softhebb.settings import settings
from edgesdt.spec import Spec, layers
from edgesdt.synapses.crossbar import counts as array_counts
from edgesdt.synapses.crossbar import expected as array_expected
from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.counts import Tallies
from edgesdt.synapses.crossbar.expected import Update
from edgesdt.synapses.crossbar.scales import mapping_of, share_bits

ASSUMED_MEANS = 0.8
"""Share of the inputs whose mean is not 0, where nothing has been run yet (MNIST: 0.79 at 8 bits)."""


def actions(spec: Spec, events: Events, tallies: Tallies) -> dict[str, int]:
    """All actions of the chip for its events and the tallies of its arrays, from the input up (reads forward, back)."""
    tallies = array_counts.checked(spec, tallies)
    return _together(spec, digital.actions(spec, events), Tally.of(events), tallies)


def predicted(spec: Spec, learning: bool, activity: Activity = ASSUMED) -> dict[str, int]:
    """Actions of 1,000 samples before anything is run, from how busy the chip is expected to be."""
    happened = expected(spec, learning, activity)
    tally = of_arrays(spec, learning, activity)
    over = activity.cells if learning else activity.cells_at_inference
    tallies = array_counts.in_pairs(spec, tally, over)
    return _together(spec, digital.priced(spec, happened), happened, tallies)


def of_arrays(spec: Spec, learning: bool, activity: Activity) -> list[float]:
    """The tallies of all arrays for 1,000 samples with `activity` and what is assumed, as `Seen.cells` has them."""
    happened = expected(spec, learning, activity)
    found: list[float] = []
    for layer in layers.on_cells(spec):
        alone = layers.alone(spec, layer)
        if layer == 0:
            found += _lowest(spec, alone, learning, happened)
            found += [0.0] * (layout.TALLIES if layers.count(spec) > 1 else 0)
            continue
        digits = -(-spec.chip.states.bits // alone.device.array.dac_bits)
        update = Update(happened.errors, happened.pairs[layer]) if learning else None
        reads, driven = float(happened.samples * digits), float(happened.active[layer] * digits)
        found += array_expected.above(alone, (reads, 0.0), (driven, 0.0), update)
    return found


def _lowest(spec: Spec, alone: Spec, learning: bool, happened: Tally) -> list[float]:
    """The tally of the array at the input: with reads by the means, and with columns that are read cell by cell."""
    (rows, _), due = alone.chip.layers, settings(spec).centre.enabled
    offsets = happened.learned[0] if due else 0
    driven = happened.inputs + offsets * rows * ASSUMED_MEANS
    update = Update(happened.shared[1], happened.pairs[0]) if learning else None
    tally = array_expected.lowest(alone, happened.samples + offsets, driven, update)
    cells = float(happened.shared[1] * rows * mapping_of(alone).planes) if learning else 0.0
    tally[layout.VERIFY_READS] += cells
    tally[layout.VERIFY_SHARE] += cells * array_expected.ASSUMED_LEVEL * (1 << share_bits(alone))
    return tally


def _together(spec: Spec, counts: dict[str, int], happened: Tally, tallies: Tallies) -> dict[str, int]:
    """The counts of the chip with those of its arrays; each mean that drives a row is paid for as one `centre`."""
    made = counts | array_counts.of_chip(spec, tallies)
    if settings(spec).centre.enabled and 0 in layers.on_cells(spec):
        made[own.CENTRE] += max(tallies[0][0][layout.READS] - happened.samples, 0) * spec.chip.layers[0]
    return made
