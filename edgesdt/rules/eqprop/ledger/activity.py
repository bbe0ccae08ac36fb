"""From the events of a profile to the shares and rates of an `Activity`: the way back of `counts.expected`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgesdt.rules.activity import ASSUMED, Activity, Seen, kept_inputs, over, rates
from edgesdt.rules.eqprop.ledger import counts
from edgesdt.rules.eqprop.ledger.counts import Tally
from edgesdt.spec import Spec, layers


def observed(spec: Spec, trained: Seen, inferred: Seen, source: str) -> Activity:
    """The activity that was seen on the chip of `spec`: for this spec, the same counts are expected of it again.

    `trained` and `inferred` hold at least one sample each; `source` says where they are from.
    """
    sizes, learned, shown = spec.chip.layers, Tally.of(trained.events), Tally.of(inferred.events)
    posts = sizes[1:]
    moved = _moved(spec, learned)
    found = Activity(
        inputs=learned.inputs / (learned.samples * sizes[0] * kept_inputs(spec, True)),
        changes=rates(learned.changes[1:], learned.samples, posts),
        changes_at_inference=rates(shown.changes[1:], shown.samples, posts),
        nudged=learned.nudged_changes / (learned.samples * sizes[-1]),
        moved=moved,
        pairing=_pairing(spec, learned, moved),
        written=learned.weight_writes / max(sum(learned.pairs[k] for k in layers.in_memory(spec)), 1),
        biases_moved=(learned.bias_moves / (learned.samples * sum(posts)),),
        biases_written=learned.bias_writes / max(learned.bias_moves, 1),
        steps_at_inference=shown.bank_steps / shown.samples,
        source=source,
    )
    predicted = counts.expected(spec, True, found).bank_steps
    found = replace(found, steps=learned.bank_steps / learned.samples - predicted / 1000)
    if spec.device.digital:
        return found
    from edgesdt.rules.eqprop.ledger import cell_counts  # a digital chip needs no device models

    expected = [cell_counts.expected(spec, learning, found) for learning in (True, False)]
    return replace(found, cells=over(trained, expected[0]), cells_at_inference=over(inferred, expected[1]))


def _moved(spec: Spec, seen: Tally) -> tuple[float, ...]:
    """Share of each layer that was updated: by the pairs with its inputs, above that as the square of their share."""
    sizes, kept = spec.chip.layers, max(seen.inputs, 1)
    first = seen.pairs[0] / (kept * sizes[1])
    above = [
        (seen.pairs[k] / (seen.samples * sizes[k] * sizes[k + 1])) ** 0.5 for k in range(1, len(sizes) - 1)
    ]
    return (first, *above)


def _pairing(spec: Spec, seen: Tally, moved: Sequence[float]) -> tuple[float, ...]:
    sizes, found = spec.chip.layers, []
    for k in range(1, len(sizes) - 1):
        both = seen.samples * sizes[k] * sizes[k + 1] * moved[k - 1] * moved[k]
        found.append(seen.pairs[k] / both if both else 0.0)
    return tuple(found) or ASSUMED.pairing
