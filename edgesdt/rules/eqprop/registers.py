"""Every real-valued constant of a spec as the register that the chip holds, and the value that is really used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgesdt.qformat import QFormat, Rounding, Scale
from edgesdt.spec import Spec

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
        chip, learning = spec.chip, spec.learning
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
    schedule = spec.learning.schedule
    if schedule.kind == "constant" or spec.epochs == 1:
        return 1.0
    return 1.0 + (schedule.final - 1.0) * epoch / (spec.epochs - 1)


def rate(spec: Spec, layer: int, epoch: int) -> Scale:
    """The register `lr / beta` (`lr / 2 beta` when symmetric, divided by the batch) of weight layer `layer`.

    The learning rate itself is not held anywhere: only this quotient is, one register per layer and epoch.
    """
    learning = spec.learning
    held_beta = Scale.nearest(learning.beta, spec.chip.constants.bits).value
    sides = 2.0 if learning.beta_sign == "symmetric" else 1.0
    value = learning.learning_rate[layer] * factor(spec, epoch) / (sides * held_beta * learning.batch)
    return Scale.nearest(value, spec.chip.constants.bits)


def used_rates(spec: Spec, epoch: int) -> list[float]:
    """The learning rates really used in `epoch`, one per weight layer: the held quotients times beta."""
    learning = spec.learning
    sides = 2.0 if learning.beta_sign == "symmetric" else 1.0
    beta = Scale.nearest(learning.beta, spec.chip.constants.bits).value
    layers = range(len(spec.chip.layers) - 1)
    return [rate(spec, layer, epoch).value * sides * beta * learning.batch for layer in layers]


def held(spec: Spec) -> dict[str, tuple[float | list[float], str]]:
    """Dotted path → (value really used, its register in words), for every constant that is rounded."""
    regs, learning = Registers.of(spec), spec.learning
    sides = 2.0 if learning.beta_sign == "symmetric" else 1.0
    rates = [rate(spec, layer, 0) for layer in range(len(spec.chip.layers) - 1)]
    used = used_rates(spec, 0)
    quotient = "lr/2β" if sides == 2.0 else "lr/β"
    quotient += f"/{learning.batch}" if learning.batch > 1 else ""
    return {
        "learning.learning_rate": (used, f"first epoch, {quotient} = " + ", ".join(str(r) for r in rates)),
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


def resolve(spec: Spec) -> Spec:
    """The spec with every rounded constant at the value really used; resolving again changes nothing."""
    plain = spec.plain()
    for path, (value, _) in held(spec).items():
        *sections, field = path.split(".")
        place: Any = plain
        for section in sections:
            place = place[section]
        place[field] = value
    return Spec.from_plain(plain)


def rounding(name: str) -> Rounding:
    """The rounding mode of a spec's `rounding:` field."""
    return Rounding.named(name)
