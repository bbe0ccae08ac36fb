"""Every learning constant at both ends of its range: a spec that may be written can be resolved, read back and run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from annotated_types import Ge, Gt, Le, Lt

from edgesdt.errors import SpecError
from edgesdt.rules.eqprop import registers
from edgesdt.rules.lookup import resolve
from edgesdt.runs.preview import resolved
from edgesdt.spec import Spec, loads
from edgesdt.spec.fields import field_at

TEXT = """\
name: ends
data: {set: digits}
chip: {layers: [64, 20], memory_budget: 64 KiB}
learning: {winners: 2}
"""
RATE = "learning.learning_rate"
MACHINES = [
    [f"chip.constants.bits={bits}", *more]
    for bits in (2, 3, 8, 10)
    for more in ([], ["learning.beta_sign=symmetric", "learning.batch=3", "learning.beta=0.3"])
]


def ends(path: str) -> tuple[float, float]:
    """The lowest and the highest value that the schema allows at `path`."""
    if path == RATE:
        return 1e-15, 1.0
    field = field_at(tuple(path.split(".")))
    assert field is not None
    marks: dict[type, Any] = {type(mark): mark for mark in field.metadata}
    low = marks[Ge].ge if Ge in marks else 1e-15
    high = marks[Le].le if Le in marks else math.nextafter(marks[Lt].lt, 0.0)
    assert Ge in marks or marks[Gt].gt == 0
    return float(low), float(high)


def cases() -> Iterator[tuple[str, float]]:
    """Every constant that is rounded, at both ends."""
    for path in registers.held(loads(TEXT)):
        yield from ((path, end) for end in ends(path))


@pytest.mark.parametrize("machine", MACHINES, ids=" ".join)
@pytest.mark.parametrize(("path", "end"), list(cases()))
def test_a_constant_at_an_end_of_its_range_is_held_and_read_back(path: str, end: float, machine: list[str]) -> None:
    others = [override for override in machine if not override.startswith(f"{path}=")]
    spec = loads(TEXT, overrides=[*others, f"{path}={end!r}"])
    once = resolve(spec)
    assert resolve(once) == once, "resolving again changes something"
    assert Spec.from_plain(once.plain()) == once
    assert loads(resolved(spec)) == once, "what `check --resolved` prints is no spec"
    assert registers.used_rates(once, 0) == registers.used_rates(spec, 0)


def test_the_lowest_beta_is_not_what_its_register_holds() -> None:
    """The test above would say nothing if every end were held exactly."""
    held = resolve(loads(TEXT, overrides=["learning.beta=0.001"])).learning.beta
    assert held < 0.001
    rates = [registers.used_rates(loads(TEXT, overrides=[*machine, f"{RATE}=1.0"]), 0)[0] for machine in MACHINES]
    assert max(rates) > 1.0


@pytest.mark.parametrize("path", [RATE, "learning.homeostasis.eta"])
def test_a_constant_that_is_held_as_nothing_is_refused_in_words(path: str) -> None:
    with pytest.raises(SpecError, match=r"too small for its register: 1e-30 is held as 0, allowed: .*[.][.]1"):
        loads(TEXT, overrides=[f"{path}=1e-30"])


@pytest.mark.parametrize(
    ("path", "value"),
    [("learning.beta", 0.00099), ("learning.beta", 2.01), ("learning.dt", 1.01), (RATE, 1.1), (RATE, 1.3), (RATE, 0.0)],
)
def test_what_no_register_makes_of_the_range_is_still_out_of_it(path: str, value: float) -> None:
    with pytest.raises(SpecError, match=f"{path}.*out of range: {value}, allowed: a number"):
        loads(TEXT, overrides=[f"{path}={value!r}"])
