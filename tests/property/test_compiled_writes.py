"""Every family of the package is pulsed in compiled code, with the cells, counts and words that `pulse` makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.synapses.crossbar.crossbar import Crossbar
from hw_models.base import CellModel
from hw_models.families.levels.programmed import Programmed
from hw_models.families.levels.quantized import Quantized
from hw_models.families.sram import Sram
from hw_models.families.wrappers.endurance import Endurance
from hw_models.families.wrappers.retention import Retention
from hw_models.families.wrappers.stuck_at import StuckAt
from hw_models.kernels.compiled import LEVELS, TABLE, UNKNOWN, law_of, pulse_by_law
from hw_models.kernels.straight_pulsing import Room
from hw_models.sheets import catalog
from tests.cell_chips import pick, quick, tally_of, trained

_INNER = {
    **{name: catalog.load(name) for name in catalog.names()},
    "a noisy write": Quantized(levels=64, w_min=-1 / 3, w_max=0.7, write_noise=0.4, read_noise=0.2),
    "not rounded": Quantized(levels=7, write_noise=0.1).without(["quantisation"]),
    "codes": Sram(bits=5),
    "a saturating curve": Programmed(curve="saturating", coefficients=((3.0, 0.2),), g_min_s=1e-6, levels=40),
    "one coefficient": Programmed(coefficients=((0.7,),), levels=20),
}


def wrapped(model: CellModel, how: str) -> CellModel:
    """The model, or inside wrappers in either order."""
    if how == "stuck inside":
        return Endurance(inner=StuckAt(inner=model, lrs_fraction=0.2, hrs_fraction=0.1), limit_pulses=9)
    if how == "stuck outside":
        worn = Endurance(inner=Retention(inner=model, time_constant_s=10.0), limit_pulses=9, limit_spread=0.3)
        return StuckAt(inner=worn, lrs_fraction=0.2)
    return Retention(inner=model, time_constant_s=10.0) if how == "forgets" else model


@quick
@given(
    name=pick(*_INNER), how=pick("bare", "bare", "forgets", "stuck inside", "stuck outside"), seed=st.integers(0, 2**32)
)
def test_a_law_makes_the_cells_that_the_model_makes(name: str, how: str, seed: int) -> None:
    try:
        model = wrapped(_INNER[name], how)
    except catalog.DeviceError:  # its own wrapper is around it already
        return
    rng, cells = np.random.default_rng(seed), 60
    mine, theirs = (model.manufacture(cells, seed % 1000, np.float32) for _ in range(2))
    low, high = model.bounds()
    start = rng.uniform(low, high, cells)
    for each in (mine, theirs):
        model.program(each, start)
    law, room = law_of(model, cells, mine.spread.shape[1]), Room.make()
    assert law.code != UNKNOWN
    for _ in range(4):
        places = rng.permutation(cells)[: rng.integers(1, cells)].astype(np.int32)
        counts = rng.integers(-6, 7, len(places)).astype(np.int32)
        pulse_by_law(
            law, mine.state, mine.visible, mine.spread, mine.pulses, mine.random, counts, places, room
        )  # fmt: skip
        model.pulse(theirs, counts, places)
        for field in ("state", "visible", "pulses", "random"):
            assert np.array_equal(getattr(mine, field), getattr(theirs, field)), field


@pytest.mark.parametrize("mapping", ["offset", "pair"])
@pytest.mark.parametrize("programming", ["pulses", "coincidence", "verify"])
@pytest.mark.parametrize("model", ["quantized_4bit", "PCM_inference", "ENODe_lookup", "EcRam"])
def test_both_ways_make_the_same_chip(
    model: str, programming: str, mapping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells, weights, words, and what is paid for: the stuck and the worn-out cells are among it."""
    wraps = {"stuck_at": {"lrs_fraction": 0.1}, "endurance": {"limit_pulses": 6}}
    fields: dict[str, Any] = {
        "device.model": model, "device.array.programming": programming, "device.array.mapping": mapping,
        "device.parameters": wraps if model == "EcRam" else {}, "learning.learning_rate": 0.3,
    }  # fmt: skip
    compiled = trained([9, 7], fields, count=15)
    assert compiled.store.crossbar.compiled and not compiled.store.crossbar.stepped
    monkeypatch.setattr(Crossbar, "compiled", property(lambda self: False))
    handed = trained([9, 7], fields, count=15)
    mine, theirs = compiled.state(), handed.state()
    assert mine.keys() == theirs.keys()
    assert [name for name in mine if not np.array_equal(mine[name], theirs[name])] == []
    assert tally_of(compiled) == tally_of(handed) and compiled.counts() == handed.counts()
    assert compiled.store.crossbar.cells.pulses.sum() > 20


def test_which_law_is_whose() -> None:
    codes = {name: law_of(model, 1, 9).code for name, model in _INNER.items()}
    assert codes["quantized_4bit"] == codes["PCM_inference"] == codes["SONOS"] == codes["codes"] == LEVELS
    assert codes["ENODe_lookup"] == TABLE and 0 <= codes["EcRam"] < LEVELS
    assert UNKNOWN not in codes.values()


def test_a_class_of_someone_else_is_asked_itself() -> None:
    """It may write in another way than the family that it is made of."""

    class Mine(Quantized):
        def _settled(self, cells: Any, state: Any, places: Any) -> Any:
            return state + 1

    class Around(StuckAt):
        def pulse(self, cells: Any, counts: Any, places: Any = None) -> None:
            super().pulse(cells, -counts, places)

    assert law_of(Mine(), 1, 0).code == UNKNOWN
    assert law_of(StuckAt(inner=Mine(), lrs_fraction=0.1), 1, 1).code == UNKNOWN
    assert law_of(Around(inner=Quantized(), lrs_fraction=0.1), 1, 1).code == UNKNOWN


def test_a_model_without_a_law_learns_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Quantized, "write_law", None)
    monkeypatch.delattr(Quantized, "write_law")
    rule: EqProp = trained([9, 7], {"device.model": "quantized_4bit", "learning.learning_rate": 0.3})
    assert not rule.store.crossbar.compiled and rule.store.crossbar.cells.pulses.sum() > 20
