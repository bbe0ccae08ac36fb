"""Every device model, shipped or made here, holds to the laws of `hw_models.base` and the house plan, whatever is done.

One property test with a parameter per model; a second, plain one that each switch does what its name says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hw_models.base import CellModel, Cells, DeviceError
from hw_models.families.levels.pcm import PhaseChange
from hw_models.families.levels.programmed import Programmed
from hw_models.families.levels.quantized import Quantized
from hw_models.families.lookup import Lookup
from hw_models.families.sram import Sram
from hw_models.families.steps.pulsed_device import PulsedDevice
from hw_models.families.wrappers.endurance import Endurance
from hw_models.families.wrappers.retention import Retention
from hw_models.families.wrappers.stuck_at import StuckAt
from hw_models.sheets import catalog

CELLS = 6
DAY_S = 86_400.0
READ_NOISES = ("read_noise", "flicker_noise", "quantisation")
Values = npt.NDArray[np.floating]


def soft_table() -> Lookup:
    """A table of three conductances whose steps shrink towards the end that they go to, larger in some cells."""
    return Lookup(
        name="soft_table",
        g_s=(1e-6, 2e-6, 3e-6),
        cdf=(0.1, 0.5, 0.8),
        up_s=((2e-7, 1e-7, -5e-9), (3e-7, 2e-7, 1e-8), (4e-7, 3e-7, 9e-8)),
        down_s=((-9e-8, -3e-7, -4e-7), (-1e-8, -2e-7, -3e-7), (1e-9, -1e-7, -2e-7)),
        step_spread=0.3,
    )


def forgetful() -> Programmed:
    """A saturating sigma that grows, a mean that moves, noisy reads: all that the family has."""
    return Programmed(
        name="forgetful",
        g_min_s=1e-6,
        curve="saturating",
        argument_s=1e-6,
        times_s=(0.0, DAY_S),
        coefficients=((1.0, 9.0), (2.0, 5.0)),
        shift=((0.0, 0.0), (0.5, -0.1)),
        read_coefficients=(0.3, 10.0),
    )


def all_around(inner: CellModel) -> CellModel:
    """Every wrapper around one device."""
    kept = Retention(inner, time_constant_s=DAY_S, level=0.25, time_constant_spread=0.3)
    worn = Endurance(kept, limit_pulses=50.0, limit_spread=0.5)
    return StuckAt(worn, lrs_fraction=0.2, hrs_fraction=0.2)


MADE: dict[str, Callable[[], CellModel]] = {
    "Sram 2 bit": lambda: Sram(bits=2),
    "Sram 24 bit": lambda: Sram(bits=24),
    "Quantized": lambda: Quantized(levels=5, w_min=-0.3, write_noise=0.4, read_noise=0.2, read_levels=7),
    "PhaseChange": lambda: PhaseChange(g_max_s=9e-6, drift_scale=2.0, levels=11),
    "Programmed": lambda: Programmed(),
    "Programmed, all noises": forgetful,
    "Lookup": soft_table,
    "StuckAt(Sram)": lambda: StuckAt(Sram(), lrs_fraction=0.3, hrs_fraction=0.3),
    "Endurance(Quantized)": lambda: Endurance(Quantized(), limit_pulses=4.0, limit_spread=1.0),
    "Retention(PhaseChange)": lambda: Retention(PhaseChange(), time_constant_s=1.0, level=0.0),
    "all around Lookup": lambda: all_around(soft_table()),
    "all around ReRamSB": lambda: all_around(catalog.load("ReRamSB")),
    "all around Ag_aSi": lambda: all_around(catalog.load("Ag_aSi")),
    **{f"bare {name}": (lambda name=name: bare(name)) for name in catalog.FAMILIES if name not in catalog.WRAPPERS},
}


def bare(family: str) -> CellModel:
    """A family with its defaults, and with what it has no default for."""
    if family == "lookup":
        return soft_table()
    kind = catalog.family(family)
    return kind(name=family)  # type: ignore[call-arg]


@cache
def model_of(name: str) -> CellModel:
    """A model made here, or one of the catalog."""
    return MADE[name]() if name in MADE else catalog.load(name)


ALL = [*MADE, *catalog.names()]


@dataclass(frozen=True)
class Case:
    """What is done to cells: their seed and precision, then pulses and writes one after the other."""

    seed: int
    dtype: type[np.floating]
    history: list[tuple[str, list[float]]]
    counts: list[int]

    def cells(self, model: CellModel, seed: int | None = None) -> Cells:
        """Cells with this history."""
        cells = model.manufacture(CELLS, self.seed if seed is None else seed, self.dtype)
        low, high = model.bounds()
        for what, values in self.history:
            if what == "write":
                model.program(cells, (low + (high - low) * np.array(values)).astype(self.dtype))
            else:
                model.pulse(cells, np.array(values, dtype=np.int64))
        return cells

    def pulses(self) -> npt.NDArray[np.int64]:
        """The pulses of a last step, that the laws apply as they like."""
        return np.array(self.counts, dtype=np.int64)


def per_cell(values: st.SearchStrategy[float]) -> st.SearchStrategy[list[float]]:
    """One value for each cell."""
    return st.lists(values, min_size=CELLS, max_size=CELLS)


counts = st.one_of(st.integers(-5, 5), st.integers(-300, 300))
shares = st.floats(-0.5, 1.5, allow_nan=False, width=32)
operations = st.one_of(
    st.tuples(st.just("pulse"), per_cell(counts)),
    st.tuples(st.just("write"), per_cell(shares)),
)
cases = st.builds(
    Case,
    seed=st.one_of(st.integers(0, 5), st.integers(-(2**70), 2**70)),
    dtype=st.sampled_from([np.float64, np.float32]),
    history=st.lists(operations, max_size=3),
    counts=per_cell(counts),
)


def copied(cells: Cells) -> Cells:
    """The same cells as they would be loaded from a file: arrays of their own, nothing else."""
    return Cells(**{field.name: getattr(cells, field.name).copy() for field in fields(Cells)})


def differing(one: Cells, two: Cells) -> list[str]:
    """Names of the arrays that are not the same to the last bit."""
    return [f.name for f in fields(Cells) if not same(getattr(one, f.name), getattr(two, f.name))]


def same(one: npt.NDArray[np.generic], two: npt.NDArray[np.generic]) -> bool:
    """The same values of the same type."""
    return one.dtype == two.dtype and np.array_equal(one, two)


def limits(model: CellModel, cells: Cells) -> tuple[Values, Values]:
    """Each cell's own lowest and highest state: where a noiseless write far beyond the bounds ends."""
    low, high = model.bounds()
    quiet, ends = model.ideal(), []
    for target in (low - 99 * (high - low), high + 99 * (high - low)):
        cell = copied(cells)
        quiet.program(cell, np.full(CELLS, target, dtype=cells.state.dtype))
        ends.append(cell.state)
    return ends[0], ends[1]


