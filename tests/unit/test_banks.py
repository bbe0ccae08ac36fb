"""Memories in banks: words and banks by hand, prices by hand to 1e-9, nothing moved where no banks are asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from benchmarks import organisation, tables
from docs import examples
from edgesdt.chip.simulated import Chip
from edgesdt.errors import SpecError
from edgesdt.ledger import actions as act
from edgesdt.ledger import recipes
from edgesdt.ledger.organisation import organised
from edgesdt.ledger.recipes import Access, Action, Design
from edgesdt.pricing import banks, bill, leakage
from edgesdt.rules.lookup import cautions, memory_map
from edgesdt.runs import preview, record
from edgesdt.spec import Spec, loads, spec_hash
from edgesdt.spec.schema import memory as section
from hw_models.technology import TechnologyError, load, names, reading, table
from tests.conftest import ROOT
from tests.small_chips import spec_of

KIB = 8192
ORGANISED: list[dict[str, Any]] = [
    {"chip.memory.bank": "1 KiB"},
    {"chip.memory.bank": "1 KiB", "chip.memory.sleep": True},
    {"chip.memory.word": "2 B", "chip.memory.weights.bank": "16 B", "chip.memory.states.sleep": True},
    {"chip.memory.weights.word": "1 B"},
]


def nearly(value: float, within: float = 1e-9) -> Any:
    return pytest.approx(value, rel=within, abs=0)


def kept() -> dict[str, Any]:
    return record.read(organisation.RECORD)


# What is built


def array(name: str, shape: list[int], bits_each: int) -> dict[str, Any]:
    return {"name": name, "shape": shape, "bits": int(np.prod(shape)) * bits_each}


def one(arrays: list[dict[str, Any]], bank: int | None, word: int) -> Any:
    asked = section.Asked(bank, word, False)
    (found,) = organised(arrays, {"weights": ("weights",)}, lambda kind: asked)
    return found


def test_rows_start_on_a_new_word_and_no_entry_lies_across_two() -> None:
    # three entries of 5 bits in a word of 16: a row of 10 takes 4 words, 6 rows 24
    held = one([array("weights_0", [6, 10], 5)], 8 * 16, 16)
    assert (held.words, held.bank_words, held.banks, held.bank_bits, held.built_bits) == (24, 8, 3, 128, 384)
    assert held.opened(5, in_rows=60, alone=7) == 24 + 7
    # an entry wider than a word takes several of its own
    held = one([array("weights_0", [2, 3], 20)], None, 8)
    assert (held.words, held.banks, held.opened(20, 0, 5)) == (18, 1, 15)


def test_the_last_bank_is_whole_and_a_bank_never_larger_than_the_array() -> None:
    held = one([array("weights_0", [784, 2000], 8)], 8 * KIB, 64)
    assert (held.words, held.banks, held.built_bits) == (196_000, 192, 192 * 65536)
    held = one([array("weights_0", [4, 8], 8)], 8 * KIB, 64)
    assert (held.words, held.banks, held.built_bits) == (4, 1, 256)


def test_kinds_are_the_same_in_every_room() -> None:
    assert recipes.KINDS == get_args(recipes.Kind) == section.KINDS == tuple(banks.COMPONENT)
    assert [name for name in section.Memory.model_fields if name in section.KINDS] == list(section.KINDS)


def test_an_access_without_a_kind_is_one_of_its_array_or_of_the_buffers() -> None:
    design = Design((Action("a", "", "", (Access(8, ("weights",)), Access(8, ("kept", "more")))),), (), ())
    assert design.kinds() == {"weights": ("weights",), "buffers": ("kept", "more")}
    assert Access(8, ("kept",), kind="targets").memory == "targets"


# Where nothing is asked for


def test_kept_records_cost_what_they_did() -> None:
    for path in sorted(organisation.RECORD.parent.glob("*.json")):
        made = record.read(path)
        priced = organisation.priced(made, None)
        for part in ("energy_j", "latency_s", "area_mm2"):
            for name, value in priced[part].items():
                assert made[part].get(name, value) == value, (path.name, part, name)


@pytest.mark.parametrize("nothing", [{}, {"chip.memory": None}, {"chip.memory.weights.sleep": False}])
def test_no_organisation_leaves_no_trace(nothing: dict[str, Any]) -> None:
    spec = spec_of([9, 7], nothing)
    assert spec.plain() == spec_of([9, 7]).plain()
    assert "memory" not in spec.plain()["chip"] and "banks" not in memory_map(spec).plain()
    assert Spec.from_plain(spec.plain()).chip.memory == section.Memory()


@pytest.mark.parametrize("fields", ORGANISED)
def test_an_organisation_is_written_and_read_back(fields: dict[str, Any]) -> None:
    spec = spec_of([9, 7], fields)
    assert Spec.from_plain(spec.plain()) == spec
    assert loads(preview.resolved(spec)).chip.memory == spec.chip.memory
    assert spec_hash(spec.plain()) != spec_hash(spec_of([9, 7]).plain())


# Prices


def by_hand() -> dict[str, Any]:
    """The variables of the hand arithmetic on the page."""
    text = (ROOT / "docs" / "explanation" / "energy.md").read_text(encoding="utf-8")
    part = text.partition("### One chip by hand")[2].partition("The code says the same")[0]
    statements = [line[4:] for line in part.splitlines() if line.startswith(">>> ")]
    found: dict[str, Any] = {}
    exec("\n".join(line for line in statements if not line.startswith("print(")), found)
    return found


def test_the_chip_of_the_page_costs_what_it_does_by_hand() -> None:
    hand, made, eight = by_hand(), kept(), {"bank": 8 * KIB, "word": 64}
    assert {name: made["counts"]["train"][name] for name in hand["n"]} == hand["n"]
    assert made["latency_s"]["train_per_sample"] * 1.8e6 == nearly(hand["seconds"])
    for memory, sleep, joules, mm2, watts in (
        (None, False, hand["array_j"], hand["array_mm2"], hand["array_w"]),
        (eight, False, hand["banks_j"], hand["banks_mm2"], hand["bits_w"] + hand["around_w"]),
        (eight, True, hand["banks_j"], hand["banks_mm2"], hand["asleep_w"]),
    ):
        cost = organisation.priced(made, memory, sleep)
        assert cost["energy_j"]["train_breakdown"]["weight memory"] == nearly(joules)
        assert cost["area_mm2"]["breakdown"]["weight memory"] == nearly(mm2)
        assert cost["energy_j"]["train_leakage"]["weight memory"] == nearly(watts * hand["seconds"])


def test_the_table_of_the_page_is_that_of_the_record() -> None:
    page = organisation.PAGE.read_text(encoding="utf-8")
    assert tables.section(page, organisation.SECTION) == organisation.section()


def test_all_memories_of_a_chip_by_hand() -> None:
    """Every kind at once on a chip of 8 x 16 with words of 16 bits: words counted one by one."""
    spec = spec_of([8, 16], {"chip.memory.word": "2 B", "technology.table": "cmos_45nm"})
    memory, tech = memory_map(spec).plain(), bill.technology(spec)
    counts = dict.fromkeys(act.MEANING, 0) | {
        act.MAC: 32, act.WEIGHT_READ: 40, act.WEIGHT_WRITE: 3, act.INPUT_READ: 5, act.INPUT_WRITE: 16,
        act.STATE_READ: 7, act.STATE_WRITE: 9, act.BIAS_READ: 34, act.BIAS_WRITE: 1, act.HOMEOSTASIS_STEP: 16,
    }  # fmt: skip
    words = {kind: 0.0 for kind in ("weights", "inputs", "states", "biases", "targets")}
    for _, own, opened in banks.opened(spec, counts, banks.held(spec, memory)):
        words[own.kind] += opened
    assert words == {
        "weights": 32 / 2 + 8 + 3,  # two weights a word in rows, and one for each that is updated
        "inputs": 5 + 16 / 2,  # events anywhere; written in order
        "states": 7 + 9,
        "biases": 32 + 2 + 1,  # a word each; two samples' worth of them in order
        "targets": 16 * (2 + 2) * 2,  # 24 bits are two words, of both arrays, read and written
    }
    energy = bill.bill(spec, counts, memory, tech).energy_j
    held = banks.held(spec, memory)["weights"]
    assert held.bank_bits == 8 * 16 * 8
    assert energy["weight memory"] == nearly(27 * tech.sram_access_j(16, 1024))


@pytest.mark.parametrize("fields", ORGANISED)
@pytest.mark.parametrize("layers", [[9, 7], [9, 7, 5]])
def test_breakdowns_add_up(layers: list[int], fields: dict[str, Any]) -> None:
    spec = spec_of(layers, fields)
    priced = preview.predicted(spec, memory_map(spec))
    energy, tech = priced["energy_j"], priced["technology"]
    assert sum(energy["train_breakdown"].values()) == nearly(energy["train_total"])
    assert sum(energy["inference_breakdown"].values()) == nearly(energy["inference_per_sample"])
    for phase in ("train", "inference"):
        assert sum(energy[f"{phase}_leakage"].values()) == nearly(energy[f"{phase}_breakdown"]["leakage"])
    assert sum(tech["leakage_breakdown_w"].values()) == nearly(tech["leakage_w"])
    assert sum(priced["area_mm2"]["breakdown"].values()) == nearly(priced["area_mm2"]["total"])
    built = {each["kind"] for each in memory_map(spec).plain()["banks"]}
    assert {banks.COMPONENT[kind] for kind in built} <= tech["leakage_breakdown_w"].keys()
    assert ("leakage_asleep_w" in tech) is any(each.sleep for each in memory_map(spec).memories)


def test_smaller_banks_cost_area_and_save_joules_and_sleep_saves_leakage() -> None:
    costs = organisation.costs(kept())
    dynamic = [costs[name]["energy_j"]["train_breakdown"]["weight memory"] for name, _ in organisation.BANKS[1:]]
    areas = [costs[name]["area_mm2"]["total"] for name, _ in organisation.BANKS]
    assert dynamic == sorted(dynamic, reverse=True) and areas == sorted(areas)
    for name, _ in organisation.BANKS[1:]:
        awake, asleep = costs[name], costs[f"{name}, sleep"]
        less, more = (cost["energy_j"]["train_leakage"]["weight memory"] for cost in (asleep, awake))
        assert less <= more
        assert asleep["technology"]["leakage_w"] == awake["technology"]["leakage_w"]
        tech, spent = asleep["technology"], asleep["energy_j"]["train_breakdown"]["leakage"]
        seconds = asleep["latency_s"]["train_per_sample"] * 1.8e6
        assert tech["leakage_asleep_w"] * seconds * (1 - 1e-9) <= spent <= tech["leakage_w"] * seconds * (1 + 1e-9)


def test_banks_that_do_nothing_all_sleep() -> None:
    spec = spec_of([9, 7], {"chip.memory.sleep": True})
    memory, tech = memory_map(spec).plain(), bill.technology(spec)
    held = banks.held(spec, memory)
    shares = banks.awake(spec, dict.fromkeys(act.MEANING, 0), 1.0, held)
    assert set(shares.values()) == {0.0}
    assert set(banks.awake(spec, dict.fromkeys(act.MEANING, 10**15), 1.0, held).values()) == {1.0}
    bits = tech.sram_leakage_w(held["weights"].built_bits)
    around = tech.logic_leakage_w(tech.sram_macro_mm2(1))
    assert banks.leakage_w(held, tech, shares)["weight memory"] == nearly(0.152 * bits + around)
    awake = leakage.by_component(spec, memory, bill.areas(spec, memory, tech), tech)
    assert awake["weight memory"] == nearly(bits + around)


# What a chip does


def learned(fields: dict[str, Any]) -> Chip:
    rng = np.random.default_rng(3)
    chip = Chip(spec_of([9, 7, 5], {"learning.learning_rate": 0.1, "chip.weights.init_gain": 2.0, **fields}))
    chip.learn(rng.integers(0, 256, (40, 9), dtype=np.uint8))
    return chip


@pytest.mark.parametrize("style", ["dense", "event_driven"])
def test_banks_change_no_integer_and_no_count_but_say_which_way_products_read(style: str) -> None:
    plain = learned({"chip.style": style})
    cut = learned({"chip.style": style, "chip.memory.weights.bank": "64 B"})
    for name, held in plain.rule.state().items():
        assert np.array_equal(held, cut.rule.state()[name]), name
    counts = cut.counts()
    down = counts.pop(act.COLUMN_MAC)
    assert counts == plain.counts()
    assert 0 < down < counts[act.MAC]
    if style == "dense":  # every output passes its change down to all 7 neurons in each of the 40 + 10 steps
        assert down == 40 * 50 * 5 * 7
    assert act.COLUMN_MAC not in learned({"chip.style": style, "chip.memory.states.bank": "64 B"}).counts()


def test_one_layer_needs_no_count_of_its_own() -> None:
    spec = spec_of([9, 7], {"chip.memory.bank": "64 B"})
    assert act.COLUMN_MAC not in bill.components(spec)
    assert act.COLUMN_MAC in bill.components(spec_of([9, 7, 5], {"chip.memory.bank": "64 B"}))


# Bad input and doubts


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"chip.memory.bank": "4 B"}, "chip.memory.bank: smaller than a word: 4 B, allowed: at least 8 B (a word)"),
        ({"chip.memory.weights.bank": "4 B"}, "chip.memory.weights.bank: smaller than a word: 4 B"),
        ({"chip.memory.bank": "64 B", "chip.memory.states.word": "128 B"}, "states.word: larger than a bank: 128 B"),
        ({"chip.memory.bank": "0 B"}, "chip.memory.bank: out of range"),
        ({"chip.memory.wieghts.bank": "64 B"}, "did you mean 'weights'?"),
        ({"chip.memory.sleep": "maybe"}, "chip.memory.sleep: "),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=re.escape(told)):
        spec_of([9, 7], fields)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"chip.memory.weights.bank": "1 KiB"}, ["chip.memory.weights.bank: 1 KiB: larger than what is in it"]),
        ({"chip.memory.bank": "32 B"}, ["chip.memory.bank: 32 B: larger than what is in it: inputs (9 B)"]),
        ({"chip.memory.buffers.bank": "64 B"}, ["chip.memory.buffers: no effect"]),
        ({"chip.memory.weights.bank": "16 B"}, []),
        ({}, []),
    ],
)
def test_what_is_doubtful_is_said(fields: dict[str, Any], told: list[str]) -> None:
    found = cautions(spec_of([9, 7], fields))
    assert len(found) == len(told)
    assert all(sentence.startswith(start) for sentence, start in zip(found, told, strict=True)), found


def test_weights_on_cells_are_in_no_bank() -> None:
    spec = spec_of([9, 7], {"device.model": "EcRam", "chip.memory.weights.bank": "64 B"})
    assert memory_map(spec).memories == ()
    assert cautions(spec)[0].startswith("chip.memory.weights: no effect")


MIXED = {"chip.memory": {"bank": "64 B", "sleep": True}, "learning.learning_rate": 0.1, "learning.target": "label"}


@pytest.mark.parametrize(
    ("stack", "down"), [({"0": "EcRam", "1": "sram"}, True), ({"0": "sram", "1": "EcRam"}, False)]
)
def test_only_layers_in_memory_lie_in_banks(stack: dict[str, str], down: bool) -> None:
    chip = Chip(spec_of([9, 7, 5], {**MIXED, "device.layers": stack}))
    rng = np.random.default_rng(3)
    chip.learn(rng.integers(0, 256, (20, 9), dtype=np.uint8), rng.integers(0, 5, 20))
    spec, memory, counts = chip.spec, memory_map(chip.spec).plain(), chip.counts()
    held = {own.kind: own for own in memory_map(spec).memories}
    weights = (7 * 5 if down else 9 * 7) * spec.chip.weights.bits
    assert held["weights"].used_bits == weights
    assert (act.COLUMN_MAC in counts) == down and 0 <= counts.get(act.COLUMN_MAC, 0) < counts[act.MAC]
    made = bill.bill(spec, counts, memory, bill.technology(spec))
    assert made.energy_j["weight memory"] > 0 and made.energy_j["cell reads"] > 0
    assert 0 < made.awake["weights"] <= 1
    priced = bill.price(spec, {"train": counts, "inference": counts}, {"train": 20, "inference": 20}, memory)
    parts = priced["energy_j"]["train_breakdown"]
    assert priced["energy_j"]["train_total"] == nearly(sum(parts.values()))


# Tables


def without(entry: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Both tables as they would be without an entry."""
    whole = reading.read

    def read(path: str) -> reading.Sheet:
        sheet = whole(path)
        return replace(sheet, entries={name: each for name, each in sheet.entries.items() if name != entry})

    monkeypatch.setattr(table, "read", read)
    table._load.cache_clear()
    yield from names()
    table._load.cache_clear()


