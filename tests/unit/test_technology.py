"""Technology tables: published numbers come back as published, scaling follows its sources, order is kept."""

from __future__ import annotations

import dataclasses
import doctest
import math
import pickle
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_models.technology import Technology, TechnologyError, load, names
from hw_models.technology.reading import UNITS, parse
from hw_models.technology.scaling import energy_ratio, leakage_ratio, logic_area_ratio, sram_area_ratio

PJ = 1e-12
UM2 = 1e-6
KIB = 8 * 1024
PLACES = ("bits", "bits_a", "bits_b", "capacity_kib", "node_nm")  # where a value holds: the name has the unit
BORROWED = (
    "compare_j",
    "shift_j",
    "xor_j",
    "register_j",
    "compare_mm2",
    "shift_mm2",
    "xor_mm2",
    "register_mm2",
)
TABLES = ("cmos_40nm_aladdin", "cmos_45nm")


def near(value: float, rel: float = 1e-9, within: float = 0.0) -> Any:
    """`pytest.approx` without its absolute tolerance of 1e-12, which is a whole picojoule."""
    return pytest.approx(value, rel=0.0 if within else rel, abs=within)


tables = st.sampled_from(TABLES)
nodes = st.floats(7, 130)
widths = st.floats(1, 64)
capacities = st.floats(1, 2.0**40)


def test_the_tables_that_ship() -> None:
    assert names() == list(TABLES)


@pytest.mark.parametrize(
    ("bits", "add_pj", "add_um2"),
    [(8, 0.03, 36), (16, 0.05, 67), (32, 0.1, 137)],
)
def test_horowitz_adders(bits: int, add_pj: float, add_um2: float) -> None:
    table = load("cmos_45nm")
    assert table.node_nm == 45
    assert table.add_j(bits) == near(add_pj * PJ, rel=1e-12)
    assert table.add_mm2(bits) == near(add_um2 * UM2, rel=1e-12)


@pytest.mark.parametrize(("bits", "mul_pj", "mul_um2"), [(8, 0.2, 282), (32, 3.1, 3495)])
def test_horowitz_multipliers(bits: int, mul_pj: float, mul_um2: float) -> None:
    table = load("cmos_45nm")
    assert table.multiply_j(bits, bits) == near(mul_pj * PJ, rel=1e-12)
    assert table.multiply_mm2(bits, bits) == near(mul_um2 * UM2, rel=1e-12)


@pytest.mark.parametrize(("kib", "pj"), [(8, 10), (32, 20), (1024, 100)])
def test_horowitz_sram(kib: int, pj: float) -> None:
    table = load("cmos_45nm")
    assert table.sram_access_j(64, kib * KIB) == near(pj * PJ, rel=1e-12)
    assert table.sram_access_j(8, kib * KIB) == near(pj * PJ / 8, rel=1e-12)


def test_aladdin_units() -> None:
    table = load("cmos_40nm_aladdin")
    assert table.node_nm == 40
    energies = {
        "add": (table.add_j(32), 0.21),
        "multiply": (table.multiply_j(32, 32), 12.68),
        "compare": (table.compare_j(32), 0.02947),
        "shift": (table.shift_j(32), 0.417),
        "xor": (table.xor_j(32), 0.0181),
        "register": (table.register_j(1), 0.009),
        "add 8": (table.add_j(8), 0.0525),
        "multiply 8": (table.multiply_j(8, 8), 0.7925),
        "register 16": (table.register_j(16), 0.144),
    }
    areas = {
        "add": (table.add_mm2(32), 278),
        "multiply": (table.multiply_mm2(32, 32), 6350),
        "compare": (table.compare_mm2(32), 71),
        "shift": (table.shift_mm2(32), 250),
        "xor": (table.xor_mm2(32), 50.37),
        "register": (table.register_mm2(1), 5.98),
    }
    for name, (found, pj) in energies.items():
        assert found == near(pj * PJ, rel=1e-12), name
    for name, (found, um2) in areas.items():
        assert found == near(um2 * UM2, rel=1e-12), name
    assert table.logic_leakage_w(6350 * UM2) == near(0.08e-3, rel=1e-3)


