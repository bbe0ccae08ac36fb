"""What fields of SoftHebb and of its chip must agree on, and what a user should know before a run."""

from __future__ import annotations

from collections.abc import Iterator

from edgesdt.rules.softhebb import registers
from edgesdt.rules.softhebb.ledger.memory import decay_bits, gathered_bits
from edgesdt.rules.softhebb.settings import buffered, competing, pre_bits, settings
from edgesdt.spec import Spec, layers
from edgesdt.spec.checks import unused
from edgesdt.spec.checks.hints import Path
from edgesdt.spec.text.source import Fault

SUM_BITS = 31
"""Bits that the sum of all exponentials of a layer may have."""
WORD_BITS = 62
"""Bits that an update in a buffer, aligned with its decay, may have."""
_LEARNING = ("learning",)


def disagreements(spec: Spec) -> Iterator[Fault]:
    """Widths that a table or a register cannot hold, a read-out without a layer below it, layers without an epoch."""
    yield from _lists(spec)
    yield from _alone(spec)
    yield from _label(spec)
    yield from _tables(spec)
    yield from _rounding(spec)
    yield from _cells(spec)
    yield from registers.beyond(spec)


def _fault(path: Path, text: str, *blame: Path) -> Fault:
    return Fault(path, text, blame=(path, *blame))


def _cells(spec: Spec) -> Iterator[Fault]:
    """What a layer that competes on cells cannot do: its weights are read one by one, and pulsed all together."""
    many = competing(spec)
    for layer in layers.on_cells(spec):
        if layer >= many:
            continue
        place: Path = ("device", "layers", str(layer)) if spec.device.layers else ("device",)
        if layer > 0:
            text = f"{_model(spec, layer)} for layer {layer}, which competes, allowed: sram (only layer 0 can compete "
            yield _fault(place, f"{text}on cells; a read-out may lie anywhere)", ("device",), ("chip", "layers"))
            continue
        array, path = layers.device_of(spec, layer).array, (*place, "array")
        if array.programming == "coincidence":
            text = "'coincidence' with rule softhebb, allowed: pulses, verify (trains let no weight decay)"
            yield _fault((*path, "programming"), text, path, ("device",))
        if array.slices > 1:
            text = f"{array.slices} with rule softhebb, allowed: 1 (a weight is read as one cell, or one pair)"
            yield _fault((*path, "slices"), text, path, ("device",))
        if settings(spec).normalisation != "none":
            field: Path = ("learning", "normalisation")
            text = f"{settings(spec).normalisation!r} with layer 0 on cells, allowed: none"
            yield _fault(field, text, place, ("device",))


def _model(spec: Spec, layer: int) -> str:
    device = layers.device_of(spec, layer)
    return device.file or device.model


def _alone(spec: Spec) -> Iterator[Fault]:
    """A layer of one neuron, which wins every sample whatever its weights are."""
    for layer, n in enumerate(spec.chip.layers[1 : competing(spec) + 1], 1):
        if n < 2:
            path: Path = ("chip", "layers", layer)
            text = f"{n} neuron in a layer that competes (rule softhebb), allowed: 2 or more (one wins every sample)"
            yield _fault(path, text, ("chip", "layers"), ("chip",))


def _lists(spec: Spec) -> Iterator[Fault]:
    learning, needed = settings(spec), len(spec.chip.layers) - 1
    given = len(learning.sharpness)
    if given not in (1, needed):
        path: Path = ("learning", "sharpness")
        wanted = f"one number, or a list of {needed} (one per weight layer)"
        yield _fault(path, f"wrong number of values: {given}, allowed: {wanted}", ("chip", "layers"))
    if learning.training == "greedy" and spec.epochs < needed:
        path = ("learning", "training")
        text = f"'greedy' with {needed} weight layers in {spec.epochs} epochs, allowed: epochs {needed} or more"
        yield _fault(path, f"{text}, or together", ("epochs",), ("chip", "layers"))


def _label(spec: Spec) -> Iterator[Fault]:
    learning, layers = settings(spec), spec.chip.layers
    if learning.target == "label" and len(layers) < 3:
        path: Path = ("learning", "target")
        text = f"'label' with layers {list(layers)}, allowed: none, or chip.layers of 3 or more, the last the read-out"
        yield _fault(path, text, ("chip", "layers"))
    if learning.target == "none" and "output" in spec.readout:
        place: Path = ("readout", spec.readout.index("output"))
        text = "'output' needs learning.target: label, with none allowed: direct, linear"
        yield _fault(place, text, ("readout",), ("learning", "target"))


def _tables(spec: Spec) -> Iterator[Fault]:
    """Widths that the tables, the sums over a layer and the buffers cannot hold."""
    chip, form = spec.chip, settings(spec).competition
    widest = max(chip.layers[1:])
    if form.table_bits + (widest - 1).bit_length() > SUM_BITS:
        path: Path = ("learning", "competition", "table_bits")
        most = SUM_BITS - (widest - 1).bit_length()
        text = f"{form.table_bits} with layers of {widest:,}, allowed: 8..{most} (their sum has {SUM_BITS} bits)"
        yield _fault(path, text, ("chip", "layers"))
    if form.frac_bits >= form.bits:
        path = ("learning", "competition", "frac_bits")
        text = f"{form.frac_bits} of {form.bits} bits, allowed: 0..{form.bits - 1} (a drive of 1 must fit)"
        yield _fault(path, text, ("learning", "competition", "bits"))
    if form.bits > registers.PLACES - 1:  # pragma: no cover - the schema keeps drives narrower
        yield _fault(("learning", "competition", "bits"), f"{form.bits}, allowed: 8..{registers.PLACES - 1}")
    if chip.weights.frac_bits == "auto" or not buffered(spec):
        return
    for k in range(competing(spec)):
        left = form.frac_bits + chip.weights.point - pre_bits(spec, k)
        needed = max(gathered_bits(spec, k) + left, decay_bits(spec) + chip.weights.bits) + 1
        if needed > WORD_BITS:
            path = ("chip", "weights", "frac_bits")
            text = f"{chip.weights.point} with buffered updates takes sums of {needed} bits, allowed: {WORD_BITS} bits"
            yield _fault(path, f"{text} (fewer frac_bits)", ("learning", "batch"), ("learning", "normalisation"))
            return


def _rounding(spec: Spec) -> Iterator[Fault]:
    if spec.chip.states.rounding == "stochastic":
        path: Path = ("chip", "states", "rounding")
        text = "'stochastic' with rule softhebb, allowed: nearest, floor (its states draw no random words)"
        yield _fault(path, text, ("learning", "rule"), ("chip",))


def cautions(spec: Spec) -> list[str]:
    """Fields that the chip has no use for, and a window that a layer never fills."""
    told = unused.biases(spec)
    if not settings(spec).centre.enabled:
        why = "with centre.enabled: false, allowed: true with it"
        told += unused.fields(settings(spec).centre, "learning.centre", ["window_bits"], why)
    window, total = 1 << settings(spec).centre.window_bits, (spec.data.train or 0) * spec.epochs
    if settings(spec).centre.enabled and 0 < total <= window:
        wanted = f"no weight moves; allowed: 0..{max(total.bit_length() - 2, 0)} to leave half of them for learning"
        told.append(f"learning.centre.window_bits: {window:,} samples are as many as all {total:,} or more, {wanted}")
    return told
