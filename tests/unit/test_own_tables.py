"""A technology table of one's own: every fault at its line, and the prices of a table that ships when it is a copy."""

from __future__ import annotations

from importlib.resources import files

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_models.technology import TechnologyError, load, load_text, names
from hw_models.technology.own import ENTRIES, MOST_CHARACTERS

TEXT = """\
table: my28
sources:
  ours: "Measured on a test chip"
node: {value: 28, unit: nm, source: ours}
add:
  energy: {unit: fJ, source: ours, points: [{bits: 8, value: 12}, {bits: 32, value: 40}]}
  area: {unit: um2, source: ours, points: [{bits: 8, value: 15}]}
multiply:
  energy: {unit: pJ, source: ours, points: [{bits_a: 8, bits_b: 8, value: 0.08}]}
  area: {unit: um2, source: ours, points: [{bits_a: 8, bits_b: 8, value: 110}]}
compare:
  energy: {unit: fJ, source: ours, points: [{bits: 8, value: 5}]}
  area: {unit: um2, source: ours, points: [{bits: 8, value: 10}]}
shift:
  energy: {unit: fJ, source: ours, points: [{bits: 8, value: 10}]}
  area: {unit: um2, source: ours, points: [{bits: 8, value: 20}]}
xor:
  energy: {unit: fJ, source: ours, points: [{bits: 8, value: 1}]}
  area: {unit: um2, source: ours, points: [{bits: 8, value: 5}]}
register:
  energy: {unit: fJ, source: ours, points: [{bits: 1, value: 2}]}
  area: {unit: um2, source: ours, points: [{bits: 1, value: 2.2}]}
sram:
  access:
    {unit: pJ, source: ours, points: [{bits: 64, capacity_kib: 8, value: 2}, {bits: 32, capacity_kib: 64, value: 4}]}
  cell: {value: 0.127, unit: um2/bit, source: ours}
  array_efficiency: {value: 0.7, unit: 1, source: ours}
  leakage: {value: 900, unit: pW/bit, source: ours}
logic:
  leakage: {value: 8, unit: mW/mm2, source: ours}
"""


