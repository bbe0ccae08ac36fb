"""The report of a sweep: statistics against known cases, what the page says, exports, prices, damaged stores."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import math
import random
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from edgesdt import report
from edgesdt.errors import EdgesdtError, RunError
from edgesdt.pricing.bill import reprice
from edgesdt.report import export
from edgesdt.report.drawing import charts, svg
from edgesdt.report.files import columns, sweeps
from edgesdt.report.files.sweeps import Row
from edgesdt.report.sweep import metrics, recommendations
from edgesdt.report.sweep import page as sweep_report
from edgesdt.report.sweep.charts import front as front_charts
from edgesdt.report.sweep.results import findings
from edgesdt.report.sweep.statistics import effects, pareto, points, sensitivity
from edgesdt.report.sweep.statistics.points import Point
from tests import sweep_stores
from tests.conftest import Finished
from tests.sweep_stores import bound, grid, row, scattered, varied
from tests.unit.test_report import ODD, Page, parent_of, paths_in

JUDGED = metrics.Metrics(metrics.accuracy("direct_average"))


@pytest.fixture(scope="module")
def record(finished: Finished) -> dict[str, Any]:
    """One real record."""
    return finished.record


@pytest.fixture(scope="module")
def rows(record: dict[str, Any]) -> list[dict[str, Any]]:
    """A grid with three seeds; two runs failed, one point does not fit."""
    made = list(grid(record))
    for place in (3, 40):
        told = f"Traceback …\nMemoryError: no room for {place} bytes"
        made[place] |= {"status": "failed", "error": told, "record": None}
    misfit = {"chip.weights.bits": 16, "learning.winners": 1, "device.model": "sram"}
    told = "chip.memory_budget: 8 KiB is too small by 2 KiB"
    return [*made, *(row(misfit, seed, None, "infeasible", told) for seed in (0, 1))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], record: dict[str, Any]) -> Path:
    """That grid as a sweep folder with run folders, under one constraint; to look at only."""
    limits = [bound("memory", "<=", 8192 * 6.5, "memory <= 6.5 KiB")]
    made = sweep_stores.write(
        tmp_path_factory.mktemp("grid") / "sweep", rows, record["spec"], constraints=limits, planned=len(rows) + 4
    )
    sweep_stores.write_runs(made, record, rows, report=True)
    return made


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    """The report of that folder."""
    return Page(sweep_report.write(folder))


def made_points(values: dict[tuple[Any, ...], list[float]], cost: float = 1.0) -> list[Point]:
    """Points of the parameters `a.a`, `b.b`, …, with these accuracies for seeds 0, 1, …; each costs `cost` joules."""
    found = []
    for levels, shares in values.items():
        point = {f"{name}.{name}": level for name, level in zip("abcdefgh", levels, strict=False)}
        runs = []
        for seed, share in enumerate(shares):
            record = {"accuracy": {"direct_average": share}, "energy_j": {"train_per_sample": cost * share}}
            runs.append(Row(point, seed, "done", "", "", "", record))
        found += points.of_rows(runs, JUDGED)
    return found


# ---------------------------------------------------------------------------------------------- statistics


def test_an_interval_is_students() -> None:
    found = points.estimate([0.90, 0.92, 0.94])
    assert found.mean == pytest.approx(0.92)
    assert found.half == pytest.approx(4.302652730 * 0.02 / math.sqrt(3), rel=1e-8)  # t(0.975; 2)
    assert points.estimate([0.9]).half is None
    assert points.estimate([0.5] * 4).half == 0.0


def test_a_mean_over_points_has_the_interval_of_its_seeds() -> None:
    """What a seed does to all points at once does not average out, what it does to one does."""
    shared = made_points({(i,): [0.8, 0.9] for i in range(4)})
    found = points.over_seeds(shared, JUDGED.accuracy)
    assert (found.mean, found.n) == (pytest.approx(0.85), 2)
    assert found.half == pytest.approx(12.7062 * 0.05, rel=1e-4)  # t(0.975; 1) · s/√2
    opposed = made_points({(0,): [0.8, 0.9], (1,): [0.9, 0.8]})
    assert points.over_seeds(opposed, JUDGED.accuracy).half == pytest.approx(0.0, abs=1e-9)


def test_a_point_that_lacks_a_seed_is_not_in_the_mean_over_points() -> None:
    found = points.over_seeds(made_points({(0,): [0.8, 0.9], (1,): [0.1]}), JUDGED.accuracy)
    assert found.mean == pytest.approx(0.85)


def test_a_front_is_what_a_search_of_all_pairs_finds() -> None:
    rng = random.Random(1)
    for _ in range(30):
        pairs = [(rng.randint(0, 12) / 20, rng.randint(0, 12)) for _ in range(25)]
        found = [
            Point({}, [], {"accuracy": share, "energy": cost}, points.estimate([share])) for share, cost in pairs
        ]
        front = pareto.front(found, JUDGED.accuracy, JUDGED.costs[0])

        def beaten(i: int, pairs: list[tuple[float, int]] = pairs) -> bool:
            share, cost = pairs[i]
            return any(s >= share and c <= cost and (s, c) != (share, cost) for s, c in pairs)

        assert {pairs[i] for i in front} == {pairs[i] for i in range(25) if not beaten(i)}
        assert [pairs[i][1] for i in front] == sorted({pairs[i][1] for i in front}), "the cheapest first"


def test_shares_of_a_grid_are_those_of_the_function() -> None:
    """y = 0.5 + 0.2 a + 0.1 b: variances 4 : 1; and all interaction for a product of signs."""
    sums = made_points({(a, b): [0.5 + 0.2 * a + 0.1 * b] for a in (-1, 1) for b in (-1, 1)})
    found = sensitivity.on_grid(sums, ["a.a", "b.b"], JUDGED.accuracy)
    assert found is not None
    assert found.shares == pytest.approx({"a.a": 0.8, "b.b": 0.2, "interactions": 0.0})
    product = made_points({(a, b): [0.5 + 0.2 * a * b] for a in (-1, 1) for b in (-1, 1)})
    found = sensitivity.on_grid(product, ["a.a", "b.b"], JUDGED.accuracy)
    assert found is not None and found.shares["interactions"] == pytest.approx(1.0)


def test_what_seeds_do_is_told_apart() -> None:
    noisy = made_points({(a,): [0.5 + 0.1 * a - 0.1, 0.5 + 0.1 * a + 0.1] for a in (-1, 1)})
    found = sensitivity.on_grid(noisy, ["a.a"], JUDGED.accuracy)
    assert found is not None and found.shares == pytest.approx({"a.a": 0.5, "interactions": 0.0, "seeds": 0.5})


def test_a_grid_is_every_combination_with_equally_many_seeds() -> None:
    whole = {(a, b): [0.1, 0.2] for a in (1, 2) for b in ("x", "y", "z")}
    paths = ["a.a", "b.b"]
    assert sensitivity.is_grid(made_points(whole), paths)
    assert not sensitivity.is_grid(made_points({key: whole[key] for key in list(whole)[1:]}), paths)
    assert not sensitivity.is_grid(made_points(whole | {(1, "x"): [0.1]}), paths)


def test_a_forest_ranks_parameters_and_says_how_well_it_fits() -> None:
    rng = random.Random(2)
    drawn = [(rng.random(), rng.random(), rng.choice("xyz")) for _ in range(120)]
    for scale in (1.0, 1e-9):  # nanojoules are small, not constant
        found = made_points({(a, b, c): [0.3 + 0.4 * a + 0.1 * b] for a, b, c in drawn}, cost=scale)
        worked = sensitivity.by_forest(found, ["a.a", "b.b", "c.c"], JUDGED.costs[0])
        assert worked is not None and worked.fit is not None and worked.fit > 0.8
        assert worked.shares["a.a"] > 0.7 > 0.3 > worked.shares["b.b"] > worked.shares["c.c"]
        assert sum(worked.shares.values()) == pytest.approx(1.0)
        assert sensitivity.by_forest(found, ["a.a", "b.b", "c.c"], JUDGED.costs[0]) == worked
    assert sensitivity.by_forest(found[:19], ["a.a"], JUDGED.accuracy) is None


def test_a_parameter_of_many_values_is_divided_into_bins_of_equally_many_points() -> None:
    found = made_points({(i,): [0.5 + 0.001 * i] for i in range(60)})
    effect = effects.effect(found, "a.a", JUDGED.accuracy)
    assert effect is not None and effect.scaled and not effect.log
    assert [len(level.points) for level in effect.levels] == [10] * 6
    assert effect.levels[0].mean.mean == pytest.approx(0.5045)
    assert effect.levels[0].best is found[9]
    crowded = effects.effect(made_points({(1.2**i,): [0.5] for i in range(40)}), "a.a", JUDGED.accuracy)
    assert crowded is not None and crowded.log


def test_levels_with_units_stand_in_order_of_size() -> None:
    sizes = ("1 MiB", "64 KiB", "512 KiB")
    rows = [Row({"chip.memory_budget": s}, 0, "done", "", "", "", {"accuracy": {"direct_average": 0.5}}) for s in sizes]
    effect = effects.effect(points.of_rows(rows, JUDGED), "chip.memory_budget", JUDGED.accuracy)
    assert effect is not None and [level.label for level in effect.levels] == ["64 KiB", "512 KiB", "1 MiB"]


@pytest.mark.parametrize(
    ("paths", "short"),
    [
        (["chip.weights.bits", "learning.winners"], ["weights bits", "winners"]),
        (["chip.weights.bits", "chip.states.bits", "seed"], ["weights bits", "states bits", "seed"]),
        (["data.set", "reference.set"], ["data.set", "reference.set"]),
    ],
)
def test_short_names_are_unique(paths: list[str], short: list[str]) -> None:
    assert list(points.short_names(paths).values()) == short


# ------------------------------------------------------------------------------------------------- advice


def priced(*pairs: tuple[float, float]) -> list[Point]:
    return [Point({"n": i}, [], {"accuracy": s, "energy": c}, points.estimate([s])) for i, (s, c) in enumerate(pairs)]


def chosen(found: list[Point], limits: list[recommendations.Constraint]) -> dict[str, int]:
    wanted = [JUDGED.accuracy, JUDGED.costs[0]]
    allowed = [p for p in found if all(limit.holds(p) for limit in limits)]
    return {c.metric.key: found.index(c.point) for c in recommendations.choices(allowed, JUDGED, wanted, limits)}


def limits(*entries: dict[str, Any]) -> list[recommendations.Constraint]:
    return recommendations.constraints(entries, JUDGED)


def test_the_cheapest_point_is_looked_for_close_to_the_best() -> None:
    found = priced((0.95, 9.0), (0.945, 5.0), (0.93, 2.0), (0.5, 1.0))
    assert chosen(found, []) == {"accuracy": 0, "energy": 1}


def test_a_bound_on_the_accuracy_replaces_that_rule() -> None:
    found = priced((0.95, 9.0), (0.945, 5.0), (0.93, 2.0), (0.5, 1.0))
    assert chosen(found, limits(bound("accuracy", ">=", 0.93, "accuracy >= 0.93"))) == {"accuracy": 0, "energy": 2}
    assert chosen(found, limits(bound("accuracy", ">", 0.93, "accuracy > 0.93"))) == {"accuracy": 0, "energy": 1}


def test_points_outside_the_constraints_are_not_recommended() -> None:
    found = priced((0.95, 9.0), (0.945, 5.0), (0.93, 2.0))
    under = limits(bound("energy", "<", 5.0, "energy < 5 J"))
    assert chosen(found, under) == {"accuracy": 2, "energy": 2}
    assert chosen(found, limits(bound("energy", "<", 1.0, "energy < 1 J"))) == {}


def test_a_constraint_that_cannot_be_checked_is_told_and_excludes_nothing() -> None:
    odd = limits({"text": "noise <= 3", "path": "device.noise", "op": "<=", "bound": 3})
    assert odd[0].metric is None and odd[0].text == "noise <= 3"
    assert chosen(priced((0.9, 1.0)), odd) == {"accuracy": 0, "energy": 0}


def test_a_trade_is_told_in_points_and_per_cent() -> None:
    found = priced((0.95, 10.0), (0.942, 5.0))
    choice = recommendations.Choice(JUDGED.costs[0], found[1], True)
    told = recommendations.trade(choice, found[0], JUDGED.accuracy)
    assert told == "0.8 points below the highest accuracy, at 50\u00a0% of its energy per training sample"


# ------------------------------------------------------------------------------------------------ the page


def test_every_section_is_there_in_order_and_the_navigation_reaches_it(page: Page) -> None:
    sections = ["Recommendations", "What was swept", "Accuracy by parameter", "Pareto fronts", "Energy", "Sensitivity"]
    sections += ["Failed and infeasible", "All results", "Spec", "Provenance"]
    assert page.headings[0] == "choose"
    assert [h for h in page.headings if h in sections] == sections
    targets = [link[1:] for link in page.links if link.startswith("#")]
    assert len(targets) == len(sections) + 1 and set(targets) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_headline_counts_what_ran(page: Page) -> None:
    assert "Runs 70 24 points, 3 seeds 2 failed 2 infeasible 4 not run yet" in page.text


def test_items_of_lists_have_their_place_in_the_spec_of_a_point(tmp_path: Path) -> None:
    base = {"chip": {"layers": [64, 120], "weights": {"bits": 8}}}
    sweep = sweeps.Sweep(tmp_path, {"spec": base}, [], "lists", 0)
    changed = sweep.spec_of({"chip.layers[1]": 60, "chip.weights.bits": 4, "device.parameters.levels": 8})
    assert changed["chip"] == {"layers": [64, 60], "weights": {"bits": 4}}
    assert changed["device"] == {"parameters": {"levels": 8}} and base["chip"]["layers"] == [64, 120]
    assert columns.value_at(base, columns.steps_of("chip.layers[1]")) == 120
    for gone in ("chip.layers[2]", "chip.weights[0]", "chip.name.more"):
        assert columns.value_at(base, columns.steps_of(gone)) is None
    assert sweep.spec_of({"chip.layers[5]": 3})["chip"]["layers"] == [64, 120], "no such item"


@pytest.mark.parametrize(
    ("low", "high", "kibibytes"),
    [(2.2, 16.5, [3, 4, 6, 8, 12, 16]), (1.0, 70.0, [1, 4, 16, 64]), (0.9, 40.0, [1, 2, 4, 8, 16, 32])],
)
def test_an_axis_of_memory_has_ticks_at_powers_of_two(low: float, high: float, kibibytes: list[float]) -> None:
    found = charts._powers_of_two(low * 8192, high * 8192, 8192)
    assert [tick / 8192 for tick in found] == kibibytes


def test_what_was_swept_is_listed_with_the_base(page: Page) -> None:
    assert page.row("chip.weights.bits") == ["chip.weights.bits", "4, 6, 8, 16", "8"]
    assert page.row("device.model") == ["device.model", "sram, EcRam", "sram"]
    assert page.row("seed")[1] == "0, 1, 2"


def test_recommendations_keep_the_constraint(page: Page, folder: Path) -> None:
    found = findings(sweeps.load(folder))
    assert len(found.points) == 24 and len(found.allowed) == 16
    assert "memory <= 6.5 KiB (met by 16): 16 of 24 points to choose from." in page.text
    best = max(found.allowed, key=lambda p: p.accuracy.mean if p.accuracy else 0)
    told = page.row("Highest accuracy")
    assert told[1].startswith(found.words(best)) and best.values["chip.weights.bits"] == 6
    assert told[2] == recommendations.accuracy_text(best, found.metrics.accuracy)
    assert re.fullmatch(r"\d\d\.\d ± \d+\.\d %", told[2])


def test_there_is_a_chart_for_every_parameter_and_every_front(page: Page) -> None:
    titles = re.findall(r'<svg viewBox="[^"]+" class="chart" role="\w+" aria-label="([^"]+)"', page.source)
    assert titles[:3] == ["Accuracy by weights bits", "Accuracy by winners", "Accuracy by model"]
    costs = ["energy per training sample", "energy per inference", "area", "memory used"]
    assert titles[3:] == [f"Accuracy over {cost}" for cost in costs]


def test_every_point_of_a_chart_tells_and_leads_to_its_run(page: Page, folder: Path) -> None:
    chart = page.source[page.source.index('aria-label="Accuracy over memory used"') :]
    chart = chart[: chart.index("</svg>")]
    links = re.findall(r'<a href="([^"]+)" aria-label="([^"]+)"( tabindex="-1")?>', chart)
    assert len(links) == 24
    assert all((folder / link).is_file() and link.endswith("/report.html") for link, _, _ in links)
    front = [tip for _, tip, skipped in links if not skipped]
    assert 1 <= len(front) < 24, "only the front is stops of the Tab key"
    assert re.fullmatch(r"weights bits \d · winners \d · model \w+: [\d.]+ ± [\d.]+ %, [\d.]+ KiB", front[0])
    assert "outside the constraints" in page.text


def test_the_energy_along_the_front_adds_up(page: Page, folder: Path) -> None:
    found = findings(sweeps.load(folder))
    first = found.allowed[found.fronts["energy"][0]]
    stacks = page.source[page.source.index('<figure class="stacks">') :]
    title = metrics.COSTS[0].form(first.figure(metrics.COSTS[0]))
    assert f"<b>{title}</b>" in stacks, "the bar is labelled with the mean energy per training sample"


def test_the_method_of_the_sensitivity_is_told(page: Page, record: dict[str, Any], tmp_path: Path) -> None:
    assert "permutation importance" in page.text, "two runs failed: no complete grid"
    whole = Page(sweep_report.write(sweep_stores.write(tmp_path / "whole", list(grid(record)), record["spec"])))
    assert "first-order Sobol' index" in whole.text and "permutation importance" not in whole.text
    figures = whole.text[whole.text.index("Sensitivity Accuracy") :]
    shares = dict(re.findall(r"(weights bits|winners|model|interactions|seeds) (?:< )?([\d.]+) %", figures)[:5])
    assert 70 < float(shares["weights bits"]) < 80 and sum(map(float, shares.values())) == pytest.approx(100, abs=0.5)
    few = sweep_stores.write(tmp_path / "few", list(grid(record))[:21], record["spec"])
    assert "a random forest needs at least 20 points" in Page(sweep_report.write(few)).text


def test_failures_are_grouped_by_reason(page: Page) -> None:
    failed, infeasible = page.row("failed"), page.row("infeasible")
    assert failed[1] == "2" and "MemoryError: no room for 3 bytes" in failed[2] and "(and alike)" in failed[2]
    assert "weights bits 4 · winners 1 · model EcRam" in failed[3]
    assert infeasible[1:] == [
        "2", "chip.memory_budget: 8 KiB is too small by 2 KiB (and alike)", "weights bits 16 · winners 1 · model sram",
    ]  # fmt: skip


def table_of(page: Page) -> dict[str, Any]:
    found = re.search(r'<script type="application/json">(.*?)</script>', page.source, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_the_table_holds_every_run_and_every_point(page: Page, rows: list[dict[str, Any]]) -> None:
    data = table_of(page)
    by_point, by_run = data["views"]
    assert len(by_run["runs"]) == len(rows) == len(data["links"])
    assert len(by_point["runs"]) == 25
    columns = {column["name"]: column for column in by_run["columns"]}
    assert [columns["status"]["texts"][i] for i in columns["status"]["data"]] == [made["status"] for made in rows]
    shown = [made["record"] and made["record"]["energy_j"]["train_per_sample"] for made in rows]
    assert columns["energy_j.train_per_sample"]["data"] == pytest.approx(shown, nan_ok=True)
    bits = columns["spec.chip.weights.bits"]
    assert [bits["raw"][i] for i in bits["data"]] == [made["point"]["chip.weights.bits"] for made in rows]


def test_the_page_stands_alone_and_runs_only_its_own_script(page: Page) -> None:
    assert all(load.startswith(("data:", "#", "runs/")) for load in page.loads)
    assert page.tags.count("script") == 2
    script = re.search(r"<script>(.*?)</script>", page.source, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in page.source or f"script-src 'sha256-{digest}'" in page.source
    assert "default-src 'none'" in page.source and "connect-src" not in page.source


def test_the_same_store_gives_the_same_bytes(folder: Path, page: Page) -> None:
    assert sweep_report.write(folder, folder / "again.html").read_text(encoding="utf-8") == page.source


def test_text_of_a_store_cannot_become_markup(record: dict[str, Any], tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>"
    made = [row({"data.set": value}, 0, varied(record, {}, 0)) for value in (evil, "<b>x")]
    made.append(row({"data.set": "y"}, 0, None, "failed", f"{evil} & co"))
    found = Page(sweep_report.write(sweep_stores.write(tmp_path / "s", made, record["spec"], name=evil)))
    assert found.tags.count("script") == 2 and found.headings[0] == evil
    assert evil in table_of(found)["views"][0]["columns"][0]["texts"]


def test_a_store_of_failures_only_has_a_report(record: dict[str, Any], tmp_path: Path) -> None:
    made = [row({"epochs": n}, 0, None, "failed", "OSError: disk full") for n in (1, 2)]
    found = Page(sweep_report.write(sweep_stores.write(tmp_path / "s", made, record["spec"])))
    assert found.row("failed")[1:3] == ["2", "OSError: disk full (and alike)"]
    assert "Pareto fronts" not in found.headings and "All results" in found.headings


def test_the_runs_that_lead_get_a_report_of_their_own(record: dict[str, Any], tmp_path: Path) -> None:
    made = list(grid(record, 1, {"chip.weights.bits": [4, 8], "learning.winners": [1, 2]}))
    folder = sweep_stores.write(tmp_path / "s", made, record["spec"])
    sweep_stores.write_runs(folder, record, made)
    found = findings(sweeps.load(folder))
    source = sweep_report.write(folder).read_text(encoding="utf-8")
    leading = {point.runs[0].run for point in found.leading}
    assert leading and leading < {entry["run"] for entry in made}
    for entry in made:
        kept = (folder / entry["run"] / "report.html").exists()
        assert kept == (entry["run"] in leading)
        assert f'href="{entry["run"]}/{"report.html" if kept else "record.json"}"' in source


def test_links_are_relative_to_the_page(folder: Path, tmp_path: Path) -> None:
    out = sweep_report.write(folder, tmp_path / "elsewhere" / "r.html")
    links = [link for link in table_of(Page(out))["links"] if link]
    assert len(links) == 70 and all((out.parent / link).is_file() for link in links)


def test_importing_and_writing_load_no_simulator(folder: Path, tmp_path: Path) -> None:
    code = f"""
