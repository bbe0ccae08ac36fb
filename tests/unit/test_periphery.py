"""Converters, sensing, drivers and wires: published numbers come back as published, codes are what a circuit gives."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_models.base import DeviceError
from hw_models.periphery import Adc, Dac, Drivers, Sense, Wires
from hw_models.periphery.constants import check, constant, sheet
from hw_models.periphery.dac import requantise
from hw_models.periphery.wires import ohm_per_metre
from hw_models.technology.scaling import energy_ratio, logic_area_ratio


def near(value: float, rel: float = 1e-9) -> Any:
    """`pytest.approx` without its absolute tolerance, which is a whole picojoule."""
    return pytest.approx(value, rel=rel, abs=0)


@given(st.integers(1, 12), st.integers(1, 12))
def test_input_codes_go_to_the_nearest_level(bits_in: int, bits: int) -> None:
    codes = np.arange(-(2**bits_in) + 1, 2**bits_in)
    out = requantise(codes, bits_in, bits)
    top_in, top = 2**bits_in - 1, 2**bits - 1
    if bits >= bits_in:
        assert (out == codes).all()
        return
    levels = np.array([math.floor(k * top_in / top + 0.5) for k in range(top + 1)])
    assert set(np.abs(out)) == set(levels.tolist()), "every level is used, and no other"
    assert np.abs(out - codes).max() <= math.ceil(top_in / top / 2)
    assert (out == -out[::-1]).all() and out[-1] == top_in and out[top_in] == 0
    assert (np.diff(out) >= 0).all()
    assert (requantise(out, bits_in, bits) == out).all()


def test_input_codes_beyond_their_bits_are_refused() -> None:
    with pytest.raises(DeviceError, match="input code: 16 is out of range"):
        requantise(np.array([3, -16]), 4, 8)


def test_dac_is_that_of_isaac_by_each_bit_or_by_each_level() -> None:
    one = Dac(1, 32)
    assert one.energy_j == near(4e-3 / 1024 * 100e-9)
    assert one.area_mm2 == near(0.00017 / 1024)
    for bits, style, energy, area, seconds in ((8, "serial", 8, 1, 8), (8, "parallel", 128, 128, 1)):
        dac = Dac(bits, 32, style)  # type: ignore[arg-type]
        assert dac.energy_j == near(energy * one.energy_j)
        assert dac.area_mm2 == near(area * one.area_mm2)
        assert dac.seconds == near(seconds * 1e-9)
    assert Dac(1, 65).energy_j == near(one.energy_j * energy_ratio(65, 32))
    assert one.seconds == near(1e-9)


def test_sensing_is_that_of_its_sources() -> None:
    assert Sense(32).sample_j == near(10e-6 / 1024 * 100e-9, rel=1e-6)
    assert Sense(90).decision_j == near(92e-15)
    assert Sense(32).decision_j == near(92e-15 * energy_ratio(32, 90))
    sample = 0.00004 / 1024 * logic_area_ratio(40, 32)
    assert Sense(40).area_mm2 == near(sample + 5.98e-6)


@pytest.mark.parametrize(
    ("width_nm", "aspect", "rho"),
    [(200, 2.10, 2.42e-8), (100, 2.30, 2.73e-8), (50, 2.34, 3.91e-8), (32, 1.90, 4.51e-8), (14, 2.10, 7.43e-8)],
)
def test_wire_resistance_at_listed_widths(width_nm: float, aspect: float, rho: float) -> None:
    expected = rho / ((width_nm * 1e-9) ** 2 * aspect)
    assert ohm_per_metre(width_nm) == near(expected)
    assert ohm_per_metre(width_nm, 350.0) == near(expected * (1 + 0.00451 * 50))
    assert Wires(width_nm, 4 * width_nm).row_ohm_per_cell == near(expected * 4 * width_nm * 1e-9)


def test_wires_between_listed_widths_and_given_ones() -> None:
    assert ohm_per_metre(50) < ohm_per_metre(45) < ohm_per_metre(40)
    wires = Wires.at_node(32, 16)
    assert wires.pitch_nm == 128 and wires.capacitance_per_cell_f == near(0.2e-9 * 128e-9)
    assert wires.row_ohm_per_cell == wires.column_ohm_per_cell == near(4.51e-8 / (32e-9**2 * 1.9) * 128e-9)
    given_ohms = replace(wires, row_ohm=0.35, column_ohm=0.0)
    assert (given_ohms.row_ohm_per_cell, given_ohms.column_ohm_per_cell) == (0.35, 0.0)


def test_drivers_charge_their_line_and_carry_its_current() -> None:
    drivers = Drivers(64, 128, Wires(32, 100), cell_f=1e-16, node_nm=45)
    assert drivers.row_f == near(128 * (0.2e-9 * 100e-9 + 1e-16))
    assert drivers.column_f == near(64 * (0.2e-9 * 100e-9 + 1e-16))
    assert drivers.row_j(2.0) == near(4 * drivers.row_f) and drivers.column_j(-3.0) == near(9 * drivers.column_f)
    row_m, column_m = 128 * 1e-5 * 2 / 1360.0, 64 * 1e-5 * 2 / 1360.0
    assert drivers.width_m(2.0, 1e-5, 128) == near(row_m)
    assert drivers.width_m(2.0, 0.0, 128) == near(45e-9), "no transistor is narrower than the feature size"
    assert drivers.area_mm2(2.0, 1e-5) == near(2 * (64 * row_m + 128 * column_m) * 160e-9 * 1e6)
    assert drivers.leakage_w(2.0, 1e-5) == near((64 * row_m + 128 * column_m) * 0.1 * 2.0)
    assert drivers.decode_j(256) > drivers.decode_j(2) == drivers.decode_j(1) > 0
    assert drivers.decoder_area_mm2 > 0


def test_every_constant_has_a_unit_and_a_source() -> None:
    check(sheet())
    assert constant("wires.capacitance") == near(0.2e-9)
    for field, told in (("unit", "unit"), ("source", "source"), ("value", "no number")):
        tree = copy.deepcopy(sheet())
        tree["dac"]["energy"][field] = None
        with pytest.raises(DeviceError, match=told):
            check(tree)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: Adc(0), "adc bits: 0"),
        (lambda: Adc(8.5), "no whole number"),  # type: ignore[arg-type]
        (lambda: Adc(8, enob=9), "adc enob"),
        (lambda: Adc(8, fom_j=-1.0), "fom_j"),
        (lambda: Dac(13), "dac bits: 13.*nearest allowed: 12"),
        (lambda: Dac(8, 3), "dac node_nm"),
        (lambda: Dac(8, 32, "paralel"), "did you mean 'parallel'"),  # type: ignore[arg-type]
        (lambda: Sense(math.nan), "sense node_nm"),
        (lambda: Wires(0.0), "width_nm"),
        (lambda: Wires(row_ohm=-1.0), "row_ohm"),
        (lambda: Drivers(0, 1, Wires()), "rows"),
    ],
)
def test_what_cannot_be_is_refused(made: Any, told: str) -> None:
    with pytest.raises(DeviceError, match=told):
        made()
