"""`check` and `sweep --plan` look at the data: they refuse what a run refuses, and say what they assume without any."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesdt import datasets
from edgesdt.chip.simulated import Chip
from edgesdt.errors import SpecError
from edgesdt.spec import load, loads
from edgesdt.suggest import frac_bits
from tests.conftest import SMALL, Said

Cli = Callable[..., Said]

OWN = SMALL.replace("set: digits, train: 700, test: 200", "set: own.npz") + (
    "sweep: {method: grid, parameters: {learning.winners: [1, 2]}}\n"
)


def arrays() -> dict[str, Any]:
    """A sound set: 60 and 20 samples of 64 features, 4 classes."""
    rng = np.random.RandomState(1)
    labels = np.arange(80) % 4
    x = (rng.randint(0, 60, (80, 64)) + 40 * (labels[:, None] == np.arange(64) % 4)).astype(np.uint8)
    return {"x_train": x[:60], "y_train": labels[:60], "x_test": x[60:], "y_test": labels[60:]}


def broken() -> dict[str, tuple[dict[str, Any] | None, str]]:
    """What may be wrong with a set of one's own, and what is said of it."""
    good = arrays()
    nan = good["x_train"] / 255.0
    nan[3, 5] = np.nan
    return {
        "no file": (None, "own.npz: cannot be read"),
        "NaN": (good | {"x_train": nan}, "x_train[3, 5] is nan"),
        "labels that are text": (good | {"y_train": np.array(["a"] * 60)}, "y_train has type <U1"),
        "one-hot labels": (good | {"y_train": np.eye(4, dtype=int)[good["y_train"]]}, "y_train has shape (60, 4)"),
        "negative labels": (good | {"y_test": good["y_test"] - 1}, "y_test[0] is -1"),
        "other features": (good | {k: good[k][:, :32] for k in ("x_train", "x_test")}, "allowed: 32"),
        "no test split": ({k: v for k, v in good.items() if "test" not in k}, "no array x_test, y_test"),
        "too few samples": (good | {"y_train": good["y_train"][:9]}, "x_train has 60 samples, y_train 9"),
    }


