"""The benchmarks: arithmetic of rates and roofs, the float reference, tables from records, bars, determinism."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks import (
    collect,
    determinism,
    devices,
    equal_accuracy,
    held_out,
    kept_sweeps,
    peak_memory,
    records,
    reproduce,
    reproduction_table,
    reproductions,
    result_pages,
    results,
    speed,
    tables,
)
from benchmarks.float32.eqprop import FloatEqProp, Settings
from benchmarks.measuring import machine, roofline, rounds, samples, speed_text
from benchmarks.measuring.contestants import ChipContestant, FloatContestant
from edgesdt import datasets
from edgesdt.chip.simulated import Chip
from edgesdt.errors import DataError, EdgesdtError, RunError
from edgesdt.ledger import actions
from edgesdt.readouts import methods
from edgesdt.runs import record as record_file
from edgesdt.spec import load
from tests.small_chips import spec_of

TOP = Path(__file__).parents[2]
Floats = npt.NDArray[np.float32]


# ---------------------------------------------------------------- tables


def test_plain_table_aligns_first_column_left_others_right() -> None:
    assert tables.plain([["a", "bb"], ["ccc", "d"]]) == "a    bb\nccc   d"


def test_markdown_table_escapes_bars() -> None:
    assert tables.markdown([["a", "b"], ["x|y", "2"]]) == "| a | b |\n| --- | --: |\n| x\\|y | 2 |"


@pytest.mark.parametrize("table", [tables.plain, tables.markdown])
def test_rows_of_unequal_length_are_refused(table: Any) -> None:
    with pytest.raises(ValueError):
        table([["a", "b"], ["c"]])


def test_section_is_replaced_and_the_rest_kept(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("before\n<!-- x -->\nold\n<!-- /x -->\nafter\n", encoding="utf-8")
    text = tables.with_section(path, "x", "new")
    assert text == "before\n<!-- x -->\nnew\n<!-- /x -->\nafter\n"
    assert tables.section(text, "x") == "new"
    assert tables.section(text, "y") is None


@pytest.mark.parametrize("text", ["", "<!-- x -->", "<!-- /x --> <!-- x -->"])
def test_missing_marks_are_an_error_that_names_them(tmp_path: Path, text: str) -> None:
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EdgesdtError, match=r"page\.md: no place for the x: it needs a line <!-- x -->"):
        tables.with_section(path, "x", "new")


# ---------------------------------------------------------------- rates


def test_spread_is_median_and_range() -> None:
    assert rounds.Spread.of([3.0, 1.0, 2.0]) == rounds.Spread(2.0, 1.0, 3.0)
    assert str(rounds.Spread.of([1000.0, 2000.0])) == "1,500 (1,000–2,000)"
    with pytest.raises(ValueError):
        rounds.Spread.of([])


def test_rate_goes_on_until_the_time_is_up() -> None:
    now = [0.0]
    asked: list[int] = []

    def step(n: int) -> None:
        asked.append(n)
        now[0] += 0.4

    assert rounds.rate(step, 10, 1.0, clock=lambda: now[0]) == pytest.approx(30 / 1.2)
    assert asked == [10, 10, 10]
    assert rounds.rate(step, 10, 0.0, clock=lambda: now[0]) == pytest.approx(10 / 0.4)


def test_rounds_interleave() -> None:
    order: list[str] = []

    def measure(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = rounds.interleaved({"a": lambda: measure("a"), "b": lambda: measure("b")}, 2)
    assert order == ["a", "b", "a", "b"]
    assert found == {"a": [1.0, 3.0], "b": [2.0, 4.0]}
    assert rounds.ratios(found["b"], found["a"]) == [2.0, 4.0 / 3.0]
    with pytest.raises(ValueError):
        rounds.ratios([1.0], [1.0, 2.0])


# ---------------------------------------------------------------- roof


def test_traffic_of_a_hand_counted_sample() -> None:
    spec = spec_of([4, 3], {"chip.weights.bits": 16})
    counts = {actions.MAC: 20, actions.WEIGHT_WRITE: 6, actions.RANDOM_WORD: 64}
    moved = roofline.traffic(spec, counts, 2)
    assert moved == roofline.Traffic(
        weight_rows=20 * 2 / 2,
        weight_updates=6 * 2 * 2 / 2,
        accumulators=3 * 4 * 2,
        random_words=64 * 4 * 2 / 2,
        inputs=4,
    )
    assert moved.total == 20 + 12 + 24 + 256 + 4
    assert roofline.footprint(spec) == 24
    assert roofline.footprint(spec_of([4, 3, 2])) == 18


def test_traffic_needs_events() -> None:
    with pytest.raises(ValueError, match="event"):
        roofline.traffic(spec_of([4, 3], {"chip.style": "dense"}), {}, 1)
    with pytest.raises(ValueError, match="no samples"):
        roofline.traffic(spec_of([4, 3]), {}, 0)


def test_roof_arithmetic() -> None:
    over = roofline.Roof(bytes_per_sample=1_000.0, bandwidth=1e9, samples_per_s=250_000.0)
    assert over.roof_samples_per_s == 1e6
    assert over.achieved_bytes_per_s == 2.5e8
    assert over.fraction == 0.25


def test_stream_reads_every_word_each_pass() -> None:
    stream = roofline.Stream(8 * 1000 - 3)
    assert stream.nbytes == 8000
    assert stream.read(1) == 999 * 1000 // 2
    assert stream.read(2) == 0


# ---------------------------------------------------------------- float reference


class Watched(FloatEqProp):
    """The reference, with its random draws written down."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, seed=3)
        self.drawn: list[Any] = []

    def keep(self, shape: tuple[int, int], drop: int) -> Any:
        self.drawn.append(super().keep(shape, drop))
        return self.drawn[-1]

    def sign(self) -> float:
        self.drawn.append(super().sign())
        return float(self.drawn[-1])


