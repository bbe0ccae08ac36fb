"""The report of a run: what the page says, that it stands alone, and what a damaged folder gets."""

from __future__ import annotations

import base64
import copy
import io
import json
import re
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesdt import report
from edgesdt.errors import EdgesdtError, RunError
from edgesdt.report.drawing import charts, wording
from edgesdt.report.files import folders
from edgesdt.report.run import comparison, curves, receptive_fields, summary

VOID = {"meta", "link", "br", "img", "hr", "input"}
Maker = Callable[..., Path]


class Page(HTMLParser):
    """A report read back: text by element, and faults of its structure as they are met."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.headings: list[str] = []
        self.rows: list[list[str]] = []
        self.words: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == [], f"left open: {self.open}"
        self.text = re.sub(r"\s+", " ", "".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self._seen(tag, dict(attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._seen(tag, dict(attrs))

    def _seen(self, tag: str, found: dict[str, str | None]) -> None:
        self.tags.append(tag)
        if tag not in ("a", "b", "code", "i", "small", "span"):
            self.words.append(" ")
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "a":
            self.links.append(str(found["href"]))
        else:
            self.loads += [str(found[name]) for name in ("src", "href", "srcset", "data") if name in found]
        if tag == "img":
            self.images.append(found)
        if tag in ("h1", "h2", "h3"):
            self.headings.append("")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.words.append(data)
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings[-1] += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def row(self, first: str) -> list[str]:
        """The first table row that starts with `first`."""
        return next(row for row in self.rows if row and row[0] == first)


def make_record(*, bits: int = 8, epochs: int = 4, seed: int = 0, name: str = "mnist_edge") -> dict[str, Any]:
    """A record of a 16-inputs, 6-neurons chip whose figures agree with each other."""
    train = {"weight_read": 31e-9, "mac": 23.5e-9, "lfsr": 4.5e-9, "leakage": 1e-9 * bits / 8}
    inference = {"weight_read": 11e-9, "mac": 8.5e-9, "leakage": 0.5e-9}
    per_sample, samples = sum(train.values()), 60000
    arrays = [
        {"name": "weights_0", "shape": [16, 6], "format": f"s{bits}.9", "bits": 96 * bits},
        {"name": "homeostasis", "shape": [6], "format": "s16.12", "bits": 96},
    ]
    shown = [0.84, 0.88, 0.9, 0.91, 0.92][:epochs]
    curve = [
        {
            "epoch": e,
            "direct_average": y,
            "direct_max": y - 0.03,
            "energy_j": per_sample * samples * e,
            "learning_rate": 0.002 / e,
        }
        for e, y in enumerate(shown, start=1)
    ]
    return {
        "schema": 1,
        "name": name,
        "seed": seed,
        "spec_hash": "9f1c27ab44d0e3b1",
        "started": "2025-01-15T09:12:44Z",
        "duration_s": 187.4,
        "train_samples": samples,
        "test_samples": 10000,
        "spec": {
            "name": name,
            "data": {"set": "mnist", "train": samples, "test": 10000},
            "chip": {"layers": [16, 6], "weights": {"bits": bits, "frac_bits": 9}, "memory_budget": "128 B"},
            "learning": {"rule": "eqprop", "target": "self_defined", "winners": 2},
            "epochs": epochs,
        },
        "versions": {"edgesdt": "0.1.0", "python": "3.11.7", "numpy": "2.3.5", "numba": "0.68.1"},
        "accuracy": {
            "direct_average": shown[-1],
            "direct_max": shown[-1] - 0.03,
            "linear": 0.9583,
            "untrained_direct_average": 0.6083,
            "untrained_direct_max": 0.3461,
            "untrained_linear": 0.9512,
        },
        "curve": curve,
        "counts": {
            "train": {"mac": 96 * samples * epochs, "sram_read": 12_345_678_901, "lfsr_draw": 1000},
            "inference": {"mac": 960_000, "sram_read": 71_022},
        },
        "energy_j": {
            "train_total": per_sample * samples * epochs,
            "train_per_sample": per_sample,
            "inference_per_sample": sum(inference.values()),
            "train_breakdown": train,
            "inference_breakdown": inference,
        },
        "latency_s": {"train_per_sample": 20e-6, "inference_per_sample": 5e-6},
        "area_mm2": {"total": 0.5, "breakdown": {"sram": 0.4, "mac_array": 0.1}},
        "memory": {
            "used_bits": sum(int(str(a["bits"])) for a in arrays),
            "budget_bits": 1024,
            "arrays": arrays,
            "simulator": [{"name": "training set", "shape": [60000, 16], "format": "u8", "bits": 7_680_000}],
        },
        "device": {"model": "sram", "writes_total": 812_441_230, "writes_per_cell_max": 41_233},
        "technology": {
            "table": "cmos_45nm",
            "node_nm": 45,
            "clock_hz": 2e8,
            "sources": ["M. Horowitz, ISSCC 2014", "CACTI 6.5, https://doi.org/10.1109/MICRO.2007.33"],
        },
        "speed": {"train_samples_per_s": 41233.2, "inference_samples_per_s": 88021.0},
    }


def make_weights() -> dict[str, Any]:
    """Six neurons on a 4 x 4 image; neuron j has one positive pixel, j, and one negative, 15 - j."""
    codes = np.zeros((16, 6), np.int8)
    codes[np.arange(6), np.arange(6)] = 40 + np.arange(6)
    codes[15 - np.arange(6), np.arange(6)] = -64
    activity = np.array([3, 1, 9, 0, 7, 5], np.int64)
    return {"weights_0": codes, "activity": activity, "image_shape": [4, 4], "weights_frac_bits": [9]}


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    """Writes a run folder: `make("a", record, weights)`."""

    def build(
        name: str = "run", record: dict[str, Any] | None = None, weights: dict[str, Any] | None = None
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "record.json").write_text(json.dumps(make_record() if record is None else record))
        np.savez(folder / "weights.npz", **(make_weights() if weights is None else weights))
        return folder

    return build


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The report of the plain record, made once."""
    folder = tmp_path_factory.mktemp("plain") / "run"
    folder.mkdir()
    (folder / "record.json").write_text(json.dumps(make_record()))
    np.savez(folder / "weights.npz", **make_weights())
    return page_of(folder)