@pytest.fixture
def own(tmp_path: Path) -> Callable[[dict[str, Any] | None], Path]:
    """Write a spec of one's own set, and the set."""

    def write(found: dict[str, Any] | None) -> Path:
        if found is not None:
            np.savez(tmp_path / "own.npz", **found)
        path = tmp_path / "own.yaml"
        path.write_text(OWN, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("fault", broken())
def test_what_a_run_refuses_is_refused_before_it(
    fault: str, own: Callable[[dict[str, Any] | None], Path], cli: Cli
) -> None:
    found, told = broken()[fault]
    path = own(found)
    alone = ("--set", "sweep=null")
    run = cli("run", path, *alone).refused(told)
    assert cli("check", path, *alone).refused(told).err == run.err
    assert cli("check", path, "--resolved", *alone).refused(told).err == run.err
    cli("sweep", path, "--plan").refused(told)


def test_classes_and_samples_are_held_against_the_spec(
    own: Callable[[dict[str, Any] | None], Path], cli: Cli
) -> None:
    path = own(arrays())
    for changes, told in (
        (["learning.target=label", "chip.layers=[64, 7]"], "last layer 7, allowed: 4"),
        (["data.train=61"], "61 training samples asked for, it has 60"),
    ):
        sets = [word for change in changes for word in ("--set", change)]
        run = cli("run", path, "--set", "sweep=null", *sets).refused(told)
        assert cli("check", path, *sets).refused(told).err == run.err


def test_without_data_it_is_assumed(own: Callable[[dict[str, Any] | None], Path], cli: Cli, tmp_path: Path) -> None:
    path = own(None)
    said = cli("check", path, "--assume")
    assert said.code == 0 and "(assuming 20% of the inputs not zero" in said.out
    assert "(assuming 90% of the inputs not zero" in cli("check", path, "--assume", "0.9").out
    planned = cli("sweep", path, "--plan", "--assume", "0.9")
    assert planned.code == 0 and "assuming 90% of the inputs not zero" in planned.out
    assert cli("check", path, "--assume", "--resolved").code == 0
    cli("check", path, "--assume", "1.1").refused("'1.1': allowed: a share 0..1")
    cli("check", "--assume", path).refused("(then after SPEC)")
    cli("sweep", path, "--assume").refused("--assume: only with --plan")
    assert [file.name for file in tmp_path.iterdir()] == ["own.yaml"]


def test_a_set_that_is_not_here_is_not_fetched_but_said(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGESDT_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    said = cli("check", "mnist_edge")
    assert (said.code, said.err) == (0, "")
    assert "(mnist is not on this machine (edgesdt data fetch mnist): assuming 20% of the inputs not zero" in said.out
    assert list(tmp_path.iterdir()) == []


def test_the_prediction_is_of_the_data(own: Callable[[dict[str, Any] | None], Path], cli: Cli) -> None:
    full = arrays()
    path = own(full)
    busy = cli("check", path).out
    own(full | {k: np.where(np.arange(64) < 6, full[k], 0).astype(np.uint8) for k in ("x_train", "x_test")})
    idle = cli("check", path).out
    assert "measured from sample" in busy and "measured from sample" in idle
    assert energy(busy) > 3 * energy(idle)


def energy(out: str) -> float:
    """Energy of a training sample that `check` shows [pJ]."""
    number, unit = next(line for line in out.splitlines() if line.startswith("  energy ")).split()[1:3]
    return float(number) * {"pJ": 1.0, "nJ": 1e3}[unit]


@pytest.mark.parametrize(
    ("sweep", "told"),
    [
        ("{learning.winers: [1]}", "'learning.winers': unknown key"),
        ("{learning.winners: [1, 99]}", "too many winners: 99"),
        ("{chip.weights.bits: [4, 99]}", "chip.weights.bits: out of range: 99"),
        ("{method: zip, parameters: {chip.weights.bits: [4, 8], learning.winners: [1, 99]}}", "too many winners: 99"),
        ("{method: random, samples: 5, parameters: {chip.weights.bits: {min: 50, max: 99}}}", "out of range: "),
        ("{method: search, parameters: {chip.weights.bits: [4, 99]}}", "chip.weights.bits: out of range: 99"),
        ("{chip.clock: {min: 1 MHz, max: 9 MHz, step: 0.002 MHz}, chip.weights.bits: [4, 99]}", "out of range: 99"),
        ("{method: gird, parameters: {learning.winners: [1]}}", "unknown choice: 'gird'"),
        ("{groups: [{chip.weights.bits: 99, chip.weights.frac_bits: 3}]}", "chip.weights.bits: out of range: 99"),
    ],
)
def test_check_refuses_the_points_that_a_sweep_refuses(
    sweep: str, told: str, own: Callable[[dict[str, Any] | None], Path], cli: Cli
) -> None:
    path = own(arrays())
    said = cli("check", path, "--assume", "--set", f"sweep={sweep}").refused(told)
    if "step" in sweep or "search" in sweep:  # a large grid is looked at in part; a search plans no points
        return
    assert cli("sweep", path, "--plan", "--assume", "--set", f"sweep={sweep}").err == said.err


def test_check_says_which_points_it_has_looked_at(own: Callable[[dict[str, Any] | None], Path], cli: Cli) -> None:
    path = own(arrays())
    assert "\nsweep, grid of 2 points: all can be\n" in cli("check", path, "--assume").out
    many = "sweep={chip.clock: {min: 1 MHz, max: 9 MHz, step: 0.002 MHz}}"
    assert "every field and its ends can be (all points up to 2,000)" in cli(
        "check", path, "--assume", "--set", many
    ).out


def labelled(change: str) -> dict[str, Any]:
    """Sets whose labels cannot all be learnt."""
    full = arrays()
    if change == "one class":
        return full | {"y_train": np.zeros(60, int)}
    return full | {"y_train": full["y_train"] % 3}


@pytest.mark.parametrize(
    ("change", "sets", "told"),
    [
        ("one class", (), "data.set: every training sample is of class 0: no read-out can tell classes apart"),
        ("no 3", (), "data.set: test label 3 (25 % of the test samples) not among the training samples"),
        ("few", ("label_fraction=0.03",), "label_fraction: 0.03: test label "),
    ],
)
def test_labels_that_cannot_be_learnt_are_said_in_check_and_run(
    change: str, sets: tuple[str, ...], told: str, own: Callable[[dict[str, Any] | None], Path], cli: Cli
) -> None:
    path = own(labelled(change))
    words = [word for change in ("sweep=null", "epochs=1", *sets) for word in ("--set", change)]
    checked, ran = (cli(*command, path, *words) for command in (("check",), ("run", "--out", "out")))
    assert checked.code == ran.code == 0
    for said in (checked, ran):
        assert f"warning: {told}" in said.err
    warned = [line for line in checked.err.splitlines() if line.startswith("warning: ")]
    assert all(line in ran.err for line in warned)


AUTO = ("--set", "chip.weights.frac_bits=auto", "--set", "data={set: digits, train: 300, test: 50}")


def test_auto_becomes_a_number_in_whatever_is_resolved(small: Path, cli: Cli, tmp_path: Path) -> None:
    said = cli("check", small, "--resolved", *AUTO)
    assert said.code == 0, said.err
    (tmp_path / "resolved.yaml").write_text(said.out, encoding="utf-8")
    bits = load(str(tmp_path / "resolved.yaml")).chip.weights.frac_bits
    assert isinstance(bits, int)
    shown = cli("check", small, *AUTO).out
    assert f"weights 8 bits ({bits} fractional)" in shown
    made = cli("run", small, "--out", "made", *AUTO)
    assert made.code == 0 and f"chip.weights.frac_bits: {bits}, chosen on held-out training samples" in made.err
    assert f"frac_bits: {bits}" in (tmp_path / "made" / "spec.yaml").read_text(encoding="utf-8")
    assert cli("run", small, "--out", "made", *AUTO).code == 0, "the same folder is found again"


def test_auto_sees_no_test_sample_and_is_the_same_again() -> None:
    spec = loads(SMALL, overrides=["chip.weights.frac_bits=auto"])
    data = datasets.load("digits", 300, 50)
    blind = datasets.Dataset(
        data.name, data.x_train, data.y_train, data.x_test * 0, data.y_test * 0, data.shape, data.classes
    )
    assert frac_bits.chosen(spec, data) == frac_bits.chosen(spec, data) == frac_bits.chosen(spec, blind)


@pytest.mark.parametrize(
    ("change", "finest"),
    [("chip.weights.init_gain=0.5", 10), ("chip.weights.bits=16", 18), ("chip.weights.init_gain=0", 12),
     ("chip.layers=[64, 4000]", 12)],
)  # fmt: skip
def test_without_data_auto_is_the_finest_that_holds_the_first_weights(change: str, finest: int) -> None:
    spec = loads(SMALL, overrides=["chip.weights.frac_bits=auto", "chip.memory_budget=1 MiB", change])
    assert frac_bits.without_data(spec).chip.weights.frac_bits == finest
    assert frac_bits.without_data(loads(SMALL)) == loads(SMALL)


def test_a_chip_by_itself_wants_a_number() -> None:
    with pytest.raises(SpecError, match=r"chip\.weights\.frac_bits: auto, allowed here: -8\.\.24"):
        Chip(loads(SMALL, overrides=["chip.weights.frac_bits=auto"]))


def test_auto_is_a_value_of_a_sweep(small: Path, cli: Cli) -> None:
    section = "sweep={method: grid, parameters: {chip.weights.frac_bits: [8, auto]}}"
    said = cli("sweep", small, "--set", section, *AUTO[2:], "--set", "epochs=1", "--quiet", "--workers", "1")
    assert said.code == 0, said.err
    assert "auto" in cli("sweep", small, "--set", section, "--plan").out
    cli("check", small, "--set", "chip.weights.frac_bits=automatic").refused("allowed: an integer -8..24, or auto")