class Slow:
    """The algorithm as it is written down, sample by sample and step by step, in Python floats."""

    def __init__(self, net: FloatEqProp) -> None:
        self.settings = net.settings
        self.weights = [w.astype(float).tolist() for w in net.weights]
        self.biases = [b.astype(float).tolist() for b in net.biases]
        self.homeostasis = net.homeostasis.astype(float).tolist()

    def steps(self, x: list[float], states: list[list[float]], n: int, beta: float, target: Any, keep: Any) -> Any:
        last, dt = len(states) - 1, self.settings.dt
        for _ in range(n):
            layers = [x, *states]
            moved: list[list[float]] = []
            for k, state in enumerate(states):
                new = []
                for j, s in enumerate(state):
                    pull = -s + self.biases[k][j]
                    pull += sum(pre * self.weights[k][i][j] for i, pre in enumerate(layers[k]))
                    if k < last:
                        pull += sum(post * self.weights[k + 1][j][m] for m, post in enumerate(states[k + 1]))
                    else:
                        pull += beta * (target[j] - s)
                    stepped = min(max(s + dt * pull, 0.0), 1.0)
                    new.append(stepped if k < last or keep[j] else 0.0)
                moved.append(new)
            states = moved
        return states

    def learn_batch(self, batch: list[list[float]], drawn: list[Any]) -> None:
        settings, n = self.settings, len(batch)
        sign, drop_in, drop_out = drawn
        beta, outputs = settings.beta * sign, settings.layers[-1]
        share = settings.winners / outputs
        ends, wins = [], [0] * outputs
        for t, sample in enumerate(batch):
            keep = [True] * outputs if drop_out is None else list(drop_out[t])
            x = [v if drop_in is None or drop_in[t][i] else 0.0 for i, v in enumerate(sample)]
            rest = [[0.0] * m for m in settings.layers[1:]]
            free = self.steps(x, rest, settings.free_steps, 0.0, [0.0] * outputs, keep)
            key = {j: free[-1][j] - self.homeostasis[j] for j in range(outputs) if keep[j]}
            winners = sorted(key, key=lambda j: -key[j])[: settings.winners]
            for j in winners:
                wins[j] += 1
            low = settings.smoothing * share
            target = [low + (1 - settings.smoothing) * (j in winners) for j in range(outputs)]
            nudged = self.steps(x, free, settings.nudged_steps, beta, target, keep)
            ends.append(([x, *free], [x, *nudged]))
        for j in range(outputs):
            self.homeostasis[j] += settings.gamma * (wins[j] / n - share)
        for k, rate in enumerate(settings.learning_rates):
            for free, nudged in ends:
                for j in range(len(self.biases[k])):
                    moved = nudged[k + 1][j] - free[k + 1][j]
                    self.biases[k][j] += rate / (beta * n) * moved
                    for i in range(len(self.weights[k])):
                        contrast = nudged[k][i] * nudged[k + 1][j] - free[k][i] * free[k + 1][j]
                        self.weights[k][i][j] += rate / (beta * n) * contrast


@pytest.mark.parametrize("layers", [[7, 6], [7, 5, 6]])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_reference_agrees_with_the_slow_loops(layers: list[int], dropout: float) -> None:
    spec = spec_of(
        layers,
        {
            "learning.winners": 2,
            "learning.learning_rate": [0.05] * (len(layers) - 1),
            "learning.dropout": {"input": dropout, "output": dropout},
            "chip.weights.init_gain": 1.0,
        },
    )
    net = Watched(dataclasses.replace(Settings.of(spec, 4), tolerance=0.0))
    for bias in net.biases:
        bias += 0.2
    net.homeostasis[:] = np.linspace(0.0, 0.013, 6)  # no two keys are equal: which of them wins is not defined
    slow = Slow(net)
    shown = np.random.RandomState(0).uniform(0, 1, (12, 7)).astype(np.float32)
    before = [w.copy() for w in net.weights]
    net.learn(shown)
    for batch in range(3):
        part = shown[4 * batch : 4 * batch + 4].astype(float).tolist()
        slow.learn_batch(part, net.drawn[3 * batch : 3 * batch + 3])
    for k, weights in enumerate(net.weights):
        assert np.abs(weights - before[k]).max() > 1e-2
        np.testing.assert_allclose(weights, slow.weights[k], atol=2e-5)
        np.testing.assert_allclose(net.biases[k], slow.biases[k], atol=2e-5)
    np.testing.assert_allclose(net.homeostasis, slow.homeostasis, atol=1e-6)


