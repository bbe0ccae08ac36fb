"""The `device:` and `deployment:` sections: the storage of the weights, and the time at rest after training."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from edgesdt.spec import named_files
from edgesdt.spec.checks.hints import shown
from edgesdt.spec.types import (
    Allowed,
    Duration,
    ModelName,
    Resistance,
    Section,
    Sha256,
    a_mapping,
    power_of_two_real,
    sentence,
)

if TYPE_CHECKING:
    from hw_models.base import CellModel

ARRAY_SWITCHES: Final = ("ir_drop", "dac", "adc", "read_noise", "output_noise")
"""Non-idealities of the array and its converters; all others belong to the device model."""


def by_layer(value: object) -> object:
    """`device.layers` with layer numbers as text keys; a plain model name stands for a mapping with that model.

    A dotted key, as from `--set device.layers.1.array.adc_range=0.5`, is a field of the layer named first.
    """
    if not isinstance(value, Mapping):
        return value
    made: dict[str, Any] = {}
    for key, given in value.items():
        number, *inner = str(key).split(".")
        if not (number.isascii() and number.isdigit() and str(int(number[:9])) == number):
            raise sentence(f"{shown(key)}: not the number of a weight layer, allowed: 0, 1, ... from the input up")
        fields = {"model": given} if isinstance(given, str) and not inner else given
        if not inner and not isinstance(fields, Mapping):
            raise sentence(f"{number}: {shown(given)}, allowed: the name of a device model, or fields of a device")
        for part in reversed(inner):
            fields = {part: fields}
        made[number] = merged(made.get(number, {}), fields)
    return made


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `below`, replaced by those of `above`; the fields of `array` are replaced one by one."""
    both = {**below, **above}
    arrays = [each.get("array") for each in (below, above)]
    if all(isinstance(each, Mapping) for each in arrays):
        both["array"] = {**arrays[0], **arrays[1]}  # type: ignore[dict-item]
    return both


class Array(Section):
    """The crossbar that holds the weights: mapping, programming, converters. Only for a model other than sram."""

    mapping: Literal["offset", "pair"] = Field(
        default="offset", description="A cell against a reference, or a differential pair of cells"
    )
    weight_per_range: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        description="Weight of the full conductance range of a cell, or of all its slices together; null: 0.1, or more "
                    "if the initial weights need it",
    )
    slices: int = Field(
        default=1,
        ge=1,
        le=8,
        description="Cells (or pairs) per weight, each holding a digit; pulses go to the least significant",
    )
    bits_per_cell: int = Field(
        default=2, ge=1, le=7, description="Base of the digits: a slice has 2^bits_per_cell times the weight of the "
                                           "one below"
    )
    carry_every: int = Field(
        default=1000,
        ge=1,
        le=10**9,
        description="Training samples after which the accumulated change of a digit is carried to the next one "
                    "(slices)",
    )
    programming: Literal["pulses", "coincidence", "verify"] = Field(
        default="pulses",
        description="A stochastically rounded number of pulses; coincidences of random pulse trains; or "
        "pulses until a read shows the wanted weight",
    )
    train_length: int = Field(
        default=31, ge=1, le=32, description="Pulses of a train on each line (coincidence) [pulses]"
    )
    verify_rounds: int = Field(
        default=8, ge=1, le=100, description="Maximum reads and corrections of a weight (verify)"
    )
    dac_bits: int = Field(default=8, ge=1, le=8, description="Width of the converter of each row [bits]")
    adc_bits: int = Field(default=9, ge=2, le=16, description="Width of the converter of a column [bits]")
    adc_range: Annotated[
        float,
        AfterValidator(power_of_two_real),
        Allowed("a power of two in 2^-10..8, in units of a neuron's drive"),
    ] = Field(
        default=1.0,
        ge=2.0**-10,
        le=8,
        description="Largest absolute drive that a tile's converter can represent (of the most significant slice)",
    )
    columns_per_adc: int = Field(default=8, ge=1, le=4096, description="Columns that share a converter")
    tile_rows: int = Field(
        default=256, ge=1, le=65536, description="Rows of a tile; the sums of tiles are added digitally"
    )
    tile_columns: int = Field(default=256, ge=1, le=65536, description="Columns of a tile")
    read_noise: Literal["none", "additive", "proportional"] = Field(
        default="none", description="Noise of every cell at every read, in addition to the model's own"
    )
    read_noise_sd: float = Field(
        default=0.0,
        ge=0,
        le=10,
        description="Its standard deviation, as a share of the conductance range (additive) or of the cell's weight",
    )
    output_noise: float = Field(
        default=0.0, ge=0, le=1000, description="Noise at a converter, standard deviation [converter steps]"
    )
    wire_resistance: Resistance | None = Field(
        default=None,
        description="Resistance of row and column lines from one cell to the next; null or 0: no IR drop [Ohm]",
    )
    ir_drop_every: int = Field(
        default=1000, ge=1, le=10**9, description="Training samples after which the losses on wires are calculated "
                                                  "again"
    )
    selector: Literal["transistor", "half_voltage"] = Field(
        default="transistor", description="Protection of the other cells on the same lines from a pulse"
    )

    @property
    def has_ir_drop(self) -> bool:
        """Whether the lines have a resistance."""
        return bool(self.wire_resistance)


