"""From what happened on a chip with its weights on cells to what similarity matching pays for, as exact integers.

The rows of the array are driven twice a sample. Products of an update are formed beside the array, but where trains
coincide. Lateral weights lie in memory.
"""

from __future__ import annotations

from edgesdt.rules.activity import Activity
from edgesdt.rules.similarity.ledger import actions as own
from edgesdt.rules.similarity.ledger import activity as busy
from edgesdt.rules.similarity.ledger import counts as digital
from edgesdt.rules.similarity.ledger.counts import Events, Tally
from edgesdt.spec import Spec
from edgesdt.synapses.crossbar import counts as array_counts
from edgesdt.synapses.crossbar import expected as array_expected
from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.counts import Tallies
from edgesdt.synapses.crossbar.expected import ASSUMED_LEVEL, Update
from edgesdt.synapses.crossbar.scales import mapping_of, share_bits, step_of

ASSUMED_WEIGHT = 0.1
"""Mean |weight| when it is halved, over the range of a cell, where nothing has been run yet."""


def actions(spec: Spec, events: Events, tallies: Tallies) -> dict[str, int]:
    """All actions of the chip for its events and the tallies of its array (forward, and back: none)."""
    tallies = array_counts.checked(spec, tallies)
    return _together(spec, digital.actions(spec, events), Tally.of(events), tallies)


def predicted(spec: Spec, learning: bool, activity: Activity) -> dict[str, int]:
    """Actions of 1000 samples before anything is run, from how busy the chip is expected to be."""
    happened = busy.expected(spec, learning, activity)
    tally = expected(spec, learning, activity)
    over = busy.of_array(activity.cells if learning else activity.cells_at_inference)
    tallies = array_counts.in_pairs(spec, tally, over)
    made = _together(spec, digital.priced(spec, happened), happened, tallies)
    return {name: max(count, 0) for name, count in made.items()}


def expected(spec: Spec, learning: bool, activity: Activity) -> list[float]:
    """The tally of the array for 1000 samples with `activity` and what is assumed, as `Seen.cells` has it."""
    happened, (n0, n1) = busy.expected(spec, learning, activity), spec.chip.layers
    halvings = happened.halvings[0]
    update = Update(happened.active[0] + halvings * n1, happened.pairs[0]) if learning else None
    tally = array_expected.lowest(spec, happened.samples, happened.centred[0], update)
    tally[layout.READS] *= 2
    mapping, model = mapping_of(spec), spec.device.cell_model()
    low, high = model.bounds()
    cells = halvings * n0 * n1 * mapping.planes
    tally[layout.VERIFY_READS] += cells
    tally[layout.VERIFY_SHARE] += cells * ASSUMED_LEVEL * (1 << share_bits(spec))
    pulses = cells * ASSUMED_WEIGHT / 2 / mapping.planes * (high - low) / step_of(model, mapping)
    for pulse, share in ((layout.PULSES_UP, layout.UP_SHARE), (layout.PULSES_DOWN, layout.DOWN_SHARE)):
        tally[pulse] += pulses / 2
        tally[share] += pulses / 2 * ASSUMED_LEVEL * (1 << share_bits(spec))
    tally[layout.CELL_WRITES] += min(pulses, cells)
    return tally


def _together(spec: Spec, counts: dict[str, int], happened: Tally, tallies: Tallies) -> dict[str, int]:
    """The counts of the chip with those of its array."""
    made = counts | array_counts.of_chip(spec, tallies)
    if spec.device.array.programming == "coincidence":  # the lines multiply: no synapse does
        paid = digital.paid_for(spec, happened)
        made[own.OUTER] -= int(sum(paid.pairs))
        made[own.STEP] += int(sum(paid.active) - sum(paid.pairs))
    return made
