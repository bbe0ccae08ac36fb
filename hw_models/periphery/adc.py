"""Analog-to-digital converters: energy and area from a survey of published converters, and the quantiser itself.

T. Andrulis et al., arXiv:2404.06553 (2024), fitted to B. Murmann's survey: the energy of the best published converters
is bounded by a figure of merit that falls with the sample rate and rises with the resolution,

    fom = min(f0 + f1 ln rate, b0 + b1 ceil(enob))                              [dB]
    E   = 1/2 10^((sndr - fom) / 10) e^(c0 + c1 ln node + c2 ln enob)           [pJ],  sndr = 6.02 enob + 1.76 dB
    A   = e^(a0 + a1 ln node + a2 ln rate + a3 ln E)                            [um2], node in nm, rate in Hz, E in pJ

Fitted range: 4 to 20 effective bits, up to 10 GS/s. Not modelled: the architecture, reference and input buffers, and
static power beyond that included in a conversion at full rate. `Adc` prices fewer than 4 bits as 4 bits: the bound is
not valid there, and a coarser converter does not cost more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from hw_models.periphery.constants import bounded, constant, whole

ENOB_MIN: Final = 4.0
ENOB_MAX: Final = 20.0
RATE_MIN_HZ: Final = 1.0
NODE_MIN_NM: Final = 5.0
NODE_MAX_NM: Final = 2000.0


@dataclass(frozen=True)
class Adc:
    """One converter: `bits` out, `rate_hz` conversions a second, at `node_nm`.

    `enob` is the number of effective bits for the price (default: `bits`). With `fom_j`, joules per step, a conversion
    costs Walden's `fom * 2^enob` instead of the survey's bound; the area is still that of the survey. Raises
    `DeviceError` outside 1 to 20 bits, 1 Hz to 10 GHz, 5 to 2000 nm.
    """

    bits: int = 8
    rate_hz: float = 1e8
    node_nm: float = 32.0
    enob: float | None = None
    fom_j: float | None = None

    def __post_init__(self) -> None:
        whole("adc bits", self.bits, 1, int(ENOB_MAX), "bits")
        if self.enob is not None:
            bounded("adc enob", self.enob, 0.5, self.bits, "bits")
        if self.fom_j is not None:
            bounded("adc fom_j", self.fom_j, 0.0, 1.0, "J per step")
        _checked(ENOB_MIN, self.rate_hz, self.node_nm)

    @property
    def effective_bits(self) -> float:
        """The number of bits for the price."""
        return float(self.bits) if self.enob is None else self.enob

    @property
    def energy_j(self) -> float:
        """Joules of one conversion."""
        if self.fom_j is not None:
            return walden_energy_j(self.effective_bits, self.fom_j)
        return survey_energy_j(max(self.effective_bits, ENOB_MIN), self.rate_hz, self.node_nm)

    @property
    def area_mm2(self) -> float:
        """Area of one converter in mm2."""
        return survey_area_mm2(max(self.effective_bits, ENOB_MIN), self.rate_hz, self.node_nm)

    @property
    def seconds(self) -> float:
        """Time of one conversion."""
        return 1.0 / self.rate_hz


def survey_energy_j(enob: float, rate_hz: float, node_nm: float) -> float:
    """Joules per conversion of the best published converters (Andrulis 2024); see the module for the equation."""
    _checked(enob, rate_hz, node_nm)
    by_rate = constant("adc.fom_intercept_db") + constant("adc.fom_per_ln_hz_db") * math.log(rate_hz)
    by_bits = constant("adc.fom_at_0_bits_db") + constant("adc.fom_per_bit_db") * math.ceil(enob)
    sndr_db = 20 * enob * math.log10(2) + 10 * math.log10(1.5)
    correction = (
        constant("adc.energy_intercept")
        + constant("adc.energy_per_ln_nm") * math.log(node_nm)
        + constant("adc.energy_per_ln_bits") * math.log(enob)
    )
    picojoules = 0.5 * 10 ** ((sndr_db - min(by_rate, by_bits)) / 10) * math.exp(correction)
    return picojoules * 1e-12


def survey_area_mm2(enob: float, rate_hz: float, node_nm: float) -> float:
    """Area of one converter in mm2 (Andrulis 2024, the smallest tenth of the survey)."""
    energy_pj = survey_energy_j(enob, rate_hz, node_nm) * 1e12
    square_microns = math.exp(
        constant("adc.area_intercept")
        + constant("adc.area_per_ln_nm") * math.log(node_nm)
        + constant("adc.area_per_ln_hz") * math.log(rate_hz)
        + constant("adc.area_per_ln_pj") * math.log(energy_pj)
    )
    return square_microns * 1e-6


def walden_energy_j(enob: float, fom_j: float | None = None) -> float:
    """Walden's E = fom 2^enob; `fom_j` in joules per step, default the 2.2 fJ record of Harpe (ISSCC 2013)."""
    return float((constant("adc.walden_record") if fom_j is None else fom_j) * 2.0**enob)


def _checked(enob: float, rate_hz: float, node_nm: float) -> None:
    bounded("adc enob", enob, ENOB_MIN, ENOB_MAX, "effective bits")
    bounded("adc rate_hz", rate_hz, RATE_MIN_HZ, constant("adc.rate_max_hz"), "Hz")
    bounded("adc node_nm", node_nm, NODE_MIN_NM, NODE_MAX_NM, "nm")
