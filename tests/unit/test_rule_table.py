"""The table of learning rules beside each other: made from kept records alone, like beside like."""

from __future__ import annotations

import copy

import pytest

from benchmarks import records, rule_table

MADE = records.kept()


def of(name: str) -> records.Record:
    """The kept record of this name with the lowest seed."""
    return min((made for made in MADE if made["name"] == name), key=lambda made: made["seed"])


def test_rules_of_equal_chips_stand_together() -> None:
    rows = [row[:3] for row in rule_table.rows(MADE)]
    assert all(len(row) == len(rule_table.HEAD) for row in rule_table.rows(MADE))
    chips = [row[0] for row in rows]
    for one, other in (("mnist_1layer", "mnist_backprop"), ("mnist_supervised", "mnist_backprop_label")):
        places = [next(at for at, chip in enumerate(chips) if chip.startswith(f"{name},")) for name in (one, other)]
        layers = chips[places[0]].partition(", ")[2]
        assert all(chip.endswith(f", {layers}") for chip in chips[min(places) : max(places)])  # other specs of theirs
        assert rows[places[0]][1] != rows[places[1]][1] and rows[places[0]][2] == rows[places[1]][2]
    assert not any(chip.startswith("quickstart") for chip in chips)


def test_a_rule_alone_is_in_no_table() -> None:
    assert rule_table.rows([made for made in MADE if made["spec"]["learning"]["rule"] == "eqprop"]) == []


def test_a_chip_of_other_bits_is_no_counterpart() -> None:
    other = copy.deepcopy(of("mnist_backprop"))
    other["spec"]["chip"]["weights"]["bits"] = 5
    assert rule_table.rows([of("mnist_1layer"), other]) == []
    assert len(rule_table.rows([of("mnist_1layer"), of("mnist_backprop")])) == 2


@pytest.mark.parametrize("name", ["mnist_1layer", "mnist_backprop"])
def test_traffic_of_the_weights_is_their_reads_and_writes(name: str) -> None:
    made = of(name)
    total, weights = rule_table.traffic(made)
    counts, samples = made["counts"]["train"], made["train_samples"] * made["spec"]["epochs"]
    assert weights == 8 * (counts["weight_read"] + counts["weight_write"]) // samples
    assert weights < total < 2 * weights
