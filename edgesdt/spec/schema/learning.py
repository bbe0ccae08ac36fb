"""The `learning:` section of a spec: the rule and its constants, with ranges and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field, WrapValidator

from edgesdt.spec.held import or_an_end_as_held
from edgesdt.spec.types import Rates, Section

AsHeld: Final = WrapValidator(or_an_end_as_held)
"""Around the range of a constant that a register holds."""

DROPOUT_OUTPUT_LABEL: Final = 0.0
"""`learning.dropout.output` when it is not given and the target is `label`."""

NOT_YET: Final[Mapping[str, tuple[str, ...]]] = {
    "learning.rule": ("backprop", "softhebb", "activation", "similarity"),
    "learning.target": ("mixed",),
}
"""Names that mean something to edgesdt but that this version does not run."""


class Schedule(Section):
    """How the learning rate falls over the epochs."""

    kind: Literal["constant", "linear"] = Field(default="linear", description="Shape of the schedule")
    final: float = Field(
        default=0.001,
        ge=0,
        le=1,
        description="Factor on the learning rate at the last epoch (linear; 1 at the first)",
    )


class Dropout(Section):
    """Shares of neurons that are silenced, drawn anew for each training sample."""

    input: float = Field(default=0.3, ge=0, lt=1, description="Share of the inputs that are dropped")
    output: float = Field(
        default=0.2,
        ge=0,
        lt=1,
        description="Share of the outputs that are dropped (with target: label it is 0)",
    )


class Homeostasis(Section):
    """What keeps the output neurons equally busy; of use with the self-defined target only."""

    gamma: Annotated[float, Field(ge=0, le=8), AsHeld] = Field(
        default=0.01, description="Step of the homeostasis term per unit of excess activity"
    )
    eta: Annotated[float, Field(gt=0, le=1), AsHeld] = Field(
        default=0.05, description="Share of the newest sample in the running mean activity"
    )
    activity_bits: int = Field(
        default=24, ge=8, le=24, description="Width of a mean activity, unsigned, 0 to 1 [bits]"
    )
    bits: int = Field(
        default=24, ge=8, le=28, description="Width of a homeostasis term, sign included [bits]"
    )
    frac_bits: int = Field(default=20, ge=4, le=24, description="Bits of it below the point [bits]")
    reset: Literal["never", "epoch"] = Field(default="never", description="When the terms go back to zero")


class Learning(Section):
    """The learning rule and its constants (Liu et al. 2024 for eqprop)."""

    rule: Literal["eqprop"] = Field(default="eqprop", description="Learning rule")
    target: Literal["self_defined", "label"] = Field(
        default="self_defined", description="What the output is nudged to"
    )
    winners: int = Field(
        default=5,
        ge=1,
        le=1_000_000,
        description="Output neurons that win a sample (self_defined; ignored with label)",
    )
    learning_rate: Rates = Field(
        default=(0.002,),
        description="Step of an update, per weight layer from the input up (one number: all the same)",
    )
    schedule: Schedule = Field(default_factory=Schedule)
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
    label_smoothing: float = Field(
        default=0.3, ge=0, lt=1, description="Share of the target that is spread evenly"
    )
    dropout: Dropout = Field(default_factory=Dropout)
    homeostasis: Homeostasis = Field(default_factory=Homeostasis)
    batch: int = Field(
        default=1, ge=1, le=4096, description="Samples per weight update; above 1 costs a buffer"
    )
