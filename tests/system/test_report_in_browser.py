"""Reports in a real browser: nothing complains, nothing leaves the page, charts are there, the table does its work."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgesdt import report
from edgesdt.report.drawing import wording
from tests import browser, sweep_stores
from tests.browser import Opened
from tests.conftest import Finished
from tests.sweep_stores import grid, row, scattered


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for all tests."""
    with browser.started() as running:
        yield running


@pytest.fixture(scope="module")
def sweep(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep folder with its report: a grid, a failure, a point that does not fit; every run has a page."""
    rows = list(grid(finished.record))
    rows[3] |= {"status": "failed", "error": "MemoryError: no room", "record": None}
    misfit = {"chip.weights.bits": 16, "learning.winners": 1, "device.model": "sram"}
    rows.append(row(misfit, 0, None, "infeasible", 'needs "more", much more'))
    folder = sweep_stores.write(tmp_path_factory.mktemp("browser") / "sweep", rows, finished.record["spec"])
    sweep_stores.write_runs(folder, finished.record, rows, report=True)
    report.write([folder])
    return folder


@pytest.fixture
def seen(chromium: Any, sweep: Path) -> Iterator[Opened]:
    """Its report, open; at the end nothing may have been complained about, and nothing asked for."""
    with browser.opened(chromium, sweep / "report.html") as found:
        yield found
        assert (found.complaints, found.requests) == ([], [])


def cells(seen: Opened, heading: str) -> list[str]:
    """The shown cells of a column."""
    headings = seen.page.locator(".results thead th").all_inner_texts()
    place = [re.sub(r"[ \n]*[↑↓]?$", "", text) for text in headings].index(heading)
    texts: list[str] = seen.page.locator(f".results tbody td:nth-child({place + 1})").all_inner_texts()
    return texts


def numbers(texts: list[str]) -> list[float]:
    return [float(text.split()[0]) for text in texts if text != wording.ABSENT]


def told(seen: Opened) -> str:
    return str(seen.page.locator(".told").inner_text())


def choose(seen: Opened, label: str, option: str) -> None:
    seen.page.get_by_label(label, exact=True).select_option(option, timeout=5000)


def sort(seen: Opened, heading: str) -> str | None:
    """Click a heading; returns how its column is sorted then."""
    button = seen.page.locator(".results th").get_by_role("button", name=heading, exact=True)
    button.click()
    found: str | None = button.locator("..").get_attribute("aria-sort")
    return found


# ----------------------------------------------------------------------------------------------- the page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_chart_is_drawn_in_the_colours_of_the_scheme(chromium: Any, sweep: Path, scheme: str) -> None:
    with browser.opened(chromium, sweep / "report.html", color_scheme=scheme) as seen:
        charts = seen.page.locator("svg.chart")
        assert charts.count() == 3 + 4
        for chart in charts.all():
            box = chart.bounding_box()
            assert box["width"] > 200 and box["height"] > 120
            assert chart.locator("use").count() > 3 and chart.locator("text").count() > 4
        assert seen.page.locator(".stacks .map").count() > 2
        page, ink = seen.page.evaluate("(s => [s.backgroundColor, s.color])(getComputedStyle(document.body))")
        light = [sum(map(int, re.findall(r"\d+", colour)[:3])) > 382 for colour in (page, ink)]
        assert light == ([True, False] if scheme == "light" else [False, True])
        line = seen.page.locator("svg.chart path[style*='--c1']").first.evaluate("e => getComputedStyle(e).stroke")
        assert re.fullmatch(r"rgb\(\d+, \d+, \d+\)", line), "the variable is known"
        assert (seen.complaints, seen.requests) == ([], [])


def test_a_narrow_window_scrolls_only_downwards(chromium: Any, sweep: Path) -> None:
    with browser.opened(chromium, sweep / "report.html", width=390) as seen:
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_paper_there_are_the_results_and_no_controls(seen: Opened) -> None:
    seen.page.emulate_media(media="print")
    assert not seen.page.locator(".controls").is_visible() and not seen.page.locator("nav").is_visible()
    assert seen.page.locator(".results tbody tr").first.is_visible()
    assert len(seen.page.pdf(format="A4")) > 20_000


def test_a_point_of_a_front_is_reached_by_keyboard_and_leads_to_its_run(seen: Opened, sweep: Path) -> None:
    point = seen.page.locator("svg.chart[aria-label='Accuracy over area'] a:not([tabindex])").first
    point.focus()
    assert seen.page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("weights bits")
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_url("**/runs/**")
    assert seen.page.title() == seen.page.url.removeprefix(f"{sweep.as_uri()}/").removesuffix("/report.html")
    seen.requests.clear()  # of the page that was left on purpose


def test_a_run_and_a_comparison_are_as_quiet(chromium: Any, sweep: Path, finished: Finished, tmp_path: Path) -> None:
    for given in ([finished.folder], [sweep, finished.folder]):
        with browser.opened(chromium, report.write(given, tmp_path / "r.html")) as seen:
            assert seen.page.locator("svg.chart").count() >= 2
            assert (seen.complaints, seen.requests) == ([], [])


# ---------------------------------------------------------------------------------------------- the table


def test_the_table_shows_what_the_report_would_write(seen: Opened) -> None:
    """The script's units and roundings are those of the rest of the page."""
    choose(seen, "rows are", "runs")
    data = json.loads(seen.page.locator(".explorer script").text_content())
    forms: dict[str, Any] = {form: getattr(wording, form) for form in ("energy", "area", "size", "time")}
    forms["percent"] = lambda share: wording.percent(share, 200)
    checked = 0
    for column in data["views"][1]["columns"]:
        if column["form"] in forms:
            assert cells(seen, column["title"]) == [forms[column["form"]](value) for value in column["data"][:50]]
            checked += 1
    assert checked == 7


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ("energy", [0, 9.9996e-10, 1e-9, 2.5e-15, 3.14159e-7, 12.3, 4.2e13]),
        ("time", [1e-9, 0.0123456, 5e-5, 2]),
        ("area", [0, 1e-5, 0.00099985, 0.25, 123456.7]),
        ("size", [0, 7, 8, 8191, 8192, 12345, 33280, 33288, 8192 * 1023.97, 8e9, 1e15]),
        ("percent", [0, 0.7625, 0.7635, 0.1, 1]),
    ],
)
def test_units_are_written_alike_over_all_sizes(chromium: Any, sweep: Path, form: str, values: list[float]) -> None:
    text = (sweep / "report.html").read_text(encoding="utf-8")
    start, end = (text.index(mark) for mark in ('{"views"', "</script>\n<noscript>"))
    data = json.loads(text[start:end])
    column = {"title": "x", "name": "x", "form": form, "up": False, "data": values}
    percent = {"title": "accuracy", "name": "a", "form": "percent", "up": True, "data": [0.5] * len(values)}
    data["views"] = [{"title": "t", "columns": [column, percent], "runs": [[0]] * len(values)}]
    page = sweep / "forms.html"
    page.write_text(text[:start] + json.dumps(data) + text[end:], encoding="utf-8")
    with browser.opened(chromium, page) as seen:
        as_told = (lambda share: wording.percent(share, 200)) if form == "percent" else getattr(wording, form)
        assert cells(seen, "x") == [as_told(value) for value in values]
        assert seen.complaints == []