@pytest.mark.parametrize(("entry", "sleep"), [("sram.macro", False), ("sram.retention", True)])
def test_a_table_need_not_know_banks(entry: str, sleep: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"chip.memory.bank": "64 B", "chip.memory.sleep": sleep}
    for name in without(entry, monkeypatch):
        found = load(name)
        with pytest.raises(TechnologyError, match=entry):
            found.sram_macro_mm2(1) if entry == "sram.macro" else found.sram_asleep()
        assert preview.preview(spec_of([9, 7], {"technology.table": name}))
        with pytest.raises(SpecError, match=f"technology: table: {name} has no entry {entry}"):
            preview.enforce(spec_of([9, 7], {"technology.table": name, **asked}))


@pytest.mark.parametrize("name", names())
def test_the_constant_area_is_that_of_2800_bits_and_scales_as_logic(name: str) -> None:
    here, there = load(name), load(name, 22)
    heights = {64: 232.88, 128: 268.88, 256: 340.88, 512: 484.88}  # of the macros, all 431.86 um wide
    slope = 431.86 * (heights[512] - heights[64]) / (448 * 8)
    base = 431.86 * heights[64] - 512 * slope
    for words, height in heights.items():
        assert base + slope * words * 8 == nearly(431.86 * height)
    assert here.sram_macro_mm2(1) == pytest.approx(base / slope * here.sram_mm2(1), rel=1e-3)
    assert there.sram_macro_mm2(3) == nearly(3 * here.sram_macro_mm2(1) * there.add_mm2(8) / here.add_mm2(8))
    assert {"sram.macro", "sram.retention"} <= {row["quantity"] for row in here.rows()}


