"""Prices: a bill worked out by hand, breakdowns that add up, re-pricing without a run, nodes, leakage."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest

from edgesdt.errors import SpecError
from edgesdt.ledger import actions
from edgesdt.pricing import bill
from edgesdt.rules.lookup import memory_map
from edgesdt.spec import Spec
from hw_models.technology import load as load_table
from hw_models.technology import names, scaling
from tests.conftest import Finished
from tests.small_chips import spec_of

PJ, NW, UM2 = 1e-12, 1e-9, 1e-6  # in joules, watts and mm2


def exactly(value: float) -> Any:
    """A float up to rounding errors; pytest's own absolute tolerance would swallow picojoules."""
    return pytest.approx(value, rel=1e-12, abs=0)


def nearly(value: float) -> Any:
    """A figure worked out in another order of operations."""
    return pytest.approx(value, rel=1e-9, abs=0)


FIELDS = {
    "encoder.bits": 8,
    "chip.weights.bits": 8,
    "chip.states.bits": 8,
    "chip.biases.bits": 16,
    "chip.constants.bits": 8,
    "chip.accumulator.bits": 32,
    "chip.random.lanes": 32,
    "chip.macs_per_cycle": 64,
    "chip.neurons_per_cycle": 16,
    "chip.clock": 100e6,
    "learning.winners": 4,
    "learning.homeostasis.activity_bits": 16,
    "learning.homeostasis.bits": 24,
}
BY_HAND = spec_of([64, 128], FIELDS)
"""Weights of exactly 8 KiB; every width and every degree of parallelism that the figures below use."""


def multiply(product: float, first: float = 0.2, last: float = 3.1) -> float:
    """The table's products: 8 x 8 and 32 x 32 bits, a power law between and below."""
    return float(first * (product / 64) ** (math.log(last / first) / math.log(1024 / 64)))


def add(bits: float) -> float:
    """The table's sums in pJ: 0.03, 0.05 and 0.1 at 8, 16 and 32 bits, straight lines between."""
    return 0.03 + 0.02 * (bits - 8) / 8 if bits <= 16 else 0.05 + 0.05 * (bits - 16) / 16


def sram(bits: int, capacity_bits: int) -> float:
    """The table's access in pJ: 10 and 20 for 64 bits of 8 and 32 KiB, so the square root of the capacity."""
    return bits / 64 * 10 * math.sqrt(capacity_bits / (8 * 8192))


PRICES_PJ = {
    actions.MAC: 0.2 + 0.1 + 32 * 0.01039,
    actions.WEIGHT_READ: 1.25,
    actions.WEIGHT_WRITE: 1.25,
    actions.INPUT_READ: sram(8, 64 * 8),
    actions.INPUT_WRITE: sram(8, 64 * 8),
    actions.STATE_READ: sram(8, 2 * 128 * 8),
    actions.STATE_WRITE: sram(8, 2 * 128 * 8),
    actions.NEURON_STEP: 2 * 0.04 + multiply(12 * 8) + 2 * 0.03403 * 12 / 32,
    actions.NUDGE: 2 * 0.04 + multiply(9 * 8),
    actions.KEY_COMPARE: 0.075 + 0.03403 * 24 / 32,
    actions.HOMEOSTASIS_STEP: 2 * 0.05
    + multiply(16 * 8)
    + 2 * 0.075
    + multiply(24 * 8)
    + 2 * (sram(16, 128 * 16) + sram(24, 128 * 24)),
    actions.CONTRAST: 0.2 + add(17),
    actions.RATE: multiply(17 * 8) + add(25) + 0.4815 * 25 / 32 + 0.03 + 0.03403 * 8 / 32,
    actions.BIAS_READ: sram(16, 128 * 16),
    actions.BIAS_WRITE: sram(16, 128 * 16),
    actions.RANDOM_WORD: 3 * 0.02090 + 32 * 0.01039,
}


@pytest.mark.parametrize("action", PRICES_PJ)
def test_the_price_of_an_action_by_hand(action: str) -> None:
    tech = bill.technology(BY_HAND)
    prices = bill.recipes(BY_HAND, memory_map(BY_HAND).plain(), tech)
    assert prices[action] == nearly(PRICES_PJ[action] * PJ)


