"""Quantities: what parses to what, what is refused with which words, and how numbers read for people."""

from __future__ import annotations

from fractions import Fraction

import pytest

from edgesdt import units
from edgesdt.errors import EdgesdtError

KINDS = [
    units.SIZE,
    units.TIME,
    units.ENERGY,
    units.VOLTAGE,
    units.RESISTANCE,
    units.FREQUENCY,
    units.LENGTH,
]


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("256 KiB", 256 * 1024 * 8),
        ("2 MiB", 2 * 2**20 * 8),
        ("1GiB", 2**33),
        ("64 kbit", 64_000),
        ("2 Mibit", 2**21),
        ("100 kB", 800_000),
        ("3 B", 24),
        ("12 bit", 12),
        ("1.5 KiB", 12_288),
        ("1_000 B", 8000),
        ("1e3 B", 8000),
        (".5 B", 4),
        ("1.1 MiB", 9_227_468),  # 9227468.8 bits: a budget is rounded down
        (100, 800),  # a bare number is bytes
        (0.5, 4),
        ("-1 B", -8),
    ],
)
def test_sizes_are_bits(text: str | int, bits: int) -> None:
    assert units.parse_size(text) == bits


def test_times_are_the_nearest_float_to_the_decimal_text() -> None:
    assert units.parse_time("50 ns") == 5e-8
    assert units.parse_time("0.1 us") == units.parse_time("0.1 µs") == units.parse_time("0.1 μs") == 1e-7
    assert units.parse_time("3 ps") == 3e-12
    assert units.parse_time("7 ms") == 7e-3
    assert units.parse_time("2 min") == 120
    assert units.parse_time("3 h") == 10_800
    assert units.parse_time("1 day") == 86_400
    assert units.parse_time("10 years") == 10 * 365.25 * 86_400
    assert units.parse_time("1 week") == 7 * 86_400
    assert units.parse_time("2 weeks") == units.parse_time("14 days")
    assert units.parse_time("1 month") == 365.25 / 12 * 86_400
    assert units.parse_time("12 months") == units.parse_time("1 year")
    assert units.parse_time(4) == 4


def test_the_other_kinds_are_in_their_base_unit() -> None:
    assert units.parse_energy("10 pJ") == 1e-11
    assert units.parse_energy("3 fJ") == 3e-15
    assert units.parse_voltage("1.6 V") == 1.6
    assert units.parse_voltage("-250 mV") == -0.25
    assert units.parse_resistance("100 kOhm") == units.parse_resistance("100 kΩ") == 1e5
    assert units.parse_resistance("1 MOhm") == 1e6
    assert units.parse_resistance("1 mOhm") == 1e-3
    assert units.parse_frequency("100 MHz") == 1e8
    assert units.parse_frequency(5) == 5
    assert units.parse_length("65 nm") == 6.5e-8


def test_a_bare_number_can_be_given_another_unit() -> None:
    assert units.parse(45, units.LENGTH, "nm") == Fraction(45, 10**9)


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("256 KB", ["unknown unit 'KB': '256 KB'", "KiB", "(did you mean 'kB' or 'KiB'?)"]),
        ("3 kb", ["unknown unit 'kb'", "(did you mean 'kB' or 'KiB'?)"]),
        ("3 mib", ["(did you mean 'MiB'?)"]),
        ("12 bits", ["(did you mean 'bit'?)"]),
        ("12 parsec", ["unknown unit 'parsec'", "a number and one of bit, kbit"]),
        ("12", ["no unit: '12'"]),
        ("KiB", ["not a number followed by a unit: 'KiB'", "'256 KiB'"]),
        ("", ["not a number followed by a unit: ''"]),
        ("nan KiB", ["not a number followed by a unit"]),
        ("1e9999 B", ["not a number followed by a unit"]),
        ("1 2 KiB", ["not a number followed by a unit"]),
        ("٣ KiB", ["not a number followed by a unit"]),  # other digits than 0-9
        ("1" * 100 + " B", ["not a number followed by a unit", "…"]),
        (True, ["wrong type: True"]),
        (None, ["wrong type: None"]),
        ([1], ["wrong type: [1]"]),
        (float("nan"), ["not a finite number: nan"]),
        (float("inf"), ["not a finite number: inf"]),
    ],
)
def test_faults_name_the_value_and_what_would_do(value: object, parts: list[str]) -> None:
    with pytest.raises(units.UnitError) as caught:
        units.parse(value, units.SIZE)
    assert isinstance(caught.value, EdgesdtError)
    for part in parts:
        assert part in str(caught.value)