def says_what_it_is(model: CellModel, case: Case) -> None:
    """It has words for people, bounds, and steps of a size."""
    assert model.name and model.family and model.citation and model.valid_range and model.not_modelled
    low, high = model.bounds()
    assert np.isfinite([low, high]).all() and low < high
    assert low >= 0 or model.quantity == "weight"
    for state in np.linspace(low, high, 7):
        for up in (True, False):
            assert np.isfinite(model.step(float(state), up)) and model.step(float(state), up) >= 0
    if model.quantity == "conductance" or model.drive is not None:
        ends = model.conductance_s(np.array([low, high]))
        assert 0 <= ends[0] < ends[1]


def same_seed_same_cells(model: CellModel, case: Case) -> None:
    """Cells and noise are a function of the seed; a cell does not depend on how many are made with it."""
    assert differing(case.cells(model), case.cells(model)) == []
    few, many = (model.manufacture(count, case.seed, case.dtype) for count in (CELLS, 3 * CELLS))
    for name in ("state", "visible", "spread"):
        assert same(getattr(many, name)[:CELLS], getattr(few, name))
    assert few.state.dtype == few.visible.dtype == case.dtype
    assert not few.pulses.any()
    if "device_to_device" in model.non_idealities:
        assert not same(model.manufacture(CELLS, case.seed + 1, case.dtype).spread, few.spread)