def test_columns_sort_both_ways_and_say_so(seen: Opened) -> None:
    assert told(seen) == "25 rows"
    assert sort(seen, "accuracy") == "descending", "the best first"
    assert numbers(cells(seen, "accuracy")) == sorted(numbers(cells(seen, "accuracy")), reverse=True)
    assert cells(seen, "accuracy")[-1] == wording.ABSENT, "what has no figure is last"
    assert sort(seen, "accuracy") == "ascending"
    assert numbers(cells(seen, "accuracy")) == sorted(numbers(cells(seen, "accuracy")))
    assert cells(seen, "accuracy")[-1] == wording.ABSENT
    assert sort(seen, "memory used") == "ascending", "the least first"
    assert seen.page.locator(".results th[aria-sort='none']").count() == seen.page.locator(".results th").count() - 2
    assert sort(seen, "model") == "ascending"
    assert cells(seen, "model") == sorted(cells(seen, "model"))
    sort(seen, "weights bits")
    assert numbers(cells(seen, "weights bits")) == sorted(numbers(cells(seen, "weights bits"))), "as numbers"


def test_columns_sort_by_keyboard(seen: Opened) -> None:
    button = seen.page.locator(".results th").get_by_role("button", name="area", exact=True)
    button.focus()
    seen.page.keyboard.press("Enter")
    assert button.locator("..").get_attribute("aria-sort") == "ascending"
    seen.page.keyboard.press("Space")
    assert button.locator("..").get_attribute("aria-sort") == "descending"