import sys
import edgesdt.report.sweep.page
heavy = {{"numba", "matplotlib", "numpy", "jinja2", "scipy", "sklearn", "pydantic"}} & set(sys.modules)
assert not heavy, heavy
from pathlib import Path
edgesdt.report.sweep.page.write(Path({str(folder)!r}), Path({str(tmp_path / "r.html")!r}))
banned = [m for m in sys.modules if m.split(".")[0] == "numba" or m == "matplotlib.pyplot"
          or m.startswith(("edgesdt.kernels", "edgesdt.chip", "edgesdt.runs", "edgesdt.sweep"))]
assert not banned, banned
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------------------------- many records, many charts


def test_ten_thousand_records_stay_quick_and_small(record: dict[str, Any], tmp_path: Path) -> None:
    folder = sweep_stores.write(tmp_path / "s", list(scattered(record, 5000, 2)), record["spec"])
    started = time.process_time()
    out = sweep_report.write(folder)
    assert time.process_time() - started < 60
    assert out.stat().st_size < 25e6
    found = Page(out)
    assert "Runs 10,000 5,000 points, 2 seeds" in found.text
    assert len(table_of(found)["views"][1]["runs"]) == 10_000
    assert re.search(r"Of 4,\d\d\d dominated points 1?,?\d+ are drawn", found.text)
    assert "permutation importance" in found.text


