"""The fields of `learning:` that only equilibrium propagation has, with ranges and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import AsHeld, Targeted


class Settings(Targeted):
    """Equilibrium propagation (Liu et al. 2024)."""

    unsaid: ClassVar[Mapping[str, Any]] = {"loss": "mse"}

    loss: Literal["mse", "cross_entropy"] = Field(
        default="mse",
        description="mse: outputs are neurons that settle and are pulled to the target; cross_entropy: they are a "
        "softmax of the layer below, whose error nudges that layer",
    )

    beta: Annotated[float, Field(ge=0.001, le=2), AsHeld] = Field(default=0.25, description="Strength of the nudge")
    beta_sign: Literal["random", "positive", "symmetric"] = Field(
        default="random",
        description="Sign of the nudge: drawn per sample, always +, or both and their difference",
    )
    dt: Annotated[float, Field(ge=0.0001, le=1), AsHeld] = Field(
        default=0.2, description="Step of the dynamics [time constants of a neuron]"
    )
    free_steps: int = Field(default=40, ge=1, le=10_000, description="Steps of the free phase")
    nudged_steps: int = Field(default=10, ge=1, le=10_000, description="Steps of the nudged phase")


def settings(spec: Spec) -> Settings:
    """The `learning:` section of a spec whose rule is eqprop. Raises `TypeError` for another rule."""
    if not isinstance(spec.learning, Settings):
        raise TypeError(f"rule {spec.learning.rule}, not eqprop")
    return spec.learning
