"""What every rule rounds before it learns: the schedule's factor on the learning rate, and drop-out bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edgesdt.spec import Spec
from edgesdt.spec.checks.held import too_small
from edgesdt.spec.checks.hints import Path
from edgesdt.spec.text.source import Fault

DROP_BITS = 8
"""Width of the random byte that a drop-out probability is compared with."""


PEAK = -1
"""In place of an epoch: the learning rate that a spec gives, which its schedule multiplies."""


def factor(spec: Spec, epoch: int) -> float:
    """The schedule's factor on the learning rate in `epoch` (0-based): `start` at first, `final` in the last epoch."""
    schedule = spec.learning.schedule
    if epoch == PEAK:
        return 1.0
    if schedule.kind == "constant" or spec.epochs == 1:
        return schedule.start
    if schedule.kind == "exponential":
        return float(schedule.start * (schedule.final / schedule.start) ** (epoch / (spec.epochs - 1)))
    return schedule.start + (schedule.final - schedule.start) * epoch / (spec.epochs - 1)


def drop_byte(probability: float) -> int:
    """The byte, of 256, below which a random byte drops a neuron."""
    levels: int = 2**DROP_BITS
    return min(int(probability * levels + 0.5), levels - 1)


def rates_beyond(spec: Spec, used: Callable[[float], float], least: float) -> Iterator[Fault]:
    """A fault for every learning rate that its register holds as 0, or that no register makes of a rate in range.

    `used` is what a rate really is, `least` [rate] the smallest that is held.
    """
    for layer, asked in enumerate(spec.learning.learning_rate):
        path: Path = ("learning", "learning_rate", layer)
        if asked > 1 and asked != used(1.0):
            text = f"out of range: {asked!r}, allowed: a number in (0, 1]"
            yield Fault(path, text, blame=(path, path[:2]))
        elif used(asked) == 0:
            yield Fault(path, too_small(asked, least), blame=(path, path[:2]))
