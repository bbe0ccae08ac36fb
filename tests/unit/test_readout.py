"""The read-outs against a slow and obvious twin in exact fractions: ties, silent neurons, classes without a neuron."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from edgesdt.errors import ArgumentError
from edgesdt.readouts import methods
from edgesdt.readouts.stored_outputs import blocks

Rows = Sequence[Sequence[int]]
Given = npt.NDArray[np.uint8]
DRAWS = 200


def seen(x: Given) -> Given:
    """A chip whose outputs are its inputs."""
    return x


def classes_of_neurons(rows: Rows, labels: Sequence[int], classes: int) -> list[int]:
    """The class with the largest mean response of each neuron, the lowest of equal ones; -1 for a silent neuron."""
    found = []
    for neuron in range(len(rows[0])):
        if all(row[neuron] == 0 for row in rows):
            found.append(-1)
            continue
        means = []
        for c in range(classes):
            shown = [row[neuron] for row, label in zip(rows, labels, strict=True) if label == c]
            means.append(Fraction(sum(shown), len(shown)) if shown else Fraction(0))
        found.append(means.index(max(means)))
    return found


def by_average(row: Sequence[int], owners: Sequence[int], classes: int) -> int:
    """The class whose neurons respond most on average, the lowest of equal ones; one without neurons never wins."""
    means = []
    for c in range(classes):
        shown = [value for value, owner in zip(row, owners, strict=True) if owner == c]
        means.append(Fraction(sum(shown), len(shown)) if shown else Fraction(-1))
    return means.index(max(means))


def by_strongest(row: Sequence[int], owners: Sequence[int]) -> int:
    """The class of the neuron that responds most, the first of equal ones; silent neurons have no say."""
    best, winner = -1, -1
    for value, owner in zip(row, owners, strict=True):
        if owner != -1 and value > best:
            best, winner = value, owner
    return winner


def drawn(seed: int) -> tuple[Given, npt.NDArray[np.int64], int]:
    """Outputs, labels and the number of classes: few values, so that ties are everywhere, and some neurons silent."""
    rng = np.random.default_rng(seed)
    samples, neurons, classes = int(rng.integers(1, 30)), int(rng.integers(1, 9)), int(rng.integers(1, 6))
    outputs = rng.integers(0, int(rng.choice([2, 3, 256])), (samples, neurons)).astype(np.uint8)
    outputs[:, rng.random(neurons) < 0.25] = 0
    return outputs, rng.integers(0, classes, samples), classes


def test_association_is_that_of_the_twin() -> None:
    for seed in range(DRAWS):
        outputs, labels, classes = drawn(seed)
        rows = outputs.tolist()
        found = methods.Association.learn(seen, outputs, labels, classes)
        owners = classes_of_neurons(rows, labels.tolist(), classes)
        assert found.neuron_class.tolist() == owners, seed
        assert found.average(outputs).tolist() == [by_average(row, owners, classes) for row in rows], seed
        assert found.strongest(outputs).tolist() == [by_strongest(row, owners) for row in rows], seed


def test_the_draws_cover_the_corner_cases() -> None:
    """The test above would prove little without them."""
    silent = without_neuron = ties = 0
    for seed in range(DRAWS):
        outputs, labels, classes = drawn(seed)
        owners = classes_of_neurons(outputs.tolist(), labels.tolist(), classes)
        silent += -1 in owners
        without_neuron += not set(range(classes)) <= set(owners)
        ties += any(row.count(max(row)) > 1 for row in outputs.tolist())
    assert silent > 30 and without_neuron > 30 and ties > 30


def test_accuracies_are_the_share_of_right_predictions() -> None:
    outputs, labels, classes = drawn(11)
    tested, truth = outputs[::-1].copy(), labels
    owners = classes_of_neurons(outputs.tolist(), labels.tolist(), classes)
    average = [by_average(row, owners, classes) for row in tested.tolist()]
    strongest = [by_strongest(row, owners) for row in tested.tolist()]
    assert methods.direct(seen, outputs, labels, tested, truth, classes) == {
        "direct_average": np.mean([a == b for a, b in zip(average, truth.tolist(), strict=True)]),
        "direct_max": np.mean([a == b for a, b in zip(strongest, truth.tolist(), strict=True)]),
    }


def test_a_chip_that_never_responds_is_right_by_chance_only() -> None:
    silent, labels = np.zeros((6, 4), np.uint8), np.array([0, 1, 2, 0, 1, 2])
    found = methods.direct(seen, silent, labels, silent, labels, 3)
    assert found == {"direct_average": 2 / 6, "direct_max": 0.0}  # class 0 for want of any other; no neuron at all


def test_sums_do_not_wrap() -> None:
    """256 responses of 256 are 2**16, and 8-bit responses are summed beyond 255."""
    labels = np.arange(512) % 2
    wide = np.where(labels == 0, 256, 1).astype(np.uint16)[:, None]
    narrow = np.where(labels == 0, 128, 1).astype(np.uint8)[:, None]
    for outputs in (wide, narrow):
        found = methods.Association.learn(lambda part: part, outputs, labels, 2)  # type: ignore[arg-type]
        assert found.neuron_class.tolist() == [0]


def test_means_of_wide_outputs_are_exact() -> None:
    """The neuron of class 1 leads by one code in 65535; both classes have two neurons."""
    found = methods.Association(np.array([0, 0, 1, 1]), 2)
    outputs = np.array([[65535, 65534, 65535, 65535], [65535, 65535, 65535, 65535]], np.uint16)
    assert found.average(outputs).tolist() == [1, 0]
    assert found.strongest(outputs).tolist() == [0, 0]


def test_chunks_cover_every_sample_once() -> None:
    for n in (0, 1, methods.CHUNK - 1, methods.CHUNK, methods.CHUNK + 1, 3 * methods.CHUNK):
        parts = list(blocks(n))
        assert [i for part in parts for i in range(part.start, part.stop)] == list(range(n))
        assert all(part.stop - part.start <= methods.CHUNK for part in parts)


def test_a_read_out_never_shows_the_chip_more_than_a_chunk() -> None:
    shown: list[int] = []

    def chip(x: Given) -> Given:
        shown.append(len(x))
        return x

    n = methods.CHUNK + 5
    outputs = np.tile(np.eye(2, dtype=np.uint8), (n // 2 + 1, 1))[:n]
    labels = np.arange(n) % 2
    assert methods.direct(chip, outputs, labels, outputs, labels, 2) == {"direct_average": 1.0, "direct_max": 1.0}
    assert max(shown) == methods.CHUNK and sum(shown) == 2 * n


def test_output_is_the_first_of_the_largest() -> None:
    outputs = np.array([[0, 5, 5], [9, 9, 9], [0, 0, 1], [3, 2, 1]], np.uint8)
    assert methods.output(seen, outputs, np.array([1, 0, 2, 0])) == {"output": 1.0}
    assert methods.output(seen, outputs, np.array([2, 1, 2, 1])) == {"output": 0.25}


def test_linear_separates_what_can_be_separated() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    outputs = rng.integers(0, 40, (600, 5)).astype(np.uint8)
    outputs[np.arange(600), labels] += 200
    found = [
        methods.linear(seen, outputs[:400], labels[:400], outputs[400:], labels[400:], 8, seed) for seed in (0, 0, 1)
    ]
    assert found[0] == found[1]
    assert all(accuracy["linear"] > 0.98 for accuracy in found)
    shuffled = rng.permutation(labels)
    assert methods.linear(seen, outputs[:400], shuffled[:400], outputs[400:], labels[400:], 8, 0)["linear"] < 0.7


def test_linear_with_one_class_only_predicts_it() -> None:
    """A small fraction of the labels may show a single class."""
    outputs, labels = np.eye(4, dtype=np.uint8), np.array([2, 2, 2, 2])
    assert methods.linear(seen, outputs, labels, outputs, np.array([2, 0, 2, 1]), 8, 0) == {"linear": 0.5}


def test_linear_with_a_handful_of_labels_is_far_above_chance() -> None:
    """What five passes over 24 samples could not do: 8 classes, three labels each, most outputs silent."""
    rng = np.random.default_rng(4)
    labels = np.repeat(np.arange(8), 100)
    prone = rng.random((8, 64)) < 0.2
    outputs = (rng.integers(0, 120, (800, 64)) * (rng.random((800, 64)) < 0.1 + 0.7 * prone[labels])).astype(np.uint8)
    few = np.concatenate([np.flatnonzero(labels == c)[:3] for c in range(8)])
    found = methods.linear(seen, outputs[few], labels[few], outputs, labels, 8, 0)["linear"]
    assert found > 0.5, "chance is 0.125"


def test_linear_answers_in_classes_that_it_was_shown() -> None:
    """Classes without a labelled sample are never predicted, and those shown keep their own numbers."""
    outputs = np.tile(np.eye(4, dtype=np.uint8) * 200, (5, 1))
    labels = np.tile([7, 2, 9, 7], 5)
    assert methods.linear(seen, outputs, labels, outputs, labels, 8, 0) == {"linear": 1.0}


def test_linear_is_the_same_in_any_number_of_threads() -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 3, 2 * methods.CHUNK)
    outputs = (rng.integers(0, 90, (len(labels), 12)) + 20 * (np.arange(12) % 3 == labels[:, None])).astype(np.uint8)
    one, four = (methods.linear(seen, outputs, labels, outputs, labels, 8, 0, threads) for threads in (1, 4))
    assert one == four


SAMPLES, CLASSES = np.zeros((6, 4), np.uint8), np.array([0, 1, 2, 0, 1, 2])
ANSWERS = {
    "fewer rows": lambda x: np.ones((len(x) - 1, 3), np.uint8),
    "more rows": lambda x: np.ones((len(x) + 1, 3), np.uint8),
    "not a number": lambda x: np.full((len(x), 3), np.nan),
    "floats": lambda x: np.ones((len(x), 3)),
    "one row": lambda x: np.ones(3, np.uint8),
    "no outputs": lambda x: np.ones((len(x), 0), np.uint8),
    "below 0": lambda x: np.full((len(x), 3), -1),
    "nothing": lambda x: None,
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_a_rule_infers_is_not_trusted(answer: str) -> None:
    infer, split = ANSWERS[answer], (SAMPLES, CLASSES)
    for call in (
        lambda: methods.direct(infer, *split, *split, 3),
        lambda: methods.output(infer, *split),
        lambda: methods.linear(infer, *split, *split, 8, 0),
    ):
        with pytest.raises(ArgumentError, match=r"outputs of infer: .*allowed: "):
            call()


def test_a_rule_has_as_many_outputs_for_a_test_as_for_training() -> None:
    widths = iter((3, 4, 3, 4))
    for call in (
        lambda infer: methods.direct(infer, SAMPLES, CLASSES, SAMPLES, CLASSES, 3),
        lambda infer: methods.linear(infer, SAMPLES, CLASSES, SAMPLES, CLASSES, 8, 0),
    ):
        with pytest.raises(ArgumentError, match=r"outputs of infer: shape \(6, 4\), allowed: .*shape \(6, 3\)"):
            call(lambda x: np.eye(len(x), next(widths), dtype=np.uint8))
