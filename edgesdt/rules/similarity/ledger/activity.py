"""How busy a chip that matches similarities is: shares of what a dense chip would do, and the way back to counts.

The shares have no fields of their own in an `Activity`; they stand in `cells`, row by row in the order of
`counts.VARIED`, each row with a value for each weight layer. Behind them is what an array did, over what is expected of
it.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, log2
from typing import Any

from edgesdt.rules.activity import ASSUMED, Activity, Seen, over
from edgesdt.rules.similarity import registers
from edgesdt.rules.similarity.ledger import counts
from edgesdt.rules.similarity.ledger.counts import VARIED, Row, Tally
from edgesdt.rules.similarity.plan import learning_layers
from edgesdt.rules.similarity.settings import settings
from edgesdt.spec import Spec
from edgesdt.synapses.crossbar.layout import TALLIES

USUAL = {
    "centred": 0.8, "active": 0.2, "sweeps": 0.3, "changes": 0.03, "mean_writes": 0.8, "pairs": 0.16,
    "lateral_pairs": 0.05, "weight_writes": 0.05, "lateral_writes": 0.02, "halving_writes": 0.9,
    "lateral_halving_writes": 0.5, "label_writes": 0.3,
}  # fmt: skip
"""Shares where nothing was looked at: those of 784-200 on MNIST, rounded."""


def observed(spec: Spec, trained: Seen, inferred: Seen, source: str) -> Activity:
    """The activity that was seen on the chip of `spec`: for this spec, the same counts are expected of it again."""
    learned, shown = Tally.of(trained.events), Tally.of(inferred.events)
    training, inference = _shares(spec, learned), _shares(spec, shown)
    depth = len(spec.chip.layers) - 1
    at = VARIED.index("changes") * depth, VARIED.index("active") * depth
    steps = settings(spec).settling.steps
    found = replace(
        ASSUMED,
        inputs=training[0],
        changes=tuple(steps * share for share in training[at[0] : at[0] + depth]),
        changes_at_inference=tuple(steps * share for share in inference[at[0] : at[0] + depth]),
        moved=training[at[1] : at[1] + depth],
        cells=training,
        cells_at_inference=inference,
        source=source,
    )
    predicted = expected(spec, True, found).bank_steps
    found = replace(found, steps=learned.bank_steps / max(learned.samples, 1) - predicted / SAMPLES)
    if spec.device.digital:
        return found
    from edgesdt.rules.similarity.ledger import cell_counts  # a digital chip needs no device models

    ratios = [
        over(seen, cell_counts.expected(spec, learning, found))
        for learning, seen in ((True, trained), (False, inferred))
    ]
    return replace(found, cells=training + ratios[0], cells_at_inference=inference + ratios[1])


SAMPLES = 1000


def _shares(spec: Spec, found: Tally) -> Row:
    full = counts.dense(spec, found)
    shares: list[float] = []
    for name in VARIED:
        pairs = zip(getattr(found, name), getattr(full, name), strict=True)
        shares += [part / whole if whole else USUAL[name] for part, whole in pairs]
    return tuple(shares)


def of_shares(given: Row) -> Row:
    """The shares among what an `Activity` keeps in `cells`: all, or all but the ratios of an array behind them."""
    return given[: len(given) - len(of_array(given))]


def of_array(given: Row) -> Row:
    """The ratios of an array among them, entry by entry of its tally; none without an array."""
    return given[-TALLIES:] if len(given) % len(VARIED) else ()


def in_words(activity: Activity, sizes: object) -> str:
    """What an activity says of a chip of this rule, in a sentence."""
    shares = of_shares(activity.cells)
    depth = max(len(shares) // len(VARIED), 1)
    centred, active, changes = (
        shares[VARIED.index(name) * depth] if shares else USUAL[name] for name in ("centred", "active", "changes")
    )
    return (
        f"{activity.source} {centred:.0%} of the centred inputs not zero, {active:.0%} of the neurons active and "
        f"{changes:.1%} of the states changed in a step; a run counts them"
    )


def expected(spec: Spec, learning: bool, activity: Activity) -> Tally:
    """The events of 1000 samples with `activity`; of training the mean over all epochs."""
    depth = len(spec.chip.layers) - 1
    settled, learned = _layers(spec) if learning else ((SAMPLES,) * depth, (0,) * depth)
    halvings, beside = _halvings(spec) if learning else ((0.0,) * depth, (0.0,) * depth)
    blank = Tally(SAMPLES, 0, settled, learned, halvings, beside, *((0.0,) * depth for _ in VARIED))
    full = counts.dense(spec, blank)
    given = of_shares(activity.cells if learning else activity.cells_at_inference)
    shares: dict[str, Any] = {
        name: tuple(n * _share(given, row, k, name) for k, n in enumerate(getattr(full, name)))
        for row, name in enumerate(VARIED)
    }
    shared = replace(full, **shares)
    return replace(shared, bank_steps=_bank_steps(spec, shared) + SAMPLES * activity.steps if learning else 0)


def _share(given: Row, row: int, layer: int, name: str) -> float:
    """The share of a row in weight layer `layer`; the last one stands for all layers above."""
    if not given:
        return USUAL[name]
    depth = len(given) // len(VARIED)
    return given[row * depth + min(layer, depth - 1)]


def _halvings(spec: Spec) -> tuple[Row, Row]:
    """Halvings of the gains of V and of N in 1000 training samples, for each weight layer."""
    depth = len(spec.chip.layers) - 1
    found = [[0.0] * depth, [0.0] * depth]
    for epoch in range(spec.epochs):
        first, last = learning_layers(spec, epoch)
        for k in range(first, last + 1):
            for row, rate in enumerate((registers.feed_rate(spec, k, epoch), registers.lateral_rate(spec, k, epoch))):
                found[row][k] += SAMPLES * log2(1.0 + registers.growth(spec, rate).value) / spec.epochs
    return tuple(found[0]), tuple(found[1])


def _layers(spec: Spec) -> tuple[Row, Row]:
    """How many of 1000 training samples each weight layer settles for and learns from."""
    depth = len(spec.chip.layers) - 1
    turns = [learning_layers(spec, epoch) for epoch in range(spec.epochs)]
    settled = tuple(SAMPLES * sum(k <= last for _, last in turns) / spec.epochs for k in range(depth))
    learned = tuple(SAMPLES * sum(first <= k <= last for first, last in turns) / spec.epochs for k in range(depth))
    return settled, learned


def _bank_steps(spec: Spec, tally: Tally) -> float:
    """Steps of the random bank for the rounding of so many updates."""
    learning, bank, total = settings(spec), 2 * spec.chip.random.lanes, 0.0
    weights = spec.chip.weights.rounding == "stochastic" or not spec.device.digital
    lateral = learning.lateral.rounding == "stochastic"
    for k, (rows, n) in enumerate(zip(spec.chip.layers[:-1], spec.chip.layers[1:], strict=True)):
        each = tally.active[k] / max(tally.learned[k], 1)
        if weights:
            total += (tally.active[k] + tally.halvings[k] * n) * ceil(rows / bank)
            total += tally.learned[k] * ceil(n / bank) * (learning.target == "label")
        if lateral:
            total += tally.active[k] * max(each / bank / 2 + 0.5, 1.0)
            total += tally.lateral_halvings[k] * sum(ceil(i / bank) for i in range(1, n + 1))
    return total


def predicted(spec: Spec, learning: bool, activity: Activity) -> dict[str, int]:
    """Actions of 1000 samples before anything is run, from how busy the chip is expected to be."""
    found = counts.priced(spec, expected(spec, learning, activity))
    return {name: max(count, 0) for name, count in found.items()}
