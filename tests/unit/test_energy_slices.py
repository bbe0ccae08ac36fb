"""Counts and prices of weights in slices: what is there more than once, and what a carry takes."""

from __future__ import annotations

from typing import Any

import pytest

from edgesdt.pricing import bill, cells
from edgesdt.rules.eqprop.ledger import cell_counts
from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.rules.lookup import memory_map
from edgesdt.spec import Spec
from edgesdt.synapses.crossbar import expected
from edgesdt.synapses.crossbar.scales import longest_stretch, mapping_of, step_of
from hw_models.periphery.adc import Adc
from tests.cell_chips import learn, tally_of
from tests.small_chips import random_samples, spec_of

MAPPINGS = ["offset", "pair"]


def exactly(value: float) -> Any:
    """A float up to rounding errors."""
    return pytest.approx(value, rel=1e-9, abs=0)


def chip(mapping: str, slices: int, **array: Any) -> EqProp:
    """A chip that sees all of a sample and is carried after every third."""
    fields = {f"device.array.{name}": value for name, value in array.items()}
    return EqProp(
        spec_of(
            [9, 7],
            {
                "device.model": "TaOx_HfOx", "learning.learning_rate": 0.2, "learning.dropout.input": 0.0,
                "device.array.mapping": mapping, "device.array.slices": slices, "device.array.tile_rows": 4,
                "device.array.tile_columns": 6, "device.array.carry_every": 3, **fields,
            },
        )
    )  # fmt: skip


