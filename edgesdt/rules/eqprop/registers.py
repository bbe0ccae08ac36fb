"""Every real-valued constant of a spec as the register that the chip holds, and the value that is really used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgesdt.qformat import MAX_SHIFT, QFormat, Rounding, Scale
from edgesdt.rules.eqprop.settings import settings
from edgesdt.spec import Spec
from edgesdt.spec.held import too_small
from edgesdt.spec.hints import Path
from edgesdt.spec.source import Fault

DROP_BITS = 8
"""Width of the random byte that a drop-out probability is compared with."""


@dataclass(frozen=True)
class Registers:
    """The learning constants of an EqProp chip, in hardware form.

    `beta`, `dt`, `eta`, `gamma` are multiplier-and-shift registers; drop-out probabilities are bytes of 256; targets
    are state codes; `aim` is the activity code of k / n_L.
    """

    dt: Scale
    beta: Scale
    eta: Scale
    gamma: Scale
    input_drop: int
    output_drop: int
    target_high: int
    target_low: int
    aim: int
    state: QFormat
    activity: QFormat
    homeostasis: QFormat
    weight: QFormat
    bias: QFormat

    @classmethod
    def of(cls, spec: Spec) -> Registers:
        """The registers that `spec` asks for, each constant at the nearest value that the chip can hold."""
        chip, learning = spec.chip, settings(spec)
        bits = chip.constants.bits
        state = QFormat(chip.states.bits, chip.states.bits, signed=False)
        outputs = chip.layers[-1]
        share = (learning.winners if learning.target == "self_defined" else 1) / outputs
        smoothing = learning.label_smoothing
        home = learning.homeostasis
        activity = QFormat(home.activity_bits, home.activity_bits, signed=False)
        return cls(
            dt=Scale.nearest(learning.dt, bits),
            beta=Scale.nearest(learning.beta, bits),
            eta=Scale.nearest(home.eta, bits),
            gamma=Scale.nearest(home.gamma, bits),
            input_drop=_byte(learning.dropout.input),
            output_drop=_byte(learning.dropout.output),
            target_high=state.encode(1.0 - smoothing + smoothing * share),
            target_low=state.encode(smoothing * share),
            aim=activity.encode(share),
            state=state,
            activity=activity,
            homeostasis=QFormat(home.bits, home.frac_bits),
            weight=QFormat(chip.weights.bits, chip.weights.point),
            bias=QFormat(chip.biases.bits, chip.biases.frac_bits),
        )


def _byte(probability: float) -> int:
    levels: int = 2**DROP_BITS
    return min(int(probability * levels + 0.5), levels - 1)


def factor(spec: Spec, epoch: int) -> float:
    """The schedule's factor on the learning rate in `epoch` (0-based): 1 at first, `final` in the last epoch."""
    schedule = settings(spec).schedule
    if schedule.kind == "constant" or spec.epochs == 1:
        return 1.0
    return 1.0 + (schedule.final - 1.0) * epoch / (spec.epochs - 1)


def rate(spec: Spec, layer: int, epoch: int) -> Scale:
    """The register `lr / beta` (`lr / 2 beta` when symmetric, divided by the batch) of weight layer `layer`.

    The learning rate itself is not held anywhere: only this quotient is, one register per layer and epoch.
    """
    return quotient(spec, settings(spec).learning_rate[layer] * factor(spec, epoch))


def used_rates(spec: Spec, epoch: int) -> list[float]:
    """The learning rates really used in `epoch`, one per weight layer: the held quotients times beta."""
    scale = per_quotient(spec)
    return [rate(spec, layer, epoch).value * scale for layer in range(len(spec.chip.layers) - 1)]


def quotient(spec: Spec, rate: float) -> Scale:
    """The register of the learning rate `rate`: lr/β as it is held."""
    return Scale.nearest(rate / per_quotient(spec), spec.chip.constants.bits)


def per_quotient(spec: Spec) -> float:
    """The learning rate of a quotient of 1: β as it is held, times its sides and the batch."""
    learning = settings(spec)
    sides = 2.0 if learning.beta_sign == "symmetric" else 1.0
    return sides * Scale.nearest(learning.beta, spec.chip.constants.bits).value * learning.batch


def rate_used(spec: Spec, rate: float) -> float:
    """What a learning rate of `rate` really is."""
    return quotient(spec, rate).value * per_quotient(spec)


def beyond(spec: Spec) -> Iterator[Fault]:
    """A fault for every constant that its register cannot hold, or that no register makes of a value in range."""
    rates, bits = settings(spec).learning_rate, spec.chip.constants.bits
    least = 2.0 ** -(MAX_SHIFT + 1)
    for layer, asked in enumerate(rates):
        path: Path = ("learning", "learning_rate", layer)
        if asked > 1 and asked != rate_used(spec, 1.0):
            yield _fault(path, f"out of range: {asked!r}, allowed: a number in (0, 1]")
        elif rate_used(spec, asked) == 0:
            yield _fault(path, too_small(asked, least * per_quotient(spec)))
    eta = settings(spec).homeostasis.eta
    if Scale.nearest(eta, bits).value == 0:
        path = ("learning", "homeostasis", "eta")
        yield Fault(path, too_small(eta, least), blame=(path,))


def _fault(path: Path, text: str) -> Fault:
    return Fault(path, text, blame=(path, path[:2]))


def held(spec: Spec) -> dict[str, tuple[float | list[float], str]]:
    """Dotted path → (value really used, its register in words), for every constant that is rounded."""
    regs, learning = Registers.of(spec), settings(spec)
    sides = 2.0 if learning.beta_sign == "symmetric" else 1.0
    rates = [rate(spec, layer, 0) for layer in range(len(spec.chip.layers) - 1)]
    used = used_rates(spec, 0)
    form = "lr/2β" if sides == 2.0 else "lr/β"
    form += f"/{learning.batch}" if learning.batch > 1 else ""
    return {
        "learning.learning_rate": (used, f"first epoch, {form} = " + ", ".join(str(r) for r in rates)),
        "learning.beta": (regs.beta.value, str(regs.beta)),
        "learning.dt": (regs.dt.value, str(regs.dt)),
        "learning.homeostasis.eta": (regs.eta.value, str(regs.eta)),
        "learning.homeostasis.gamma": (regs.gamma.value, str(regs.gamma)),
        "learning.dropout.input": (regs.input_drop / 256, f"{regs.input_drop}/256"),
        "learning.dropout.output": (regs.output_drop / 256, f"{regs.output_drop}/256"),
        "learning.label_smoothing": (
            learning.label_smoothing,
            f"target codes {regs.target_high} and {regs.target_low} of {regs.state.highest}",
        ),
    }


def rounding(name: str) -> Rounding:
    """The rounding mode of a spec's `rounding:` field."""
    return Rounding.named(name)
