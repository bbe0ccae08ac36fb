"""From the events of a profile to the shares and rates of an `Activity`: the way back of `counts.expected`.

States start a sample at 0, so that the share of those that are not 0 is the rate of their changes; a neuron is updated
where its error is not 0. Output states are sent nowhere and not counted: as many as errors are taken to be not 0.
"""

from __future__ import annotations

from dataclasses import replace

from edgesdt.rules.activity import ASSUMED, Activity, Seen, kept_inputs, over, rates
from edgesdt.rules.backprop.ledger import counts
from edgesdt.rules.backprop.ledger.counts import Tally
from edgesdt.spec import Spec, layers


def observed(spec: Spec, trained: Seen, inferred: Seen, source: str) -> Activity:
    """The activity that was seen on the chip of `spec`: for this spec, the same counts are expected of it again.

    `trained` and `inferred` hold at least one sample each; `source` says where they are from.
    """
    sizes, learned, shown = spec.chip.layers, Tally.of(trained.events), Tally.of(inferred.events)
    posts = sizes[1:]
    # of layer 1 by the pairs with its inputs: busy samples have more of both
    first = learned.pairs[0] / (max(learned.inputs, 1) * sizes[1])
    moved = (first, *rates(learned.errors[2:], learned.samples, posts[1:]))
    found = Activity(
        inputs=learned.inputs / (learned.samples * sizes[0] * kept_inputs(spec, True)),
        changes=(*rates(learned.active[1:-1], learned.samples, posts[:-1]), moved[-1]),
        changes_at_inference=(*rates(shown.active[1:-1], shown.samples, posts[:-1]), moved[-1]),
        nudged=0.0,
        moved=moved,
        pairing=_pairing(spec, learned, moved),
        written=learned.weight_writes / max(sum(learned.pairs[k] for k in layers.in_memory(spec)), 1),
        biases_moved=(learned.bias_moves / (learned.samples * sum(posts)),),
        biases_written=learned.bias_writes / max(learned.bias_moves, 1),
        source=source,
    )
    predicted = counts.expected(spec, True, found).bank_steps
    found = replace(found, steps=learned.bank_steps / learned.samples - predicted / 1000)
    if spec.device.digital:
        return found
    from edgesdt.rules.backprop.ledger import cell_counts  # a digital chip needs no device models

    expected = [cell_counts.expected(spec, learning, found) for learning in (True, False)]
    return replace(found, cells=over(trained, expected[0]), cells_at_inference=over(inferred, expected[1]))


def _pairing(spec: Spec, seen: Tally, moved: tuple[float, ...]) -> tuple[float, ...]:
    sizes, found = spec.chip.layers, []
    for k in range(1, len(sizes) - 1):
        both = seen.samples * sizes[k] * sizes[k + 1] * moved[k - 1] * moved[k]
        found.append(seen.pairs[k] / both if both else 0.0)
    return tuple(found) or ASSUMED.pairing