# What is shown


def test_check_and_the_record_show_banks() -> None:
    spec = spec_of([9, 7], {"chip.memory.bank": "16 B", "chip.memory.sleep": True})
    shown = preview.preview(spec)
    assert "  weights: 5 banks of 16 B, words of 64 bits, 80 B built, idle banks asleep" in shown
    assert "with all banks asleep" in shown
    listed = {each["kind"]: each for each in memory_map(spec).plain()["banks"]}
    assert listed["weights"] == {
        "kind": "weights", "arrays": ["weights_0"], "banks": 5, "bank_bits": 128, "word_bits": 64, "built_bits": 640,
        "sleep": True,
    }  # fmt: skip
    page = (ROOT / "docs" / "reference" / "record.md").read_text(encoding="utf-8")
    assert all(f"memory.banks[].{key}" in page for key in listed["weights"])


def test_the_report_shows_banks(tmp_path: Path) -> None:
    from edgesdt.report.files.folders import Run
    from edgesdt.report.run.memory_map import memory

    made = kept()
    made["memory"] = organisation.priced(made, {"bank": 8 * KIB, "word": 64}, sleep=True)["memory"]
    shown = memory(Run(tmp_path, json.loads(json.dumps(made)), "run"))
    assert shown is not None
    assert shown.banks[0] == ("weights", "192", "8 KiB", "8 B", "1.5 MiB", "asleep")


def test_the_page_is_among_those_that_run() -> None:
    assert organisation.PAGE in examples.pages()
