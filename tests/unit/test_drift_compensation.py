"""A reference that does not drift is warned of, and one factor from a reference read makes good what all cells lose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgesdt import registry
from edgesdt.ledger import actions as act
from edgesdt.pricing import bill
from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.runs import preview
from edgesdt.spec import Spec
from edgesdt.spec.checks import drift, unused
from edgesdt.synapses.crossbar.reading import compensation
from hw_models.sheets import catalog
from tests.cell_chips import trained
from tests.small_chips import spec_of

PCM = {"device.model": "PCM_inference", "learning.learning_rate": 0.3}
GLOBAL = {**PCM, "device.drift_compensation": "global", "deployment.times": [3600.0]}


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        (PCM, True),
        ({**PCM, "device.array.mapping": "pair"}, False),
        ({**PCM, "device.drift_compensation": "global"}, False),
        ({**PCM, "device.off": ["drift", "device_to_device"]}, False),
        ({"device.model": "EcRam"}, False),
        ({"device.model": "EcRam", "device.parameters": {"retention": {"time_constant_s": 9.0, "level": 0.0}}}, True),
        ({"device.model": "EcRam", "device.parameters": {"retention": {"time_constant_s": 9.0, "level": 0.41}}}, False),
        ({"device.model": "RRAM_Wan"}, False),
        ({"device.model": "sram"}, False),
    ],
)
def test_a_drifting_device_against_a_still_reference_is_warned_of(fields: dict[str, Any], warned: bool) -> None:
    found = drift.sentences(spec_of([9, 7], fields))
    assert len(found) == warned
    assert not warned or ("mapping: pair" in found[0] and "drift_compensation" in found[0])


@pytest.mark.parametrize("model", [name for name in catalog.names() if name != "sram"])
def test_every_device_whose_mean_moves_away_is_warned_of(model: str) -> None:
    """As its own `read` says, a day after cells were written to the reference."""
    spec = spec_of([9, 7], {"device.model": model, "chip.weights.init_gain": 0.001})
    rule = EqProp(spec)
    crossbar, cells = rule.store.crossbar, rule.store.crossbar.cells
    low, span = crossbar.bank.low, crossbar.bank.span
    crossbar.program(np.zeros((9, 7)))
    moved = float(np.mean(crossbar.rested(86_400.0) - cells.visible)) / span
    assert bool(drift.sentences(spec)) == (moved < -0.01), (model, moved, low)


@pytest.mark.parametrize("mapping", ["offset", "pair"])
def test_the_factor_makes_good_what_the_sum_has_lost(mapping: str) -> None:
    rule = trained([9, 7], {**GLOBAL, "device.array.mapping": mapping})
    bank, cells = rule.store.crossbar.bank, rule.store.crossbar.cells
    written, codes = cells.visible.astype(float).sum(), rule.chip.weights.copy()
    with rule.rested(86_400.0):
        assert rule.calibration is not None
        factor, counts = rule.calibration
        assert 1.2 < factor < 3.0
        sum_shown = bank.shares.astype(np.int64).sum() / bank.one * bank.span + bank.low * len(bank.shares)
        assert sum_shown == pytest.approx(written, rel=0.01)
        assert counts[act.CELL_READ_SHARE] > 0 and counts[act.ARRAY_READ] == 9 * (2 if mapping == "pair" else 1)
    assert rule.calibration is None and np.array_equal(rule.chip.weights, codes)


def test_nothing_is_made_good_where_it_is_not_asked_for() -> None:
    rule = trained([9, 7], PCM)
    with rule.rested(86_400.0):
        assert rule.calibration is None
        written = float((rule.store.crossbar.cells.visible / 25e-6).sum() * rule.store.crossbar.bank.one)
        assert rule.store.crossbar.bank.shares.sum() < 0.8 * written


def test_a_weight_without_siemens_is_scaled_from_its_lowest_state() -> None:
    model = catalog.load("Idealized")
    shown = np.array([-1.0, 0.0, 0.5])
    assert compensation.factor(model, shown, shown) == 1.0
    assert compensation.scaled(model, shown, 1.0) == pytest.approx(shown)
    assert compensation.factor(model, shown, np.full(3, model.bounds()[0])) > 0


def test_a_reference_read_has_a_price_at_check_and_in_the_counts() -> None:
    spec = spec_of([9, 7], GLOBAL)
    assert "for a reference read after a rest" in preview.preview(spec)
    fitted, counts = preview.memory_map(spec).plain(), compensation.assumed_counts(spec)
    made = bill.bill(spec, dict.fromkeys(act.MEANING, 0) | counts, fitted, bill.technology(spec))
    assert made.energy_j["cell reads"] > 0 and made.energy_j["ADC"] > 0 and made.latency_s["array read"] > 0
    paid = sum(made.energy_j.values()), sum(made.latency_s.values())
    assert bill.reference_read(spec, counts, fitted) == pytest.approx(paid)
    assert "reference read" not in preview.preview(spec_of([9, 7], PCM))


def reads_one_way(rule: str) -> bool:
    """Whether a single array of the rule is read forward alone: else there is no drift compensation (a refusal)."""
    return "cells" in registry.load(rule).synapses and "direct" in registry.load(rule).readouts


@pytest.mark.parametrize("rule", [rule for rule in registry.OURS if reads_one_way(rule)])
def test_every_rule_on_cells_has_a_price_of_the_reference_read(rule: str) -> None:
    """Rules have actions of their own; an array has the same under all of them."""
    spec = spec_of([9, 7], {**GLOBAL, "learning.rule": rule, "learning.learning_rate": 0.1})
    assert "for a reference read after a rest" in preview.preview(spec)
    joules, seconds = bill.reference_read(spec, compensation.assumed_counts(spec), preview.memory_map(spec).plain())
    assert joules > 0 and seconds > 0


def test_the_option_changes_no_spec_without_it() -> None:
    plain = spec_of([9, 7], PCM).plain()
    assert "drift_compensation" not in plain["device"]
    kept = spec_of([9, 7], GLOBAL).plain()
    assert kept["device"]["drift_compensation"] == "global" and Spec.from_plain(kept).plain() == kept


def test_it_is_said_where_it_has_no_effect() -> None:
    assert "drift_compensation" in unused.settings(spec_of([9, 7], {**PCM, "device.drift_compensation": "global"}))[0]
    assert "drift_compensation" in unused.settings(spec_of([9, 7], {"device.drift_compensation": "global"}))[0]
