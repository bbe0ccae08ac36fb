"""The spec as frozen models: every field with its type, range, default and one line of description.

Defaults live in the three schema modules and nowhere else. What fields must agree on with each other is in
`agreement`, where values come from in `source`, how a fault reads in `faults`; `loading` ties them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SerializeAsAny

from edgesdt.spec.schema.chip import Chip
from edgesdt.spec.schema.device import Deployment, Device
from edgesdt.spec.schema.learning import Learning
from edgesdt.spec.types import Allowed, NodeLength, Section, SetName, SweepMap, TableName, unique


class Data(Section):
    """Where the samples come from and how many of them are used."""

    set: SetName = Field(description="Data set by name, or the path of an .npz file")
    train: int | None = Field(default=None, ge=1, le=10**9, description="Training samples used; null: all of them")
    test: int | None = Field(default=None, ge=1, le=10**9, description="Test samples used; null: all of them")


class Encoder(Section):
    """How a sample becomes integer activations."""

    bits: int = Field(default=8, ge=1, le=8, description="Width of an input [bits]")


class Technology(Section):
    """What an action costs."""

    table: TableName = Field(default="cmos_45nm", description="Technology table that prices the actions")
    node: NodeLength | None = Field(default=None, description="Scale the table to this node; null: its own node [nm]")


ReadoutName = Literal["direct", "linear", "output"]


class Spec(Section):
    """One whole simulation, made by `load`, `loads` or `from_plain`: they check that its fields agree."""

    name: Annotated[str, Allowed("1 to 100 letters, digits, '_', '.' or '-'")] = Field(
        pattern=r"^[A-Za-z0-9_.-]+$",
        min_length=1,
        max_length=100,
        description="Name of the run and of its folder",
    )
    data: Data
    encoder: Encoder = Field(default_factory=Encoder)
    chip: Chip
    learning: SerializeAsAny[Learning] = Field(default_factory=lambda: Learning.model_validate({}))
    device: Device = Field(default_factory=Device)
    technology: Technology = Field(default_factory=Technology)
    deployment: Deployment = Field(default_factory=Deployment)
    readout: Annotated[
        tuple[ReadoutName, ...],
        AfterValidator(unique),
        Allowed("a list of direct, linear, output, each once"),
    ] = Field(
        default=("direct",),
        strict=False,
        min_length=1,
        description="Read-outs; output: the label's own neuron wins",
    )
    label_fraction: float = Field(
        default=1.0, gt=0, le=1, description="Share of the training labels that the read-outs may use"
    )
    epochs: int = Field(default=10, ge=1, le=100_000, description="Passes over the training samples")
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="Seed of every random choice")
    sweep: SweepMap = Field(default=None, description="Fields and the values that a sweep gives them")

    def plain(self) -> dict[str, Any]:
        """The spec as a nested JSON-ready mapping, in bits, hertz and nanometres; `from_plain` reads it."""
        plain: dict[str, Any] = self.model_dump(mode="json")
        if self.sweep is None:
            del plain["sweep"]
        if not self.deployment.times:
            del plain["deployment"]
        if self.device.drift_compensation == "none":
            del plain["device"]["drift_compensation"]
        for layer, device in self.device.layers.items():
            if device.in_memory:
                plain["device"]["layers"][layer] = {"model": device.model}
        if not self.device.layers:
            del plain["device"]["layers"]
        if self.device.digital:  # a digital memory has no array
            plain["device"] = {"model": plain["device"]["model"]}
        return plain

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> Spec:
        """The spec that `plain` describes (bare numbers in the units of `plain`). Raises `SpecError`."""
        from edgesdt.spec.loading import from_plain  # the schema does not know who checks it

        return from_plain(plain)