def page_of(*run_dirs: Path, table: str | None = None) -> Page:
    return Page(report.write(run_dirs, run_dirs[0].parent / "out" / "report.html", table=table))


# -------------------------------------------------------------------------------- what one run's page says


def test_the_headline_tells_accuracy_beside_its_control_and_what_a_sample_costs(page: Page) -> None:
    assert page.headings[0] == "mnist_edge"
    head = page.text[page.text.index("Accuracy") : page.text.index("Accuracy over epochs")]
    for told in (
        "91.00 %",
        "untrained control 60.83 %",
        "60 nJ",
        "14.4 mJ for the whole training",
        "20 nJ",
        "a training sample costs 3 × as much",
        "20 µs",
        "an inference takes 5 µs",
        "0.5 mm²",
        "SRAM takes 80.0 % of it",
        "108 B",
        "84.4 % of the budget of 128 B",
    ):
        assert told in head, told


def test_every_section_is_there_in_order_and_the_navigation_reaches_it(page: Page) -> None:
    sections = ["Accuracy", "Energy", "Actions", "Latency and area", "Memory", "Receptive fields", "Device"]
    sections += ["Technology", "Spec", "Provenance"]
    assert [h for h in page.headings if h in sections] == sections
    targets = [link[1:] for link in page.links if link.startswith("#")]
    assert len(targets) == len(sections) + 1  # and the skip link
    assert set(targets) <= set(page.ids)


def test_readouts_show_interval_control_and_gain(page: Page) -> None:
    assert page.row("direct association, average") == [
        "direct association, average",
        "91.00 %90.4 to 91.5 %",
        "60.83 %",
        "+30.2",
    ]
    assert page.row("linear classifier")[2:] == ["95.12 %", "+0.7"]
    assert "Read-outs on 10,000 test samples" in page.text


def test_a_label_target_leads_with_the_output_neurons(make: Maker) -> None:
    record = make_record()
    record["spec"]["learning"]["target"] = "label"
    record["accuracy"] |= {"output": 0.9712, "untrained_output": 0.0980}
    assert "97.12 % output neurons untrained control 9.80 %" in page_of(make(record=record)).text


def test_energy_bars_carry_joules_shares_and_lengths(page: Page) -> None:
    assert page.row("weight read") == ["weight read", "", "31 nJ", "51.7 %"]
    assert page.row("leakage")[2:] == ["1 nJ", "1.7 %"]
    assert "Training 60 nJ per sample" in page.text
    assert "Inference 20 nJ per sample" in page.text
    bars = re.findall(r'class="bar"><i class="c1" style="width:([\d.]+)%"', page.source)
    assert bars[:4] == ["100.00", "75.81", "14.52", "3.23"]  # training, longest first, of 31 nJ


