"""Wires between cells: resistance and capacitance per cell from the line width; `ir_drop.py` solves the network.

R per metre = rho (1 + 0.00451 |T - 300|) / (w^2 AR) with the resistivity and the aspect ratio of a line of width w, and
0.2 fF/um (DNN+NeuroSim V2.1). Between the listed widths both are interpolated linearly in logarithms; below 14 nm and
above 200 nm they are extrapolated with the end slopes. Not modelled: vias, coupling between lines, repeaters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from hw_models.periphery.constants import bounded, constant, curve
from hw_models.technology.curves import PowerLaw

WIDTH_MIN_NM: Final = 5.0
WIDTH_MAX_NM: Final = 1000.0


@dataclass(frozen=True)
class Wires:
    """Lines of `width_nm` under cells `pitch_nm` apart. Raises `DeviceError` for a width outside 5 to 1000 nm.

    `row_ohm` and `column_ohm` (per cell) replace the geometry if they are given.
    """

    width_nm: float = 32.0
    pitch_nm: float = 128.0
    temperature_k: float = 300.0
    row_ohm: float | None = None
    column_ohm: float | None = None

    def __post_init__(self) -> None:
        bounded("wire width_nm", self.width_nm, WIDTH_MIN_NM, WIDTH_MAX_NM, "nm")
        bounded("cell pitch_nm", self.pitch_nm, 0.0, 1e6, "nm")
        bounded("temperature_k", self.temperature_k, 200.0, 450.0, "K")
        for name in ("row_ohm", "column_ohm"):
            if getattr(self, name) is not None:
                bounded(name, getattr(self, name), 0.0, 1e9, "ohm per cell")

    @classmethod
    def at_node(cls, node_nm: float, cell_area_f2: float) -> Wires:
        """Lines as wide as the feature size under square cells of `cell_area_f2` squared feature sizes."""
        return cls(width_nm=node_nm, pitch_nm=node_nm * cell_area_f2**0.5)

    @property
    def row_ohm_per_cell(self) -> float:
        """Ohms of a row line from one cell to the next."""
        return self._from_geometry() if self.row_ohm is None else self.row_ohm

    @property
    def column_ohm_per_cell(self) -> float:
        """Ohms of a column line from one cell to the next."""
        return self._from_geometry() if self.column_ohm is None else self.column_ohm

    @property
    def capacitance_per_cell_f(self) -> float:
        """Farads of a line from one cell to the next."""
        return constant("wires.capacitance") * self.pitch_nm * 1e-9

    def _from_geometry(self) -> float:
        return ohm_per_metre(self.width_nm, self.temperature_k) * self.pitch_nm * 1e-9


def ohm_per_metre(width_nm: float, temperature_k: float = 300.0) -> float:
    """Resistance of a copper line per metre: rho (1 + alpha |T - 300 K|) / (w^2 AR)."""
    width_m = bounded("wire width_nm", width_nm, WIDTH_MIN_NM, WIDTH_MAX_NM, "nm") * 1e-9
    resistivity = _curve("wires.resistivity").at(width_nm)
    warm = 1 + constant("wires.temperature_coefficient") * abs(temperature_k - 300.0)
    return resistivity * warm / (width_m * width_m * _curve("wires.aspect_ratio").at(width_nm))


@cache
def _curve(name: str) -> PowerLaw:
    return curve(name, "width_nm")
