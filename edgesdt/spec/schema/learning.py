"""The `learning:` section of a spec: the fields of all rules, and the choice of a rule's section.

A rule adds its own fields in a subclass of `Learning` or `Targeted`, in its own folder (`edgesdt.registry`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    AfterValidator,
    Field,
    ModelWrapValidatorHandler,
    ValidationInfo,
    WrapValidator,
    model_validator,
)

from edgesdt import registry
from edgesdt.spec.checks.held import or_an_end_as_held
from edgesdt.spec.checks.hints import did_you_mean
from edgesdt.spec.types import Allowed, Rates, Section, wrong

AsHeld: Final = WrapValidator(or_an_end_as_held)
"""Validator around the range of a constant that a register holds."""

DROPOUT_OUTPUT_LABEL: Final = 0.0
"""Default of `learning.dropout.output` if the target is `label`."""


class Schedule(Section):
    """Change of the learning rate over the epochs."""

    kind: Literal["constant", "linear", "exponential"] = Field(default="linear", description="Shape of the schedule")
    start: float = Field(default=1.0, gt=0, le=1, description="Factor on the learning rate at the first epoch")
    final: float = Field(
        default=0.001,
        ge=0,
        le=1,
        description="Factor on the learning rate at the last epoch (linear, exponential)",
    )


class Dropout(Section):
    """Shares of neurons that are dropped, drawn again for each training sample."""

    input: float = Field(default=0.3, ge=0, lt=1, description="Share of inputs that are dropped")
    output: float = Field(
        default=0.2,
        ge=0,
        lt=1,
        description="Share of the outputs that are dropped (with target: label it is 0)",
    )


class Homeostasis(Section):
    """Keeps the output neurons equally active; used only with the self-defined target."""

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
    frac_bits: int = Field(default=20, ge=4, le=24, description="Fractional bits of a homeostasis term [bits]")
    reset: Literal["never", "epoch"] = Field(default="never", description="When the terms are reset to zero")


class Consolidation(Section):
    """Neurons that are frozen from the start of a phase: hidden ones, or outputs where there is no hidden layer."""

    frozen: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of the neurons of each such layer whose incoming weights and bias learn no more",
    )
    by: Literal["weights", "random"] = Field(
        default="weights", description="Which: those with the largest sum of absolute weights, or any"
    )


def _known_rule(name: str) -> str:
    if name not in registry.names():
        raise wrong("unknown rule", did_you_mean(name, registry.names()))
    return name


RuleName = Annotated[str, AfterValidator(_known_rule), Allowed(f"{', '.join(registry.OURS)}, or the rule of a plug-in")]
DEFAULT_RULE: Final = registry.DEFAULT


class Learning(Section):
    """The learning rule and its constants. Each rule has its own section, a subclass of this one (`section_of`)."""

    unsaid: ClassVar[Mapping[str, Any]] = {}
    """Fields that the plain spec leaves out at these values, so that specs older than the field keep their hash."""

    rule: RuleName = Field(default=DEFAULT_RULE, description="Learning rule")
    target: Literal["self_defined", "label", "none", "mixed"] = Field(
        default="self_defined", description="Target of the output"
    )
    learning_rate: Rates = Field(
        default=(0.002,),
        description="Step of an update, per weight layer from the input up (one number: all the same)",
    )
    schedule: Schedule = Field(default_factory=Schedule)
    batch: int = Field(
        default=1, ge=1, le=4096, description="Samples per weight update; above 1 costs a buffer"
    )

    @property
    def rows_beside(self) -> int:
        """Rows of the lowest weight layer beside those of the inputs, where a rule has such."""
        return 0

    @property
    def lowest_both_ways(self) -> bool:
        """Whether the lowest weight layer is read in both directions, as those above it are."""
        return False

    def of_layer(self, layer: int) -> Learning:
        """The section of weight layer `layer` as a separate chip, whose inputs are all of its rows."""
        return self.model_copy(update={"learning_rate": self.learning_rate[layer : layer + 1]})

    @model_validator(mode="wrap")
    @classmethod
    def _of_its_rule(cls, value: Any, handler: ModelWrapValidatorHandler[Any], info: ValidationInfo) -> Any:
        """Converts a mapping to the section of the rule that it names, or of the default rule if the name is unknown.

        The fields of an unknown rule are not checked.
        """
        if cls is not Learning or isinstance(value, Learning):
            return handler(value)
        rule = value.get("rule", DEFAULT_RULE) if isinstance(value, Mapping) else DEFAULT_RULE
        if isinstance(value, Mapping) and isinstance(rule, str) and rule not in registry.names():
            value = {name: given for name, given in value.items() if name in Learning.model_fields}
        return section_of(rule).model_validate(value, context=info.context)


class Targeted(Learning):
    """A rule with a target for the output: winners chosen by the chip, or a label."""

    target: Literal["self_defined", "label", "mixed"] = Field(
        default="self_defined",
        description="Target of the output; mixed: labelled samples first, then in turn unlabelled and labelled ones",
    )
    winners: int = Field(
        default=5,
        ge=1,
        le=1_000_000,
        description="Output neurons that win a sample (self_defined; ignored with label)",
    )
    label_smoothing: float = Field(
        default=0.3, ge=0, lt=1, description="Share of the target that is spread evenly"
    )
    dropout: Dropout = Field(default_factory=Dropout)
    homeostasis: Homeostasis = Field(default_factory=Homeostasis)
    consolidation: Consolidation = Field(default_factory=Consolidation)


def section_of(rule: object) -> type[Learning]:
    """The section of a rule; that of the default rule for an unknown name."""
    known = isinstance(rule, str) and rule in registry.names()
    section: type[Learning] = registry.load(str(rule) if known else DEFAULT_RULE).settings
    return section


def targeted(learning: Learning) -> Targeted:
    """The section as one of a rule with a target. Raises `TypeError` for others."""
    if not isinstance(learning, Targeted):
        raise TypeError(f"rule {learning.rule} has no target")
    return learning