def test_leakage_is_broken_down_per_sample(make: Maker) -> None:
    record = make_record()
    energy = record["energy_j"]
    samples = energy["train_total"] / energy["train_per_sample"]
    energy["train_leakage"] = {"drivers": 0.75e-9 * samples, "decoders": 0.25e-9 * samples}
    energy["inference_leakage"] = {"drivers": 0.5e-9}
    record["technology"]["leakage_breakdown_w"] = {"drivers": 1.0}
    page = page_of(make("leaking", record))
    assert "Leakage in training 1 nJ per sample" in page.text and "Leakage in inference 500 pJ per sample" in page.text
    assert page.row("drivers")[2:] == ["750 pJ", "75.0 %"]
    assert page.row("decoders")[2:] == ["250 pJ", "25.0 %"]
    assert "leakage breakdown" not in page.text


def test_action_counts_are_exact(page: Page) -> None:
    assert page.row("SRAM read") == ["SRAM read", "12,345,678,901", "51,440", "71,022"]
    assert ["MAC", "23,040,000", "96", "960,000"] in page.rows
    assert ["LFSR draw", "1,000", wording.count(1000 / 240_000), wording.ABSENT] in page.rows
    assert "240,000 training samples were presented" in page.text


def test_latency_gives_rate_and_mean_power(page: Page) -> None:
    assert page.row("latency per sample") == ["latency per sample", "20 µs", "5 µs"]
    assert page.row("samples per second") == ["samples per second", "50,000 /s", "200,000 /s"]
    assert page.row("mean power") == ["mean power", "3 mW", "4 mW"]  # 60 nJ in 20 µs, 20 nJ in 5 µs
    assert ["SRAM", "", "0.4 mm²", "80.0 %"] in page.rows


def test_the_memory_map_lists_every_array_and_what_the_simulator_keeps(page: Page) -> None:
    assert page.row("weights_0") == ["weights_0", "16 × 6", "s8.9", "96 B", "88.9 %"]
    assert page.row("homeostasis") == ["homeostasis", "6", "s16.12", "12 B", "11.1 %"]
    assert "108 B used of a budget of 128 B (84.4 %)" in page.text
    assert "training set (60,000 × 16, u8, 937.5 KiB)" in page.text
    widths = [
        float(w) for w in re.findall(r'<i class="c\d broad" style="width:([\d.]+)%" title', page.source)
    ]
    assert widths == [75.0, 9.375]  # of the whole budget, the rest is free


def test_a_map_over_its_budget_says_so(make: Maker) -> None:
    record = make_record()
    record["memory"]["budget_bits"] = 512
    page = page_of(make(record=record))
    assert "108 B used of a budget of 64 B (168.8 %): over budget" in page.text
    assert 'class="map over"' in page.source


def test_spec_provenance_device_and_sources(page: Page) -> None:
    assert "memory_budget: 128 B" in page.text
    for told in ("9f1c27ab44d0e3b1", "2025-01-15 09:12:44 UTC", "3 min 7 s", "numba 0.68.1"):
        assert told in page.text, told
    for told in ("writes in all 812.4 M", "writes to the busiest cell 41,233", "clock 200 MHz", "node 45 nm"):
        assert told in page.text, told
    assert "simulated training samples 41,233 /s" in page.text
    assert "M. Horowitz, ISSCC 2014" in page.text
    assert "https://doi.org/10.1109/MICRO.2007.33" in page.links


def test_cells_show_their_wear_and_how_they_rest(make: Maker) -> None:
    """The endurance histogram in order, as bars; the accuracy at each time of the deployment."""
    record = make_record()
    counted = {"never": 12, "1 or more": 0, "10 or more": 30, "1000 or more": 6}
    record["device"] |= {"model": "EcRam", "cells": 48, "writes_histogram": counted}
    record["deployment"] = [
        {"time_s": 0.0, "direct_average": 0.9, "direct_max": 0.8},
        {"time_s": 86400.0, "direct_average": 0.55, "direct_max": 0.4},
    ]
    page = page_of(make(record=record))
    for row in (["never", "", "12", "25.0 %"], ["10 to 99", "", "30", "62.5 %"], ["1000 or more", "", "6", "12.5 %"]):
        assert row in page.rows, row
    assert "Pulses received 48 cells" in page.text and "writes histogram" not in page.text
    found = [row for row in page.rows if row[0] in ("0 s", "24 h", "1 day")]
    assert [row[1:] for row in found] == [["90.00 %", "80.00 %"], ["55.00 %", "40.00 %"]]


