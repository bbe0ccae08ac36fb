"""Whatever array a public function is called with: the right answer, or a `ValueError` in words that names it.

Nothing else: no error from the depths of numpy, and no answer that is made of memory which is not the caller's. Such an
answer shows as two calls that differ, or as one that differs from that of the same values in the usual type.
"""

from __future__ import annotations

import copy
import re
import warnings
from dataclasses import is_dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.errors import EdgesdtError
from hw_models.base import Cells
from tests.entries import ENTRIES, INSIDE, PLAIN_ENTRIES, Entry
from tests.public_functions import taking_arrays

SCALARS = [
    None, -1, 0, 3, 30, 2**31, 2**63, 10**30, -(10**30), 1.5, float("nan"), float("inf"), 1e300, True, "3", b"x", (),
    [1, 2], {}, object(), np.int64(2), np.uint8(1), np.float32(0.5), np.array([1, 2]), np.array(1),
]  # fmt: skip


def spoiled(right: Any) -> list[Any]:
    """Values like `right`, most of them wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numpy, about what is made here
        return _spoiled(right)


def _spoiled(right: Any) -> list[Any]:
    if isinstance(right, Cells):
        return [None, 3, right.state, *(_other_cells(right))]
    if isinstance(right, dict):
        return [None, 3, [], {}, *_other_mappings(right)]
    if not isinstance(right, np.ndarray):
        return [*SCALARS, *([right[:-1], [*right, 1], [None] * len(right)] if isinstance(right, list | tuple) else [])]
    return [*SCALARS, *_other_arrays(right), *_other_values(right)]


def _other_arrays(right: np.ndarray[Any, Any]) -> list[Any]:
    """Other shapes, types and layouts."""
    wide = np.repeat(np.repeat(right, 2, axis=0), 3, axis=-1) if right.ndim > 1 else np.repeat(right, 2)
    kinds = [np.int8, np.uint16, np.int32, np.int64, np.uint64, ">i4", np.float16, np.float32, np.float64,
             np.longdouble, complex, bool, object, str, "S3", "M8[s]"]  # fmt: skip
    others = [right.astype(kind) for kind in kinds]
    return [
        *others, right[..., :-1], right[:-1], right[:1], right[:0], right[..., :0], right[None], right.ravel(), right.T,
        right[..., None], right[::-1], wide[..., ::2], wide, right.tolist(), [[1], [1, 2]], [], np.float64(1),
        np.ma.MaskedArray(right, np.ones(right.shape, bool)), np.zeros((0, 0)), np.zeros((2, 3, 4, 5)),
        np.asfortranarray(right), np.array([{}]), np.zeros(3, [("a", int)]),
    ]  # fmt: skip


def _other_values(right: np.ndarray[Any, Any]) -> list[Any]:
    """Values that a kernel might take for a place in memory, and numbers that are none."""
    found = []
    for value in (-1, 1 << 8, 1 << 31, -(1 << 40), (1 << 63) - 1, -(1 << 63), 1 << 20):
        for all_of_them in (False, True):
            other = np.where(right == right, value, value) if all_of_them else right.astype(np.int64)
            other = np.asarray(other, dtype=np.int64).copy()
            other.ravel()[:1] = value
            found.append(other)
    for number in (np.nan, np.inf, -np.inf, 1e300, -1e-300, 0.5):
        real = right.astype(np.float64)
        real.ravel()[-1:] = number
        found.append(real)
    return [*found, np.full(right.shape, (1 << 64) - 1, np.uint64)]


def _other_cells(right: Cells) -> list[Any]:
    found = []
    for name in ("state", "visible", "spread", "pulses", "random"):
        array = getattr(right, name)
        for other in (None, array[:-1], array.astype(np.float16), array.astype(np.int8), array[..., None], []):
            cells = copy.deepcopy(right)
            setattr(cells, name, other)
            found.append(cells)
    return found


def _other_mappings(right: dict[str, Any]) -> list[Any]:
    found = [right | {"no such name": np.zeros(3)}]
    for name, value in right.items():
        found.append({key: other for key, other in right.items() if key != name})
        odd = [None, "text", -1, [3]]
        if isinstance(value, np.ndarray):
            odd += [value.astype(np.float16) if value.dtype.kind != "U" else value, value[..., None], value.tolist()]
            odd += [np.full_like(value, "x" if value.dtype.kind == "U" else 99)]
            odd += [np.full_like(value, np.nan)] if value.dtype.kind == "f" else []
        found += [right | {name: other} for other in odd]
    return found


CHOICES = {
    f"{entry.name}: {name}": (entry, name)
    for entry in ENTRIES
    for name in (entry.wrong or tuple(entry.make()[1]))
}


def answer(entry: Entry, name: str, at: int) -> tuple[Any, Any]:
    """What a call gives with the argument `name` spoiled in the way `at`, or the error it raises; and the argument."""
    call, arguments = entry.make()  # made afresh, so that the ways are, too
    ways = spoiled(arguments[name])
    wrong = ways[at % len(ways)]
    try:
        return call(**{**arguments, name: wrong}), wrong
    except ValueError as error:
        return error, wrong


def same(one: Any, other: Any) -> bool:
    """Whether two answers are the same to the last bit."""
    if is_dataclass(one):
        return type(one) is type(other) and same(vars(one), vars(other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return bool(one == other) or one is other or repr(one) == repr(other)


@pytest.mark.parametrize("choice", CHOICES)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(at=st.integers(0, 10_000))
def test_a_wrong_argument_is_refused_in_words_or_answered_right(choice: str, at: int) -> None:
    entry, name = CHOICES[choice]
    first, wrong = answer(entry, name, at)
    second, _ = answer(entry, name, at)
    if isinstance(first, ValueError):
        assert isinstance(second, ValueError)
        names = "|".join(entry.make()[1])  # a sample too few is seen as a label too many
        assert re.search(rf"\b({names})", str(first)), f"{first!r} does not name {name}"
        assert re.search("allowed|known|needed", str(first)), f"{first!r} does not say what is allowed"
    else:
        assert same(first, second), f"{wrong!r}: two calls differ"


def test_every_public_function_that_takes_arrays_is_called_here_or_listed_with_a_reason() -> None:
    public = taking_arrays()
    assert len(public) > 80
    called = {name for entry in ENTRIES for name in entry.covers}
    listed = {name for name in public for inside in INSIDE if name == inside or name.startswith(f"{inside}.")}
    assert set(public) - called - listed == set(), "call it in tests/entries.py, or say there why nobody does"
    assert called & listed == set()
    for inside in INSIDE:
        assert any(name == inside or name.startswith(f"{inside}.") for name in public), f"{inside} is no more"


@pytest.mark.parametrize("name", sorted({name for entry in ENTRIES for name in entry.covers}))
def test_what_is_said_to_be_called_exists(name: str) -> None:
    if name.rpartition(".")[2] not in ("pulse", "program", "read", "read_sd", "conductance_s", "manufacture"):
        assert name in taking_arrays()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_right_call_is_answered(entry: Entry) -> None:
    call, arguments = entry.make()
    call(**arguments)


@pytest.mark.parametrize("entry", PLAIN_ENTRIES, ids=lambda entry: entry.name)
def test_an_argument_of_a_wrong_kind_is_refused_in_words_where_no_array_is_taken(entry: Entry) -> None:
    call, arguments = entry.make()
    for name in arguments:
        for wrong in SCALARS:
            try:
                call(**{**arguments, name: copy.copy(wrong)})
            except (ValueError, EdgesdtError) as error:
                assert re.search("allowed|known|needed|: ", str(error)), f"{name} {wrong!r}: {error!r} says nothing"
                assert "truth value" not in str(error), f"{name} {wrong!r}: {error!r} is of numpy"