def test_thinning_keeps_one_point_for_each_spot_and_no_more_than_asked_for() -> None:
    rng = random.Random(3)
    xs, ys = [rng.random() for _ in range(9000)], [rng.random() for _ in range(9000)]
    kept = front_charts.thinned(xs, ys, 500)
    assert 200 < len(kept) <= 500 and len(set(kept)) == len(kept)
    assert front_charts.thinned(xs[:5], ys[:5], 5) == [0, 1, 2, 3, 4]
    assert front_charts.thinned([1.0] * 10, [1.0] * 10, 3) == [0]


def test_a_link_in_a_chart_wraps_its_point() -> None:
    marks = [svg.Marks("g", ["one", "two"], ["a/r.html#x", ""])]
    drawn = svg.element("k", "t", (2, 2), lambda axes: axes.plot([1, 2], [1, 2], "o", gid="g"), marks)
    assert re.search(r'<a href="a/r.html#x" aria-label="one"><use [^>]*><title>one</title></use></a>', drawn)
    assert drawn.count("<a ") == 1 and "<title>two</title>" in drawn and 'role="group"' in drawn


# ----------------------------------------------------------------------------------------------- the store


def lines(*entries: object) -> str:
    return "".join((made if isinstance(made, str) else json.dumps(made)) + "\n" for made in entries)


