"""The fields of `learning:` that only SoftHebb has, with ranges and defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Learning
from edgesdt.spec.types import Allowed, Flag, Rates, Section


def _one_or_many(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


Sharpness = Annotated[
    tuple[Annotated[float, Field(ge=0.01, le=100)], ...],
    BeforeValidator(_one_or_many),
    Field(strict=False, min_length=1),
    Allowed("a number 0.01..100, or a list of one per weight layer"),
]


class Competition(Section):
    """Formats of the soft winner-take-all: what neurons compete with, the table of exponentials, the shares."""

    bits: int = Field(
        default=16, ge=8, le=18, description="Width of a drive, a neuron's weighted sum, sign included [bits]"
    )
    frac_bits: int = Field(default=10, ge=0, le=15, description="Bits of a drive below the point [bits]")
    table_bits: int = Field(
        default=16, ge=8, le=16, description="Width of an entry of the table of exponentials [bits]"
    )
    share_bits: int = Field(
        default=8, ge=2, le=12, description="Width of a share, 0 to 1; one of less than half an LSB is 0 [bits]"
    )


class Centre(Section):
    """The mean of each input, which is subtracted: measured on the chip, window after window."""

    enabled: Flag = Field(default=True, description="Whether inputs are centred")
    window_bits: int = Field(
        default=10,
        ge=0,
        le=20,
        description="A window has 2**window_bits samples; a layer starts to learn after its first one [bits]",
    )


class Activation(Section):
    """What the layer above, or a read-out, sees of a drive u."""

    kind: Literal["triangle", "repu"] = Field(
        default="triangle", description="triangle: u less the mean of its layer, above 0; repu: u above 0"
    )
    power: float = Field(default=2.0, ge=0.1, le=4, description="Power that it is raised to; other than 1: by a table")
    range_bits: int = Field(
        default=5, ge=-8, le=8, description="A state of 1 stands for 2**range_bits; states saturate [bits]"
    )


class Settings(Learning):
    """Soft winner-take-all with anti-Hebbian losers; with target: label the last weight layer is a read-out."""

    target: Literal["none", "label"] = Field(
        default="none",
        description="none: all layers learn by themselves; label: the last one is a read-out that learns the label",
    )
    learning_rate: Rates = Field(
        default=(0.045,),
        description="Step of an update, per weight layer from the input up (one number: all the same)",
    )
    sharpness: Sharpness = Field(
        default=(12.0,), description="Inverse temperature of the competition, per weight layer (one number: all)"
    )
    losers: Literal["anti_hebbian", "hebbian", "still"] = Field(
        default="anti_hebbian", description="Neurons that do not win move away from the sample, or towards it, or not"
    )
    rate_power: float = Field(
        default=0.5, ge=0, le=2, description="Power of the distance of a norm from 1 in the rate; 0: a constant rate"
    )
    normalisation: Literal["none", "running", "maximum"] = Field(
        default="none",
        description="What an update is divided by. none: 1; running: a running maximum, as a power of two; maximum: "
        "its largest entry in the layer, which buffers the whole update",
    )
    training: Literal["together", "greedy"] = Field(
        default="together", description="Whether all layers learn in every epoch, or one after the other"
    )
    competition: Competition = Field(default_factory=Competition)
    centre: Centre = Field(default_factory=Centre)
    activation: Activation = Field(default_factory=Activation)


def settings(spec: Spec) -> Settings:
    """The `learning:` section of a spec whose rule is softhebb. Raises `TypeError` for another rule."""
    if not isinstance(spec.learning, Settings):
        raise TypeError(f"rule {spec.learning.rule}, not softhebb")
    return spec.learning


def competing(spec: Spec) -> int:
    """How many weight layers compete: all, or all but the read-out."""
    return len(spec.chip.layers) - 1 - (settings(spec).target == "label")


def buffered(spec: Spec) -> bool:
    """Whether updates are gathered in buffers as large as the weights."""
    return settings(spec).batch > 1 or settings(spec).normalisation == "maximum"


def sharpness(spec: Spec, layer: int) -> float:
    """Inverse temperature of weight layer `layer` as asked for."""
    given = settings(spec).sharpness
    return given[layer] if len(given) > 1 else given[0]


def pre_bits(spec: Spec, layer: int) -> int:
    """Bits, all of them fractional, of what weight layer `layer` is driven by: inputs, or states."""
    return spec.encoder.bits if layer == 0 else spec.chip.states.bits


def learning_layers(spec: Spec, epoch: int) -> tuple[int, ...]:
    """Weight layers that learn in `epoch` (0-based)."""
    depth = len(spec.chip.layers) - 1
    if settings(spec).training == "together":
        return tuple(range(depth))
    return (min(epoch * depth // spec.epochs, depth - 1),)