def test_a_hopeless_unit_gets_no_suggestion() -> None:
    with pytest.raises(units.UnitError) as caught:
        units.parse_time("12 parsec")
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_reads_its_own_example_and_every_unit_it_writes(kind: units.Kind) -> None:
    assert units.parse(kind.example, kind) > 0
    assert kind.units[kind.base] == 1
    scales = [kind.units[unit] for unit in kind.written]
    assert scales == sorted(scales, reverse=True)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (2**21, units.SIZE, "256 KiB"),
        (2**24, units.SIZE, "2 MiB"),
        (800_000, units.SIZE, "100 kB"),
        (1001, units.SIZE, "1001 bit"),
        (0, units.SIZE, "0 bit"),
        (1e8, units.FREQUENCY, "100 MHz"),
        (33.3e6, units.FREQUENCY, "33300 kHz"),
        (0.5, units.FREQUENCY, "0.5 Hz"),
        (5e-8, units.TIME, "50 ns"),
        (1e100, units.TIME, "1e+100 s"),
    ],
)
def test_exact_text_reads_back_as_the_same_number(value: int | float, kind: units.Kind, text: str) -> None:
    assert units.exact(value, kind) == text
    assert type(value)(units.parse(text, kind)) == value


@pytest.mark.parametrize(
    ("joules", "text"),
    [
        (1.2e-9, "1.2 nJ"),
        (0, "0 J"),
        (999.96e-9, "1 µJ"),
        (999.94e-9, "999.9 nJ"),
        (1e-12, "1 pJ"),
        (1.23456e-15, "1.235 fJ"),
        (-3.3e-6, "-3.3 µJ"),
        (0.25, "250 mJ"),
        (1e-21, "0.001 aJ"),
        (4.2e7, "42 MJ"),
        (float("inf"), "inf J"),
        (float("nan"), "nan J"),
    ],
)
def test_energies_for_people(joules: float, text: str) -> None:
    assert units.format_energy(joules) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (25e-6, "25 µs"),
        (0, "0 s"),
        (59.9, "59.9 s"),
        (59.97, "1 min"),
        (125, "2 min 5 s"),
        (3599, "59 min 59 s"),
        (3599.6, "1 h"),
        (11_520, "3 h 12 min"),
        (86_399, "1 day"),
        (4.5 * 86_400, "4.5 days"),
        (10 * 31_557_600, "10 years"),
        (31_557_600, "1 year"),
        (-90, "-1 min 30 s"),
    ],
)
def test_times_for_people(seconds: float, text: str) -> None:
    assert units.format_time(seconds) == text


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        (0, "0 B"),
        (12, "12 bit"),
        (104, "13 B"),
        (8192, "1 KiB"),
        (1_881_600, "229.7 KiB"),
        (8 * 2**20 - 1, "1 MiB"),
        (2**24, "2 MiB"),
        (2**45, "4 TiB"),
    ],
)
def test_sizes_for_people(bits: int, text: str) -> None:
    assert units.format_size(bits) == text


def test_the_rest_for_people() -> None:
    assert units.format_area(0.12341) == "0.1234 mm²"
    assert units.format_area(12.3e-6) == "12.3 µm²"
    assert units.format_area(0) == "0 mm²"
    assert units.format_area(12_345.6) == "12,346 mm²"
    assert units.format_frequency(1e8) == "100 MHz"
    assert units.format_si(1.2e-3, "V") == "1.2 mV"
    assert units.format_count(float("inf")) == "inf"
    counts = [0, 7, 12_345, 999_999, 1_000_000, 1_234_567, 4.7e9, 8.1e12, 3e16, 0.25, 1234.4]
    assert [units.format_count(count) for count in counts] == [
        "0", "7", "12,345", "999,999", "1 M", "1.235 M", "4.7 G", "8.1 T", "30 P", "0.25", "1,234",
    ]  # fmt: skip