def shipped(name: str) -> str:
    return files("hw_models.technology").joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def faults(text: str) -> list[str]:
    with pytest.raises(TechnologyError) as caught:
        load_text(text, "my.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("node", [None, 22])
def test_a_copy_of_a_table_that_ships_has_its_prices(name: str, node: float | None) -> None:
    assert load_text(shipped(name), f"there/{name}.yaml", node) == load(name, node)


def test_units_are_converted_and_a_table_has_its_name_or_that_of_its_file() -> None:
    made = load_text(TEXT, "some/where.yaml")
    assert (made.name, made.node_nm) == ("my28", 28)
    assert made.add_j(8) == pytest.approx(12e-15) and made.multiply_j(8, 8) == pytest.approx(80e-15)
    assert made.sram_access_j(64, 8 * 8192) == pytest.approx(2e-12)
    assert made.sram_access_j(32, 64 * 8192) == pytest.approx(4e-12)
    assert made.sram_leakage_w(1000) == pytest.approx(900e-9)
    assert made.sources == ("Measured on a test chip",)
    assert load_text(TEXT.partition("\n")[2], "some/where.yaml").name == "where"
    assert load_text(TEXT, "x.yaml", 14).add_j(8) < made.add_j(8)


CASES = [
    ("multiply:", "multipy:", ":8: multipy: unknown key, allowed: sources, table, ", "(did you mean 'multiply'?)"),
    ("multiply:", "multipy:", ": multiply: missing, allowed: a mapping of energy, area", ""),
    ("  area: {unit: um2, source: ours, points: [{bits: 8, value: 20",
     "  aera: {unit: um2, source: ours, points: [{bits: 8, value: 20",
     ":16: shift.aera: unknown key, allowed: energy, area", "(did you mean 'area'?)"),
    ("unit: nm", "unit: mm", ":4: node: unit: 'mm': not a unit of this entry, allowed: nm", ""),
    ("unit: fJ, source: ours, points: [{bits: 8, value: 12", "unit: fj, source: ours, points: [{bits: 8, value: 12",
     ":6: add.energy: unit: 'fj'", "(did you mean 'fJ'?)"),
    ("unit: um2/bit, ", "", ":26: sram.cell: no unit, allowed: um2/bit, mm2/bit", ""),
    ("unit: um2/bit", "unit: um2", ":26: sram.cell: unit: 'um2': not a unit of this entry", ""),
    ("value: 0.127", "value: nan", ":26: sram.cell.value: nan, allowed: a number, ", "um2/bit"),
    ("value: 0.127", "value: -1", ":26: sram.cell.value: -1: out of range, allowed: a number, ", "um2/bit"),
    ("value: 0.127", "value: '0.127'", ":26: sram.cell.value: '0.127', allowed: a number, ", ""),
    ("value: 0.127, ", "", ":26: sram.cell.value: missing, allowed: a number, ", ""),
    ("value: 28", "value: 5", ":4: node.value: 5: out of range, allowed: a number, 7 to 130 nm", ""),
    ("value: 0.7", "value: 1.2", ":27: sram.array_efficiency.value: 1.2: out of range, ", "to 1 1"),
    ("unit: pW/bit, source: ours", "unit: pW/bit", ":28: sram.leakage: no source, allowed: one of", ""),
    ("unit: pW/bit, source: ours", "unit: pW/bit, source: our", ":28: sram.leakage: source: 'our': unknown",
     "(did you mean 'ours'?)"),
    ("{bits: 32, value: 40}", "{bits: 32, value: 4}", ":6: add.energy.points.1: falls as the circuit grows", ""),
    ("{bits: 32, value: 40}", "{bits: 8, value: 40}", ":6: add.energy.points.1: a second value at bits 8", ""),
    ("{bits: 32, value: 40}", "{bit: 32, value: 40}", ":6: add.energy.points.1.bit: unknown key",
     "(did you mean 'bits'?)"),
    ("{bits: 32, value: 40}", "{bit: 32, value: 40}", ":6: add.energy.points.1.bits: missing, allowed: a number", ""),
    ("{bits: 32, value: 40}", "7", ":6: add.energy.points.1: 7: wrong type, allowed: a mapping of bits, value", ""),
    ("points: [{bits: 1, value: 2.2}]", "value: 2.2", ":22: register.area.value: unknown key", ""),
    ("points: [{bits: 1, value: 2.2}]", "value: 2.2", ":22: register.area.points: no points, allowed: ", ""),
    ("table: my28", "table: [1]", ":1: table: [1]: wrong type, allowed: a text", ""),
    ("table: my28", "table: ../my", ":1: table: '../my': not a name", ""),
    ("table: my28", "add: 3", ":5: add: duplicate key", ""),
    ("  ours: \"Measured on a test chip\"", "  ours: 3", ":3: sources.ours: 3: must be a citation", ""),
    ("node: {value: 28, unit: nm, source: ours}", "node: 28", ":4: node: 28: has neither unit nor source", ""),
    (TEXT, "", "my.yaml:1: no technology table", ""),
    (TEXT, "- 3", "my.yaml:1: no technology table", ""),
    (TEXT, "a: [", "not readable as YAML", ""),
    (TEXT, "a: &x 1\nb: *x", "my.yaml:2: aliases are not read", ""),
    (TEXT, "#" * (MOST_CHARACTERS + 1), f"allowed: at most {MOST_CHARACTERS}", ""),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told", "hint"), CASES)
def test_a_fault_stands_at_its_line(old: str, new: str, told: str, hint: str) -> None:
    assert old in TEXT
    found = [fault for fault in faults(TEXT.replace(old, new, 1)) if told in fault]
    assert found, faults(TEXT.replace(old, new, 1))
    assert found[0].startswith("my.yaml:") and hint in found[0], found


@pytest.mark.parametrize("name", ENTRIES)
def test_every_number_that_is_missing_is_told(name: str) -> None:
    tree = yaml.safe_load(TEXT)
    inner = tree
    *above, last = name.split(".")
    for part in above:
        inner = inner[part]
    if ENTRIES[name].optional:
        inner.pop(last, None)
        load_text(yaml.safe_dump(tree), "my.yaml")
        return
    del inner[last]
    assert any(f": {name}: missing, allowed: " in fault for fault in faults(yaml.safe_dump(tree)))


def test_all_faults_are_told_at_once() -> None:
    found = faults(TEXT.replace("unit: fJ", "unit: fj").replace("source: ours}", "source: our}"))
    assert len(found) == 10, found


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_table_is_a_crash(data: st.DataObject) -> None:
    """Any node of a table replaced by anything: prices, or a fault in words."""
    tree = yaml.safe_load(TEXT)
    here, path = tree, []
    while isinstance(here, dict | list) and here:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        path.append(data.draw(st.sampled_from(keys)))
        if isinstance(here[path[-1]], dict | list) and data.draw(st.booleans()):
            here = here[path[-1]]
            continue
        anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just({})
        here[path[-1]] = data.draw(anything | st.lists(st.integers(), max_size=2))
        break
    try:
        made = load_text(yaml.safe_dump(tree), "my.yaml")
    except TechnologyError as error:
        assert "my.yaml" in str(error)
    else:
        assert made.add_j(16) > 0 and made.sram_access_j(8, 999) > 0