def test_sram_area_is_the_published_cell_over_the_efficiency() -> None:
    megabit = 2**20
    assert load("cmos_45nm").sram_mm2(megabit) == near(megabit * 0.346 * UM2 / 0.75, rel=1e-12)
    cells = {7: 0.027, 10: 0.0312, 14: 0.0588, 22: 0.092, 32: 0.171, 65: 0.57, 90: 1.0}
    for node, um2 in cells.items():
        found = load("cmos_45nm", node).sram_mm2(megabit)
        assert found == near(megabit * um2 * UM2 / 0.75, rel=1e-12), node


def test_sram_leakage_is_that_of_the_published_network() -> None:
    found = load("cmos_45nm", 32).sram_leakage_w(246_000)
    assert found == near(2.80e-3, rel=2e-3)


@pytest.mark.parametrize("table", TABLES)
def test_sram_agrees_with_a_cacti_run(table: str) -> None:
    """CACTI 7 at 45 nm, 32-bit accesses (cited in the tables), which the energies were not taken from."""
    technology = load(table, 45)
    for mib, read_pj, write_pj, mm2 in [
        (0.25, 26.35, 18.43, 0.8217),
        (1, 41.29, 35.40, 3.192),
        (4, 84.34, 68.67, 11.95),
    ]:
        bits = mib * 1024 * KIB
        access_pj = technology.sram_access_j(32, bits) / PJ
        assert access_pj == near(read_pj, rel=0.25)
        assert write_pj < access_pj < 1.5 * write_pj
        assert technology.sram_mm2(bits) == near(mm2, rel=0.4)


@pytest.mark.parametrize(
    ("node", "ratio"),
    [(130, 3.07), (90, 1.90), (65, 1.24), (45, 1.0), (20, 0.221), (16, 0.174), (10, 0.118)],
)
def test_energy_scaling_from_45_nm(node: int, ratio: float) -> None:
    assert energy_ratio(node, 45) == near(ratio, rel=5e-3)


@pytest.mark.parametrize(("node", "ratio"), [(32, 0.659), (14, 0.139), (7, 0.094)])
def test_energy_scaling_oracle(node: int, ratio: float) -> None:
    base, scaled = load("cmos_45nm"), load("cmos_45nm", node)
    assert energy_ratio(node, 45) == near(ratio, within=1e-3)
    assert scaled.add_j(8) / base.add_j(8) == near(ratio, within=1e-3)
    assert scaled.multiply_j(9, 16) / base.multiply_j(9, 16) == near(ratio, within=1e-3)
    assert scaled.sram_access_j(8, 1e6) / base.sram_access_j(8, 1e6) == near(ratio, within=1e-3)


@pytest.mark.parametrize(
    ("node", "ratio"),
    [(130, 6.4), (90, 2.8), (65, 1.5), (32, 0.46), (20, 0.21), (16, 0.19), (14, 0.17), (10, 0.1), (7, 0.059)],
)
def test_area_scaling_from_45_nm(node: int, ratio: float) -> None:
    base, scaled = load("cmos_45nm"), load("cmos_45nm", node)
    assert logic_area_ratio(node, 45) == near(ratio, rel=1e-12)
    assert scaled.add_mm2(16) / base.add_mm2(16) == near(ratio, rel=1e-12)
    assert scaled.register_mm2(3) / base.register_mm2(3) == near(ratio, rel=1e-12)


def test_leakage_of_one_circuit_follows_the_node() -> None:
    base, scaled = load("cmos_45nm"), load("cmos_45nm", 15)
    assert scaled.sram_leakage_w(1e6) / base.sram_leakage_w(1e6) == near(1 / 3)
    before, after = base.logic_leakage_w(base.add_mm2(32)), scaled.logic_leakage_w(scaled.add_mm2(32))
    assert after / before == near(1 / 3)