def no_pulses_change_nothing(model: CellModel, case: Case) -> None:
    """Not even the state of the random words."""
    cells = case.cells(model)
    before = copied(cells)
    model.pulse(cells, np.zeros(CELLS, dtype=np.int64))
    model.pulse(cells, np.zeros(2, dtype=np.int64), np.array([3, 0]))
    model.pulse(cells, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    model.program(cells, np.zeros(0, dtype=case.dtype), np.zeros(0, dtype=np.int64))
    assert differing(before, cells) == []


def stays_inside(model: CellModel, case: Case) -> None:
    """The state is within the cell's own bounds, after pulses and writes of any size; all is finite and of its type."""
    cells = case.cells(model)
    low, high = limits(model, cells)
    for _ in range(2):
        assert ((low <= cells.state) & (cells.state <= high)).all()
        assert np.isfinite(cells.visible).all()
        assert cells.state.dtype == cells.visible.dtype == case.dtype
        assert model.quantity == "weight" or (model.read(cells, DAY_S, 1) >= 0).all()
        model.pulse(cells, case.pulses() * 20)


def pulses_are_counted_where_they_go(model: CellModel, case: Case) -> None:
    """Stuck and worn cells included; the other cells are left alone; a place may come twice."""
    cells = case.cells(model)
    before = copied(cells)
    places = np.array([4, 1, 4])
    sent = case.pulses()[:3]
    model.pulse(cells, sent, places)
    wanted = before.pulses.astype(np.int64)
    np.add.at(wanted, places, np.abs(sent))
    assert cells.pulses.tolist() == wanted.tolist()
    others = np.setdiff1d(np.arange(CELLS), places)
    for name in ("state", "visible", "spread"):
        assert same(getattr(cells, name)[others], getattr(before, name)[others])


def pulses_come_in_order(model: CellModel, case: Case) -> None:
    """A list cut in two is the same list; cells that were saved and loaded in between go on as if they had not been."""
    whole = case.cells(model)
    parts = copied(whole)
    order = np.array([5, 2, 0, 3, 1, 4])
    model.pulse(whole, case.pulses(), order)
    model.pulse(parts, case.pulses()[:2], order[:2])
    parts = copied(parts)
    model.pulse(parts, case.pulses()[2:], order[2:])
    assert differing(whole, parts) == []


def ideal_is_exact(model: CellModel, case: Case) -> None:
    """No noise, no spread: each pulse is `step`, each write is the target, each read is the state."""
    ideal = model.ideal()
    assert ideal.non_idealities == ()
    low, high = ideal.bounds()
    near = (1e-9 if case.dtype == np.float64 else 3e-5) * (high - low)
    cells = case.cells(ideal)
    assert same(cells.state, case.cells(ideal, case.seed + 1).state)
    assert same(cells.visible, cells.state) and same(ideal.read(cells, DAY_S, 3), cells.state)
    ideal.program(cells, cells.state.copy())
    assert same(ideal.read(cells), case.cells(ideal).state), "a state that was reached is not written exactly"
    wanted = cells.state.astype(np.float64)
    sent = np.clip(case.pulses(), -9, 9)
    for cell, count in enumerate(sent):
        for _ in range(abs(count)):
            wanted[cell] += np.sign(count) * ideal.step(float(wanted[cell]), bool(count > 0))
            wanted[cell] = min(max(wanted[cell], low), high)
    ideal.pulse(cells, sent)
    assert np.abs(cells.state - wanted).max() <= near


def reading_alters_nothing(model: CellModel, case: Case) -> None:
    """And gives the same for the same seed and time, in an array of its own."""
    cells = case.cells(model)
    before = copied(cells)
    first = model.read(cells, DAY_S, case.seed)
    assert same(first, model.read(copied(cells), DAY_S, case.seed))
    first += 1
    assert differing(before, cells) == []
    assert model.read(cells, 0.0, 1).dtype == case.dtype


def read_noise_has_the_size_that_is_said(model: CellModel, case: Case) -> None:
    """None without the switch, nor in the ideal model; `test_a_read_spreads_as_it_says` has the size."""
    cells = case.cells(model)
    sd = model.read_sd(cells.visible)
    assert sd.shape == (CELLS,) and (sd >= 0).all() and np.isfinite(sd).all()
    assert sd.any() <= ("read_noise" in model.non_idealities)
    assert not model.ideal().read_sd(cells.visible).any()


def no_time_is_no_drift(model: CellModel, case: Case) -> None:
    """A read without noise of its own, right after the write, shows what is visible."""
    still = model.without([name for name in READ_NOISES if name in model.non_idealities])
    cells = case.cells(still)
    assert same(still.read(cells, 0.0, 7), cells.visible)


def each_switches_alone(model: CellModel, case: Case) -> None:
    """Off is off, only is only, the model itself does not change, and what it does not have is an error."""
    names = model.non_idealities
    assert len(set(names)) == len(names)
    for name in names:
        assert model.without([name]).non_idealities == tuple(other for other in names if other != name)
        assert model.only(name).non_idealities == (name,)
        with pytest.raises(DeviceError, match=name):
            model.without([f"{name}x"])
    assert model.without([]) == model
    assert model.non_idealities == names
    with pytest.raises(DeviceError):
        model.only("no such thing")


def off_together_is_ideal(model: CellModel, case: Case) -> None:
    """Switching off one after the other ends where `ideal` does."""
    left = model
    for name in model.non_idealities:
        left = left.without([name])
    assert differing(case.cells(left), case.cells(model.ideal())) == []


LAWS = (
    says_what_it_is,
    same_seed_same_cells,
    no_pulses_change_nothing,
    stays_inside,
    pulses_are_counted_where_they_go,
    pulses_come_in_order,
    ideal_is_exact,
    reading_alters_nothing,
    read_noise_has_the_size_that_is_said,
    no_time_is_no_drift,
    each_switches_alone,
    off_together_is_ideal,
)


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=cases)
def test_every_model_holds_to_the_laws(name: str, case: Case) -> None:
    model = model_of(name)
    for law in LAWS:
        law(model, case)


