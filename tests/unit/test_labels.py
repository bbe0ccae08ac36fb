"""Which labels are known: as many as asked for, by class, nested, from a seed of their own."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edgesdt.readouts import labels

SKEWED = np.repeat(np.arange(4), [700, 250, 47, 3])


def shuffled(seed: int = 0) -> np.ndarray:
    """The skewed labels in a drawn order."""
    return np.random.default_rng(seed).permutation(SKEWED)


@pytest.mark.parametrize(
    ("n", "fraction", "kept"), [(100, 1.0, 100), (100, 0.1, 10), (7, 0.5, 4), (50, 0.001, 1), (1, 1.0, 1)]
)
def test_the_draw_is_a_fraction_in_ascending_order(n: int, fraction: float, kept: int) -> None:
    y = np.arange(n) % 3
    found = labels.drawn(y, fraction, seed=3).tolist()
    assert len(found) == len(set(found)) == kept
    assert found == sorted(found) and set(found) <= set(range(n))
    assert found == labels.drawn(y, fraction, seed=3).tolist()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fraction", [0.01, 0.02, 0.1, 0.37, 1.0])
def test_every_class_keeps_its_share_and_has_a_label(fraction: float, seed: int) -> None:
    y = shuffled(seed)
    counts = np.bincount(y[labels.drawn(y, fraction, seed)], minlength=4)
    shares = fraction * np.bincount(y)
    assert counts.min() >= 1, "no class without a label"
    assert (abs(counts - shares) <= 1.5).all(), (counts, shares)


def test_fewer_labels_than_classes_are_of_the_largest_classes() -> None:
    y = shuffled()
    assert sorted(y[labels.drawn(y, 0.002, 0)].tolist()) == [0, 1]


def test_a_smaller_draw_is_part_of_a_larger_one_of_the_same_seed() -> None:
    y = shuffled()
    draws = [set(labels.drawn(y, fraction, 5).tolist()) for fraction in (0.004, 0.03, 0.2, 1.0)]
    assert all(few < many for few, many in itertools.pairwise(draws))
    assert draws[1] != set(labels.drawn(y, 0.03, 6).tolist())


def test_all_parts_of_a_class_are_drawn_from() -> None:
    y = np.repeat([0, 1], 500)
    found = labels.drawn(y, 0.1, 0)
    assert found.min() < 50 and found.max() > 950