@pytest.mark.parametrize("layers", [[7, 6], [7, 5, 6]])
def test_reference_infers_the_end_of_the_free_phase(layers: list[int]) -> None:
    settings = dataclasses.replace(Settings.of(spec_of(layers), 4), tolerance=0.0, free_steps=3)
    net = FloatEqProp(settings, seed=1)
    for bias in net.biases:
        bias += 0.2
    shown = np.random.RandomState(1).uniform(0, 1, (6, 7)).astype(np.float32)
    slow = Slow(net)
    rest = [[0.0] * n for n in layers[1:]]
    wanted = [slow.steps(x, rest, 3, 0.0, [0.0] * 6, [True] * 6)[-1] for x in shown.astype(float).tolist()]
    found = net.infer(shown)
    assert found.max() > 0.05
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_reference_stops_early_only_within_half_an_lsb() -> None:
    settings = Settings.of(spec_of([7, 5, 6]), 4)
    assert settings.tolerance == 2.0**-9
    shown = np.random.RandomState(1).uniform(0, 1, (6, 7)).astype(np.float32)
    quick = FloatEqProp(settings, seed=1).infer(shown)
    full = FloatEqProp(dataclasses.replace(settings, tolerance=0.0), seed=1).infer(shown)
    assert 0 < np.abs(quick - full).max() < 2.0**-6


def test_reference_learns_digits_without_labels() -> None:
    spec = load("quickstart")
    data = datasets.load("digits")
    net = FloatEqProp(Settings.of(spec, 16), seed=0)

    def shown(x: npt.NDArray[np.uint8]) -> Floats:
        return (x / np.float32(256)).astype(np.float32)

    def infer(x: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
        return (net.infer(shown(x)) * 65535).astype(np.uint16)

    def accuracy() -> float:
        part = data.x_train, data.y_train, data.x_test, data.y_test
        return methods.direct(infer, *part, data.classes)["direct_average"]

    untrained = accuracy()
    draw = np.random.RandomState(0)
    for _ in range(10):
        net.learn(shown(data.x_train[draw.permutation(len(data.x_train))]))
    assert accuracy() > max(0.75, untrained + 0.2)


def test_reference_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match=r"learning\.target"):
        Settings.of(load("mnist_supervised"), 16)
    with pytest.raises(ValueError, match="oscillate"):
        Settings.of(spec_of([4, 3], {"learning.dt": 0.9}), 16)


# ---------------------------------------------------------------- samples and contestants


def test_strokes_have_the_density_of_mnist() -> None:
    found = samples.strokes(20, 0)
    assert found.shape == (20, 784)
    assert np.abs((found > 0).mean(axis=1) - samples.MNIST_DENSITY).max() < 1e-3
    assert len({image.tobytes() for image in found}) == 20
    assert np.array_equal(found, samples.strokes(20, 0))


def test_without_mnist_the_images_say_that_they_are_synthetic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGESDT_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = samples.images(10)
    assert found.pixels.shape == (10, 784)
    assert "synthetic" in found.origin


def test_damaged_mnist_is_an_error_not_a_reason_for_synthetic_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mnist"
    folder.mkdir()
    for split in ("train", "t10k"):
        for kind in ("images-idx3", "labels-idx1"):
            (folder / f"{split}-{kind}-ubyte.gz").write_bytes(b"no image")
    monkeypatch.setenv("EDGESDT_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(DataError):
        samples.images(10)


def test_contestants_walk_through_the_samples_and_begin_again() -> None:
    spec = spec_of([16, 12], {"learning.winners": 2, "chip.weights.frac_bits": 7})
    pixels = np.random.RandomState(2).randint(0, 256, (6, 16)).astype(np.uint8)
    chip = ChipContestant(spec, pixels)
    chip.train(4)
    chip.train(4)
    alone = Chip(spec)
    alone.learn(pixels[[0, 1, 2, 3, 4, 5, 0, 1]])
    assert chip.trained == 8
    assert np.array_equal(chip.chip.rule.weights(0), alone.rule.weights(0))
    assert chip.counts() == alone.counts()
    chip.infer(4)
    chip.infer(4)
    assert chip.inference_counts(3)[actions.INPUT_WRITE] == 3 * 16
    floats = FloatContestant(spec, pixels, 2)
    floats.train(4)
    floats.train(4)
    floats.infer(4)
    assert floats.trained == 8
    assert all(np.isfinite(weights).all() for weights in floats.net.weights)


# ---------------------------------------------------------------- speed


def result_of(train_chip: list[float], train_reference: list[float]) -> dict[str, Any]:
    """A speed result of one case with these rounds."""
    moved = {"weight_rows": 800.0, "weight_updates": 100.0, "random_words": 50.0, "total": 1_000.0}
    case = {
        "layers": [784, 2000],
        "weight_bits": 8,
        "pretrained": {"chip": 500, "reference": 512},
        "early_train_samples_per_s": 10.0,
        "bandwidth_bytes_per_s": [1e9, 2e9],
        "samples_per_s": {
            "train_chip": train_chip,
            "train_reference": train_reference,
            "infer_chip": [3.0, 3.0],
            "infer_reference": [1.0, 1.0],
        },
        "bytes_per_sample": {"train": moved, "infer": moved},
    }
    return {
        "schema": speed.SCHEMA,
        "machine": machine.describe(),
        "samples": "strokes",
        "effort": dataclasses.asdict(speed.QUICK),
        "batch": 16,
        "cases": {"784-2000": case},
    }


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        ([40.0, 44.0], "FALLS SHORT of the bar of 5 ×"),
        ([60.0, 60.0], "holds the bar of 5 ×, not the stretch of 10 ×"),
        ([120.0, 110.0], "holds the bar of 5 × and its stretch of 10 ×"),
    ],
)
def test_speed_verdict(ours: list[float], said: str) -> None:
    case = result_of(ours, [10.0, 10.0])["cases"]["784-2000"]
    assert speed_text.verdict("784-2000", case, 5.0, 10.0).endswith(said)