@pytest.mark.parametrize("name", [name for name in ALL if "read_noise" in model_of(name).non_idealities])
def test_a_read_spreads_as_it_says(name: str) -> None:
    """Over many draws of the model's own `read` at a middle state, with no other noise of reads."""
    model = model_of(name)
    model = model.without([other for other in READ_NOISES if other != "read_noise" and other in model.non_idealities])
    cells = model.manufacture(4000, 1)
    model.program(cells, np.full(4000, 0.4 * model.bounds()[0] + 0.6 * model.bounds()[1]))
    off = (model.read(cells, 0.0, 9) - cells.visible) / model.read_sd(cells.visible)
    assert off.std() == pytest.approx(1.0, abs=0.05) and abs(off.mean()) < 0.08


MANY = 300


def away_from_ends(model: CellModel, seed: int = 0) -> Cells:
    """Many cells, written to the middle of the range and pulsed once up."""
    cells = model.manufacture(MANY, seed)
    model.program(cells, np.full(MANY, sum(model.bounds()) / 2))
    model.pulse(cells, np.ones(MANY, dtype=np.int64))
    return cells


def steps(model: CellModel, up: bool) -> Values:
    """Nominal steps across the middle of the range."""
    low, high = model.bounds()
    return np.array([model.step(float(state), up) for state in np.linspace(low, high, 9)[1:-1]])