def test_a_digital_chip_shows_no_wear(page: Page) -> None:
    assert "Pulses received" not in page.text and "after a rest" not in page.text


def test_curve_values_are_there_as_a_table(page: Page) -> None:
    assert ["2", "88.00 %", "85.00 %", "7.2 mJ", "0.001"] in page.rows


# ----------------------------------------------------------------------------------------- it stands alone


def test_nothing_is_loaded_from_anywhere(make: Maker) -> None:
    page = page_of(make("a"), make("b", make_record(bits=4)))
    assert page.loads, "there are images and chart references to look at"
    assert all(load.startswith(("data:", "#")) for load in page.loads)
    assert not {"script", "iframe", "object", "embed", "base"} & set(page.tags)
    assert page.tags.count("style") == 1, "a chart's own rules would hold for the whole page"
    assert "@import" not in page.source and "url(http" not in page.source
    assert "default-src 'none'" in page.source
    outside = set(re.findall(r"https?://[^\s\"<]+", page.source))
    assert outside == {"https://doi.org/10.1109/MICRO.2007.33"}  # a link to a source, nothing else


def test_identifiers_are_unique_and_every_reference_is_met(make: Maker) -> None:
    page = page_of(make("a"), make("b", make_record(bits=4)))
    assert len(page.ids) == len(set(page.ids))
    referred = set(re.findall(r"(?:url\(|href=\")#([^\")]+)", page.source))
    assert referred <= set(page.ids)


def test_light_and_dark_and_print_are_all_styled(page: Page) -> None:
    assert "prefers-color-scheme: dark" in page.source and "@media print" in page.source
    assert not re.search(r"#0[1-4]0[1-4]0\d", page.source), "a drawing colour was not replaced"
    for chart in re.findall(r"<svg viewBox=.*?</svg>", page.source, re.DOTALL):
        painted = set(re.findall(r"(?:fill|stroke): ([^;\"]+)", chart))
        assert painted <= {"none"} | {p for p in painted if p.startswith("var(--")}, painted


def test_the_same_folders_give_the_same_bytes(make: Maker, tmp_path: Path) -> None:
    runs = [make("a"), make("b", make_record(bits=4))]
    once = report.write(runs, tmp_path / "one.html").read_bytes()
    assert report.write(runs, tmp_path / "two.html").read_bytes() == once


def test_a_report_of_a_large_chip_stays_small(make: Maker) -> None:
    rng = np.random.default_rng(0)
    weights = {"weights_0": rng.integers(-128, 128, (784, 2000), dtype=np.int8), "image_shape": [28, 28]}
    weights["activity"] = rng.integers(0, 255, 2000)
    path = report.write([make(weights=weights)], make("other").parent / "r.html")
    assert path.stat().st_size < 600_000


def test_text_of_a_record_cannot_become_markup(make: Maker) -> None:
    record = make_record(name="<script>alert('x')</script> & co")
    record["memory"]["arrays"][0]["name"] = "<b>bold"
    record["spec"]["data"]["set"] = "</pre><img src=x>"
    page = page_of(make(record=record))
    assert "script" not in page.tags
    assert page.headings[0] == "<script>alert('x')</script> & co"
    assert page.row("<b>bold")
    assert len(page.images) == 6


