"""The periphery of an array: converters, tiles, wires and read noise, each with its own switch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from hw_models.base import DeviceError, unknown
from hw_models.periphery.adc import Adc
from hw_models.periphery.constants import bounded, whole
from hw_models.periphery.dac import Dac
from hw_models.periphery.wires import Wires

Noise = Literal["none", "additive", "proportional", "cell"]
NOISES: Final = ("none", "additive", "proportional", "cell")
Selector = Literal["transistor", "half_voltage"]
SWITCHES: Final = ("ir_drop", "dac", "adc", "read_noise", "output_noise")


@dataclass(frozen=True)
class Periphery:
    """Periphery of a crossbar. Raises `DeviceError` for invalid values.

    `input_bits`: width of the input codes (without sign); `dac` may have fewer bits. `adc_range` is the largest sum of
    the converter, as a share of the largest sum of a tile's column (all inputs and cells at their maximum).
    `read_noise` of each cell at each read: `additive` (`read_noise_sd` of the conductance range), `proportional` (of
    the weight's own size), `cell` (of the conductance of every cell, low state included). `output_noise`: standard
    deviation at the converter, in its steps. `wires=None` has no IR drop. A `transistor` isolates the other cells of a
    line from a pulse; with `half_voltage` they see half of its voltage. `off` names the non-idealities that are
    switched off: a converter that is off passes its input unchanged, but keeps its price.
    """

    dac: Dac = field(default_factory=Dac)
    adc: Adc = field(default_factory=Adc)
    input_bits: int = 8
    adc_range: float = 0.125
    columns_per_adc: int = 8
    tile_rows: int = 128
    tile_columns: int = 128
    node_nm: float = 32.0
    wires: Wires | None = None
    read_noise: Noise = "none"
    read_noise_sd: float = 0.0
    output_noise: float = 0.0
    selector: Selector = "transistor"
    off: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        whole("input_bits", self.input_bits, 1, 16, "bits")
        bounded("adc_range", self.adc_range, 1e-9, 1.0, "of the largest sum")
        whole("columns_per_adc", self.columns_per_adc, 1, 1 << 20, "columns")
        whole("tile_rows", self.tile_rows, 1, 1 << 16, "cells")
        whole("tile_columns", self.tile_columns, 1, 1 << 16, "cells")
        bounded("node_nm", self.node_nm, 7.0, 130.0, "nm")
        bounded("read_noise_sd", self.read_noise_sd, 0.0, 100.0, "(a share)")
        bounded("output_noise", self.output_noise, 0.0, 1e6, "converter steps")
        if self.read_noise not in NOISES:
            raise DeviceError(unknown("read noise", self.read_noise, NOISES))
        if self.selector not in ("transistor", "half_voltage"):
            raise DeviceError(unknown("selector", self.selector, ("transistor", "half_voltage")))
        for name in self.off:
            if name not in SWITCHES:
                raise DeviceError(unknown("non-ideality", name, SWITCHES))

    @property
    def input_max(self) -> int:
        """The largest input code."""
        return (1 << self.input_bits) - 1

    @property
    def non_idealities(self) -> tuple[str, ...]:
        """Names of the switches that are on and have an effect."""
        present = {
            "ir_drop": self.wires is not None,
            "dac": self.dac.bits < self.input_bits,
            "adc": True,
            "read_noise": self.read_noise != "none" and self.read_noise_sd > 0,
            "output_noise": self.output_noise > 0,
        }
        return tuple(name for name in SWITCHES if present[name] and name not in self.off)

    def has(self, name: str) -> bool:
        """Whether the non-ideality `name` is on."""
        return name in self.non_idealities

    def without(self, names: Sequence[str]) -> Periphery:
        """This periphery with the named non-idealities off. Raises `DeviceError` for one that it does not have."""
        for name in names:
            if name not in self.non_idealities:
                raise DeviceError(unknown("non-ideality", name, self.non_idealities))
        return replace(self, off=self.off | frozenset(names))
