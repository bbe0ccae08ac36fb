"""What every rule rounds before it learns: the schedule's factor on the learning rate, and drop-out bytes."""

from __future__ import annotations

from edgesdt.spec import Spec

DROP_BITS = 8
"""Width of the random byte that a drop-out probability is compared with."""


def factor(spec: Spec, epoch: int) -> float:
    """The schedule's factor on the learning rate in `epoch` (0-based): 1 at first, `final` in the last epoch."""
    schedule = spec.learning.schedule
    if schedule.kind == "constant" or spec.epochs == 1:
        return 1.0
    return 1.0 + (schedule.final - 1.0) * epoch / (spec.epochs - 1)


def drop_byte(probability: float) -> int:
    """The byte, of 256, below which a random byte drops a neuron."""
    levels: int = 2**DROP_BITS
    return min(int(probability * levels + 0.5), levels - 1)