def test_importing_loads_nothing_heavy_and_writing_never_numba(make: Maker, tmp_path: Path) -> None:
    folder = make()
    code = f"""
import sys
import edgesdt.report
heavy = {{"numba", "matplotlib", "numpy", "jinja2", "yaml"}} & set(sys.modules)
assert not heavy, heavy
from pathlib import Path
edgesdt.report.write([Path({str(folder)!r})], Path({str(tmp_path / "r.html")!r}))
banned = [m for m in sys.modules if m.split(".")[0] in ("numba", "brian2", "sklearn")
          or m.startswith(("edgesdt.kernels", "edgesdt.chip.simulated", "edgesdt.rules", "edgesdt.runs.experiment"))
          or m == "matplotlib.pyplot"]
assert not banned, banned
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r.html").read_bytes() == report.write([folder], tmp_path / "here.html").read_bytes()


# -------------------------------------------------------------------------------------------------- charts


def test_the_accuracy_chart_has_a_tooltip_for_every_point_and_the_controls_dashed(page: Page) -> None:
    chart = page.source[page.source.index("Accuracy over epochs") :]
    chart = chart[: chart.index("</figure>")]
    tips = re.findall(r"<title>([^<]*)</title>", chart)
    assert len(tips) == 8
    assert tips[1] == "direct association, average, epoch 2: 88.00 %"
    assert "direct association, average, untrained (60.83 %)" in chart
    assert len(re.findall(r"stroke-dasharray: [\d.]+", chart)) == 2
    assert "Training energy so far" in page.text and "Learning rate" in page.text


def test_chart_text_stays_text_in_the_font_of_the_page(make: Maker) -> None:
    line = charts.Line("a", [1, 2, 3], [0.8, 0.9, 0.95], ["", "", ""])
    svg = charts.accuracy("k", "t", [line], "epoch")
    assert "font-size: 8.5px" in svg and "DejaVu" not in svg and "font-family" not in svg
    ticks = re.findall(r">(\d+(?:\.\d+)?) %<", svg)
    assert {"80", "90", "95"} <= set(ticks)
    assert ticks == sorted(ticks, key=float)


def test_halving_the_error_is_the_same_height_anywhere() -> None:
    line = charts.Line("a", [1, 2, 3], [0.6, 0.8, 0.9], ["p", "q", "r"])
    svg = charts.accuracy("k", "t", [line], "epoch")
    heights = [float(y) for y in re.findall(r'<use [^>]*y="([\d.]+)"[^>]*><title>', svg)]
    assert len(heights) == 3
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=1e-3)
    assert heights[0] > heights[2], "up is better"


@pytest.mark.parametrize("values", [[1.0], [0.0], [0.9, 1.0, 1.0], [0.95201, 0.95202], [0.1, 0.1]])
def test_any_accuracies_can_be_drawn(values: list[float]) -> None:
    line = charts.Line("a", list(range(1, len(values) + 1)), values, [str(v) for v in values])
    svg = charts.accuracy("k", "t", [line], "epoch")
    assert svg.count("<title>") == len(values)
    assert "nan" not in svg


def test_a_ninth_series_differs_from_the_first() -> None:
    lines = [charts.Line(str(i), [], [], [], index=i) for i in range(12)]
    assert len({(line.colour, line.dash) for line in lines}) == 12


def test_energy_so_far_is_the_same_from_sums_and_from_epochs(make: Maker) -> None:
    per_epoch = make_record()
    each = per_epoch["energy_j"]["train_total"] / 4
    for row in per_epoch["curve"]:
        row["energy_j"] = each
    runs = folders.load([make("summed"), make("each", per_epoch)])
    (_, summed), (_, accumulated) = (curves.cumulative_energy(run) for run in runs)
    assert accumulated == pytest.approx(summed)
    assert summed[-1] == pytest.approx(4 * 60000 * 60e-9)


# ---------------------------------------------------------------------------------------- receptive fields


def pixels(field: receptive_fields.Field) -> np.ndarray[Any, np.dtype[np.float32]]:
    from matplotlib.image import imread

    data = base64.b64decode(field.image.removeprefix("data:image/png;base64,"))
    return np.asarray(imread(io.BytesIO(data), format="png"))


def fields_of(folder: Path) -> receptive_fields.Fields:
    found = receptive_fields.fields(folders.load([folder])[0])
    assert found is not None
    return found


def test_fields_are_the_most_active_neurons_and_show_their_weights(make: Maker) -> None:
    grid = fields_of(make())
    assert [field.neuron for field in grid.fields] == [2, 4, 5, 0, 1, 3]
    assert grid.fields[0].note == "neuron 2, mean activity (codes) 9"
    image = pixels(grid.fields[0])
    assert image.shape == (4, 4, 4)
    strength = image[:, :, 3].reshape(-1)
    assert np.flatnonzero(strength).tolist() == [2, 13]  # zero is transparent
    assert strength[13] == 1.0 and strength[2] == pytest.approx(42 / 64, abs=0.02)  # one scale, about zero
    colours = np.rint(255 * image.reshape(16, 4)[:, :3]).astype(int)
    assert tuple(colours[2]) == receptive_fields.POSITIVE and tuple(colours[13]) == receptive_fields.NEGATIVE
    assert grid.limit == "0.125"  # 64 codes of 2**-9


def test_deeper_chips_show_the_first_layer_by_weight_norm(make: Maker) -> None:
    weights = make_weights() | {"weights_1": np.ones((6, 3), np.int8), "activity": np.array([1, 2, 3])}
    folder = make(weights=weights)
    assert [field.neuron for field in fields_of(folder).fields] == [5, 4, 3, 2, 1, 0]
    assert "6 first-layer neurons with the largest weight norm" in page_of(folder).text


def test_no_more_fields_than_the_page_takes(make: Maker) -> None:
    codes = np.tile(np.arange(-8, 8, dtype=np.int16)[:, None], (1, 100))
    grid = fields_of(make(weights={"weights_0": codes, "activity": np.arange(100)}))
    assert [field.neuron for field in grid.fields] == list(range(99, 99 - receptive_fields.SHOWN, -1))
    assert grid.limit.endswith("codes"), "no format was kept"


@pytest.mark.parametrize("shape", [(3, 2, 4), (2, 4, 3)])
def test_colour_images_are_averaged_over_channels(make: Maker, shape: tuple[int, ...]) -> None:
    codes = np.zeros((24, 1), np.int8)
    codes.reshape(shape)[(slice(None), 1, 2) if shape[0] == 3 else (1, 2, slice(None))] = 30
    grid = fields_of(make(weights={"weights_0": codes, "image_shape": np.array(shape)}))
    assert grid.averaged and (grid.height, grid.width) == (2, 4)
    assert np.flatnonzero(pixels(grid.fields[0])[:, :, 3].reshape(-1)).tolist() == [6]


def test_inputs_that_are_no_image_and_missing_weights_leave_the_section_out(make: Maker) -> None:
    flat = make("flat", weights={"weights_0": np.ones((17, 3), np.int8)})
    none = make("none")
    (none / "weights.npz").unlink()
    for folder in (flat, none):
        page = page_of(folder)
        assert "Receptive fields" not in page.text and page.images == []
        assert "Memory" in page.headings


# ---------------------------------------------------------------------------------------------- comparison


@pytest.fixture
def several(make: Maker) -> list[Path]:
    narrow = make_record(bits=4, name="narrow", seed=1)
    narrow["accuracy"]["direct_average"] = 0.87
    return [make("a"), make("b", narrow), make("c", make_record(epochs=3, name="short"))]


def test_a_comparison_lists_every_run_and_marks_the_best(several: list[Path]) -> None:
    page = page_of(*several)
    assert page.headings[:2] == ["3 runs compared", "Comparison"]
    assert page.row("narrow")[:5] == ["narrow", "87.00 %", "60.83 %", "59.5 nJ", "20 nJ"]
    table = {label: cells for label, cells in comparison.table(folders.load(several))}
    assert [cell.best for cell in table["mnist_edge"]][:4] == [True, False, False, False]
    assert [cell.best for cell in table["narrow"]][2] and table["narrow"][-1].best
    assert not any(cells[4].best for cells in table.values()), "all alike: none is best"
    for i in (1, 2, 3):
        assert f"#run{i}-top" in page.links and f"run{i}-top" in page.ids
        assert f"run{i}-memory" in page.ids


def test_a_comparison_says_what_differs_and_only_that(several: list[Path]) -> None:
    rows = dict(comparison.differences(folders.load(several)))
    assert rows == {"chip.weights.bits": ["8", "4", "8"], "epochs": ["4", "4", "3"]}
    assert page_of(*several).row("chip.weights.bits") == ["chip.weights.bits", "8", "4", "8"]


def test_a_comparison_draws_the_runs_together(several: list[Path]) -> None:
    page = page_of(*several)
    for title in ("Accuracy over epochs", "Accuracy over training energy"):
        chart = page.source[page.source.index(f"<figcaption>{title}") :]
        chart = chart[: chart.index("</figure>")]
        assert re.findall(r"</svg>([a-z_]+)</li>", chart) == ["mnist_edge", "narrow", "short"]
        assert chart.count("<title>") == 4 + 4 + 3
    assert "narrow, 7.14 mJ: 88.00 %" in page.source
    stack = comparison.stacks(folders.load(several))[0]
    assert [row.total for row in stack.rows] == ["60 nJ", "59.5 nJ", "60 nJ"]
    assert sum(part.width for part in stack.rows[1].segments) == pytest.approx(100 * 59.5 / 60)
    assert [text for _, text in stack.legend] == ["weight read", "MAC", "LFSR", "leakage"]


def test_runs_of_one_name_are_told_apart(make: Maker) -> None:
    seeds = [make("a"), make("b", make_record(seed=1))]
    assert [run.label for run in folders.load(seeds)] == ["mnist_edge, seed 0", "mnist_edge, seed 1"]
    twins = [make("c"), make("d")]
    assert [run.label for run in folders.load(twins)] == ["mnist_edge, seed 0 (c)", "mnist_edge, seed 0 (d)"]
    assert len({run.label for run in folders.load([twins[0], twins[0]])}) == 2


# ---------------------------------------------------------------------------------------------- re-pricing


def test_repricing_shows_the_new_prices_and_names_both_tables(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reprice(record: dict[str, Any], table: str) -> dict[str, Any]:
        changed = copy.deepcopy(record)
        changed["energy_j"]["train_per_sample"] = 6e-9
        changed["technology"] = {"table": table}
        return changed

    stand_in = types.ModuleType("edgesdt.pricing.bill")
    stand_in.reprice = reprice  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "edgesdt.pricing.bill", stand_in)
    monkeypatch.setattr("edgesdt.pricing.bill", stand_in, raising=False)
    folder = make()
    before = (folder / "record.json").read_bytes()
    page = page_of(folder, table="cmos_7nm")
    assert "Priced with cmos_7nm." in page.text and "as run: cmos_45nm" in page.text
    assert "Energy per training sample 6 nJ" in page.text
    assert (folder / "record.json").read_bytes() == before
    assert "Priced with" not in page_of(folder).text


# ------------------------------------------------------------------------------ what is missing or damaged


def paths_in(node: object, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    children: list[tuple[str | int, object]] = []
    if isinstance(node, dict):
        children = list(node.items())
    elif isinstance(node, list):
        children = list(enumerate(node))
    for key, value in children:
        yield (*above, key)
        yield from paths_in(value, (*above, key))


def parent_of(record: dict[str, Any], path: tuple[str | int, ...]) -> Any:
    here: Any = record
    for step in path[:-1]:
        here = here[step]
    return here


def test_every_part_but_the_accuracy_may_be_missing(make: Maker) -> None:
    folder = make()
    (folder / "weights.npz").unlink()
    short = make_record()
    del short["curve"]
    for path in paths_in(short):
        if path == ("accuracy",) or isinstance(path[-1], int):
            continue
        record = copy.deepcopy(short)
        del parent_of(record, path)[path[-1]]
        (folder / "record.json").write_text(json.dumps(record))
        assert page_of(folder).headings, path


ODD = [None, "text", -1.5, [3], {"a": "b"}, True, float("nan"), 10**400]


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:12])
def test_any_value_anywhere_gives_a_page_or_a_clear_error(make: Maker, value: object) -> None:
    folder = make()
    (folder / "weights.npz").unlink()
    short = make_record()
    del short["curve"]  # charts take nearly all of the time: they have a test of their own
    for path in paths_in(short):
        record = copy.deepcopy(short)
        parent_of(record, path)[path[-1]] = value
        (folder / "record.json").write_text(json.dumps(record))
        try:
            page_of(folder)
        except EdgesdtError as error:
            assert str(folder / "record.json") in str(error), path


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:12])
def test_any_value_in_a_curve_can_be_shown(make: Maker, value: object) -> None:
    record = make_record(epochs=2)
    record["curve"][0] = dict.fromkeys(record["curve"][0], value)
    assert "88.00 %" in page_of(make(record=record)).text


def test_an_empty_accuracy_is_reported_as_such(make: Maker) -> None:
    page = page_of(make(record={"accuracy": {}}))
    assert "the record has no accuracy" in page.text
    assert page.headings[0] == "run", "named after its folder"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no record here; not a run, or one that has not finished"),
        (b'{"accuracy": {', "damaged: not a JSON document"),
        (b"\xff\xfe\x00", "damaged: not a JSON document"),
        (b"", "damaged: not a JSON document"),
        (b"[1, 2]", "damaged: expected a JSON object, found a list"),
        (b"{}", "accuracy: missing"),
        (b'{"schema": 2, "accuracy": {}}', "schema: 2 cannot be read by this version (allowed: 1..1)"),
        (b'{"accuracy": [0.9]}', "accuracy: expected a mapping, found a list"),
        (b'{"accuracy": {}, "curve": {"a": 1}}', "curve: expected a list of mappings, found a mapping"),
        (b'{"accuracy": {}, "counts": {"train": 3}}', "counts.train: expected a mapping, found a number"),
    ],
)
def test_a_bad_record_is_named(tmp_path: Path, content: bytes | None, told: str) -> None:
    out = tmp_path / "report.html"
    if content is not None:
        (tmp_path / "record.json").write_bytes(content)
    with pytest.raises(EdgesdtError) as caught:
        report.write([tmp_path], out)
    assert str(caught.value).startswith(str(tmp_path / "record.json")) and told in str(caught.value)
    assert caught.value.exit_code == 2
    assert not out.exists()


def test_no_folder_and_an_absent_folder(tmp_path: Path) -> None:
    with pytest.raises(EdgesdtError, match="no run folder was given"):
        report.write([], tmp_path / "r.html")
    with pytest.raises(EdgesdtError, match=r"gone/record\.json: no record here; there is no such folder"):
        report.write([tmp_path / "gone"], tmp_path / "r.html")


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ({"weights_0": np.ones((16, 6))}, "weights_0: expected a matrix of integer codes, found float64"),
        ({"weights_0": np.ones(16, np.int8)}, "weights_0: expected a matrix of integer codes"),
        ({"image_shape": np.array([5, 4])}, "image_shape: expected a shape of 16 inputs, found (5, 4)"),
        ({"activity": np.ones(5)}, "activity: expected one value for each of 6 neurons"),
    ],
)
def test_bad_weights_are_named(make: Maker, weights: dict[str, Any], told: str) -> None:
    folder = make(weights=make_weights() | weights)
    with pytest.raises(EdgesdtError) as caught:
        page_of(folder)
    assert f"{folder / 'weights.npz'}: damaged: " in str(caught.value) and told in str(caught.value)


@pytest.mark.parametrize("kept", [0, 10, 300])
def test_truncated_weights_are_named(make: Maker, kept: int) -> None:
    folder = make()
    archive = folder / "weights.npz"
    archive.write_bytes(archive.read_bytes()[:kept])
    with pytest.raises(EdgesdtError, match=r"weights\.npz: damaged"):
        page_of(folder)


def test_a_place_that_cannot_be_written(make: Maker, tmp_path: Path) -> None:
    folder = make()
    with pytest.raises(EdgesdtError, match="is a folder"):
        report.write([folder], tmp_path)
    with pytest.raises(RunError, match="cannot be written"):
        report.write([folder], folder / "record.json" / "below.html")
    assert [p.name for p in tmp_path.iterdir()] == ["run"], "no half-written file is left"


# --------------------------------------------------------------------------------------------------- words


def test_wilson_interval_of_known_cases() -> None:
    assert wording.interval(0.5, 100) == "40.4 to 59.6 %"
    assert wording.interval(0.0, 10) == "0.0 to 27.8 %"
    assert wording.interval(1.0, 10) == "72.2 to 100.0 %"
    assert wording.interval(0.9, None) == wording.ABSENT


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("programming_energy_j", 1.2e-12, "1.2 pJ"),
        ("pulse_s", 5e-8, "50 ns"),
        ("read_v", 0.2, "200 mV"),
        ("wire_ohm", 2500, "2.5 kΩ"),
        ("cell_mm2", 0.25, "0.25 mm²"),
        ("buffer_bits", 8192, "1 KiB"),
        ("samples_per_s", 41233.2, "41,233 /s"),
        ("levels", 32, "32"),
        ("alpha", 0.12345678, "0.1235"),
        ("symmetric", False, "no"),
        ("missing", None, wording.ABSENT),
        ("stages", [1, 2], "[1, 2]"),
    ],
)
def test_a_value_is_shown_in_the_unit_of_its_key(key: str, value: object, text: str) -> None:
    assert wording.quantity(key, value) == text


def test_labels_read_as_words() -> None:
    assert wording.label("sram_weight_read") == "SRAM weight read"
    assert wording.label("node_nm") == "node"
    assert wording.readout("untrained_direct_max") == "direct association, maximum, untrained"
    assert wording.share(0.5, 1000) == "< 0.1 %" and wording.share(1, 0) == wording.ABSENT
    assert wording.percent(0.9176, 360) == "91.8 %"


def test_the_facts_of_a_run_in_phases_are_those_of_its_phases(tmp_path: Path) -> None:
    record = make_record()
    record["spec"]["data"]["labels"] = {"count": 50}
    record["phases"] = [{"name": "pretrain", "epochs": 10}, {"name": "both", "epochs": 5}]
    facts = dict(summary.facts(folders.Run(tmp_path, record, "")))
    assert (facts["labels"], facts["epochs"], facts["target"]) == ("50", "15", "of its phases")