def test_rows_are_filtered_by_value_by_word_and_by_accuracy(seen: Opened) -> None:
    choose(seen, "weights bits", "6")
    assert told(seen) == "8 of 25 rows" and set(cells(seen, "weights bits")) == {"6"}
    choose(seen, "model", "EcRam")
    assert told(seen) == "4 of 25 rows"
    choose(seen, "weights bits", "any")
    choose(seen, "model", "any")
    words = seen.page.get_by_label("containing", exact=True)
    words.fill("more MUCH")
    assert told(seen) == "1 of 25 rows" and cells(seen, "status") == ["infeasible"]
    words.fill("")
    seen.page.get_by_label("accuracy at least (%)", exact=True).fill("77.5")
    assert told(seen) != "25 rows" and min(numbers(cells(seen, "accuracy"))) >= 77.5
    choose(seen, "status", "infeasible")
    assert told(seen) == "0 of 25 rows"


def test_rows_are_points_or_runs(seen: Opened) -> None:
    assert seen.page.locator(".results tbody tr").first.locator("a").all_inner_texts() == ["seed 0", "seed 1", "seed 2"]
    choose(seen, "rows are", "runs")
    assert told(seen) == "73 rows, page 1 of 2"
    assert seen.page.locator(".results tbody tr").count() == 50
    seen.page.get_by_role("button", name="Next page").click()
    assert told(seen) == "73 rows, page 2 of 2" and seen.page.locator(".results tbody tr").count() == 23
    assert seen.page.get_by_role("button", name="Next page").is_disabled()
    choose(seen, "status", "failed")
    assert told(seen) == "1 of 73 rows" and cells(seen, "reason") == ["MemoryError: no room"]


