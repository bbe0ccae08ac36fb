"""The fields of `learning:` that only similarity matching has, with ranges and defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edgesdt.spec import Spec
from edgesdt.spec.schema.chip import RoundingName
from edgesdt.spec.schema.learning import AsHeld, Learning
from edgesdt.spec.types import Flag, Section


class Lateral(Section):
    """Format of the lateral weights, unsigned; they start as the identity."""

    bits: int = Field(default=12, ge=2, le=16, description="Width of a lateral weight, unsigned [bits]")
    frac_bits: int = Field(default=10, ge=0, le=16, description="Bits below the point [bits]")
    rounding: RoundingName = Field(default="stochastic", description="How an update is rounded to whole codes")


class Centring(Section):
    """The running mean of every input, which is taken off it."""

    enabled: Flag = Field(default=True, description="Whether the mean is taken off at all")
    bits: int = Field(default=20, ge=4, le=24, description="Width of a mean, unsigned, at least its code's [bits]")
    shift: int = Field(
        default=10, ge=0, le=20, description="The newest sample has a share of 2**-shift in a mean, and more at first"
    )


class Settling(Section):
    """How the states of a layer come to rest for a sample."""

    solver: Literal["gauss_seidel", "damped"] = Field(
        default="gauss_seidel",
        description="gauss_seidel: neuron by neuron, each to its optimum; damped: all together, a share dt of the way",
    )
    steps: int = Field(default=60, ge=1, le=10_000, description="Steps of a sample (gauss_seidel: sweeps)")
    dt: Annotated[float, Field(gt=0, le=1), AsHeld] = Field(default=0.1, description="Step of the damped solver")


class Labels(Section):
    """A vector for each class, added to the drive in training; of use with target: label only."""

    classes: int = Field(default=10, ge=1, le=10_000, description="Classes that the chip holds a vector for")
    rate: Annotated[float, Field(gt=0, le=1), AsHeld] = Field(
        default=0.01, description="Step of the shown class's vector towards the states"
    )


class Settings(Learning):
    """Similarity matching: outputs that are alike where inputs are, by local Hebbian and anti-Hebbian weights."""

    target: Literal["none", "label"] = Field(
        default="none", description="none: unsupervised; label: the label is a second input in training"
    )
    tau: float = Field(
        default=0.5, gt=0, le=64, description="The lateral weights learn at learning_rate / tau, the others at twice it"
    )
    integer_bits: int = Field(default=3, ge=-4, le=4, description="States lie in 0 to 2**integer_bits [bits]")
    stacking: Literal["together", "greedy"] = Field(
        default="together",
        description="together: every layer learns from every sample; greedy: one after the other, an equal share of "
        "the epochs each",
    )
    lateral: Lateral = Field(default_factory=Lateral)
    centring: Centring = Field(default_factory=Centring)
    settling: Settling = Field(default_factory=Settling)
    labels: Labels = Field(default_factory=Labels)


def settings(spec: Spec) -> Settings:
    """The `learning:` section of a spec whose rule is similarity. Raises `TypeError` for another rule."""
    if not isinstance(spec.learning, Settings):
        raise TypeError(f"rule {spec.learning.rule}, not similarity")
    return spec.learning