class LayerDevice(Section):
    """The device of one weight layer."""

    model: ModelName = Field(default="sram", description="Device model of a memory cell (`edgesdt device list`)")
    file: str | None = Field(
        default=None,
        min_length=1,
        description="A device sheet (YAML, relative to the spec), in place of a named model",
    )
    sha256: Sha256 = Field(default=None, description="Digest of the sheet; filled in when it is read")
    sheet: str | None = Field(default=None, description="Text of the sheet; filled in when it is read")
    parameters: Annotated[
        dict[str, Any], BeforeValidator(a_mapping), Allowed("a mapping of the model's parameters to values")
    ] = Field(default_factory=dict, description="Parameters of the model that differ from its sheet")
    array: Array = Field(default_factory=Array)
    off: Annotated[tuple[str, ...], Allowed("a list of non-idealities, such as [cycle_to_cycle]")] = Field(
        default=(), strict=False, description="Non-idealities that are switched off (`edgesdt device show`)"
    )

    @property
    def in_memory(self) -> bool:
        """Whether the weights are codes in a digital memory."""
        return self.model == "sram" and self.file is None

    def digest(self) -> str | None:
        """SHA-256 of the sheet's text in the spec, else of the file's present content; None for a named model.

        Raises `SheetError`.
        """
        if self.sheet is not None:
            return hashlib.sha256(self.sheet.encode()).hexdigest()
        return None if self.file is None else named_files.sheet(self.file)[1]

    def cell_model(self) -> CellModel:
        """The model of a cell with the parameters and switches given here. Raises `DeviceError`."""
        from hw_models.sheets import catalog, sheet  # only a spec with a device needs the catalogue

        parameters = self.parameters
        if self.file is not None and self.sheet is not None:
            model = catalog.from_sheet(sheet.parse(self.sheet, self.file), **parameters)
        elif self.file is not None:
            model = catalog.from_file(Path(self.file), **parameters)
        else:
            model = catalog.load(self.model, **parameters)
        own = model.non_idealities  # both the model and the array may have read noise; the switch turns off both
        return model.without([name for name in self.off if name not in ARRAY_SWITCHES or name in own])


class Device(LayerDevice):
    """The storage of the weights: one device for all weight layers, or different devices for some layers."""

    layers: Annotated[
        dict[str, LayerDevice],
        BeforeValidator(by_layer),
        Allowed("a mapping of weight layers (0, 1, ...) to a model's name or to device fields that differ"),
    ] = Field(default_factory=dict, description="Weight layers with their own device, counted from the input up")
    drift_compensation: Literal["none", "global"] = Field(
        default="none",
        description="After a rest: one factor for all cells, from a reference read before use (global), or none",
    )

    @property
    def digital(self) -> bool:
        """Whether all weights are codes in a digital memory."""
        return all(each.in_memory for each in self.layers.values()) if self.layers else self.in_memory


class Deployment(Section):
    """Times at rest between training and use of the chip."""

    times: Annotated[
        tuple[Duration, ...], Allowed("a list of up to 50 times, each 0 s..3000 years, such as ['1 h', '1 day']")
    ] = Field(
        default=(), strict=False, max_length=50, description="Times after training at which the accuracy is measured "
                                                             "[s]"
    )