def test_speed_tables_pair_rounds_and_take_the_best_bandwidth() -> None:
    result = result_of([1e6, 3e6], [1e5, 1e6])
    row = speed_text.speed_rows(result)[1]
    assert row == ["784-2000", "8 bits", "training", "2,000,000 (1,000,000–3,000,000)", "550,000 (100,000–1,000,000)",
                   "6.50 × (3.00–10.00)", "10"]  # fmt: skip
    over = speed_text.roof(result["cases"]["784-2000"], "train")
    assert (over.bandwidth, over.roof_samples_per_s, over.fraction) == (2e9, 2e6, 1.0)
    assert speed_text.roof_rows(result)[1][-2:] == ["2,000,000", "100 %"]


def test_speed_measures_a_case_and_reads_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(speed, "QUICK", speed.Effort(rounds=2, seconds=0.01, pretrain=96, early=32, patience_s=1.0))
    file = tmp_path / "speed.json"
    assert speed.main(["--quick", "--case", "784-300", "--json", str(file)]) == 0
    measured = capsys.readouterr().out
    case = json.loads(file.read_text(encoding="utf-8"))["cases"]["784-300"]
    assert all(len(values) == 2 and min(values) > 0 for values in case["samples_per_s"].values())
    moved = case["bytes_per_sample"]
    assert moved["train"]["weight_updates"] > 0 and moved["infer"]["weight_updates"] == 0
    assert 0 < moved["infer"]["weight_rows"] < 784 * 300
    assert speed.main(["--from", str(file)]) == 0
    assert capsys.readouterr().out in measured
    assert "784-300" in measured and "float32 BLAS" in measured


def test_speed_of_all_cases_measures_the_device_models_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(speed, "QUICK", speed.Effort(rounds=1, seconds=0.01, pretrain=32, early=16, patience_s=1.0))
    monkeypatch.setattr(speed, "CASES", {"784-300": speed.CASES["784-300"]})
    monkeypatch.setattr(devices, "QUICK", devices.Effort(rounds=2, seconds=0.001, rows=30, columns=20))
    file = tmp_path / "speed.json"
    assert speed.main(["--quick", "--json", str(file)]) == 0
    said = capsys.readouterr().out
    assert devices.UPDATE in said and devices.BAR_CASE in said
    page = result_pages.speed_section(speed.read(file))
    assert devices.UPDATE in page and "float32 BLAS" in page


def test_blas_is_held_to_one_thread() -> None:
    from threadpoolctl import threadpool_info

    with rounds.one_thread():
        assert {found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"} == {1}


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 99, "cases": {}}'])
def test_what_is_no_speed_result_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "speed.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EdgesdtError, match=r"speed\.json: not a speed result"):
        speed.read(path)


def test_processor_is_read_from_cpuinfo() -> None:
    assert machine.processor("flags: a\nmodel name\t: Some CPU @ 1 GHz\n") == "Some CPU @ 1 GHz"
    assert machine.processor("") != ""