def areas_of(spec: Spec) -> dict[str, float]:
    """mm² by component."""
    return bill.areas(spec, memory_map(spec).plain(), bill.technology(spec))


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_read_takes_conversions_and_lines_of_every_slice(mapping: str) -> None:
    one, three = chip(mapping, 1), chip(mapping, 3)
    samples = random_samples(one.spec, 2, 5)[0]
    for each in (one, three):
        each.infer(samples)
    single, whole = one.inference_counts(), three.inference_counts()
    for action in ("adc_conversion", "column_sample", "code_add", "row_drive", "cell_read_base"):
        assert whole[action] == 3 * single[action] > 0, action
    assert whole["array_read"] == single["array_read"] == 5
    planes, squares = (2 if mapping == "pair" else 1), sum(int(v) ** 2 for v in samples.ravel())
    references = 3 * 2 * squares if planes == 1 else 0
    assert whole["cell_read_base"] == squares * 7 * planes * 3 + references
    banks = [bank for bank, _, _ in three.store.crossbar.slices(three.chip.weights)]
    shares = sum(bank.shares.astype(int).reshape(planes, 7, 9) for bank in banks)
    by_hand = sum(int(v) ** 2 * int(shares[:, :, i].sum()) for x in samples for i, v in enumerate(x))
    assert whole["cell_read_share"] == by_hand + references * three.store.crossbar.bank.reference


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("programming", ["pulses", "verify"])
def test_a_carry_is_counted_as_verified_writes_are(programming: str, mapping: str) -> None:
    """Its reads, conversions, selections, pulses and slots, apart from those of updates."""
    rule = chip(mapping, 2, programming=programming)
    samples, labels = random_samples(rule.spec, 2, 3)
    learn(rule, samples[:2], labels[:2])
    planes, before = (2 if mapping == "pair" else 1), tally_of(rule)
    learn(rule, samples[2:], labels[2:])
    after, counts = tally_of(rule), rule.counts()
    looked, carried, _ = rule.store.layers[0].carries
    assert looked == 63 and carried > 3
    reads = after["verify_reads"] - before["verify_reads"]
    assert reads >= 63 * planes + 3 * carried * planes  # a look at all; a read before each write, one after the upper
    given = after["pulses_up"] + after["pulses_down"]
    assert given == rule.store.crossbar.cells.pulses.sum()
    assert counts["verify_read"] == after["verify_reads"] and counts["verify_share"] == after["verify_share"] > 0
    assert counts["adc_conversion"] == 3 * 7 * 3 * 2 + counts["verify_read"]
    assert counts["code_add"] == 3 * 7 * 3 * 2
    written = 0 if programming == "verify" else after["cell_writes"]
    assert counts["row_select"] == counts["verify_read"] + written
    assert counts["column_select"] == after["swept"] * planes + counts["verify_read"]
    assert counts["pulse_time"] == after["pulse_times"] > 0
    assert counts["column_pulse"] == after["pulse_times"] * planes
    assert counts["row_pulse_up"] + counts["row_pulse_down"] == given
    spec, drive = rule.spec, rule.store.crossbar.model.drive
    assert drive is not None
    found = bill.bill(spec, counts, memory_map(spec).plain(), bill.technology(spec))
    low, high = rule.store.crossbar.model.bounds()
    siemens = counts["verify_read"] * low + counts["verify_share"] / rule.store.crossbar.bank.one * (high - low)
    assert found.energy_j["verify"] == exactly(drive.read_voltage_v**2 * siemens * drive.read_s)
    assert found.energy_j["ADC"] == exactly(counts["adc_conversion"] * Adc(9, node_nm=45).energy_j)
    assert found.latency_s["code sums"] == exactly(3 * 3 * 2 / spec.chip.clock)


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_area_is_that_of_every_slice(mapping: str) -> None:
    one, three = areas_of(chip(mapping, 1).spec), areas_of(chip(mapping, 3).spec)
    for part in ("cells", "ADC", "DAC", "sense", "code adders", "decoders", "drivers"):
        assert three[part] == exactly(3 * one[part]), part
    assert three["neurons"] == one["neurons"]
    spec = chip(mapping, 3).spec
    tech = bill.technology(spec)
    assert cells.leakage_w(cells.Parts.of(spec, tech)) == exactly(
        3 * cells.leakage_w(cells.Parts.of(chip(mapping, 1).spec, tech))
    )


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_the_memory_map_names_every_cell_and_no_bit(mapping: str) -> None:
    arrays = {array.name: array for array in memory_map(chip(mapping, 3).spec).arrays}
    assert arrays["cells_0"].shape == (3, 2 if mapping == "pair" else 1, 9, 7) and arrays["cells_0"].bits == 0


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_what_is_predicted_counts_carries(mapping: str) -> None:
    """As many reads of all lower cells as there are carries, and five times the pulses, those of carries apart."""
    spec = chip(mapping, 2).spec
    one, two = (cell_counts.predicted(chip(mapping, slices).spec, learning=True) for slices in (1, 2))
    planes = 2 if mapping == "pair" else 1
    assert one["verify_read"] == 0 and two["verify_read"] >= 1000 / 3 * 63 * planes
    carries = expected._carries(spec, 1000)
    assert two["pulse_up"] == pytest.approx(5 * one["pulse_up"] + carries.pulses / 2, rel=0.01)
    assert two["pulse_time"] == pytest.approx(one["pulse_time"] + carries.slots, rel=0.01)
    # to carry once is to move 0.5 / 2 of the range of one cell (all of it is that of a pair), and a quarter of it next
    moved = (0.5 if mapping == "offset" else 1.0) / 2 * (1 + 1 / 4)
    steps = moved * (spec.device.cell_model().bounds()[1] - spec.device.cell_model().bounds()[0])
    steps /= step_of(spec.device.cell_model(), mapping_of(spec))
    assert carries.pulses == exactly(1000 / 3 * 63 * expected.ASSUMED_CARRIED * steps)
    still = cell_counts.predicted(spec, learning=False)
    assert still["verify_read"] == still["pulse_up"] == 0
    assert still["adc_conversion"] == 1000 * 7 * 3 * 2


def test_no_tally_leaves_64_bits() -> None:
    """However long the stream and however bright: the largest inputs on full cells, emptied in time."""
    spec = spec_of([784, 300], {"device.model": "EcRam", "device.array.slices": 2, "device.array.mapping": "pair"})
    stretch = longest_stretch(spec)
    worst = 784 * 255**2 * 300 * 2 * 2 * 32767
    assert stretch > 1000 and stretch * worst < 2**63