def test_nothing_replaces_a_finished_row_and_a_later_row_replaces_a_failure(
    record: dict[str, Any], tmp_path: Path
) -> None:
    one, two = {"epochs": 1}, {"epochs": 2}
    done, failed = row(one, 0, record), row(two, 0, None, "failed", "first")
    (tmp_path / "records.jsonl").write_text(
        lines(done, failed, failed | {"error": "second"}, row(one, 0, None, "failed", "late")), encoding="utf-8"
    )
    found = sweeps.load(tmp_path).rows
    assert [(entry.status, entry.reason) for entry in found] == [("done", ""), ("failed", "second")]


def test_a_line_that_was_cut_short_is_no_row_and_is_told(record: dict[str, Any], tmp_path: Path) -> None:
    whole = json.dumps(row({"epochs": 1}, 0, record))
    (tmp_path / "records.jsonl").write_text(whole[:200] + "\n" + whole + "\n" + whole[:77], encoding="utf-8")
    assert (len(sweeps.load(tmp_path).rows), sweeps.load(tmp_path).torn) == (1, 2)
    assert "2 lines of the store are no record and left out" in Page(sweep_report.write(tmp_path)).text


def test_single_rows_that_the_store_lacks_are_read(record: dict[str, Any], tmp_path: Path) -> None:
    kept, late, mended = row({"epochs": 1}, 0, record), row({"epochs": 2}, 0, record), row({"epochs": 3}, 0, record)
    broken = mended | {"status": "failed", "record": None, "error": "no"}
    (tmp_path / "records.jsonl").write_text(lines(kept, broken), encoding="utf-8")
    (tmp_path / "points").mkdir()
    for made in (kept, late, mended):
        name = f"{made['spec_hash']}-{made['seed']}.json"
        (tmp_path / "points" / name).write_text(lines(made), encoding="utf-8")
    (tmp_path / "points" / ".draft.json").write_text("{", encoding="utf-8")
    found = sweeps.load(tmp_path)
    assert [(entry.point["epochs"], entry.status) for entry in found.rows] == [(1, "done"), (3, "done"), (2, "done")]
    (tmp_path / "records.jsonl").unlink()
    assert len(sweeps.load(tmp_path).rows) == 3 and found.torn == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": 2}, "schema: 2 cannot be read by this version (allowed: 1..1)"),
        ({"point": [1]}, "damaged: point: expected a mapping"),
        ({"status": None}, "status: a text"),
        ({"record": {}}, "damaged: accuracy: missing"),
        ({"record": {"accuracy": {}, "energy_j": 3}}, "damaged: energy_j: expected a mapping"),
    ],
)
def test_a_damaged_row_is_named_by_its_line(
    record: dict[str, Any], tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    """It is left out and told; without any other the sweep has no report."""
    good = row({"epochs": 1}, 0, record)
    (tmp_path / "records.jsonl").write_text(lines(good, good | change), encoding="utf-8")
    said: list[str] = []
    page = Page(sweep_report.write(tmp_path, say=said.append))
    assert len(said) == 1 and said[0].startswith(f"{tmp_path / 'records.jsonl'}:2: ") and told in said[0]
    assert "1 row of the store is damaged and left out" in page.text
    (tmp_path / "report.html").unlink()
    (tmp_path / "records.jsonl").write_text(lines(good | change), encoding="utf-8")
    with pytest.raises(EdgesdtError) as caught:
        sweep_report.write(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'records.jsonl'}:1: ") and told in str(caught.value)
    assert caught.value.exit_code == 2 and not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "damaged: not a JSON document"), ("[]", "expected a JSON object"), ('{"schema": 9}', "schema: 9 cannot be")],
)
def test_a_damaged_description_is_named(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "sweep.json").write_text(text, encoding="utf-8")
    with pytest.raises(EdgesdtError, match=re.escape(told)) as caught:
        report.write([tmp_path])
    assert str(caught.value).startswith(str(tmp_path / "sweep.json"))