# ---------------------------------------------------------------- records and result pages


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short real run."""
    from edgesdt.runs.experiment import run

    out = tmp_path_factory.mktemp("runs") / "quickstart-0"
    spec = load("quickstart", ["epochs=2", "data.train=200", "data.test=100"])
    run(spec, out, report=False)
    return out


@pytest.fixture
def made(finished: Path) -> dict[str, Any]:
    """The record of that run."""
    return record_file.read(finished / "record.json")


def other_seed(made: dict[str, Any], seed: int, accuracy: float) -> dict[str, Any]:
    """The record as another seed might have given it."""
    other = copy.deepcopy(made)
    other["seed"] = other["spec"]["seed"] = seed
    other["accuracy"]["direct_average"] = accuracy
    return other


def test_a_kept_record_lacks_only_the_counts_of_epochs(
    made: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    path = records.keep(made)
    assert path == tmp_path / "quickstart-0.json"
    kept = record_file.read(path)
    assert all("counts" not in point and "direct_average" in point for point in kept["curve"])
    assert {key: value for key, value in kept.items() if key != "curve"} == {
        key: value for key, value in made.items() if key != "curve"
    }


def test_records_of_two_specs_do_not_share_a_name(
    made: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    records.keep(made)
    records.keep(made)
    with pytest.raises(EdgesdtError, match=r"quickstart-0\.json: holds the record of another spec"):
        records.keep({**made, "spec_hash": "0" * 16})


def test_records_are_grouped_by_spec_and_ordered_by_seed(made: dict[str, Any]) -> None:
    second = other_seed(made, 1, 0.5)
    third = {**made, "spec_hash": "f" * 16, "name": "zzz"}
    groups = records.by_spec([third, second, made])
    assert [[(m["name"], m["seed"]) for m in group] for group in groups] == [
        [("quickstart", 0), ("quickstart", 1)],
        [("zzz", 0)],
    ]


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, None),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "a[1].b: 2, 3"),
        ({"a": 1}, {"a": 1.0}, "a: 1, 1.0"),
        ({"a": 1}, {}, "a: only in one of them"),
        ({}, {"a": 1}, "a: only in one of them"),
        ({"a": [1]}, {"a": [1, 2]}, "a: 1 and 2 entries"),
        (0.1 + 0.2, 0.3, ": 0.30000000000000004, 0.3"),
    ],
)
def test_first_difference(one: Any, other: Any, said: str | None) -> None:
    assert records.difference(one, other) == said


def test_percent_shows_half_the_range_of_several_seeds() -> None:
    assert result_pages.percent([0.95]) == "95.00"
    assert result_pages.percent([0.95, 0.96]) == "95.50 ± 0.50"


def test_results_row_is_the_mean_over_seeds(made: dict[str, Any]) -> None:
    first = other_seed(made, 0, 0.90)
    row = dict(zip(result_pages.HEAD, result_pages.row([first, other_seed(made, 1, 0.92)]), strict=True))
    assert row["chip"] == "quickstart, 64-200"
    assert row["direct average %"] == "91.00 ± 1.00"
    assert row["epochs"] == "2"
    assert row["classifier %"] == "–"
    assert row["memory used / budget"].endswith("/ 32 KiB")
    assert row["energy/training sample"].endswith("J")


def test_long_page_tells_every_seed_and_every_action(made: dict[str, Any]) -> None:
    page = result_pages.long([made, other_seed(made, 7, 0.125)])
    assert page.startswith(result_pages.short([made, other_seed(made, 7, 0.125)]))
    assert "| 7 | 12.50 |" in page
    trained = 200 * 2
    assert f"| mac | {made['counts']['train']['mac'] / trained:,.2f} |" in page
    assert all(array["name"] in page for array in made["memory"]["arrays"])
    assert "leakage" in page


def test_results_are_written_checked_and_found_stale(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(records, "FOLDER", tmp_path / "records")
    monkeypatch.setattr(results, "README", tmp_path / "README.md")
    monkeypatch.setattr(results, "PAGE", tmp_path / "PAGE.md")
    monkeypatch.setattr(results, "SPEED", tmp_path / "speed.json")
    monkeypatch.setattr(kept_sweeps, "FOLDER", tmp_path / "sweeps")
    for name in ("README.md", "PAGE.md"):
        marks = "".join(f"<!-- {mark} -->\n<!-- /{mark} -->\n" for mark in ("results", "Liu_2024", "speed"))
        (tmp_path / name).write_text(marks)
    with pytest.raises(EdgesdtError, match="no records"):
        results.main([])
    record_file.write(tmp_path / "speed.json", result_of([1.0], [1.0]))
    assert results.main([str(finished)]) == 0
    assert "quickstart, 64-200" in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "784-2000" in (tmp_path / "PAGE.md").read_text(encoding="utf-8")
    assert results.main(["--check", str(finished)]) == 0
    kept = tmp_path / "records" / "quickstart-0.json"
    changed = record_file.read(kept)
    changed["accuracy"]["direct_average"] = 0.5
    record_file.write(kept, changed)
    capsys.readouterr()
    assert results.main(["--check", str(finished)]) == 1
    said = capsys.readouterr().out
    assert "README.md: the results are not those of the kept records" in said
    assert "quickstart-0.json: kept and new differ: accuracy.direct_average: 0.5" in said


def test_collect_keeps_and_names_what_is_no_run(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    assert collect.main([str(finished)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "quickstart-0.json")
    with pytest.raises(EdgesdtError, match=r"record\.json: no readable record"):
        collect.main([str(tmp_path)])


def test_the_tables_of_this_checkout_are_those_of_its_records() -> None:
    assert results.stale(results.pages()) == []


# ---------------------------------------------------------------- reproductions

BARS = {
    "quickstart_digits": ("digits", (64, 200), None, {"direct_average": 0.90}),
    "edge_256KiB": ("mnist", (784, 300), 20, {"direct_average": 0.915}),
    "eqprop_1layer_16bit": ("mnist", (784, 2000), 30, {"direct_average": 0.956}),
    "eqprop_1layer_direct": ("mnist", (784, 2000), 30, {"direct_average": 0.961}),
    "eqprop_1layer_linear": ("mnist", (784, 2000), 30, {"linear": 0.971}),
    "eqprop_1layer_1pc": ("mnist", (784, 2000), 30, {"linear": 0.95}),
    "backprop_2layer": ("mnist", (784, 2000, 2000), None, {"direct_average": 0.96, "linear": 0.972}),
    "eqprop_2layer_small": ("mnist", (784, 400, 400), 6, {"direct_average": 0.90}),
    "supervised": ("mnist", (784, 512, 10), 10, {"output": 0.965}),
}
"""Row → data set, layers, most epochs, bar: what the project asks of itself."""


@pytest.mark.parametrize("name", reproductions.known())
def test_every_row_is_a_spec_that_reads_out_what_its_bars_speak_of(name: str) -> None:
    (row,) = reproductions.chosen([name])
    if row.spec is None:
        with pytest.raises(EdgesdtError, match="no spec to run"):
            row.load(0)
        return
    spec = row.load(row.seeds[0])
    given = {
        "direct": {"direct_average", "direct_max"},
        "linear": {"linear"},
        "output": {"output"},
    }
    read_out = set().union(*(given[name] for name in spec.readout))
    read_out |= {f"untrained_{name}" for name in read_out}
    assert set(row.metrics()) <= read_out
    assert row.load(0, quick=True).epochs == 1


@pytest.mark.parametrize("name", BARS)
def test_the_bars_are_those_that_the_project_asks_of_itself(name: str) -> None:
    (row,) = reproductions.chosen([name])
    data, layers, most, bar = BARS[name]
    spec = row.load(0)
    assert (spec.data.set, spec.chip.layers, row.bar) == (data, layers, bar)
    assert most is None or spec.epochs <= most
    assert row.seeds[:2] == (0, 1)


def test_unknown_row_is_an_error_with_a_hint() -> None:
    with pytest.raises(EdgesdtError, match=r"quickstart_digit: .*did you mean quickstart_digits\?"):
        reproductions.chosen(["quickstart_digit"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "not a mapping"),
        ("{a: [", "cannot be read"),
        ("{title: t, source: s, spec: quickstart, colour: red}", "colour: Extra inputs"),
        ("{source: s, spec: quickstart}", "title: Field required"),
        ("{title: t, source: s, spec: quickstart, seeds: []}", "seeds: Tuple should have at least 1"),
    ],
)
def test_a_bad_row_names_file_and_field(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "row.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EdgesdtError, match=rf"row\.yaml: {said}"):
        reproductions.read(path)


def a_row(**fields: Any) -> reproductions.Row:
    """A row with these fields."""
    return reproductions.Row(**{"name": "r", "title": "t", "source": "s", "spec": "quickstart", **fields})


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        ([0.95, 0.889], "FALLS SHORT by 1.10"),
        ([], "FALLS SHORT by 90.00"),
        ([0.90, 0.95], "holds, 4.00 below its stretch"),
        ([0.94, 0.95], "holds, stretch holds"),
    ],
)
def test_the_worst_of_two_seeds_decides(ours: list[float], said: str) -> None:
    row = a_row(bar={"direct_average": 0.90}, stretch={"direct_average": 0.94})
    assert reproduce.verdict(row, "direct_average", ours) == said
    assert reproduce.verdict(a_row(), "direct_average", ours) == "no bar"


def test_the_mean_of_three_seeds_decides() -> None:
    row = a_row(bar={"direct_average": 0.90})
    assert reproduce.verdict(row, "direct_average", [0.89, 0.90, 0.91]) == "holds"
    assert reproduce.verdict(row, "direct_average", [0.89, 0.89, 0.91]) == "FALLS SHORT by 0.33"


def test_a_folder_names_all_its_rows_once() -> None:
    rows = reproductions.chosen(["supervised", "Liu_2024"])
    assert [row.name for row in rows].count("supervised") == 1
    assert {row.name for row in rows} == set(reproductions.known([reproductions.PAPER]))


def test_two_rows_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "row.yaml").write_text("", encoding="utf-8")
    with pytest.raises(EdgesdtError, match=r"row\.yaml: its name is taken by"):
        reproductions.known([tmp_path / "a", tmp_path / "b"])


def test_table_of_a_paper_has_published_ours_and_controls(made: dict[str, Any]) -> None:
    published = reproductions.Published(
        layers=(64, 200), accuracy={"direct_average": (0.9, 0.01), "untrained_direct_average": (0.5, None)}
    )
    short = ("epochs=2", "data.train=200", "data.test=100")
    row = a_row(published=published, bar={"direct_average": 0.1}, set=short, seeds=(0, 1, 2))
    accuracies = (0.2, 0.25, 0.3)
    seeds = [
        {**made, "seed": seed, "accuracy": {"direct_average": right, "untrained_direct_average": right / 2}}
        for seed, right in enumerate(accuracies)
    ]
    (line,) = reproduction_table.lines(row, seeds)
    assert line[:7] == ["t", "direct average", "90.00 ± 1.00", "25.00 ± 5.00", "3", "10.00", "holds"]
    assert line[10:12] == ["50.00", "12.50 ± 2.50"]
    assert reproduction_table.found(row, {(made["name"], 0): made}) == [made]
    assert reproduction_table.found(row, {(made["name"], 0): {**made, "spec_hash": "older"}}) == []
    assert reproduction_table.lines(a_row(spec=None), [])[0][3:7] == ["–", "–", "–", "not run"]


def test_a_finished_sweep_is_kept_and_tabled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_sweeps, "FOLDER", tmp_path / "kept")
    folder = tmp_path / "sweep"
    folder.mkdir()
    record_file.write(folder / "sweep.json", {"name": "n", "spec": {}, "points": 4})
    energy = {"train_total": 1.0, "train_per_sample": 1e-6, "inference_per_sample": 2e-6}
    lines = []
    for bits, seed, right in ((2, 0, 0.5), (2, 1, 0.7), (4, 0, 0.8), (4, 1, 0.8)):
        found = {
            "accuracy": {"direct_average": right, "untrained_direct_average": 0.1},
            "memory": {"used_bits": 8192 * bits, "budget_bits": 10**6},
            "energy_j": energy,
            **{"versions": {}, "train_samples": 1, "test_samples": 1, "duration_s": 1.0, "curve": []},
        }
        point = {"chip.weights.bits": bits, "chip.layers": [4, 3], "learning.dropout": {"input": 0, "output": 0.1}}
        row = {"schema": 1, "point": point, "seed": seed, "spec_hash": "h", "status": "done", "error": None}
        lines.append(json.dumps({**row, "run": "r", "record": found}) + "\n")
    (folder / "records.jsonl").write_text("".join(lines[:3]), encoding="utf-8")
    with pytest.raises(EdgesdtError, match="3 of 4 runs are done"):
        kept_sweeps.keep(folder)
    (folder / "records.jsonl").write_text("".join(lines), encoding="utf-8")
    assert kept_sweeps.main([str(folder)]) == 0
    head, _, first, _ = kept_sweeps.sections()["sweep n"].splitlines()
    assert head.startswith("| bits | layers | dropout | memory | direct average %")
    assert first == (
        "| 2 | 4-3 | input 0, output 0.1 | 2 KiB | 60.00 ± 14.14 | 10.00 ± 0.00 | 2 | 1 µJ | 2 µJ |"
    )
    with pytest.raises(EdgesdtError, match="no sweep"):
        kept_sweeps.keep(tmp_path)


def test_constants_are_judged_on_training_images_alone(capsys: pytest.CaptureFixture[str]) -> None:
    data = datasets.load("digits", 1000, 100)
    part = held_out.split(data, 300, 500)
    assert (part.x_train == data.x_train[:500]).all()
    assert (part.x_test == data.x_train[700:]).all()
    assert (part.y_test == data.y_train[700:]).all()
    with pytest.raises(EdgesdtError, match="1000 held out and 0 to learn from"):
        held_out.split(data, 1000)
    short = ["--set", "epochs=1", "--set", "data.train=300"]
    assert held_out.main(["quickstart", *short, "--held", "100", "--labels", "50"]) == 0
    said = capsys.readouterr().out
    assert re.fullmatch(r"quickstart .*: 15\.46 KiB, direct average .* %, linear with 50 labels .* %\n", said)


def test_energy_until_both_rules_reach_the_goal() -> None:
    def curve(*points: tuple[float, float]) -> dict[str, Any]:
        steps = [{"epoch": n + 1, "direct_average": a, "energy_j": j} for n, (a, j) in enumerate(points)]
        return {"name": "n", "train_samples": 10, "curve": steps}

    one, other = curve((0.5, 2.0), (0.7, 1.0)), curve((0.7066, 4.0), (0.69, 1.0))
    assert equal_accuracy.reached_by_all([[one], [other]]) == 0.7
    assert equal_accuracy.until(one, 0.7) == (20, 3.0)
    assert equal_accuracy.until(other, 0.7) == (10, 4.0)
    with pytest.raises(ValueError, match="never reaches"):
        equal_accuracy.until(one, 0.71)
    chips = [
        [{**curve((right, 1.0)), "accuracy": {"direct_average": right}, "energy_j": {"train_per_sample": 1e-6},
          "spec": {"chip": {"layers": [4, 3]}, "learning": {"rule": rule}}}]
        for rule, right in (("eqprop", 0.8), ("eqprop", 0.6), ("backprop", 0.7))
    ]
    assert [(row[1], row[2], row[-1]) for row in equal_accuracy.rows(chips)] == [
        ("backprop", "70.00", "70.00"), ("eqprop", "80.00", "70.00"),
    ]  # fmt: skip


def test_reproduction_table_shows_published_ours_and_gap() -> None:
    published = reproductions.Published(
        layers=(784, 2000), accuracy={"direct_average": (0.9577, 0.0008), "linear": (0.97, None)}
    )
    row = a_row(published=published, bar={"direct_average": 0.956})
    found = reproduce.table(row, [{"accuracy": {"direct_average": 0.955}}, {"accuracy": {"direct_average": 0.957}}])
    assert found == [
        ["r", "direct average", "95.77 ± 0.08", "95.50, 95.70", "-0.17", "95.60", "FALLS SHORT by 0.10"],
        ["r", "linear", "97.00", "not read out", "–", "–", "no bar"],
    ]


def test_quick_reproduction_runs_and_judges_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduce.main(["quickstart_digits", "--quick", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[1].endswith("not judged (quick)")
    assert record_file.read(tmp_path / "quickstart-quick-0" / "record.json")["train_samples"] == 1_000


def test_a_shortfall_is_printed_and_makes_the_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    little = ("epochs=1", "data.train=100")
    hard = a_row(set=little, seeds=(0,), bar={"direct_average": 1.0}, note="too little to learn")
    monkeypatch.setattr(reproduce, "chosen", lambda names: [hard])
    assert reproduce.main(["--out", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "FALLS SHORT" in said
    assert "too little to learn" in said


# ---------------------------------------------------------------- determinism and memory


def test_trials_need_an_epoch_to_resume_after() -> None:
    assert [trial.kill_at for trial in determinism.trials(30)] == [(), (), (), (0, 15)]
    with pytest.raises(EdgesdtError, match="epochs: 1; allowed: 2 or more"):
        determinism.trials(1)


def test_progress_is_read_from_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    assert not determinism.reached(log, 0)
    log.write_text("T untrained direct_average 1 %\nT epoch 1/30 direct_average 2 %\n", encoding="utf-8")
    assert determinism.reached(log, 0)
    assert determinism.reached(log, 1)
    assert not determinism.reached(log, 3)


def test_a_difference_in_record_or_weights_is_found(finished: Path, made: dict[str, Any], tmp_path: Path) -> None:
    assert determinism.faults(finished, finished) == {}
    changed = copy.deepcopy(made)
    changed["counts"]["train"]["mac"] += 1
    record_file.write(tmp_path / "record.json", changed)
    with np.load(finished / "weights.npz") as file:
        arrays = {name: file[name].copy() for name in file.files}
    arrays["weights_0"][3, 4] += 1
    np.savez(tmp_path / "weights.npz", **arrays)
    found = determinism.faults(finished, tmp_path)
    assert set(found) == {"counts", "weights.npz"}
    assert found["counts"].startswith("counts.train.mac: ")
    assert determinism.rows({"two threads": found})[3] == ["counts", "DIFFERS"]


def test_two_threads_and_kill_and_resume_give_the_same_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hard = determinism.Trial("two threads, killed", threads=2, kill_at=(15,))
    monkeypatch.setattr(determinism, "trials", lambda epochs: [determinism.Trial("first run"), hard])
    assert determinism.main(["quickstart"]) == 0
    said = capsys.readouterr().out
    assert "DIFFERS" not in said
    assert said.count(" same\n") == len((*determinism.FIELDS, determinism.WEIGHTS))


def test_a_run_that_fails_is_told_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"first run: .* ended with 2\nno_such_spec: "):
        determinism.go(determinism.Trial("first run"), "no_such_spec", [], tmp_path / "x")


def test_a_run_that_is_over_cannot_be_killed(tmp_path: Path) -> None:
    late = determinism.Trial("killed", kill_at=(99,))
    overrides = ["epochs=1", "data.train=50", "data.test=20"]
    with pytest.raises(RunError, match="the run was over"):
        determinism.go(late, "quickstart", overrides, tmp_path / "x")


def test_peak_memory_is_that_of_the_command() -> None:
    code = (
        "import os, sys; from benchmarks.peak_memory import peak_bits;"
        "print(peak_bits([sys.executable, '-c', 'x = b\"1\" * (200 << 20)'], dict(os.environ)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=TOP)
    assert 200 << 23 < int(done.stdout) < 260 << 23


def test_peak_memory_is_held_against_its_limit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peak_memory, "peak_bits", lambda *_: 300 << 23)
    assert peak_memory.main(["quickstart", "--limit", "600 MiB"]) == 0
    assert "300 MiB, within the limit of 600 MiB" in capsys.readouterr().out
    assert peak_memory.main(["quickstart", "--limit", "299 MiB"]) == 1
    assert "ABOVE the limit" in capsys.readouterr().out


def test_peak_memory_of_a_failing_command() -> None:
    with pytest.raises(RunError, match="ended with 3"):
        peak_memory.peak_bits([sys.executable, "-c", "raise SystemExit(3)"], {})


def command_of(name: str) -> Any:
    """The module with `main` of a command: a module, or `commands` of a package."""
    module = importlib.import_module(name)
    return module if hasattr(module, "main") else importlib.import_module(f"{name}.commands")


def test_every_command_of_the_readme_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    names = set(re.findall(r"python -m (benchmarks\.\w+)", (TOP / "benchmarks/README.md").read_text(encoding="utf-8")))
    assert {"benchmarks.speed", "benchmarks.reproduce", "benchmarks.determinism", "benchmarks.results"} <= names
    for name in names:
        with pytest.raises(SystemExit) as left:
            command_of(name).main(["--help"])
        assert left.value.code == 0
        assert name in capsys.readouterr().out


def test_bad_input_is_one_line_and_exit_code_2() -> None:
    run = [sys.executable, "-m", "benchmarks.reproduce", "no_such_row"]
    done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=TOP)
    assert done.returncode == 2
    assert done.stderr.startswith("no_such_row: not a row to reproduce")
    assert "Traceback" not in done.stderr
