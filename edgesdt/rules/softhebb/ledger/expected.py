"""What a chip that learns by SoftHebb does in 1,000 samples before anything is run; from a profile back to shares."""

from __future__ import annotations

from dataclasses import replace

from edgesdt.rules.activity import ASSUMED, Activity, Seen, at, over, rates
from edgesdt.rules.softhebb.ledger.counts import Tally, priced, synapses
from edgesdt.rules.softhebb.settings import buffered, competing, learning_layers, settings
from edgesdt.spec import Spec, layers

SAMPLES = 1000


def predicted(spec: Spec, learning: bool, activity: Activity = ASSUMED) -> dict[str, int]:
    """Actions of 1,000 samples, from how busy the chip is expected to be, past the first window of every layer."""
    return priced(spec, expected(spec, learning, activity))


def expected(spec: Spec, learning: bool, activity: Activity) -> Tally:
    """The events of 1,000 samples with `activity`: its changes are states that are not 0, what moved has a share."""
    sizes, many, depth = spec.chip.layers, competing(spec), len(spec.chip.layers) - 1
    inputs = SAMPLES * sizes[0] * activity.inputs
    busy = activity.changes if learning else activity.changes_at_inference
    active = [0.0, *(SAMPLES * n * at(busy, layer) for layer, n in enumerate(sizes[1:-1], 1)), 0.0]
    learned = [SAMPLES * share * learning for share in _learning_shares(spec)]
    moved = [learned[k] * sizes[k + 1] * at(activity.moved, k + 1) for k in range(depth)]
    shared, errors = moved[:many], sum(moved[many:])
    paired = activity.pairing if len(activity.pairing) == depth else (1.0,) * depth
    swept = [n * paired[k] for k, n in enumerate(shared)]
    pairs = [n * sizes[k] for k, n in enumerate(swept)]
    pairs += [errors * active[k] / SAMPLES * paired[k] for k in range(many, depth)]
    centred, window = settings(spec).centre.enabled, 1 << settings(spec).centre.window_bits
    seen = [int(learned[k]) if centred and k < many else 0 for k in range(depth)]
    below = [inputs, *active[1:-1]]
    applied = [-(-int(learned[k]) // settings(spec).batch) if buffered(spec) and k < many else 0 for k in range(depth)]
    all_of, stored = synapses(spec), layers.in_memory(spec)
    moves = [applied[k] * all_of[k] if buffered(spec) and k < many else pairs[k] for k in range(depth)]
    sweeps = [float(applied[k] * sizes[k + 1]) for k in range(depth)] if buffered(spec) else swept
    bank = _bank_steps(spec, sweeps, errors, active)
    steps = max(bank + SAMPLES * activity.steps, 0.0) if learning else 0.0
    return Tally(
        samples=SAMPLES,
        inputs=int(inputs),
        active=tuple(int(n) for n in active),
        learned=(*(int(n) for n in learned), 0),
        shared=(0, *(int(n) for n in shared), *(0,) * (depth - many)),
        pairs=(*(int(n) for n in pairs), 0),
        weight_writes=(*(int(n * activity.written * (k in stored)) for k, n in enumerate(moves)), 0),
        windowed=(*(int(below[k] * n / SAMPLES) for k, n in enumerate(seen)), 0),
        seen=(*seen, 0),
        renewed=(*(-(-n // window) for n in seen), 0),
        errors=int(errors),
        applied=(*applied, 0),
        bank_steps=int(steps),
    )


def _learning_shares(spec: Spec) -> list[float]:
    """Share of the epochs in which each weight layer learns."""
    depth = len(spec.chip.layers) - 1
    epochs = [learning_layers(spec, epoch) for epoch in range(spec.epochs)]
    return [sum(k in learns for learns in epochs) / spec.epochs for k in range(depth)]


def _bank_steps(spec: Spec, swept: list[float], errors: float, active: list[float]) -> float:
    """Steps of the random bank for the rounding of so many sweeps."""
    per_step, many, stored = 2 * spec.chip.random.lanes, competing(spec), layers.in_memory(spec)
    rounded = spec.chip.weights.rounding == "stochastic"
    draws = [rounded or k not in stored for k in range(len(spec.chip.layers) - 1)]  # pulses are always rounded so
    total = sum(n * -(-spec.chip.layers[k] // per_step) for k, n in enumerate(swept[:many]) if draws[k])
    if settings(spec).target != "label" or not draws[many]:
        return float(total)
    return total + errors * -(-int(active[many] / SAMPLES) // per_step)


def observed(spec: Spec, trained: Seen, inferred: Seen, source: str) -> Activity:
    """The activity that was seen on the chip of `spec`: for this spec, about the same counts are expected of it again.

    A layer that has not learned (its turn, or its first window) is assumed to be as any. `trained` and `inferred` hold
    at least one sample each; `source` says where they are from.
    """
    from edgesdt.rules.softhebb.layout import SWEPT  # comes with the compiler

    sizes, many = spec.chip.layers, competing(spec)
    learned, shown = Tally.of(trained.events), Tally.of(inferred.events)
    swept = [int(n) for n in trained.events[SWEPT][1:]]
    moved, pairing = [], []
    for k, n in enumerate(sizes[1:]):
        shares = learned.shared[k + 1] if k < many else learned.errors
        moved.append(shares / (learned.learned[k] * n) if learned.learned[k] else at(ASSUMED.moved, k + 1))
        usual = shares if k < many else shares * learned.active[k] / learned.samples
        pairing.append((swept[k] if k < many else learned.pairs[k]) / usual if usual else 1.0)
    stored = layers.in_memory(spec)
    moves = sum(learned.pairs[k] for k in stored)
    if buffered(spec):
        moves = sum(n * learned.applied[k] for k, n in enumerate(synapses(spec)[:many])) + sum(learned.pairs[many:])
    found = Activity(
        inputs=learned.inputs / (learned.samples * sizes[0]),
        changes=(*rates(learned.active[1:-1], learned.samples, sizes[1:-1]), 0.0),
        changes_at_inference=(*rates(shown.active[1:-1], shown.samples, sizes[1:-1]), 0.0),
        nudged=0.0,
        moved=tuple(moved),
        pairing=tuple(pairing),
        written=sum(learned.weight_writes) / moves if moves else ASSUMED.written,
        biases_moved=(0.0,),
        biases_written=0.0,
        source=source,
    )
    if any(learned.learned):
        beyond = learned.bank_steps / learned.samples - expected(spec, True, found).bank_steps / SAMPLES
        found = replace(found, steps=beyond)
    if spec.device.digital:
        return found
    from edgesdt.rules.softhebb.ledger import cell_counts  # a digital chip needs no device models

    tallies = [cell_counts.of_arrays(spec, learning, found) for learning in (True, False)]
    return replace(found, cells=over(trained, tallies[0]), cells_at_inference=over(inferred, tallies[1]))


def in_words(activity: Activity, sizes: tuple[int, ...]) -> str:
    """What an activity says of a chip with neuron layers of `sizes` (input left out), in a sentence."""
    layers = range(1, len(sizes) + 1)
    moved = sum(at(activity.moved, layer) * n for layer, n in zip(layers, sizes, strict=True))
    return (
        f"{activity.source} {activity.inputs:.0%} of the inputs not zero, {moved:.2g} neurons with a share of a "
        "sample; a run counts them"
    )
