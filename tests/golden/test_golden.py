"""The golden traces still come out, of the kernels and (where weights are digital) of the oracle alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numba
import pytest

from edgesdt import registry
from edgesdt.spec import Spec
from tests.golden.make import CHIPS, FOLDER, trace_of
from tests.witnesses import WITNESSES

FILES = sorted(FOLDER.glob("*.json"))
ON_CELLS = [file for file in FILES if file.stem.startswith("insitu")]
DIGITAL = [file for file in FILES if file not in ON_CELLS]
NARROW = [file for file in DIGITAL if json.loads(file.read_text("utf-8"))["spec"]["chip"]["weights"]["bits"] <= 8]
BOUNDS = bool(numba.config.BOUNDSCHECK)
LAYERS = FOLDER / "insitu_layers.json"
SLOW = [FOLDER / f"insitu_{name}.json" for name in ("activation", "backprop", "layers", "similarity", "softhebb")]
"""They compile for long; oracles hold these chips in every run (`tests/property/test_*_cells.py`, `…_layers.py`)."""
COSTLY = [*NARROW, *(file for file in SLOW if file != LAYERS)]
"""Left out with bounds checks: their kernels are compiled for another chip (`insitu_layers`, or another width)."""
RUN = [
    pytest.param(file, marks=[pytest.mark.slow] if file in SLOW and not BOUNDS else [], id=file.stem)
    for file in FILES
    if file not in COSTLY or not BOUNDS
]


def golden_in(file: Path) -> dict[str, Any]:
    """A trace as it was kept."""
    golden: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return golden


def test_every_chip_has_a_trace() -> None:
    assert [file.stem for file in FILES] == sorted(CHIPS)


def test_every_rule_has_an_oracle_and_a_trace() -> None:
    traced = {golden_in(file)["spec"]["learning"]["rule"] for file in FILES}
    assert traced == set(WITNESSES) == set(registry.OURS)


@pytest.mark.parametrize("file", RUN)
def test_kernels_give_the_golden_trace(file: Path) -> None:
    golden = golden_in(file)
    trace = trace_of(Spec.from_plain(golden["spec"]), golden["samples"], golden["labels"])
    for name, counted in golden["events"].items():  # a kind of event may come to be counted later
        assert trace["events"][name] == counted
    for part in ("start", "after", "inference"):
        assert trace[part] == golden[part]
    assert ("cells" in golden) == (file in ON_CELLS)
    assert trace.get("cells") == golden.get("cells")


@pytest.mark.parametrize("file", DIGITAL, ids=lambda file: file.stem)
def test_the_oracle_gives_the_golden_trace(file: Path) -> None:
    golden = golden_in(file)
    witness = WITNESSES[golden["spec"]["learning"]["rule"]]
    oracle = witness.oracle(golden["spec"])
    oracle.draw_weights()
    batch = golden["spec"]["learning"]["batch"]
    for step, after in enumerate(golden["after"]):
        part = slice(step * batch, (step + 1) * batch)
        oracle.learn_stream(golden["samples"][part], golden["labels"][part])
        assert {name: codes for name, codes in witness.arrays_of(oracle).items() if codes} == after
    assert golden["events"] == {name: oracle.counted()[name] for name in golden["events"]}
    assert [oracle.infer(x) for x in golden["samples"]] == golden["inference"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_trace_shows_learning(file: Path) -> None:
    """Guards the traces themselves: weights and biases move in them, and outputs are not silent."""
    golden = golden_in(file)
    for name in (name for name in ("weights", "biases") if name in golden["start"]):
        assert golden["after"][-1][name] != golden["start"][name]
    assert any(any(outputs) for outputs in golden["inference"])
    if file in ON_CELLS:
        last = golden["after"][-1]
        states = [name for name in last if name.startswith("cells_") and name.endswith("_state")]
        assert len(states) == max(len(golden["spec"]["device"].get("layers", {})), 1)
        for name in states:
            assert last[name] != golden["start"][name]
            assert sum(last[name.replace("state", "pulses")]) > 20
    assert set(golden["made_with"]) >= {"edgesdt", "python", "numpy", "numba"}