@given(nodes, nodes, nodes)
def test_scaling_is_transitive(a: float, b: float, c: float) -> None:
    for ratio in (energy_ratio, logic_area_ratio, sram_area_ratio, leakage_ratio):
        assert ratio(a, b) * ratio(b, c) == near(ratio(a, c), rel=1e-9)
        assert ratio(a, a) == 1.0


def test_its_own_node_is_no_scaling() -> None:
    for table in TABLES:
        base = load(table)
        assert dataclasses.asdict(load(table, base.node_nm)) == dataclasses.asdict(base)


def prices(technology: Technology, bits: float, bits_b: float, capacity: float) -> dict[str, float]:
    """Everything that must not fall when a width, a capacity or the node grows."""
    return {
        "add_j": technology.add_j(bits),
        "multiply_j": technology.multiply_j(bits, bits_b),
        "compare_j": technology.compare_j(bits),
        "shift_j": technology.shift_j(bits),
        "xor_j": technology.xor_j(bits),
        "register_j": technology.register_j(bits),
        "sram_access_j": technology.sram_access_j(bits, capacity),
        "add_mm2": technology.add_mm2(bits),
        "multiply_mm2": technology.multiply_mm2(bits, bits_b),
        "compare_mm2": technology.compare_mm2(bits),
        "shift_mm2": technology.shift_mm2(bits),
        "xor_mm2": technology.xor_mm2(bits),
        "register_mm2": technology.register_mm2(bits),
        "sram_mm2": technology.sram_mm2(capacity),
        "sram_leakage_w": technology.sram_leakage_w(capacity),
        "logic_leakage_w": technology.logic_leakage_w(technology.multiply_mm2(bits, bits_b)),
    }


@settings(max_examples=200)
@given(tables, st.tuples(nodes, nodes), st.tuples(widths, widths), st.tuples(widths, widths), st.data())
def test_nothing_gets_cheaper_by_growing(
    table: str,
    node_pair: tuple[float, float],
    a_pair: tuple[float, float],
    b_pair: tuple[float, float],
    data: st.DataObject,
) -> None:
    capacity = sorted(data.draw(st.tuples(capacities, capacities)))
    low, high = sorted(node_pair)
    a, b = sorted(a_pair), sorted(b_pair)
    small = prices(load(table, low), a[0], b[0], capacity[0])
    large = prices(load(table, high), a[1], b[1], capacity[1])
    for name, price in small.items():
        assert 0 < price <= large[name] * (1 + 1e-9), name


@given(tables, nodes, widths, widths)
def test_multiplication_is_symmetric(table: str, node: float, a: float, b: float) -> None:
    technology = load(table, node)
    assert technology.multiply_j(a, b) == technology.multiply_j(b, a)
    assert technology.multiply_mm2(a, b) == technology.multiply_mm2(b, a)


@given(tables, widths, capacities, st.floats(1, 100))
def test_sram_access_is_proportional_to_the_width(
    table: str, bits: float, capacity: float, factor: float
) -> None:
    technology = load(table)
    wide, narrow = technology.sram_access_j(bits * factor, capacity), technology.sram_access_j(bits, capacity)
    assert wide == near(factor * narrow, rel=1e-9)


def test_a_tiny_sram_costs_as_much_as_registers() -> None:
    for table in TABLES:
        technology = load(table)
        assert technology.sram_access_j(8, 64) == near(technology.register_j(8))
        assert technology.sram_access_j(8, KIB) > technology.register_j(8)


def test_the_two_tables_differ_as_their_sources_do() -> None:
    """At their own nodes twice (add) to four times (multiply), and somewhat more at one node."""
    horowitz, aladdin = load("cmos_45nm"), load("cmos_40nm_aladdin")
    assert aladdin.add_j(32) / horowitz.add_j(32) == near(2.1)
    assert aladdin.multiply_j(32, 32) / horowitz.multiply_j(32, 32) == near(4.09, rel=1e-3)
    for node in (130.0, 45.0, 40.0, 7.0):
        horowitz, aladdin = load("cmos_45nm", node), load("cmos_40nm_aladdin", node)
        assert 2 < aladdin.add_j(32) / horowitz.add_j(32) < 3
        assert 4 < aladdin.multiply_j(32, 32) / horowitz.multiply_j(32, 32) < 5