def test_what_is_shown_is_saved_as_csv(seen: Opened, sweep: Path, tmp_path: Path) -> None:
    choose(seen, "rows are", "runs")
    sort(seen, "energy per training sample")
    with seen.page.expect_download() as waiting:
        seen.page.get_by_role("button", name="Download CSV").click()
    assert waiting.value.suggested_filename == "choose.csv"
    waiting.value.save_as(tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    rows = [json.loads(line) for line in (sweep / "records.jsonl").read_text(encoding="utf-8").splitlines()]
    by_run = {made["run"] or "": made for made in rows}
    assert len(found) == len(rows)
    spent = [float(line["energy_j.train_per_sample"]) for line in found if line["status"] == "done"]
    assert spent == sorted(spent)
    for line in found:
        made = by_run[line["run"].removesuffix("/report.html").removesuffix("/record.json")]
        assert line["spec.learning.winners"] == str(made["point"]["learning.winners"])
        if made["record"]:
            assert float(line["area_mm2.total"]) == pytest.approx(made["record"]["area_mm2"]["total"], rel=1e-9)
    assert found[-1]["error"] == 'needs "more", much more' or found[-2]["error"] == 'needs "more", much more'
    seen.requests[:] = [address for address in seen.requests if not address.startswith("blob:")]


def test_what_is_shown_is_copied_as_csv(chromium: Any, sweep: Path) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with browser.opened(chromium, sweep / "report.html", permissions=allowed) as seen:
        choose(seen, "weights bits", "6")
        seen.page.get_by_role("button", name="Copy as CSV").click()
        seen.page.get_by_text("copied", exact=True).wait_for()
        found = list(csv.DictReader(seen.page.evaluate("navigator.clipboard.readText()").splitlines()))
        assert len(found) == 8 and {line["spec.chip.weights.bits"] for line in found} == {"6"}
        assert seen.complaints == []


def test_many_rows_are_sorted_and_filtered_at_once(
    chromium: Any, finished: Finished, tmp_path: Path
) -> None:
    rows = list(scattered(finished.record, 2000))
    folder = sweep_stores.write(tmp_path / "large", rows, finished.record["spec"])
    with browser.opened(chromium, report.write([folder])) as seen:
        assert told(seen) == "2,000 rows, page 1 of 40"
        assert sort(seen, "accuracy") == "descending"
        shown = numbers(cells(seen, "accuracy"))
        assert shown == sorted(shown, reverse=True) and len(shown) == 50
        choose(seen, "model", "PCM")
        count = sum(made["point"]["device.model"] == "PCM" for made in rows)
        assert told(seen).startswith(f"{count:,} of 2,000 rows")
        assert (seen.complaints, seen.requests) == ([], [])


def test_bars_are_readable_on_a_phone(chromium: Any, finished: Finished, tmp_path: Path) -> None:
    """The longest bar takes the width of the page, whatever stands beside it; labels and values are not cut."""
    out = report.write([finished.folder], tmp_path / "r.html")
    for width, least in ((390, 300), (1280, 150)):  # a wide page has two columns of tables
        with browser.opened(chromium, out, width=width) as seen:
            tables = seen.page.locator("table.bars")
            assert tables.count() >= 4
            for table in tables.all():
                bars = [bar.bounding_box()["width"] for bar in table.locator("i").all()]
                assert max(bars) >= least, (width, bars)
                wide = "row => [...row.cells].every(cell => cell.scrollWidth <= cell.clientWidth + 1)"
                assert all(row.evaluate(wide) for row in table.locator("tbody tr").all())
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


UNBREAKABLE = """() => [...document.querySelectorAll("body *")].filter((part) => {
  const style = getComputedStyle(part);
  const tall = style.breakInside.startsWith("avoid") && part.getBoundingClientRect().height > LIMIT;
  return tall || ["page", "always", "left", "right"].includes(style.breakBefore) || style.breakAfter === "page";
}).map((part) => part.tagName + "." + part.getAttribute("class"))"""


def test_the_print_leaves_no_page_half_empty(chromium: Any, finished: Finished, sweep: Path, tmp_path: Path) -> None:
    """Nothing that may not be broken is taller than a third of a page, so no more than that stays empty at its end."""
    other = shutil.copytree(finished.folder, tmp_path / "other")
    text_of_a4 = {"width": 688, "height": 1017}  # 182 x 269 mm within the margins, at 96 pixels an inch
    for i, given in enumerate(([finished.folder], [finished.folder, other], [sweep])):
        with browser.opened(chromium, report.write(given, tmp_path / f"{i}.html")) as seen:
            seen.page.emulate_media(media="print")
            seen.page.set_viewport_size(text_of_a4)
            assert seen.page.evaluate(UNBREAKABLE.replace("LIMIT", str(text_of_a4["height"] / 3))) == []
            assert seen.page.evaluate(UNBREAKABLE.replace("LIMIT", "5")) != [], "rows and charts are not cut"


def test_a_browser_that_is_not_there_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGESDT_BROWSER", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.skip.Exception, match="playwright install"):
        browser.executable("/nowhere/chrome")
    monkeypatch.setenv("EDGESDT_BROWSER", "/nowhere/chrome")
    with pytest.raises(pytest.fail.Exception, match="EDGESDT_BROWSER: no such file: /nowhere/chrome"):
        browser.executable("")
