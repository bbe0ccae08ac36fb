"""The spec as frozen models: every field with its type, range, default and one line of description.

All defaults are in the schema modules. `agreement` checks fields against each other, `source` reads values with their
lines, `faults` formats faults, and `loading` connects these parts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, SerializeAsAny

from edgesdt import registry
from edgesdt.errors import ArgumentError
from edgesdt.registry import ReadoutName
from edgesdt.spec import named_files
from edgesdt.spec.schema.chip import Chip, Weights
from edgesdt.spec.schema.device import Deployment, Device
from edgesdt.spec.schema.learning import Consolidation, Learning
from edgesdt.spec.schema.memory import Banks
from edgesdt.spec.schema.phases import Labels, Phase, plain_phases
from edgesdt.spec.types import Allowed, NodeLength, Section, SetName, Sha256, SweepMap, TableName, unique

if TYPE_CHECKING:
    from hw_models.technology import Technology as Prices


class Data(Section):
    """The source of the samples and the number in use."""

    set: SetName = Field(description="Data set by name, or the path of an .npz file (relative to the spec)")
    train: int | None = Field(default=None, ge=1, le=10**9, description="Training samples used; null: all of them")
    test: int | None = Field(default=None, ge=1, le=10**9, description="Test samples used; null: all of them")
    sha256: Sha256 = Field(default=None, description="Digest of the .npz file; filled in when it is read")
    labels: Labels | None = Field(default=None, description="Training labels that are known; null: label_fraction")


class Encoder(Section):
    """Conversion of a sample to integer activations."""

    bits: int = Field(default=8, ge=1, le=8, description="Width of an input [bits]")


class Technology(Section):
    """The prices of actions."""

    table: TableName = Field(default="cmos_45nm", description="Technology table that prices the actions")
    node: NodeLength | None = Field(default=None, description="Scale the table to this node; null: its own node [nm]")
    file: str | None = Field(
        default=None,
        min_length=1,
        description="Your own table (YAML, relative to the spec), in place of a named one",
    )
    sha256: Sha256 = Field(default=None, description="Digest of that table; filled in when it is read")
    sheet: str | None = Field(default=None, description="Text of that table; filled in when it is read")

    @staticmethod
    def named(table: str, node: float | None = None) -> dict[str, Any]:
        """The plain section for pricing with `table`, a name or the path of a file, at `node` [nm; None: its own].

        A word that ends in .yaml or has a `/` is a path. Raises `SheetError` for a file that cannot be read.
        """
        if not (table.endswith((".yaml", ".yml")) or "/" in table):
            return {"table": table, "node": node}
        path = os.path.abspath(os.path.expanduser(table))
        text, digest = named_files.sheet(path)
        return {"node": node, "file": path, "sha256": digest, "sheet": text}

    def prices(self) -> Prices:
        """The prices of the table at the node. Raises `TechnologyError`, or `SheetError` for a missing file."""
        from hw_models import technology  # only a spec that is priced needs the tables

        if self.file is None:
            return technology.load(self.table, self.node)
        text = self.sheet if self.sheet is not None else named_files.sheet(self.file)[0]
        if text is None:
            raise named_files.SheetError(f"{self.file}: longer than {named_files.MOST_BYTES} bytes, this is not a "
                                         "table")
        return technology.load_text(text, self.file, self.node)


_NONE_FROZEN = Consolidation().model_dump(mode="json")
_AS_FOR_ALL = Banks().model_dump(mode="json")


class Spec(Section):
    """One complete simulation. `load`, `loads` and `from_plain` create it and check that its fields agree."""

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
        Allowed(f"a list of {', '.join(registry.READOUTS)}, each once"),
    ] = Field(
        default=("direct",),
        strict=False,
        min_length=1,
        description="Read-outs; output: the label's own neuron wins",
    )
    label_fraction: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Share of the training labels that are known, drawn by class. Read-outs use only these labels; "
                    "with learning.target: label, the chip learns only from these samples",
    )
    label_seed: int | None = Field(
        default=None, ge=0, le=2**32 - 1, description="Seed for the selection of known labels; null: seed"
    )
    epochs: int = Field(default=10, ge=1, le=100_000, description="Passes over the training samples")
    phases: tuple[Phase, ...] = Field(
        default=(), strict=False, description="Phases of the run, one after the other; none: one phase of all samples"
    )
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="Seed of every random choice")
    sweep: SweepMap = Field(default=None, description="Fields and the values that a sweep gives them")

    def plain(self) -> dict[str, Any]:
        """The spec as a nested JSON-ready mapping, in bits, hertz and nanometres; `from_plain` reads it."""
        plain: dict[str, Any] = self.model_dump(mode="json")
        if self.sweep is None:
            del plain["sweep"]
        if self.label_seed is None:  # older specs without this field keep their hash
            del plain["label_seed"]
        for name in ("hidden_bits", "levels"):  # as above
            if plain["chip"]["weights"][name] == Weights.model_fields[name].default:
                del plain["chip"]["weights"][name]
        for name, value in self.learning.unsaid.items():
            if plain["learning"][name] == value:
                del plain["learning"][name]
        if not self.deployment.times:
            del plain["deployment"]
        if self.chip.memory.organised:
            memory = {name: value for name, value in plain["chip"]["memory"].items() if value != _AS_FOR_ALL}
            plain["chip"]["memory"] = memory
        else:
            del plain["chip"]["memory"]
        if self.device.drift_compensation == "none":
            del plain["device"]["drift_compensation"]
        for section, key in (("data", "sha256"), ("data", "labels"), ("device", "sheet")):
            if plain[section][key] is None:
                del plain[section][key]
        if self.phases:
            plain["phases"] = plain_phases(plain["phases"])
        else:
            del plain["phases"]
        if self.learning.schedule.start == 1.0:  # older specs without this field keep their hash
            del plain["learning"]["schedule"]["start"]
        if plain["learning"].get("consolidation") == _NONE_FROZEN:
            del plain["learning"]["consolidation"]
        if self.chip.replay == "stream":
            del plain["chip"]["replay"]
        technology = plain["technology"]
        unsaid = ("file", "sha256", "sheet") if self.technology.file is None else ("table",)
        plain["technology"] = {key: value for key, value in technology.items() if key not in unsaid}
        for layer, device in self.device.layers.items():
            if device.in_memory:
                plain["device"]["layers"][layer] = {"model": device.model}
            elif device.sheet is None:
                del plain["device"]["layers"][layer]["sheet"]
        if not self.device.layers:
            del plain["device"]["layers"]
        if self.device.digital:  # a digital memory has no array
            plain["device"] = {"model": plain["device"]["model"]}
        return plain

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> Spec:
        """The spec that `plain` describes (bare numbers in the units of `plain`). Raises `SpecError`."""
        from edgesdt.spec.loading import from_plain  # the schema must not import its checker

        return from_plain(plain)


def require_spec(value: object) -> None:
    """Raise `ArgumentError` for an argument that is no `Spec`."""
    if not isinstance(value, Spec):
        raise ArgumentError(f"spec: a {type(value).__name__}, allowed: a Spec (edgesdt.spec.load makes one)")
