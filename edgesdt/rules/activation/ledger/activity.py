"""From the events of a profile to the shares of an `Activity`: the way back of `counts.expected`.

`changes` are the shares of hidden signals that are not 0 in a pass, `moved` those of outputs in an update, `pairing` of
the synapses of a layer that an update reaches, `nudged` of the samples that are updated at all (with feedback).
"""

from __future__ import annotations

from dataclasses import replace

from edgesdt.rules.activation.ledger import counts
from edgesdt.rules.activation.ledger.counts import Tally
from edgesdt.rules.activation.settings import shapes
from edgesdt.rules.activity import Activity, Seen, over, rates
from edgesdt.spec import Spec, layers

NUDGED = 0.3
"""Share of the samples that are updated with feedback, as long as none was seen."""


def observed(spec: Spec, trained: Seen, inferred: Seen, source: str) -> Activity:
    """The activity that was seen on the chip of `spec`: for this spec, the same counts are expected of it again.

    `trained` and `inferred` hold at least one sample each; `source` says where they are from.
    """
    sizes, learned, shown = spec.chip.layers, Tally.of(trained.events), Tally.of(inferred.events)
    hidden = sizes[1:-1]
    each, updates = shapes(spec), max(learned.updates[0], 1)
    drawn = counts.bank_steps(spec, learned.updates[0])
    found = Activity(
        inputs=learned.inputs / ((learned.samples + learned.reloads) * sizes[0]),
        changes=rates(learned.active, max(learned.passes, 1), hidden) or (0.0,),
        changes_at_inference=rates(shown.active, max(shown.passes, 1), hidden) or (0.0,),
        nudged=learned.reloads / learned.judged if learned.judged else NUDGED,
        moved=rates(learned.outputs, updates, sizes[1:]),
        pairing=tuple(n / (updates * a * b) for n, (a, b) in zip(learned.pairs, each, strict=True)),
        written=learned.weight_writes / max(sum(learned.pairs[k] for k in layers.in_memory(spec)), 1),
        biases_moved=(0.0,),
        biases_written=0.0,
        steps=(learned.bank_steps - drawn) / learned.samples,
        source=source,
    )
    if spec.device.digital:
        return found
    from edgesdt.rules.activation.ledger import cell_counts  # a digital chip needs no device models

    expected = [cell_counts.expected(spec, learning, found) for learning in (True, False)]
    return replace(found, cells=over(trained, expected[0]), cells_at_inference=over(inferred, expected[1]))