def test_what_one_table_borrows_is_what_the_other_has() -> None:
    """Derived numbers are typed into the tables: recompute them, to the four digits that are typed."""
    horowitz, aladdin = load("cmos_45nm"), load("cmos_40nm_aladdin", 45)
    for name in BORROWED:
        assert getattr(horowitz, name)(32) == near(getattr(aladdin, name)(32), rel=5e-4), name
    assert horowitz.logic_leakage_w(1) == near(aladdin.logic_leakage_w(1), rel=5e-4)
    for kib in (1, 8, 32, 200, 1024, 4096):
        found = aladdin.sram_access_j(64, kib * KIB)
        assert found == near(horowitz.sram_access_j(64, kib * KIB), rel=5e-4), kib
    assert aladdin.sram_mm2(1e6) == near(horowitz.sram_mm2(1e6), rel=5e-4)
    assert aladdin.sram_leakage_w(1e6) == near(horowitz.sram_leakage_w(1e6), rel=1e-3)


def numbers(tree: Any, unit: str | None = None, source: str | None = None) -> list[tuple[Any, ...]]:
    """Every `value` in a parsed YAML file with the unit and source in force; other numbers with none."""
    if isinstance(tree, list):
        return [found for item in tree for found in numbers(item, unit, source)]
    if not isinstance(tree, dict):
        return [] if isinstance(tree, str) else [(tree, None, None)]
    unit, source = tree.get("unit", unit), tree.get("source", source)
    found: list[tuple[Any, ...]] = []
    for key, node in tree.items():
        if key == "value":
            found.append((node, unit, source))
        elif key not in PLACES:
            found += numbers(node, unit, source)
    return found


@pytest.mark.parametrize("name", [*(f"{table}.yaml" for table in TABLES), "nodes/scaling.yaml"])
def test_every_number_has_a_unit_and_a_source(name: str) -> None:
    tree = yaml.safe_load(files("hw_models.technology").joinpath(name).read_text(encoding="utf-8"))
    citations = tree.pop("sources")
    found = numbers(tree)
    assert len(found) >= 20
    for value, unit, source in found:
        assert isinstance(value, (int, float)) and not isinstance(value, bool), value
        assert math.isfinite(value), value
        assert unit in UNITS, (value, unit)
        assert source in citations, (value, source)
    assert set(citations) == {source for _, _, source in found}, "a citation that nothing cites"


@pytest.mark.parametrize("table", TABLES)
def test_rows_list_the_table_for_reports(table: str) -> None:
    tree = yaml.safe_load(files("hw_models.technology").joinpath(f"{table}.yaml").read_text(encoding="utf-8"))
    citations = tree.pop("sources")
    rows = load(table).rows()
    stated = sorted((value, unit, citations[source]) for value, unit, source in numbers(tree))
    assert sorted((row["value"], row["unit"], row["source"]) for row in rows) == stated
    assert {row["source"] for row in rows} <= set(load(table).sources)


def test_rows_of_a_scaled_table_name_the_ratios() -> None:
    base, scaled = load("cmos_45nm"), load("cmos_45nm", 14)
    assert scaled.rows()[: len(base.rows())] == base.rows()
    ratios = {row["quantity"]: row for row in scaled.rows()[len(base.rows()) :]}
    assert set(ratios) == {"scaling.energy", "scaling.logic_area", "scaling.sram_area", "scaling.leakage"}
    assert ratios["scaling.energy"]["value"] == near(0.139, within=1e-3)
    assert ratios["scaling.logic_area"]["value"] == near(0.17)
    assert "Stillmaker" in str(ratios["scaling.energy"]["source"])
    assert ratios["scaling.energy"]["at"] == "45 to 14 nm"
    cells = str(ratios["scaling.sram_area"]["source"])
    assert "Mistry" in cells and "0.0588 um2" in cells and "0.171 um2" not in cells
    assert any("Stillmaker" in source for source in scaled.sources)
    assert not any("Stillmaker" in source for source in base.sources)


