"""What a rule takes: samples, labels, an order, an epoch, a state; each checked once per call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.rules.lookup import rule_of
from edgesdt.rules.protocol import Labels, Pixels
from edgesdt.spec import Spec
from edgesdt.spec.checks.hints import did_you_mean

State = Mapping[str, npt.NDArray[np.generic]]
MOST_THREADS = 1024


def to_learn(
    spec: Spec, samples: object, labels: object, order: object, epoch: object
) -> tuple[Pixels, Labels, Labels, int]:
    """The arguments of `learn` as the kernels take them. Raises `ArgumentError`."""
    codes = ARGUMENTS.integers("samples", samples, ("samples", spec.chip.layers[0]), 0, 255, np.uint8)
    limits = np.iinfo(np.int64)
    low, high = (0, rule_of(spec).classes(spec) - 1) if spec.learning.target == "label" else (limits.min, limits.max)
    known = ARGUMENTS.integers("labels", labels, (len(codes),), low, high)
    chosen = ARGUMENTS.integers("order", order, ("samples",), 0, len(codes) - 1)
    _in_format(spec, codes, chosen)
    return codes, known, chosen, ARGUMENTS.whole("epoch", epoch, 0, spec.epochs - 1)


def to_infer(spec: Spec, samples: object, threads: object) -> tuple[Pixels, int]:
    """The arguments of `infer`. Raises `ArgumentError`."""
    codes = ARGUMENTS.integers("samples", samples, ("samples", spec.chip.layers[0]), 0, 255, np.uint8)
    _in_format(spec, codes, None)
    return codes, ARGUMENTS.whole("threads", threads, 1, MOST_THREADS)


def _in_format(spec: Spec, codes: Pixels, chosen: Labels | None) -> None:
    """Whether the codes that are looked at are those of the encoder: a byte may hold a wider one."""
    bits = spec.encoder.bits
    if bits < 8:
        used = codes if chosen is None else codes[chosen]
        most = int(used.max(initial=0))
        if most >= 1 << bits:
            ARGUMENTS.refuse("samples", f"code {most}", f"0 to {(1 << bits) - 1} (encoder.bits: {bits})")


def check_state(state: object, wanted: Mapping[str, npt.NDArray[Any]], free: Iterable[str] = ()) -> State:
    """`state`, if it has the names of `wanted`, each with its shape and type; those in `free` in any. Values apart."""
    if not isinstance(state, Mapping):
        ARGUMENTS.refuse("state", f"a {type(state).__name__}", "a mapping of names to arrays, as `state()` gives it")
    for name in state:
        if name not in wanted:
            ARGUMENTS.refuse(f"state: {name!r}", "an unknown name", f"{', '.join(wanted)}{did_you_mean(name, wanted)}")
    for name, array in wanted.items():
        if name not in state:
            ARGUMENTS.refuse(f"state: {name!r}", "missing", "every array of `state()` of a chip of this spec")
        if name not in free:
            ARGUMENTS.like(f"state: {name}", state[name], array)
    return state


def check_codes(state: State, ranges: Mapping[str, tuple[int, int]]) -> None:
    """Whether every code is one of its format. Raises `ArgumentError`."""
    for name, (low, high) in ranges.items():
        array = state[name]
        ARGUMENTS.integers(f"state: {name}", array, array.shape, low, high, array.dtype)


def check_tables(state: State, tables: Mapping[str, npt.NDArray[Any]]) -> None:
    """Whether every look-up table is the chip's own. Raises `ArgumentError`."""
    for name, table in tables.items():
        wrong = np.flatnonzero(np.asarray(state[name]) != table)
        if len(wrong):
            place = int(wrong[0])
            found = f"{state[name][place]} in entry {place} of a look-up table"
            ARGUMENTS.refuse(f"state: {name}", found, f"{table[place]}: the tables of a chip follow from its spec")


def ranges_of(spec: Spec, plan: Any, weight_limit: int) -> dict[str, tuple[int, int]]:
    """Lowest and highest code of every array that the chips of all rules have, by its name there."""
    return {
        "inputs": (0, (1 << spec.encoder.bits) - 1),
        "weights": signed(weight_limit),
        "biases": signed(plan.bias_limit),
        "accumulators": signed(plan.accumulator_limit),
        "states": (0, int(plan.state_limit)),
        "keep": (0, 1),
        "target": (0, 1),
        "winners": (-1, spec.chip.layers[-1] - 1),
        "activity": (0, int(plan.activity_one)),
        "homeostasis": signed(plan.homeostasis_limit),
        "random": (1, (1 << 32) - 1),  # a lane at 0 would stay there
        "winner_count": (0, spec.learning.batch),
        "frozen": (0, 1),
    }


def events_of(events: object, kinds: int) -> list[list[int]]:
    """An event table (kinds, L+1) as plain integers. Raises `ArgumentError`."""
    table = ARGUMENTS.integers("events", events, (kinds, "layers"), 0, 2**63 - 1)
    if not table.shape[1]:
        ARGUMENTS.refuse("events", f"shape {table.shape}", "a column for each layer of neurons, input first")
    return [[int(n) for n in row] for row in table]


def check_layers(spec: Spec, held: int, kinds: int) -> None:
    """Raise `ArgumentError` unless an event table of `held` columns is one of the chip of `spec`."""
    if held != len(spec.chip.layers):
        ARGUMENTS.refuse("events", f"{held} layers", f"integers of shape {(kinds, len(spec.chip.layers))}")


def signed(limit: int) -> tuple[int, int]:
    """The lowest and the highest code of two's complement, of the highest."""
    return -int(limit) - 1, int(limit)
