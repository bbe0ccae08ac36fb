"""An ablation with several seeds: differences by seed with intervals, told apart or not; its table and its page."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from edgesdt import report
from edgesdt.errors import EdgesdtError
from edgesdt.report.run import ablation
from tests.unit.test_report import ODD, Page, parent_of, paths_in


def result(seed: int, scores: dict[str, float], below: str = "") -> dict[str, Any]:
    rows = [
        {"variant": name, "folder": f"{below}{name.replace(' ', '_')}", "off": [], "direct_average": score}
        for name, score in scores.items()
    ]
    about = {"name": "chip", "model": "PCM", "layers": [64, 20], "epochs": 2, "seed": seed}
    return {"schema": 1, **about, "variants": rows}


def several(*scores: dict[str, float]) -> dict[str, Any]:
    results = [result(seed, each, f"seed_{seed}/") for seed, each in enumerate(scores)]
    return {"schema": 1, "name": "chip", "model": "PCM", "seeds": list(range(len(scores))), "results": results}


def accuracies(on: float, off: float, only: float) -> dict[str, float]:
    return {"all on": on, "all off": off, "only adc": only}


def test_differences_are_taken_seed_by_seed() -> None:
    """Seeds scatter by ten points, the difference by a tenth of one: it is told, and of the interval of Student."""
    found = several(accuracies(0.7, 0.9, 0.75), accuracies(0.8, 1.0, 0.851), accuracies(0.6, 0.8, 0.649))
    lines = ablation.table(found).splitlines()
    assert "+5.00 ± 0.25" in lines[3]  # t(0.975; 2) · 0.1/√3
    assert lines[1].endswith("−20.00 ± 0.00")
    assert "not distinguishable" not in "\n".join(lines[:-1])
    assert lines[-1].startswith("mean of 3 seeds ± half of the 95 % interval (Student's t)")


def test_scatter_is_not_distinguishable_in_nineteen_of_twenty() -> None:
    rng = random.Random(11)
    told = []
    for _ in range(400):
        seeds = [accuracies(*(rng.gauss(0.7, 0.02) for _ in range(3))) for _ in range(3)]
        told.append(next(e for e in ablation.worked(several(*seeds)).effects if e.label == "only adc"))
    assert sum(e.to_on is not None and e.to_on.tells is False for e in told) >= 0.94 * len(told)
    clear = [accuracies(0.7 + rng.gauss(0, 0.005), 0.9, 0.8 + rng.gauss(0, 0.005)) for _ in range(3)]
    assert "not distinguishable" not in ablation.table(several(*clear)).splitlines()[3]


def test_one_seed_has_no_interval_and_says_so() -> None:
    told = ablation.table(result(0, accuracies(0.7, 0.9, 0.75)))
    assert "±" not in told and told.splitlines()[-1].startswith("one seed: the scatter of seeds is not known")
    assert "+5.00" in told.splitlines()[3]


def write(folder: Path, found: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "ablation.json").write_text(json.dumps(found), encoding="utf-8")
    return folder


def test_another_read_out_tells_where_there_is_no_first_one() -> None:
    """Of a chip that is read by a linear classifier alone."""
    rows = [{"variant": name, "linear": 0.9, "untrained_linear": 0.8} for name in ("all on", "all off", "only adc")]
    found = ablation.worked({"seed": 0, "variants": rows})
    assert found.readout == "linear" and [effect.accuracy.mean for effect in found.effects] == [0.9] * 3


def test_the_page_shows_differences_and_what_they_do_not_tell(tmp_path: Path) -> None:
    found = several(accuracies(0.70, 0.90, 0.71), accuracies(0.72, 0.91, 0.70), accuracies(0.71, 0.9, 0.72))
    folder = write(tmp_path / "a", found)
    out = report.write([folder])
    page = Page(out)
    assert out == folder / "report.html" and page.headings[:2] == ["chip", "What each non-ideality costs"]
    assert page.row("only adc")[2].endswith("not distinguishable")
    assert not page.row("only adc")[3].endswith("not distinguishable")
    assert page.source.count('class="chart"') == 2 and "http" not in "".join(page.loads)
    assert "One seed." not in page.text
    assert "One seed." in Page(report.write([write(tmp_path / "b", result(0, accuracies(0.7, 0.9, 0.7)))])).text


def test_prices_of_an_ablation_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", result(0, accuracies(0.7, 0.9, 0.7)))
    with pytest.raises(EdgesdtError, match=r"--table: .* is an ablation, which has no prices"):
        report.write([folder], table="cmos_45nm")


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:12])
def test_a_damaged_ablation_gives_a_page_or_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    monkeypatch.setattr(ablation.svg, "element", lambda *_: "<svg></svg>")  # drawing takes nearly all of the time
    for whole in (several(*[accuracies(0.7, 0.9, 0.7)] * 2), result(0, accuracies(0.7, 0.9, 0.7))):
        for path in paths_in(whole):
            parent = parent_of(whole, path)
            kept, parent[path[-1]] = parent[path[-1]], value
            try:
                report.write([write(tmp_path / "a", whole)])
            except EdgesdtError as error:
                assert str(error).startswith(str(tmp_path / "a" / "ablation.json"))
            parent[path[-1]] = kept


@pytest.mark.parametrize("folder", ["../x", "/etc", "a b", "x" * 300])
def test_a_run_outside_the_ablation_is_refused(tmp_path: Path, folder: str) -> None:
    made = result(0, accuracies(0.7, 0.9, 0.7))
    made["variants"][0]["folder"] = folder
    with pytest.raises(EdgesdtError, match="expected one inside that of the ablation"):
        report.write([write(tmp_path / "a", made)])
