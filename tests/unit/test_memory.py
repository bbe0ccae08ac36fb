"""The memory map: all that the chip holds and nothing else, wide enough, held against its budget."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from edgesdt.chip.simulated import Chip
from edgesdt.errors import BudgetError
from edgesdt.ledger.memory import Array, MemoryMap
from edgesdt.rules.lookup import memory_map
from edgesdt.spec import Spec
from tests.small_chips import random_samples, spec_of

SPECS: dict[str, tuple[list[int], dict[str, Any]]] = {
    "one layer": ([9, 7], {}),
    "two layers": ([9, 8, 7], {"learning.winners": 3}),
    "three layers": ([9, 6, 8, 7], {"learning.winners": 2}),
    "label": ([9, 8, 4], {"learning.target": "label"}),
    "symmetric": ([9, 8, 7], {"learning.beta_sign": "symmetric"}),
    "softmax": ([9, 8, 7], {"learning.beta_sign": "symmetric", "learning.loss": "cross_entropy"}),
    "batch": ([9, 8, 7], {"learning.batch": 4}),
    "batch, symmetric": ([9, 7], {"learning.batch": 3, "learning.beta_sign": "symmetric"}),
    "batch, label": ([9, 7], {"learning.batch": 4, "learning.target": "label"}),
    "batch, no biases": ([9, 8, 7], {"learning.batch": 5, "chip.biases.enabled": False}),
    "no biases": ([9, 8, 7], {"chip.biases.enabled": False}),
    "16 bits": ([9, 8, 7], {"chip.weights.bits": 16, "chip.states.bits": 16}),
    "narrow": ([9, 8, 7], {"chip.weights.bits": 2, "chip.states.bits": 4, "encoder.bits": 1, "chip.biases.bits": 4}),
    "hidden bits": ([9, 8, 7], {"chip.weights.bits": 2, "chip.weights.hidden_bits": 4}),
    "few lanes": ([9, 7], {"chip.random.lanes": 2}),
    "narrow accumulators": ([9, 8, 7], {"chip.accumulator.bits": 12}),
    "stochastic states": ([9, 8, 7], {"chip.states.rounding": "stochastic"}),
    "wide": (
        [9, 7],
        {
            "chip.weights.bits": 16,
            "chip.states.bits": 16,
            "learning.batch": 4096,
            "learning.homeostasis.activity_bits": 24,
            "learning.homeostasis.bits": 28,
        },
    ),
}


@pytest.fixture(params=list(SPECS))
def spec(request: pytest.FixtureRequest) -> Spec:
    """One chip of each kind."""
    return spec_of(*SPECS[request.param])


def test_the_map_lists_what_is_really_allocated_and_nothing_else(spec: Spec) -> None:
    chip = Chip(spec)
    listed: defaultdict[str, int] = defaultdict(int)
    for array in chip.memory.arrays:
        listed[array.held_in] += array.entries
    registers = listed.pop("")
    assert {name: n for name, n in listed.items() if n} == {
        name: array.size for name, array in chip.rule.chip._asdict().items() if array.size
    }
    # plain integers of the simulator: dt, beta, eta, gamma and one rate for each weight layer; two target codes, the
    # aimed-at activity and two drop-out bytes; and what the simulator keeps in its workspace: the step's differences
    # of a chip of two or more layers, and a flag for each neuron whose state may draw a random word
    depth, neurons = len(spec.chip.layers) - 1, sum(spec.chip.layers[1:])
    flags = neurons if spec.chip.states.rounding == "stochastic" else 0
    hidden = sum(array.entries for array in chip.memory.arrays if array.name.startswith("weights_hidden"))
    assert registers == 4 + depth + 2 + 1 + 2 + (neurons if depth > 1 else 0) + flags + hidden


def test_every_entry_has_room_for_its_bits(spec: Spec) -> None:
    chip = Chip(spec)
    for array in chip.memory.arrays:
        if not array.held_in:
            continue
        kept = getattr(chip.rule.chip, array.held_in).dtype
        signed = array.format.startswith("s")
        assert not signed or kept.kind == "i", array
        assert np.iinfo(kept).max >= 2 ** (array.bits_each - signed) - 1, array
        written = re.match(r"[su](\d+)(\.-?\d+)?$", array.format)
        assert array.bits_each == int(written[1]) if written else array.format in ("bit", "index", "xorshift32")


def test_no_code_leaves_the_bits_that_the_map_gives_it(spec: Spec) -> None:
    chip = Chip(spec)
    samples, labels = random_samples(spec, seed=1, count=60)
    for epoch in range(3):
        chip.rule.learn(samples, labels, np.arange(len(samples)), epoch)
    held: defaultdict[str, list[Array]] = defaultdict(list)
    for array in chip.memory.arrays:
        held[array.held_in].append(array)
    del held[""]
    moved = 0
    for name, arrays in held.items():
        codes = getattr(chip.rule.chip, name)
        first = 0
        for each in arrays if name != "weight_contrast" else ():
            own, signed = codes[first : first + each.entries], each.format[0] == "s"
            first += each.entries
            bits = each.bits_each + (spec.chip.weights.hidden_bits if name == "weights" else 0)
            highest = 2 ** (bits - signed) - 1
            lowest = -highest - 1 if signed else 0
            assert lowest <= own.min() and own.max() <= highest, (each.name, own.min(), own.max())
        moved += int(codes.any())
    assert moved >= 6, "the chip has not worked"


def test_a_mini_batch_cannot_outgrow_its_buffers() -> None:
    """The worst case: every code at its end in every sample of the batch."""
    for batch in (2, 3, 4, 4096):
        spec = spec_of([9, 8, 7], {"learning.batch": batch, "chip.states.bits": 16, "encoder.bits": 8})
        width = {a.name: a.bits_each for a in memory_map(spec).arrays}
        state, pixel = 2**16 - 1, 2**8 - 1
        assert 2 ** (width["weight_contrast_0"] - 1) - 1 >= batch * pixel * state
        assert 2 ** (width["weight_contrast_1"] - 1) - 1 >= batch * state * state
        assert 2 ** (width["bias_contrast_1"] - 1) - 1 >= batch * state
        assert 2 ** width["wins"] - 1 >= batch


def test_bits_are_entries_times_width_and_add_up() -> None:
    spec = spec_of([9, 8, 7], {"chip.weights.bits": 5, "chip.memory_budget": 10_000})
    fitted = memory_map(spec)
    by_name = {array.name: array for array in fitted.arrays}
    assert (by_name["weights_0"].shape, by_name["weights_0"].bits) == ((9, 8), 9 * 8 * 5)
    assert (by_name["weights_1"].shape, by_name["weights_1"].bits) == ((8, 7), 8 * 7 * 5)
    assert by_name["winners"].bits == 3  # one index of 0..6
    plain = fitted.plain()
    assert plain["budget_bits"] == 10_000
    assert plain["used_bits"] == sum(row["bits"] for row in plain["arrays"]) == fitted.used_bits
    assert [row["name"] for row in plain["arrays"]] == [array.name for array in fitted.arrays]
    assert len(by_name) == len(fitted.arrays), "two arrays of one name"


def test_options_that_need_memory_cost_it_and_others_do_not() -> None:
    def used(**changed: Any) -> int:
        widths = {"chip.biases.bits": 16, "chip.states.bits": 8, "chip.random.lanes": 32, "encoder.bits": 8}
        return memory_map(
            spec_of([9, 8, 7], widths | {name.replace("__", "."): value for name, value in changed.items()})
        ).used_bits

    plain, neurons, synapses = used(), 8 + 7, 9 * 8 + 8 * 7
    assert used(chip__biases__enabled=False) == plain - neurons * 16
    assert used(learning__beta_sign="symmetric") == plain + neurons * 8
    assert used(chip__random__lanes=16) == plain - 16 * 32
    assert used(learning__batch=2) > plain + synapses * (8 + 8)
    assert used(learning__free_steps=99, learning__nudged_steps=99) == plain


def test_the_budget_is_inclusive_and_its_excess_is_told() -> None:
    used = memory_map(spec_of([9, 7])).used_bits
    Chip(spec_of([9, 7], {"chip.memory_budget": used}))
    with pytest.raises(BudgetError) as caught:
        Chip(spec_of([9, 7], {"chip.memory_budget": used - 1}))
    told = str(caught.value)
    assert told.startswith("chip.memory_budget: ")
    assert "too small by 1 bit (1 bits)" in told
    for array in memory_map(spec_of([9, 7])).arrays:
        assert re.search(rf"^ +{array.name} .*{re.escape(array.format)}", told, re.MULTILINE), array


def test_the_table_puts_the_largest_first_and_ends_with_the_sum() -> None:
    arrays = (
        Array("little", (3,), "s8.0", 8),
        Array("large", (64, 128), "s8.0", 8),
        Array("middle", (16,), "u16.0", 16),
    )
    lines = MemoryMap(arrays, 2**17).table().splitlines()
    assert [line.split()[0] for line in lines] == ["array", "large", "middle", "little", "used", "budget"]
    assert lines[1].split() == ["large", "64", "x", "128", "s8.0", "8", "KiB", "50.0", "%"]
    assert len({len(line) for line in lines}) == 1, "not aligned"


@pytest.mark.parametrize("kind", list(SPECS))
def test_nothing_that_the_rule_needs_lies_outside_the_map(kind: str) -> None:
    """A chip that takes up the state goes on bit for bit: one fresh from the fab, and one that has worked on others."""
    spec = spec_of(*SPECS[kind])
    samples, labels = random_samples(spec, seed=2, count=80)
    first, second = np.arange(40), np.arange(40, 80)
    whole, fresh, used = Chip(spec), Chip(spec), Chip(spec)
    whole.rule.learn(samples, labels, first, 0)
    kept = whole.state()
    whole.rule.learn(samples, labels, second, 1)
    used.rule.learn(samples, labels, second[::-1].copy(), 0)
    expected, counts = whole.state(), whole.counts()
    for chip in (fresh, used):
        chip.restore(kept)
        chip.rule.learn(samples, labels, second, 1)
        found = chip.state()
        assert expected.keys() == found.keys()
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array, err_msg=name)
        assert chip.counts() == counts
        np.testing.assert_array_equal(chip.rule.infer(samples), whole.rule.infer(samples))


def test_a_state_is_a_copy_and_only_fits_its_own_kind_of_chip() -> None:
    chip = Chip(spec_of([9, 7]))
    kept = chip.state()
    before = kept["chip_weights"].copy()
    samples, _ = random_samples(chip.spec, seed=3, count=20)
    chip.learn(samples)
    assert not np.array_equal(chip.state()["chip_weights"], before)
    np.testing.assert_array_equal(kept["chip_weights"], before)
    with pytest.raises(ValueError, match="chip_"):
        Chip(spec_of([9, 8])).restore(kept)
    with pytest.raises(ValueError, match="chip_weights"):
        Chip(spec_of([9, 7], {"chip.weights.bits": 16})).restore(kept)


def test_what_the_simulator_keeps_for_itself_is_listed_apart() -> None:
    chip = Chip(spec_of([9, 8, 7]))
    apart = {str(row["name"]): row for row in chip.rule.simulator_arrays()}
    assert apart.keys().isdisjoint(chip.rule.chip._fields)
    held = {name: array for name, array in chip.rule.work._asdict().items() if array.base is None}
    assert apart.keys() == held.keys()
    for name, array in held.items():
        assert (apart[name]["shape"], apart[name]["bytes"]) == (list(array.shape), array.nbytes)