def test_a_sweep_of_which_nothing_has_finished_and_what_is_no_sweep(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text('{"schema": 1}', encoding="utf-8")
    with pytest.raises(EdgesdtError, match="no records here; not a sweep, or one of which nothing has finished"):
        report.write([tmp_path])
    with pytest.raises(EdgesdtError, match="not a sweep"):
        sweep_report.write(tmp_path / "gone")


def damaged(folder: Path, entry: dict[str, Any], description: dict[str, Any]) -> None:
    """A page is written, or the error names a file of the folder."""
    text = lines(entry, row({"epochs": 9}, 0, None, "failed"))
    (folder / "records.jsonl").write_text(text, encoding="utf-8")
    (folder / "sweep.json").write_text(json.dumps(description), encoding="utf-8")
    try:
        assert "All results" in Page(sweep_report.write(folder)).headings
    except EdgesdtError as error:
        assert str(error).startswith((str(folder / "records.jsonl"), str(folder / "sweep.json")))


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:12])
def test_any_value_anywhere_gives_a_page_or_a_clear_error(
    record: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    monkeypatch.setattr(svg, "element", lambda *_: "<svg></svg>")  # drawing takes nearly all of the time
    short = {key: part for key, part in record.items() if key not in ("curve", "counts", "versions", "device", "spec")}
    entry = row({"epochs": 1, "chip.clock": "50 MHz"}, 0, short | {"curve": []})
    limit = bound("memory", "<=", 1e9, "memory")
    sweep_stores.write(tmp_path, [entry], {"chip": {"layers": [64, 40]}}, constraints=[limit])
    description = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    for whole in (entry, description):
        for path in paths_in(whole):
            parent = parent_of(whole, path)
            kept = parent[path[-1]]
            parent[path[-1]] = value
            damaged(tmp_path, entry, description)
            parent[path[-1]] = kept


def test_bytes_that_are_no_text_cost_one_row(record: dict[str, Any], tmp_path: Path) -> None:
    whole = lines(row({"epochs": 1}, 0, record)).encode()
    (tmp_path / "records.jsonl").write_bytes(whole + whole.replace(b'"point"', b'"\xff\xfe"') + whole)
    found = sweeps.load(tmp_path)
    assert (len(found.rows), found.torn) == (1, 1)


# ------------------------------------------------------------------------- other prices, other pages, exports


@pytest.fixture
def small(record: dict[str, Any], tmp_path: Path) -> Path:
    """A sweep of four runs with their folders, to write to."""
    made = list(grid(record, 1, {"chip.weights.bits": [4, 8], "learning.winners": [1, 2]}))
    folder = sweep_stores.write(tmp_path / "small", made, record["spec"])
    sweep_stores.write_runs(folder, record, made, report=True)
    return folder


def test_other_prices_are_those_of_every_run(small: Path) -> None:
    out = export.csv_file([small], small / "there.csv", table="cmos_40nm_aladdin")
    for line in csv.DictReader(out.read_text(encoding="utf-8").splitlines()):
        whole = json.loads((small / line["run"] / "record.json").read_text(encoding="utf-8"))
        there = reprice(whole, "cmos_40nm_aladdin")
        assert float(line["energy_j.train_per_sample"]) == there["energy_j"]["train_per_sample"]
        assert float(line["area_mm2.total"]) == there["area_mm2"]["total"]
        assert float(line["accuracy.direct_average"]) == whole["accuracy"]["direct_average"]
        assert line["technology.table"] == "cmos_40nm_aladdin"


def test_other_prices_go_to_a_page_of_their_own(small: Path, finished: Finished, tmp_path: Path) -> None:
    plain = report.write([small])
    before = plain.read_bytes()
    there = report.write([small], table="cmos_40nm_aladdin")
    assert there == small / "report-cmos_40nm_aladdin.html" and plain.read_bytes() == before
    assert "Priced with cmos_40nm_aladdin." in Page(there).text and "as run: cmos_45nm" in Page(there).text
    run = tmp_path / "run"
    run.mkdir()
    (run / "record.json").write_text(json.dumps(finished.record), encoding="utf-8")
    assert report.write([run], table="cmos_45nm") == run / "report-cmos_45nm.html"
    assert not (run / "report.html").exists()
    assert report.write([run, small]) == run / "comparison.html"


def test_an_unknown_table_is_refused_by_the_name_of_its_option(small: Path) -> None:
    run = next((small / "runs").iterdir())
    for folder in (small, run):
        with pytest.raises(EdgesdtError) as caught:
            report.write([folder], folder / "r.html", table="cmos_44nm")
        assert str(caught.value).startswith("--table: unknown technology table: 'cmos_44nm', allowed: ")
        assert "did you mean 'cmos_45nm'" in str(caught.value) and not (folder / "r.html").exists()


def test_the_node_of_the_spec_is_kept(finished: Finished, tmp_path: Path) -> None:
    plain = json.loads(json.dumps(finished.record))
    plain["spec"]["technology"] = {"table": "cmos_45nm", "node": 22.0}
    (tmp_path / "record.json").write_text(json.dumps(plain), encoding="utf-8")
    text = Page(report.write([tmp_path], table="cmos_40nm_aladdin")).text
    assert "node 22 nm" in text
    out = export.csv_file([tmp_path], tmp_path / "r.csv", table="cmos_40nm_aladdin")
    line = next(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    own = reprice(finished.record, "cmos_40nm_aladdin")
    assert line["spec.technology.node_nm"] == "22.0"
    assert float(line["energy_j.train_per_sample"]) < 0.8 * own["energy_j"]["train_per_sample"]


def test_prices_need_the_run_folders(small: Path) -> None:
    lost = next(iter(sorted((small / "runs").iterdir())))
    (lost / "record.json").unlink()
    with pytest.raises(EdgesdtError, match=re.escape(f"{lost / 'record.json'}: no record here")):
        report.write([small], table="cmos_45nm")


def test_sweeps_and_runs_are_compared(small: Path, folder: Path, finished: Finished, tmp_path: Path) -> None:
    found = Page(report.write([folder, small, finished.folder], tmp_path / "c.html"))
    assert found.headings[0] == "2 sweeps and 1 run compared"
    assert len(found.ids) == len(set(found.ids))
    first = next(row for row in found.rows if row[0].startswith("choose (sweep): best of 16 points"))
    best = findings(sweeps.load(folder)).lead
    assert best is not None and best.point.accuracy is not None
    assert first[1] == f"{100 * best.point.accuracy.mean:.1f} %"
    assert "Accuracy over memory used" in found.text and found.tags.count("script") == 3
    targets = [link[1:] for link in found.links if link.startswith("#")]
    assert set(targets) <= set(found.ids)


def test_csv_names_units_and_has_a_row_for_every_run(folder: Path, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    out = export.csv_file([folder], tmp_path / "new" / "r.csv")
    text = out.read_text(encoding="utf-8")
    assert text.count("\n") >= len(rows) + 1
    found = list(csv.DictReader(text.splitlines(keepends=True)))
    assert [line["status"] for line in found] == [made["status"] for made in rows]
    assert found[3]["error"].endswith("no room for 3 bytes") and found[3]["energy_j.train_total"] == ""
    for made, line in zip(rows, found, strict=True):
        assert line["spec.chip.weights.bits"] == str(made["point"]["chip.weights.bits"])
        if made["record"]:
            assert int(line["counts.train.mac"]) == made["record"]["counts"]["train"]["mac"]
            assert float(line["energy_j.train_breakdown.weight memory"]) > 0
            assert int(line["memory.used_bits"]) == made["record"]["memory"]["used_bits"]


def test_quantities_of_a_spec_are_exported_in_one_unit(record: dict[str, Any], tmp_path: Path) -> None:
    made = [row({"chip.memory_budget": size}, 0, record) for size in ("64 KiB", 1 << 20)]
    made += [row({"chip.clock": "50 MHz"}, 0, record)]
    folder = sweep_stores.write(tmp_path / "s", made, record["spec"])
    found = list(csv.DictReader(export.csv_file([folder], tmp_path / "r.csv").read_text().splitlines()))
    base = str(record["spec"]["chip"]["memory_budget"])
    assert [line["spec.chip.memory_budget_bits"] for line in found] == ["524288", "1048576", base]
    assert found[2]["spec.chip.clock_hz"] == "50000000.0"


def test_parquet_holds_the_same(folder: Path, finished: Finished, tmp_path: Path) -> None:
    import pyarrow.parquet

    given = [folder, finished.folder]
    table = pyarrow.parquet.read_table(export.parquet_file(given, tmp_path / "r.parquet"))
    lines = list(csv.DictReader(export.csv_file(given, tmp_path / "r.csv").read_text().splitlines(keepends=True)))
    assert table.column_names == list(lines[0]) and table.num_rows == len(lines)
    for got, line in zip(table["energy_j.train_per_sample"].to_pylist(), lines, strict=True):
        assert ("" if got is None else repr(got)) == line["energy_j.train_per_sample"]
    assert str(table.schema.field("counts.train.mac").type) == "int64"


def test_exports_hold_the_whole_spec_of_every_run(small: Path, record: dict[str, Any], tmp_path: Path) -> None:
    """Of a run that was kept its own, resolved; of one that was not the base with the point's values."""
    kept, lost = sorted((small / "runs").iterdir())[:2]
    own = json.loads((kept / "record.json").read_text(encoding="utf-8"))
    own["spec"]["learning"]["beta"] = 0.125
    own["spec"]["phases"] = [{"name": "all", "epochs": 2}]
    (kept / "record.json").write_text(json.dumps(own), encoding="utf-8")
    (lost / "record.json").unlink()
    out = export.csv_file([small], tmp_path / "r.csv").read_text(encoding="utf-8")
    lines = {line["run"]: line for line in csv.DictReader(out.splitlines())}
    first, second = lines[f"runs/{kept.name}"], lines[f"runs/{lost.name}"]
    assert first["spec.learning.beta"] == "0.125" and json.loads(first["spec.phases"]) == own["spec"]["phases"]
    assert second["spec.learning.beta"] == str(record["spec"]["learning"]["beta"])

    def leaves(part: dict[str, Any], above: str) -> list[str]:
        pairs = [(f"{above}.{key}", value) for key, value in part.items()]
        return [n for path, v in pairs for n in (leaves(v, path) if isinstance(v, dict) and v else [path])]

    units = ("", "_bits", "_hz", "_ohm", "_nm", "_s")
    missing = [n for n in leaves(record["spec"], "spec") if not any(n + u in first for u in units) and record]
    assert [name for name in missing if not name.endswith(".parameters")] == []
    assert second["spec.chip.weights.bits"] in ("4", "8"), "the value of the point, not of the base"


def test_curves_are_exported_on_request(small: Path, finished: Finished, tmp_path: Path) -> None:
    given = [small, finished.folder]
    out = export.csv_file(given, tmp_path / "c.csv", curves=True).read_text(encoding="utf-8")
    lines = list(csv.DictReader(out.splitlines()))
    curve = finished.record["curve"]
    assert [int(line["curve.epoch"]) for line in lines[-len(curve) :]] == [point["epoch"] for point in curve]
    assert float(lines[-1]["curve.direct_average"]) == curve[-1]["direct_average"]
    assert len(lines) == 5 * len(curve) and lines[0]["spec.chip.weights.bits"] in ("4", "8")
    plain = export.plain(given)
    assert len(plain) == 5 and all("curve" not in made["record"] and "spec" in made for made in plain)
    assert export.plain(given, curves=True)[-1]["record"]["curve"] == curve
    assert plain[-1]["spec"] == finished.record["spec"] and plain[-1]["record"]["counts"] == finished.record["counts"]


def test_the_header_says_what_was_swept(record: dict[str, Any], tmp_path: Path) -> None:
    """Of a swept field never the value of the base: not of a part of it, not of the whole that it is a part of."""
    made = []
    for size, node, share in ((40, 45, 1.0), (60, 28, 0.01)):
        point = {"chip.layers[1]": size, "technology.node": node, "label_fraction": share, "epochs": 3}
        made.append(row(point, 0, record))
    text = Page(sweep_report.write(sweep_stores.write(tmp_path / "s", made, record["spec"]))).text
    head = text[: text.index("Recommendations")]
    for told in ("layers [1] 40, 60 (swept)", "node 28, 45 (swept)", "labels 0.01, 1 (swept)", "epochs 3 (swept)"):
        assert told in head, told
    assert "layers 64 –" not in head
    one = sweep_stores.write(tmp_path / "t", [row({"chip.states.bits": 4}, 0, record)], record["spec"])
    head = Page(sweep_report.write(one)).text[:400]
    assert "node 45 nm" in head and "labels all" in head


def test_fronts_have_the_intervals_of_their_points(record: dict[str, Any], tmp_path: Path) -> None:
    found = made_points({(1,): [0.6, 0.8, 0.7], (2,): [0.9, 0.9, 0.9]})
    dots = front_charts.dots(found, JUDGED.costs[0], ["", ""], ["", ""])
    assert dots.low[0] == pytest.approx(0.7 - 4.3027 * 0.1 / math.sqrt(3), abs=1e-4)
    assert (dots.low[1], dots.high[1]) == (0.9, 0.9) and dots.only([0]).high == [dots.high[0]]
    drawn = front_charts.draw("k", JUDGED.costs[0], front_charts.Fronts([("front", 1, dots)]))
    bare = front_charts.Dots(dots.x, dots.y, dots.tips, dots.links, dots.y, dots.y)
    flat = front_charts.draw("k", JUDGED.costs[0], front_charts.Fronts([("front", 1, bare)]))
    assert drawn is not None and flat is not None and drawn.chart.svg != flat.chart.svg
    text = Page(sweep_report.write(sweep_stores.write(tmp_path / "s", list(grid(record)), record["spec"]))).text
    assert "Bars: 95 % intervals of the accuracy over the seeds" in text


def test_the_page_gives_a_verdict_only_where_there_is_one(record: dict[str, Any], tmp_path: Path) -> None:
    rng = random.Random(4)

    def told(effect: float, seeds: int, name: str) -> str:
        made = []
        for bits, winners, seed in ((b, w, s) for b in (4, 8) for w in (1, 2) for s in range(seeds)):
            one = json.loads(json.dumps(record))
            one["accuracy"]["direct_average"] = 0.6 + effect * bits + rng.gauss(0, 0.01)
            made.append(row({"chip.weights.bits": bits, "learning.winners": winners}, seed, one))
        return Page(sweep_report.write(sweep_stores.write(tmp_path / name, made, record["spec"]))).text

    assert "Matters most No verdict no parameter exceeds the scatter of seeds" in told(0.0, 3, "none")
    clear = r"Matters most weights bits explains 9\d\.\d % of the variance of the accuracy"
    assert re.search(clear, told(0.05, 3, "clear"))
    alone = told(0.05, 1, "one")
    assert "Matters most No verdict one seed: the scatter of seeds is not known" in alone
    assert "Highest accuracy" in alone and "one seed: no interval" in alone


def test_parquet_without_pyarrow_is_refused_in_words(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(EdgesdtError, match=r"--parquet needs the package pyarrow: pip install 'edgesdt\[parquet\]'"):
        export.parquet_file([folder], tmp_path / "r.parquet")


def test_a_place_that_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EdgesdtError, match="is a folder"):
        export.csv_file([folder], tmp_path)
    with pytest.raises(RunError, match="cannot be written"):
        export.csv_file([folder], folder / "sweep.json" / "below.csv")
    assert list(tmp_path.iterdir()) == [], "no half-written file is left"