def test_a_mini_batch_access_is_a_read_and_a_write() -> None:
    spec = spec_of([64, 128], FIELDS | {"learning.batch": 2})
    memory = memory_map(spec).plain()
    prices = bill.recipes(spec, memory, bill.technology(spec))
    buffer = next(row["bits"] for row in memory["arrays"] if row["name"] == "weight_contrast_0")
    width = prices[actions.CONTRAST_ACCESS] / PJ / (2 * sram(1, buffer))
    assert 17 <= round(width, 6) <= buffer / (64 * 128)


def test_every_action_has_a_meaning_a_price_and_a_component() -> None:
    named = {value for name, value in vars(actions).items() if name.isupper() and isinstance(value, str)}
    cells = actions.CELL_MEANING.keys() | actions.BACK_MEANING.keys()
    assert named == actions.MEANING.keys() | actions.BANK_MEANING.keys() | actions.HIDDEN_MEANING.keys() | cells
    assert not actions.MEANING.keys() & actions.CELL_MEANING.keys()
    for spec in (BY_HAND, spec_of([9, 8, 7], {"learning.batch": 4, "learning.beta_sign": "symmetric"})):
        prices = bill.recipes(spec, memory_map(spec).plain(), bill.technology(spec))
        assert prices.keys() == actions.MEANING.keys() == bill.components(spec).keys()
        assert all(price > 0 for price in prices.values())
    assert bill.LEAKAGE not in bill.components(BY_HAND).values()


def counts_of(**counted: int) -> dict[str, int]:
    """Counts of every action, 0 but for those given."""
    return dict.fromkeys(actions.MEANING, 0) | counted


def test_a_bill_by_hand() -> None:
    counts = counts_of(
        mac=100, weight_read=110, weight_write=7, neuron_step=32, random_word=64, rate=10, input_write=64
    )
    found = bill.bill(BY_HAND, counts, memory_map(BY_HAND).plain(), bill.technology(BY_HAND))
    cycles = {
        "input": 64 / 16,
        "inference and nudge": 100 / 64 + 32 / 16,
        "target and homeostasis": 0.0,
        "update": 64 / 32,  # the random words take longer than 10 updates at 64 a cycle
    }
    assert found.latency_s == {phase: exactly(n / 100e6) for phase, n in cycles.items()}
    logic_um2 = (
        64 * (282 + 137 + 32 * 7.820)  # multiply-accumulate
        + 64 * (282 + area(17 * 8) + 326.9 * 25 / 32 + add_area(17) + add_area(25) + add_area(8))  # learning
        + 16 * (area(12 * 8) + area(9 * 8) + 4 * add_area(12))  # neurons
        + 16 * (area(16 * 8) + area(24 * 8) + 4 * add_area(24))  # homeostasis
        + 4 * 92.85 * 24 / 32  # k-WTA
        + 32 * (3 * 65.87 + 32 * 7.820)  # random bank
    )
    leaks_w = memory_map(BY_HAND).used_bits * 16.0 * NW + logic_um2 * UM2 * 10.84e-3
    assert found.energy_j == {
        "synaptic arithmetic": nearly(100 * PRICES_PJ[actions.MAC] * PJ),
        "weight memory": nearly(117 * 1.25 * PJ),
        "neurons": nearly(32 * PRICES_PJ[actions.NEURON_STEP] * PJ),
        "random bank": nearly(64 * PRICES_PJ[actions.RANDOM_WORD] * PJ),
        "learning arithmetic": nearly(10 * PRICES_PJ[actions.RATE] * PJ),
        "input": nearly(64 * PRICES_PJ[actions.INPUT_WRITE] * PJ),
        "leakage": nearly(leaks_w * sum(cycles.values()) / 100e6),
    }


def area(product: float) -> float:
    """The table's multipliers in um2."""
    return multiply(product, 282, 3495)


def add_area(bits: float) -> float:
    """The table's adders in um2: 36, 67 and 137 at 8, 16 and 32 bits."""
    return 36 + 31 * (bits - 8) / 8 if bits <= 16 else 67 + 70 * (bits - 16) / 16


