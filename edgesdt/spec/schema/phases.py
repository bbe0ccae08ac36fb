"""The `phases:` section of a spec and what belongs to it: known labels, and transformations of a data set."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from edgesdt.spec.schema.learning import Schedule
from edgesdt.spec.types import Allowed, Flag, Rates, Section, SetName, Sha256, a_mapping

Samples = Literal["labelled", "unlabelled", "all"]
TARGETS = Literal["self_defined", "label", "none"]
OWN_FIELDS = ("rule", "target", "learning_rate", "schedule")
"""Fields of `learning` that a phase gives beside its `learning:` section, or that belong to the whole run."""


class Labels(Section):
    """The training labels that are known; all others are unknown to the chip and to its read-outs."""

    count: int = Field(ge=1, le=10**9, description="Training samples whose labels are known")
    per_class: Flag = Field(
        default=True, description="Whether every class gets its share of the labels (stratified), or samples are drawn "
                                  "whatever their class"
    )
    seed: int | None = Field(
        default=None, ge=0, le=2**32 - 1, description="Seed for the selection of known labels; null: seed"
    )


class Transform(Section):
    """What is done to every sample of a phase's data set, training and test, before it is encoded."""

    rotate: float = Field(
        default=0.0, ge=-180, le=180, description="Counter-clockwise rotation about the middle of an image [degrees]"
    )
    shift: Annotated[
        tuple[Annotated[int, Field(ge=-1000, le=1000)], ...], Allowed("a list of two integers, such as [2, -1]")
    ] = Field(
        default=(0, 0), strict=False, min_length=2, max_length=2,
        description="Pixels by which an image moves: right, down [pixels]",
    )
    noise: float = Field(
        default=0.0, ge=0, le=1, description="Standard deviation of Gaussian noise, in full ranges of a pixel"
    )
    invert: Flag = Field(default=False, description="Whether bright becomes dark")


def _differs(transform: Transform | None) -> Transform | None:
    """A transformation that changes nothing is none."""
    return None if transform == Transform() else transform


class Part(Section):
    """What a phase learns: samples, target, rates. `null` means the value of the spec's own section."""

    samples: Samples | None = Field(
        default=None,
        description="Training samples; null: labelled with target: label, else all",
    )
    set: SetName | None = Field(
        default=None, description="Another data set, by name or .npz file, with the same features; null: data.set"
    )
    sha256: Sha256 = Field(default=None, description="Digest of that .npz file; filled in when it is read")
    train: int | None = Field(
        default=None, ge=1, le=10**9, description="Training samples of the other set; null: data.train, where it has "
                                                  "as many"
    )
    test: int | None = Field(
        default=None, ge=1, le=10**9, description="Test samples of the other set; null: data.test, where it has as many"
    )
    transform: Annotated[Transform | None, AfterValidator(_differs)] = Field(
        default=None, description="Transformation of the samples; null: none"
    )
    target: TARGETS | None = Field(default=None, description="Target of the output; null: learning.target")
    learning_rate: Rates | None = Field(
        default=None, description="Step of an update, one number or one per weight layer; null: learning.learning_rate"
    )
    schedule: Schedule | None = Field(
        default=None, description="Change of the learning rate over the epochs of the phase; null: learning.schedule"
    )
    learning: Annotated[
        dict[str, Any], BeforeValidator(a_mapping), Allowed("a mapping of fields of learning that differ")
    ] = Field(default_factory=dict, description="Other fields of learning that differ (the rule says which may)")
    passes: int = Field(default=1, ge=1, le=1000, description="Passes over these samples in an epoch")


class Phase(Part):
    """A stretch of a run: so many epochs with one kind of learning, or with several parts in turn in every epoch."""

    name: Annotated[str, Allowed("1 to 40 letters, digits, '_', '.' or '-'")] = Field(
        pattern=r"^[A-Za-z0-9_.-]+$", min_length=1, max_length=40, description="Name of the phase in curve and report"
    )
    epochs: int | None = Field(default=None, ge=1, le=100_000, description="Epochs of the phase; null: epochs")
    alternate: tuple[Part, ...] = Field(
        default=(),
        strict=False,
        description="Parts that every epoch runs one after the other, in place of one kind of samples",
    )
    turns: int = Field(
        default=1,
        ge=1,
        le=1_000_000,
        description="Turns of an epoch: every part is cut into so many pieces, which take turns (alternate)",
    )

    @property
    def parts(self) -> tuple[Part, ...]:
        """What an epoch runs, in order."""
        return self.alternate or (self,)


def plain_phases(phases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Phases as plain data, without what is not given: a phase says only what differs from the rest of the spec."""
    return [{**_plain(phase), **_alternating(phase)} for phase in phases]


def _alternating(phase: dict[str, Any]) -> dict[str, Any]:
    parts = phase.get("alternate")
    return {"alternate": [_plain(part) for part in parts], "turns": phase["turns"]} if parts else {}


def _plain(part: dict[str, Any]) -> dict[str, Any]:
    unsaid = {"alternate", "turns"}
    kept = {key: value for key, value in part.items() if value is not None and value != {} and key not in unsaid}
    if kept.get("passes") == 1:
        del kept["passes"]
    if "schedule" in kept and kept["schedule"].get("start") == 1.0:
        kept["schedule"] = {key: value for key, value in kept["schedule"].items() if key != "start"}
    return kept
