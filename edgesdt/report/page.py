"""Writes the page: one self-contained HTML file for run and sweep folders, from templates and `page.css`.

The modules in `files` read folders; those in `run` and `sweep` convert records to text and pictures. This module
computes no result. The same records give the same bytes.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesdt.errors import ArgumentError, EdgesdtError, RunError
from edgesdt.pricing import tables
from edgesdt.report.drawing import wording
from edgesdt.report.files import folders, repricing
from edgesdt.report.files import sweeps as store
from edgesdt.report.files.folders import Run
from edgesdt.report.files.sweeps import Sweep
from edgesdt.report.run import ablation, view
from edgesdt.report.sweep import comparison
from edgesdt.report.sweep import view as sweep_view
from edgesdt.report.sweep.results import Findings, findings
from hw_models.foreign import printable_lines

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).parent / "templates"
Say = Callable[[str], None]
REPORTED = 12  # number of runs of a sweep that get their own report with that of the sweep


def write(
    given: Sequence[Path], out: Path | None = None, *, table: str | None = None, say: Say = lambda line: None
) -> Path:
    """Writes the report of run and sweep folders to `out` (missing parent folders are created) and returns its path.

    One folder gives a full report; several folders give a comparison followed by the full reports. `table` prices the
    recorded counts again with another technology table. Without `out` the page goes into the first folder:
    `report.html`, `report-TABLE.html` for other prices, `comparison.html` for several. Raises `EdgesdtError` naming the
    file for a record that is missing or damaged, and `--table` for a table that is unknown; `RunError` if `out` cannot
    be written. An existing report is replaced only when the new one is complete. `say` receives messages about rows
    that were left out. The leading runs of a sweep get their own report, if they have none.
    """
    check_folders(given, out)
    if len(given) == 1 and ablation.is_ablation(Path(given[0])):
        return _write_ablation(Path(given[0]), out, table)
    items = load(given)
    recorded = _tables(items)
    if table is not None:
        items = [priced(item, table) for item in items]
    for line in left_out(items):
        say(line)
    out = Path(out) if out is not None else _place(items, table)
    _replace(out, _render(items, out, table, recorded))
    return out


def check_folders(given: object, out: object = None) -> None:
    """Raise `ArgumentError` unless `given` is a list of paths, and `out` a path or None."""
    if isinstance(given, str) or not isinstance(given, Sequence) or not all(isinstance(p, str | Path) for p in given):
        raise ArgumentError(f"given: a {type(given).__name__}, allowed: a list of run and sweep folders")
    if out is not None and not isinstance(out, str | Path):
        raise ArgumentError(f"out: a {type(out).__name__}, allowed: the path of a file, or None")


def _write_ablation(folder: Path, out: Path | None, table: str | None) -> Path:
    """Writes the page of an ablation, which shows accuracies only. Raises as `write`."""
    if table is not None:
        raise EdgesdtError(f"--table: {folder} is an ablation, which has no prices; allowed: the folders of its runs")
    out = Path(out) if out is not None else folder / "report.html"
    css = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    shown = ablation.view(ablation.read(folder), folder)
    _replace(out, _environment().get_template("ablation.html.j2").render(css=css, found=shown))
    return out


def load(given: Sequence[Path]) -> list[Run | Sweep]:
    """The runs and sweeps in folders, in that order, named uniquely. Raises `EdgesdtError` naming the file."""
    check_folders(given)
    if not given:
        raise EdgesdtError("report: no run folder was given, and no sweep folder; name one that holds a record.json")
    places = [place for folder in given for place in _runs_in(Path(folder))]
    sweeps = {i: store.load(folder) for i, folder in enumerate(places) if store.is_sweep(folder)}
    records = [{"name": sweeps[i].label} if i in sweeps else folders.read(place) for i, place in enumerate(places)]
    labels = folders.names_of(places, records)
    return [
        replace(sweeps[i], label=label) if i in sweeps else Run(place, record, label)
        for i, (place, record, label) in enumerate(zip(places, records, labels, strict=True))
    ]


def _runs_in(folder: Path) -> list[Path]:
    """The folder itself; for an ablation the folders of its runs."""
    if not ablation.is_ablation(folder):
        return [folder]
    return [folder / run for runs in ablation.read(folder).folders.values() for run in runs]


def priced(item: Run | Sweep, table: str) -> Run | Sweep:
    """A run or sweep, priced with another technology table. Raises `EdgesdtError`."""
    return repricing.run(item, table) if isinstance(item, Run) else repricing.sweep(item, table)


def left_out(items: Sequence[Run | Sweep]) -> list[str]:
    """A sentence for every damaged row of a sweep, which is on no page."""
    return [f"{fault}; left out" for item in items if isinstance(item, Sweep) for fault in item.damaged]


def _tables(items: Sequence[Run | Sweep]) -> set[str]:
    """The tables that the records were priced with."""
    return {name for item in items for record in _records(item) if (name := tables.name(record))}


def _records(item: Run | Sweep) -> list[dict[str, Any]]:
    return [item.record] if isinstance(item, Run) else item.records


def _place(items: Sequence[Run | Sweep], table: str | None) -> Path:
    name = "report" if len(items) == 1 else "comparison"
    return items[0].folder / (f"{name}-{repricing.name_of(table)}.html" if table is not None else f"{name}.html")


def _replace(out: Path, page: str) -> None:
    part = out.with_name(f".{out.name}.{os.urandom(4).hex()}.part")
    try:
        if out.is_dir():
            raise EdgesdtError(f"{out}: is a folder; name the HTML file to write")
        out.parent.mkdir(parents=True, exist_ok=True)
        with part.open("x", encoding="utf-8", newline="\n") as file:  # symbolic links are not followed
            file.write(page)
        part.replace(out)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise RunError(f"{out}: cannot be written: {error.strerror or error}") from None


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["unit"] = _unit
    environment.finalize = _shown
    environment.globals["ABSENT"] = wording.ABSENT
    return environment


def _render(items: Sequence[Run | Sweep], out: Path, table: str | None, recorded: set[str]) -> str:
    many = len(items) > 1
    worked = [item if isinstance(item, Run) else findings(item) for item in items]
    for item in worked:
        if isinstance(item, Findings):
            _run_reports(item)
    views = [_view(item, f"run{i}-" if many else "", out) for i, item in enumerate(worked, start=1)]
    script = (TEMPLATES / "table.js").read_text(encoding="utf-8") if any(v["kind"] == "sweep" for v in views) else ""
    return (
        _environment()
        .get_template("run.html.j2")
        .render(
            css=(TEMPLATES / "page.css").read_text(encoding="utf-8"),
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            title=_title(items) if many else views[0]["label"],
            runs=views,
            compared=comparison.view(worked, out) if many else None,
            repriced=_repriced(items, table, recorded) if table is not None else None,
        )
    )


def _repriced(items: Sequence[Run | Sweep], table: str, recorded: set[str]) -> dict[str, Any]:
    """With which table the records were priced again (a file's, by its own name and digest), and with which before."""
    names = {name for item in items for record in _records(item) if (name := tables.name(record))}
    return {"table": ", ".join(sorted(names)) or repricing.name_of(table), "before": sorted(recorded - names)}


def _run_reports(found: Findings) -> None:
    """Writes missing reports of the first runs to which the page links; a sweep itself does not write them."""
    for point in found.leading[:REPORTED]:
        folder = found.sweep.folder / point.runs[0].run
        if point.runs[0].run and (folder / "record.json").exists() and not (folder / "report.html").exists():
            with contextlib.suppress(EdgesdtError):  # a read-only folder or a damaged record
                write([folder])


def _view(item: Run | Findings, prefix: str, out: Path) -> dict[str, Any]:
    return view.view(item, prefix) if isinstance(item, Run) else sweep_view.view(item, prefix, out)


def _title(items: Sequence[Run | Sweep]) -> str:
    """`2 runs compared`, `2 sweeps and 1 run compared`."""
    sweeps = sum(isinstance(item, Sweep) for item in items)
    told = [f"{n} {word}{'s' if n > 1 else ''}" for n, word in ((sweeps, "sweep"), (len(items) - sweeps, "run")) if n]
    return f"{' and '.join(told)} compared"


def _shown(value: Any) -> Any:
    """A value as shown on a page, without control characters."""
    return printable_lines(value) if type(value) is str else value


def _unit(text: str) -> Any:
    """A number with its unit in smaller type."""
    import markupsafe

    value, _, unit = text.rpartition(" ")
    return markupsafe.Markup("{}<small>&nbsp;{}</small>").format(value, unit) if value else text