def test_nothing_done_costs_nothing_and_twice_as_much_twice() -> None:
    memory, tech = memory_map(BY_HAND).plain(), bill.technology(BY_HAND)
    assert bill.bill(BY_HAND, counts_of(), memory, tech).energy_j == {}
    once = {name: 3 + n for n, name in enumerate(actions.MEANING)}
    del once[actions.CONTRAST_ACCESS]
    single = bill.bill(BY_HAND, once, memory, tech)
    double = bill.bill(BY_HAND, {name: 2 * n for name, n in once.items()}, memory, tech)
    assert double.energy_j == {name: exactly(2 * joules) for name, joules in single.energy_j.items()}
    assert double.latency_s == {name: exactly(2 * seconds) for name, seconds in single.latency_s.items()}
    components = set(bill.components(BY_HAND).values())
    assert single.energy_j.keys() == (components - {"batch buffers"}) | {"leakage"}


def test_a_slower_clock_leaks_longer_and_costs_nothing_else() -> None:
    slow = spec_of([64, 128], FIELDS | {"chip.clock": 50e6})
    counts, memory, tech = counts_of(mac=1000, neuron_step=100), memory_map(BY_HAND).plain(), bill.technology(slow)
    fast_bill, slow_bill = bill.bill(BY_HAND, counts, memory, tech), bill.bill(slow, counts, memory, tech)
    assert sum(slow_bill.latency_s.values()) == exactly(2 * sum(fast_bill.latency_s.values()))
    assert slow_bill.energy_j.pop("leakage") == exactly(2 * fast_bill.energy_j.pop("leakage"))
    assert slow_bill.energy_j == fast_bill.energy_j


def test_more_in_parallel_is_faster_and_larger() -> None:
    counts, memory, tech = counts_of(mac=6400, rate=6400), memory_map(BY_HAND).plain(), bill.technology(BY_HAND)
    wide = spec_of([64, 128], FIELDS | {"chip.macs_per_cycle": 128})
    assert sum(bill.bill(BY_HAND, counts, memory, tech).latency_s.values()) == exactly(200 / 100e6)
    assert sum(bill.bill(wide, counts, memory, tech).latency_s.values()) == exactly(100 / 100e6)
    small, large = bill.areas(BY_HAND, memory, tech), bill.areas(wide, memory, tech)
    changed = {name: large[name] / small[name] for name in small if large[name] != small[name]}
    assert changed == {"synaptic arithmetic": exactly(2), "learning arithmetic": exactly(2)}


# --- the record of a real run


def test_breakdowns_sum_to_their_totals(finished: Finished) -> None:
    record = finished.record
    joules = record["energy_j"]
    assert sum(joules["train_breakdown"].values()) == exactly(joules["train_total"])
    assert sum(joules["inference_breakdown"].values()) == exactly(joules["inference_per_sample"])
    assert joules["train_per_sample"] * record["train_samples"] * 3 == exactly(joules["train_total"])
    assert sum(record["area_mm2"]["breakdown"].values()) == exactly(record["area_mm2"]["total"])
    for phase in ("train", "inference"):
        seconds = record["latency_s"]
        assert sum(seconds[f"{phase}_breakdown"].values()) == exactly(seconds[f"{phase}_per_sample"])
        assert all(value > 0 for value in joules[f"{phase}_breakdown"].values())
    assert all(value > 0 for value in record["area_mm2"]["breakdown"].values())


def test_static_leakage_is_part_of_both_phases(finished: Finished) -> None:
    record = finished.record
    leaks = record["technology"]["leakage_w"]
    samples = record["train_samples"] * record["spec"]["epochs"]
    seconds, joules = record["latency_s"], record["energy_j"]
    assert joules["train_breakdown"]["leakage"] == nearly(leaks * seconds["train_per_sample"] * samples)
    assert joules["inference_breakdown"]["leakage"] == nearly(leaks * seconds["inference_per_sample"])
    parts = record["technology"]["leakage_breakdown_w"]
    assert sum(parts.values()) == nearly(leaks)
    assert set(parts) == set(record["area_mm2"]["breakdown"])  # of a digital chip all leaks
    for phase in ("train", "inference"):
        found, whole = joules[f"{phase}_leakage"], joules[f"{phase}_breakdown"]["leakage"]
        assert sum(found.values()) == nearly(whole)
        assert found == {name: nearly(whole * watts / leaks) for name, watts in parts.items()}


