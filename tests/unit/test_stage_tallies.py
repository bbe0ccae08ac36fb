"""What the arrays of cells did in each stage of a run: differences of one tally, kept in a checkpoint as they are."""

from __future__ import annotations

from edgesdt.rules.course import flattened, less, unflattened

LIKE = (([10, 20], [3]), ([1, 2], [0]))
HUGE = 2**80


def test_stages_are_differences_of_the_whole() -> None:
    assert less(LIKE, LIKE) == (([0, 0], [0]), ([0, 0], [0]))
    assert less((([HUGE, 20], [3]),), (([1, 5], [3]),)) == (([HUGE - 1, 15], [0]),)


def test_tallies_of_a_stage_read_back_from_a_checkpoint() -> None:
    row = ["1", *map(str, flattened((([HUGE, 20], [3]), ([1, 2], [0]))))]
    assert unflattened(row, LIKE) == (([HUGE, 20], [3]), ([1, 2], [0]))
    assert unflattened(["0"] * len(row), LIKE) is None