def test_a_technology_is_a_value() -> None:
    technology = load("cmos_45nm", 22)
    assert pickle.loads(pickle.dumps(technology)) == technology
    with pytest.raises(dataclasses.FrozenInstanceError):
        technology.node_nm = 7  # type: ignore[misc]


@pytest.mark.parametrize(
    ("asked", "guess"),
    [("cmos_45", "'cmos_45nm'"), ("CMOS_45NM", "'cmos_45nm'"), ("aladdin_40nm", "'cmos_40nm_aladdin'")],
)
def test_an_unknown_table_is_named_with_the_nearest(asked: str, guess: str) -> None:
    with pytest.raises(TechnologyError, match="unknown") as error:
        load(asked)
    assert repr(asked) in str(error.value)
    assert f"did you mean {guess}?" in str(error.value)
    assert all(table in str(error.value) for table in TABLES)


def test_a_table_like_no_other_gets_no_guess() -> None:
    with pytest.raises(TechnologyError) as error:
        load("xyz")
    assert "did you mean" not in str(error.value)
    assert "known: cmos_40nm_aladdin, cmos_45nm" in str(error.value)


@pytest.mark.parametrize(("node", "nearest"), [(6.99, "7 nm"), (0, "7 nm"), (-45, "7 nm"), (180, "130 nm")])
def test_a_node_out_of_range_is_refused(node: float, nearest: str) -> None:
    with pytest.raises(TechnologyError) as error:
        load("cmos_45nm", node)
    message = str(error.value)
    assert "node_nm" in message and repr(node) in message
    assert "7 to 130 nm" in message and f"nearest allowed: {nearest}" in message


@pytest.mark.parametrize("bad", [0, -1, 0.5, math.nan, math.inf, True, "8", None])
def test_a_width_that_is_not_one_is_refused(bad: Any) -> None:
    technology = load("cmos_45nm")
    calls = {
        "add_j": (bad,),
        "multiply_j": (8, bad),
        "multiply_mm2": (bad, 8),
        "register_j": (bad,),
        "sram_access_j": (8, bad),
    }
    for name, arguments in calls.items():
        with pytest.raises(TechnologyError, match="at least 1 bit"):
            getattr(technology, name)(*arguments)


@pytest.mark.parametrize("bad", [-1, math.nan, math.inf, True, "1"])
def test_a_size_that_is_not_one_is_refused(bad: Any) -> None:
    technology = load("cmos_45nm")
    for method in (technology.sram_mm2, technology.sram_leakage_w, technology.logic_leakage_w):
        with pytest.raises(TechnologyError, match="at least 0"):
            method(bad)
        assert method(0) == 0


@pytest.mark.parametrize("node", [math.nan, "45", True])
def test_a_node_that_is_not_a_number_is_refused(node: Any) -> None:
    with pytest.raises(TechnologyError, match="node_nm"):
        load("cmos_45nm", node)


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"value": 1, "source": "paper"}, "unit"),
        ({"value": 1, "unit": "pj", "source": "paper"}, "did you mean 'pJ'"),
        ({"value": 1, "unit": "pJ"}, "source"),
        ({"value": 1, "unit": "pJ", "source": "another"}, "source"),
        ({"unit": "pJ", "points": [{"bits": 8, "value": 1}]}, "source"),
        (1.5, "neither unit nor source"),
    ],
)
def test_a_number_without_unit_or_source_is_refused(entry: Any, complaint: str) -> None:
    with pytest.raises(TechnologyError, match=r"mine: add\.energy") as error:
        parse("mine", {"sources": {"paper": "A paper"}, "add": {"energy": entry}})
    assert complaint in str(error.value)


def test_hw_models_knows_nothing_of_edgesdt() -> None:
    package = files("hw_models.technology")
    for module in Path(str(package)).rglob("*.py"):
        assert "edgesdt" not in module.read_text(encoding="utf-8"), module


def test_the_page_on_energy_shows_what_the_tables_give() -> None:
    page = Path(__file__).parents[2] / "docs" / "explanation" / "energy.md"
    failed, tried = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert tried >= 10
    assert failed == 0