def varies(values: Values) -> bool:
    """Not all the same, by more than rounding."""
    return bool(np.ptp(values) > 1e-9 * np.abs(values).max())


def device_to_device(model: CellModel) -> bool:
    return varies(model.manufacture(MANY, 0).spread.sum(axis=1))


def cycle_to_cycle(model: CellModel) -> bool:
    return varies(away_from_ends(model).state)


def write_noise(model: CellModel) -> bool:
    cells = away_from_ends(model)
    return varies(cells.visible - cells.state)


def read_noise(model: CellModel) -> bool:
    cells = away_from_ends(model)
    return not np.array_equal(model.read(cells, 0.0, 1), model.read(cells, 0.0, 2))


def later(model: CellModel) -> bool:
    cells = away_from_ends(model)
    return not np.array_equal(model.read(cells, 0.0, 1), model.read(cells, DAY_S / 2, 1))


def retention(model: CellModel) -> bool:
    if not isinstance(model, PulsedDevice):
        return later(model)
    cells = away_from_ends(model)
    before = cells.state.copy()
    model.leak(cells, 1e4)  # its lifetime is in updates, which take no stated time
    return not np.array_equal(cells.state, before)


def nonlinearity(model: CellModel) -> bool:
    return varies(steps(model, True)) or varies(steps(model, False))


def asymmetry(model: CellModel) -> bool:
    return not np.allclose(steps(model, True), steps(model, False), rtol=1e-9, atol=0)


def quantisation(model: CellModel) -> bool:
    cells, (low, high) = model.manufacture(MANY, 0), model.bounds()
    targets = np.linspace(low, high, MANY)
    model.program(cells, targets)
    return not np.allclose(cells.state, targets, rtol=0, atol=1e-9 * (high - low))


def stuck_at(model: CellModel) -> bool:
    cells = model.manufacture(MANY, 0)
    before = cells.state.copy()
    model.program(cells, np.full(MANY, model.bounds()[1]))
    return bool((cells.state == before).any())


def endurance(model: CellModel) -> bool:
    cells = away_from_ends(model)
    cells.pulses[:] = np.iinfo(np.uint32).max // 2
    before = cells.state.copy()
    model.program(cells, np.full(MANY, model.bounds()[0]))
    return bool((cells.state == before).all())


EFFECTS: dict[str, Callable[[CellModel], bool]] = {
    "device_to_device": device_to_device,
    "cycle_to_cycle": cycle_to_cycle,
    "write_noise": write_noise,
    "programming_noise": write_noise,
    "read_noise": read_noise,
    "flicker_noise": read_noise,
    "drift": later,
    "retention": retention,
    "nonlinearity": nonlinearity,
    "asymmetry": asymmetry,
    "quantisation": quantisation,
    "stuck_at": stuck_at,
    "endurance": endurance,
}
"""Switch -> whether a model shows what it is named after."""
NEEDED = {"drift": ("programming_noise",), "nonlinearity": ("asymmetry",), "asymmetry": ("nonlinearity",)}
"""Switches that another one needs to show: deviations that grow with time must be there; steps that shrink in one
direction where they grow in the other, once equalised, are the same everywhere."""


@pytest.mark.parametrize("name", ALL)
def test_each_switch_does_what_its_name_says(name: str) -> None:
    model = model_of(name)
    for switch in model.non_idealities:
        kept = (switch, *NEEDED.get(switch, ()))
        alone = model.without([other for other in model.non_idealities if other not in kept])
        assert EFFECTS[switch](alone), f"{switch} is on and does nothing"
        assert not EFFECTS[switch](alone.without([switch])), f"{switch} is off and still there"