def test_the_epochs_of_the_curve_add_up_to_the_run(finished: Finished) -> None:
    record = finished.record
    assert sum(point["energy_j"] for point in record["curve"]) == nearly(record["energy_j"]["train_total"])
    for action, total in record["counts"]["train"].items():
        assert sum(point["counts"][action] for point in record["curve"]) == total


def test_a_record_is_all_that_pricing_needs(finished: Finished) -> None:
    record = finished.record
    samples = {"train": record["train_samples"] * 3, "inference": record["test_samples"]}
    priced = bill.price(Spec.from_plain(record["spec"]), record["counts"], samples, record["memory"])
    assert priced == {name: record[name] for name in ("energy_j", "latency_s", "area_mm2", "technology")}


def test_repricing_there_and_back(finished: Finished) -> None:
    record = finished.record
    kept = copy.deepcopy(record)
    other = bill.reprice(record, "cmos_40nm_aladdin")
    assert record == kept, "the record was changed in place"
    assert (other["technology"]["table"], other["technology"]["node_nm"]) == ("cmos_40nm_aladdin", 40)
    priced = {"energy_j", "area_mm2", "technology", "spec", "spec_hash", "curve"}
    assert {name for name in record if other[name] != record[name]} == priced, "the counts are facts"
    for phase in ("train_breakdown", "inference_breakdown"):
        for component, joules in record["energy_j"][phase].items():
            assert other["energy_j"][phase][component] != joules, component
    for before, after in zip(record["curve"], other["curve"], strict=True):
        assert {name for name in before if after[name] != before[name]} == {"energy_j"}
    assert sum(p["energy_j"] for p in other["curve"]) == nearly(other["energy_j"]["train_total"])
    assert bill.reprice(other, "cmos_45nm") == record


def test_repricing_with_an_unknown_table_is_an_error(finished: Finished) -> None:
    with pytest.raises(SpecError, match=r"unknown technology table: 'cmos_45', allowed: .*did you mean 'cmos_45nm'"):
        bill.reprice(finished.record, "cmos_45")


@pytest.mark.parametrize("table", names())
@pytest.mark.parametrize("node", [7.0, 22.0, 130.0])
def test_a_node_in_the_spec_scales_every_price(table: str, node: float) -> None:
    fields = FIELDS | {"technology.table": table}
    counts = {"train": dict.fromkeys(actions.MEANING, 10), "inference": dict.fromkeys(actions.MEANING, 4)}
    samples = {"train": 5, "inference": 2}
    memory = memory_map(BY_HAND).plain()
    base = bill.price(spec_of([64, 128], fields), counts, samples, memory)
    scaled = bill.price(spec_of([64, 128], fields | {"technology.node": node}), counts, samples, memory)
    own = load_table(table).node_nm
    assert (base["technology"]["node_nm"], scaled["technology"]["node_nm"]) == (own, node)
    assert scaled["latency_s"] == base["latency_s"], "the clock is the spec's, not the node's"
    switching, leaking = scaling.energy_ratio(node, own), scaling.leakage_ratio(node, own)
    assert switching != 1 and leaking != 1
    for component, joules in base["energy_j"]["train_breakdown"].items():
        ratio = leaking if component == "leakage" else switching
        assert scaled["energy_j"]["train_breakdown"][component] == nearly(ratio * joules), component
    for component, mm2 in base["area_mm2"]["breakdown"].items():
        shrinks = scaling.sram_area_ratio if "memory" in component else scaling.logic_area_ratio
        assert scaled["area_mm2"]["breakdown"][component] == nearly(shrinks(node, own) * mm2), component


def test_labels_need_no_target_logic() -> None:
    own, label = spec_of([9, 7]), spec_of([9, 7], {"learning.target": "label"})
    tech = bill.technology(own)
    with_target = bill.areas(own, memory_map(own).plain(), tech)
    without = bill.areas(label, memory_map(label).plain(), tech)
    assert with_target["target"] > 0 and "target" not in without
    assert without["neurons"] < with_target["neurons"]
