"""Sensing at the end of a column: the sample-and-hold before a converter, and the latch that decides one bit.

Sample-and-hold: ISAAC (Shafiee et al., ISCA 2016, 32 nm). Latch: D. Schinkel et al., ISSCC 2007 (90 nm); its area is
that of a flip-flop of the technology table, which has about as many transistors. A write-verify compares with one latch
decision. Not modelled: the offset of the latch, droop of the sampled charge.
"""

from __future__ import annotations

from dataclasses import dataclass

from hw_models.periphery.constants import bounded, constant
from hw_models.technology import load
from hw_models.technology.scaling import NODE_MAX_NM, NODE_MIN_NM, energy_ratio, logic_area_ratio


@dataclass(frozen=True)
class Sense:
    """Sensing of one column at `node_nm` (7 to 130). Raises `DeviceError` outside."""

    node_nm: float = 32.0

    def __post_init__(self) -> None:
        bounded("sense node_nm", self.node_nm, NODE_MIN_NM, NODE_MAX_NM, "nm")

    @property
    def sample_j(self) -> float:
        """Joules to sample the current of one column."""
        return constant("sense.sample_energy") * energy_ratio(self.node_nm, constant("sense.node") * 1e9)

    @property
    def decision_j(self) -> float:
        """Joules of one decision of the latch: is the level above the target?"""
        return constant("sense.latch_energy") * energy_ratio(self.node_nm, constant("sense.latch_node") * 1e9)

    @property
    def decision_s(self) -> float:
        """Time of one decision."""
        return constant("sense.latch_seconds")

    @property
    def area_mm2(self) -> float:
        """Area per column: one sample-and-hold and one latch, in mm2."""
        sample = constant("sense.sample_area") * 1e6
        sample *= logic_area_ratio(self.node_nm, constant("sense.node") * 1e9)
        return sample + load("cmos_40nm_aladdin", self.node_nm).register_mm2(1)
