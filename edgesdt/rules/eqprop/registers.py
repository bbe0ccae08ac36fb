"""Every real-valued constant of a spec as the register that the chip holds, and the value that is really used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgesdt.qformat import LEAST, QFormat, Rounding, Scale
from edgesdt.rules.eqprop.settings import settings
from edgesdt.rules.schedule import PEAK, drop_byte, factor, rates_beyond
from edgesdt.spec import Spec
from edgesdt.spec.text.source import Fault
from edgesdt.targets.registers import TargetRegisters, eta_beyond


@dataclass(frozen=True)
class Registers:
    """The learning constants of an EqProp chip, in hardware form.

    `beta` and `dt` are multiplier-and-shift registers; drop-out probabilities are bytes of 256.
    """

    dt: Scale
    beta: Scale
    input_drop: int
    output_drop: int
    target: TargetRegisters
    state: QFormat
    weight: QFormat
    bias: QFormat

    @classmethod
    def of(cls, spec: Spec) -> Registers:
        """The registers that `spec` asks for, each constant at the nearest value that the chip can hold."""
        chip, learning = spec.chip, settings(spec)
        bits = chip.constants.bits
        return cls(
            dt=Scale.nearest(learning.dt, bits),
            beta=Scale.nearest(learning.beta, bits),
            input_drop=drop_byte(learning.dropout.input),
            output_drop=drop_byte(learning.dropout.output),
            target=TargetRegisters.of(spec),
            state=QFormat(chip.states.bits, chip.states.bits, signed=False),
            weight=QFormat(chip.weights.bits, chip.weights.point),
            bias=QFormat(chip.biases.bits, chip.biases.frac_bits),
        )


def rate(spec: Spec, layer: int, epoch: int) -> Scale:
    """The register `lr / beta` (`lr / 2 beta` when symmetric, divided by the batch) of weight layer `layer`.

    The learning rate itself is not held anywhere: only this quotient is, one register per layer and epoch. Below a
    softmax no phases are compared: the register holds `lr`, divided by the batch.
    """
    return quotient(spec, settings(spec).learning_rate[layer] * factor(spec, epoch), layer)


def used_rates(spec: Spec, epoch: int) -> list[float]:
    """The learning rates really used in `epoch`, one per weight layer: the held quotients times beta."""
    layers = range(len(spec.chip.layers) - 1)
    return [rate(spec, layer, epoch).value * per_quotient(spec, layer) for layer in layers]


def quotient(spec: Spec, rate: float, layer: int = 0) -> Scale:
    """The register of the learning rate `rate` of weight layer `layer`: lr/β as it is held."""
    return Scale.nearest(rate / per_quotient(spec, layer), spec.chip.constants.bits)


def per_quotient(spec: Spec, layer: int = 0) -> float:
    """The learning rate of a quotient of 1: β as it is held, times its sides and the batch."""
    learning = settings(spec)
    if learning.loss == "cross_entropy" and layer == len(spec.chip.layers) - 2:
        return float(learning.batch)
    sides = 2.0 if learning.beta_sign == "symmetric" else 1.0
    return sides * Scale.nearest(learning.beta, spec.chip.constants.bits).value * learning.batch


def rate_used(spec: Spec, rate: float) -> float:
    """What a learning rate of `rate` really is."""
    return quotient(spec, rate).value * per_quotient(spec)


def beyond(spec: Spec) -> Iterator[Fault]:
    """A fault for every constant that its register cannot hold, or that no register makes of a value in range."""
    least = LEAST * per_quotient(spec)
    yield from rates_beyond(spec, lambda rate: rate_used(spec, rate), least)
    yield from eta_beyond(spec)


def held(spec: Spec) -> dict[str, tuple[float | list[float], str]]:
    """Dotted path → (value really used, its register in words), for every constant that is rounded."""
    regs, learning = Registers.of(spec), settings(spec)
    sides = 2.0 if learning.beta_sign == "symmetric" else 1.0
    rates = [rate(spec, layer, PEAK) for layer in range(len(spec.chip.layers) - 1)]
    used = used_rates(spec, PEAK)
    form = "lr/2β" if sides == 2.0 else "lr/β"
    form += f"/{learning.batch}" if learning.batch > 1 else ""
    form += " (the last without β)" if learning.loss == "cross_entropy" else ""
    return {
        "learning.learning_rate": (used, f"first epoch, {form} = " + ", ".join(str(r) for r in rates)),
        "learning.beta": (regs.beta.value, str(regs.beta)),
        "learning.dt": (regs.dt.value, str(regs.dt)),
        "learning.dropout.input": (regs.input_drop / 256, f"{regs.input_drop}/256"),
        "learning.dropout.output": (regs.output_drop / 256, f"{regs.output_drop}/256"),
        **regs.target.held(spec),
    }


def rounding(name: str) -> Rounding:
    """The rounding mode of a spec's `rounding:` field."""
    return Rounding.named(name)
