"""Fuzzing of the spec reader: a damaged spec gives a sound `Spec`, or faults that carry `FILE:LINE:`."""

from __future__ import annotations

import copy
import re
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt.errors import SpecError
from edgesdt.spec import Spec, load, loads, shipped, to_yaml

LABEL = "fuzz.yaml"
LINE = re.compile(rf"{re.escape(LABEL)}:[1-9][0-9]*: .")
PLAINS = [load(name).plain() for name, _ in shipped()]

YAML_MARKS = "[]{}:,#&*!|>'\"%@`-?~\t\n <ab.01"
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, 2, 3.0, 1e-3, 10**30, 10**400, -(10**400), 1e308]),
    st.sampled_from([float("nan"), float("inf"), float("-inf")]),
    st.sampled_from(
        ["1e-3", "on", "no", "12:30", "256 KB", "2 MiB", "10 parsec", ".npz", "mnist", "label", "~", "PCM"]
    ),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.recursive(st.integers(-2, 900), lambda inner: st.lists(inner, max_size=3), max_leaves=6),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def nearby(value: Any) -> list[Any]:
    """Values of the same kind, some in range and some out of it."""
    if isinstance(value, bool) or value is None:
        return [True, False, 1, 10_000]
    if isinstance(value, int | float):
        as_float = float(value) if abs(value) < 1e300 else 1e300  # a field may be made larger many times
        return [value + 1, value - 1, value * 2, value * 1000, -value, 0, 1, as_float, str(value)[:300]]
    if isinstance(value, str):
        return [value + "x", value[:-1], value.upper(), "label", "output"]
    return [value * 2, value[:-1], [*value, 1], value[::-1], [], ["output"], [64, 4], [0.1]]


def spots(tree: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of every key in the tree."""
    found = []
    for key, value in tree.items():
        found.append((*path, key))
        if isinstance(value, dict):
            found += spots(value, (*path, key))
    return found


def owner(tree: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """The mapping that holds the last key of the path."""
    for key in path[:-1]:
        tree = tree[key]
    return tree


@st.composite
def damaged_mappings(draw: st.DrawFn) -> str:
    """A valid spec with one to three keys deleted, renamed, moved or given an odd value, as YAML text."""
    tree = copy.deepcopy(draw(st.sampled_from(PLAINS)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(spots(tree)))
        section = owner(tree, path)
        match draw(
            st.sampled_from(
                ["nearby", "nearby", "nearby", "nearby", "value", "value", "delete", "rename", "list", "move"]
            )
        ):
            case "delete":
                del section[path[-1]]
            case "rename":
                section[draw(st.text(max_size=8)) + path[-1][1:]] = section.pop(path[-1])
            case "value":
                section[path[-1]] = draw(ODD)
            case "nearby" if not isinstance(section[path[-1]], dict):
                section[path[-1]] = draw(st.sampled_from(nearby(section[path[-1]])))
            case "list":
                section[path[-1]] = [section[path[-1]]]
            case _:
                tree[path[-1]] = section.pop(path[-1])
        if not tree:
            break
    return str(yaml.safe_dump(tree, allow_unicode=draw(st.booleans()), sort_keys=draw(st.booleans())))


@st.composite
def damaged_texts(draw: st.DrawFn) -> str:
    """The text of a valid spec with lines doubled, cut, swapped or spliced with arbitrary characters."""
    lines = to_yaml(draw(st.sampled_from(PLAINS))).splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["double", "cut", "splice", "swap", "drop"])):
            case "double":
                lines.insert(at, lines[at])
            case "cut":
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
            case "splice":
                column = draw(st.integers(0, len(lines[at])))
                noise = draw(st.one_of(st.text(max_size=6), st.text(YAML_MARKS, max_size=6)))
                lines[at] = lines[at][:column] + noise + lines[at][column:]
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case _:
                lines[at] = ""
    return "\n".join(lines)


def check(text: str, overrides: tuple[str, ...] = ()) -> None:
    try:
        spec = loads(text, LABEL, overrides)
    except SpecError as error:
        assert error.faults
        for fault in error.faults:
            assert LINE.match(fault) or (overrides and fault.startswith("--set ")), fault
            assert fault.isprintable(), fault
    else:
        assert Spec.from_plain(spec.plain()) == spec
        assert loads(to_yaml(spec.plain())) == spec


@settings(deadline=None, derandomize=True, max_examples=200)
@given(damaged_mappings())
def test_damaged_mappings(text: str) -> None:
    check(text)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(damaged_texts())
def test_damaged_texts(text: str) -> None:
    check(text)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.text(st.one_of(st.sampled_from(YAML_MARKS), st.characters()), max_size=60))
def test_any_text(text: str) -> None:
    check(text)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.sampled_from(PLAINS), st.data())
def test_damaged_overrides(plain: dict[str, Any], data: st.DataObject) -> None:
    path = ".".join(data.draw(st.sampled_from(spots(plain))))
    value = data.draw(st.one_of(ODD.map(lambda odd: str(odd)[:200]), st.text(max_size=20)))
    key = data.draw(st.sampled_from([path, path + "x", path[1:], path + ".y", ""]))
    check(to_yaml(plain), (f"{key}={value}",))
