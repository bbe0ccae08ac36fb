"""The fields of `learning:` that only activation learning has, with ranges and defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Learning
from edgesdt.spec.types import Flag, Rates, Section

FACTOR_BITS = 8
"""Width of the factor of a row or column, sign included [bits]."""
ROOT_TABLE, ROOT_BITS = 192, 16
"""Entries of the table of inverse roots, and their width [bits] (`edgesdt.kernels.inverse_root`)."""
MEAN_BITS = 4
"""Bits of the mean magnitude of a layer below an output's LSB."""
RUNNING_BITS = 8
"""Bits of a running mean below an output's LSB, and of a running variance below its square."""
SCORE_BITS = 16
"""Width of a standardised magnitude, sign included; half of them are below the point."""


class Label(Section):
    """The units that show the label beside the image: one of each group of classes is on."""

    classes: int = Field(default=10, ge=2, le=1000, description="Classes of the data set")
    copies: int = Field(
        default=28, ge=1, le=4096, description="Units of each class; together they have the norm of an image"
    )

    @property
    def units(self) -> int:
        """Units in all; unit r · classes + c is the r-th of class c."""
        return self.classes * self.copies


class Errors(Section):
    """Format of the errors, signed: what the outputs of a layer do not reconstruct of its input."""

    bits: int = Field(default=13, ge=4, le=16, description="Width of an error, sign included; it saturates [bits]")
    frac_bits: int = Field(default=13, ge=0, le=16, description="Bits below the point [bits]")


class Statistics(Section):
    """Running mean and variance of every hidden output's magnitude (activation: std_abs)."""

    share_bits: int = Field(
        default=8, ge=1, le=12, description="The newest sample's share of a running mean is 2**-share_bits [bits]"
    )


class Feedback(Section):
    """Unlearning of the wrong label that a sample is most easily taken for."""

    enabled: Flag = Field(default=False, description="Whether training tries all labels and unlearns the worst")
    margin: float = Field(
        default=0.2, ge=0, le=1, description="Lead of the right label's activation from which a sample is left alone"
    )
    slope_bits: int = Field(
        default=2, ge=0, le=8, description="Share of an update per unit of missing lead: 2**slope_bits [bits]"
    )
    unlearning: float = Field(
        default=0.9, ge=0, le=1, description="Step of the wrong label, as a share of the right one's"
    )
    brake: Flag = Field(
        default=False,
        description="Whether a wrong label is unlearned only while no layer has outputs of a larger norm than its "
        "input: beyond that, unlearning grows what it should take away",
    )
    after: int = Field(default=0, ge=0, le=100_000, description="Epochs without feedback, before it begins")
    normalise: Flag = Field(
        default=False,
        description="Whether a share is divided by its running mean: steps stay large while errors become rare",
    )
    mean_bits: int = Field(
        default=7, ge=1, le=12, description="The newest sample's share of that mean is 2**-mean_bits [bits]"
    )
    most: float = Field(default=4.0, ge=1, le=16, description="Largest share of an update, once divided")


class Settings(Learning):
    """Local competition: each layer learns to reconstruct its input from its outputs; image and label are one input."""

    target: Literal["label"] = Field(default="label", description="The label is a part of the input")
    learning_rate: Rates = Field(
        default=(0.01,), description="Step of an update, per weight layer from the input up (one number: all the same)"
    )
    batch: int = Field(default=1, ge=1, le=1, description="Samples per weight update")
    label: Label = Field(default_factory=Label)
    frac_bits: int = Field(
        default=10, ge=4, le=14, description="Bits below the point of inputs, outputs and signals, signed [bits]"
    )
    activation: Literal["ln_abs", "abs", "std_abs"] = Field(
        default="ln_abs",
        description="What the next layer gets of outputs y, at the norm of y. abs: |y|; ln_abs: |y| less its mean over "
        "the layer; std_abs: |y| standardised by a running mean and variance of each",
    )
    draws: Literal["lines", "weights"] = Field(
        default="lines",
        description="What is rounded with a random half-word, with weights.rounding: stochastic. lines: the factor of "
        "each row and of each column; weights: each product",
    )
    column_bits: int = Field(
        default=3, ge=0, le=14, description="Bits below the point that a column's factor keeps (draws: lines) [bits]"
    )
    errors: Errors = Field(default_factory=Errors)
    statistics: Statistics = Field(default_factory=Statistics)
    feedback: Feedback = Field(default_factory=Feedback)
    completions: int = Field(
        default=0, ge=0, le=64, description="Test images whose lower half a run completes at its end, for its report"
    )

    @property
    def rows_beside(self) -> int:
        """The units of the label."""
        return self.label.units

    @property
    def lowest_both_ways(self) -> bool:
        """The errors of every layer need what its outputs make of its input."""
        return True

    def of_layer(self, layer: int) -> Settings:
        """The section of a separate weight layer: units of the label are inputs as any."""
        rate, label = self.learning_rate[layer : layer + 1], Label.model_construct(classes=self.label.classes, copies=0)
        return self.model_copy(update={"learning_rate": rate, "label": label})


def settings(spec: Spec) -> Settings:
    """The `learning:` section of a spec whose rule is activation. Raises `TypeError` for another rule."""
    if not isinstance(spec.learning, Settings):
        raise TypeError(f"rule {spec.learning.rule}, not activation")
    return spec.learning


def judged_part(spec: Spec) -> float:
    """Part of the epochs in which all labels of a training sample are tried."""
    feedback = settings(spec).feedback
    return max(spec.epochs - feedback.after, 0) / spec.epochs if feedback.enabled else 0.0


def shapes(spec: Spec) -> list[tuple[int, int]]:
    """Rows and columns of each weight layer; the label's units are rows of the first, behind those of the image."""
    layers = spec.chip.layers
    rows = [layers[0] + settings(spec).label.units, *layers[1:-1]]
    return list(zip(rows, layers[1:], strict=True))


def sum_bits(spec: Spec) -> int:
    """Bits of an accumulator below the point: those of a weight and of a signal."""
    return spec.chip.weights.point + settings(spec).frac_bits


def by_lines(spec: Spec) -> bool:
    """Whether factors of rows and columns are rounded at random, in place of products; not beside layers on cells."""
    lines = settings(spec).draws == "lines" and spec.chip.weights.rounding == "stochastic"
    return lines and spec.device.digital
