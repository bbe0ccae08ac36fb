"""Every real-valued constant of a spec as the register that the chip holds, and the value that is really used."""

from __future__ import annotations

from collections.abc import Iterator

from edgesdt.qformat import LEAST, Scale
from edgesdt.rules.backprop.settings import settings
from edgesdt.rules.schedule import PEAK, drop_byte, factor, rates_beyond
from edgesdt.spec import Spec
from edgesdt.spec.text.source import Fault
from edgesdt.targets.registers import TargetRegisters, eta_beyond


def rate(spec: Spec, layer: int, epoch: int) -> Scale:
    """The register `lr / batch` of weight layer `layer` in `epoch` (0-based)."""
    learning = settings(spec)
    value = learning.learning_rate[layer] * factor(spec, epoch) / learning.batch
    return Scale.nearest(value, spec.chip.constants.bits)


def used_rates(spec: Spec, epoch: int) -> list[float]:
    """The learning rates really used in `epoch`, one per weight layer."""
    return [rate(spec, layer, epoch).value * settings(spec).batch for layer in range(len(spec.chip.layers) - 1)]


def beyond(spec: Spec) -> Iterator[Fault]:
    """A fault for every constant that its register cannot hold, or that no register makes of a value in range."""
    batch, bits = settings(spec).batch, spec.chip.constants.bits
    yield from rates_beyond(spec, lambda rate: Scale.nearest(rate / batch, bits).value * batch, LEAST * batch)
    yield from eta_beyond(spec)


def held(spec: Spec) -> dict[str, tuple[float | list[float], str]]:
    """Dotted path → (value really used, its register in words), for every constant that is rounded."""
    learning = settings(spec)
    rates = [rate(spec, layer, PEAK) for layer in range(len(spec.chip.layers) - 1)]
    quotient = "lr" if learning.batch == 1 else f"lr/{learning.batch}"
    drop = {name: drop_byte(getattr(learning.dropout, name)) for name in ("input", "output")}
    return {
        "learning.learning_rate": (
            used_rates(spec, PEAK),
            f"first epoch, {quotient} = " + ", ".join(str(r) for r in rates),
        ),
        **{f"learning.dropout.{name}": (byte / 256, f"{byte}/256") for name, byte in drop.items()},
        **TargetRegisters.of(spec).held(spec),
    }
