"""The fields of `learning:` that only backpropagation has, with ranges and defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Targeted
from edgesdt.spec.types import Section

ActivationName = Literal["clamp", "hard_sigmoid"]


class Activation(Section):
    """What a neuron makes of its weighted sum z; both end at 0 and 1."""

    hidden: ActivationName = Field(
        default="clamp", description="Hidden neurons. clamp: z held to 0..1; hard_sigmoid: z / 4 + 1/2 held to 0..1"
    )
    output: ActivationName = Field(
        default="clamp", description="Output neurons, with loss: mse (cross_entropy has a softmax)"
    )
    derivative: Literal["exact", "inward"] = Field(
        default="exact",
        description="What passes a neuron at an end of its range. exact: no error; inward: one that pulls it back",
    )


class Errors(Section):
    """Format of the errors, signed, one per neuron above the input."""

    bits: int = Field(default=12, ge=2, le=16, description="Width of an error, sign included; it saturates [bits]")
    frac_bits: int = Field(
        default=11,
        ge=0,
        le=16,
        description="Bits below the point; fewer than those of a state leave out small errors [bits]",
    )


class Settings(Targeted):
    """Backpropagation of the error between the outputs and a target."""

    loss: Literal["mse", "cross_entropy"] = Field(
        default="mse",
        description="mse: half the squared error, summed over the outputs; cross_entropy: that of a softmax",
    )
    activation: Activation = Field(default_factory=Activation)
    errors: Errors = Field(default_factory=Errors)


def settings(spec: Spec) -> Settings:
    """The `learning:` section of a spec whose rule is backprop. Raises `TypeError` for another rule."""
    if not isinstance(spec.learning, Settings):
        raise TypeError(f"rule {spec.learning.rule}, not backprop")
    return spec.learning
