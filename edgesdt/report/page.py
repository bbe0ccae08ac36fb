"""The page: run folders in, one self-contained HTML file out, laid out by `template.html.j2` and `page.css`.

`folders` reads, `summary`, `curves`, `comparison` and `receptive` turn records into text and pictures;
nothing here computes a result. The same records give the same bytes.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesdt.errors import EdgesdtError, RunError
from edgesdt.report import comparison, curves, folders, memory_map, receptive, summary, wording
from edgesdt.report.folders import Run, number

if TYPE_CHECKING:
    import jinja2

HERE = Path(__file__).parent


def write(run_dirs: Sequence[Path], out: Path, *, table: str | None = None) -> Path:
    """Write the report of `run_dirs` to `out` (folders above it are made) and return `out`.

    One folder gives the full report of a run; several give a comparison first. `table` prices the recorded
    counts again with another technology table. Raises `EdgesdtError` naming the file for a record that is
    missing or damaged, `RunError` where `out` cannot be written. An existing report is replaced only once
    the new one is complete.
    """
    runs = folders.load(run_dirs)
    recorded = [run.part("technology").get("table") for run in runs]
    if table is not None:
        runs = [replace(run, record=_repriced(run.record, table)) for run in runs]
    _replace(Path(out), _render(runs, table, recorded))
    return Path(out)


def _repriced(record: dict[str, Any], table: str) -> dict[str, Any]:
    """The record with energy, latency and area of its counts under another technology table."""
    from edgesdt.energy import reprice

    return reprice(record, table)


def _replace(out: Path, page: str) -> None:
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        if out.is_dir():
            raise EdgesdtError(f"{out}: is a folder; name the HTML file to write")
        out.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(page, encoding="utf-8", newline="\n")
        part.replace(out)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise RunError(f"{out}: cannot be written: {error.strerror or error}") from None


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["unit"] = _unit
    environment.globals["ABSENT"] = wording.ABSENT
    return environment


def _render(runs: list[Run], table: str | None, recorded: list[object]) -> str:
    many = len(runs) > 1
    before = sorted({str(name) for name in recorded if name and name != table})
    views = [_view(run, f"run{i}-" if many else "") for i, run in enumerate(runs, start=1)]
    return (
        _environment()
        .get_template("template.html.j2")
        .render(
            css=(HERE / "page.css").read_text(encoding="utf-8"),
            title=f"{len(runs)} runs compared" if many else views[0]["label"],
            runs=views,
            compared=_compared(runs) if many else None,
            repriced={"table": table, "before": before} if table is not None else None,
        )
    )


def _compared(runs: list[Run]) -> dict[str, Any]:
    return {
        "headings": comparison.HEADINGS,
        "rows": comparison.table(runs),
        "differences": comparison.differences(runs),
        "charts": curves.of_runs(runs),
        "stacks": comparison.stacks(runs),
        "lead": sorted({wording.readout(key) for key in map(summary.best_key, runs) if key}),
    }


def _view(run: Run, prefix: str) -> dict[str, Any]:
    """Everything that the template shows of one run, as text."""
    record = run.record
    technology = run.part("technology")
    view = {
        "id": prefix,
        "label": run.label,
        "name": str(record.get("name") or run.folder.name),
        "facts": summary.facts(run),
        "headline": _headline(run),
        "readouts": summary.readouts(run),
        "test_samples": wording.count(summary.samples_tested(run)),
        "charts": curves.of_run(run, prefix),
        "curve": curves.table(run),
        "breakdowns": summary.breakdowns(run),
        "timing": summary.timing(run),
        "actions": summary.actions(run),
        "presented": wording.exact(summary.presented(run)),
        "memory": memory_map.memory(run),
        "fields": receptive.fields(run),
        "device": summary.pairs(run.part("device")),
        "technology": summary.pairs(technology, leave_out=("sources",)),
        "sources": _sources(technology.get("sources")),
        "spec": _yaml(run.part("spec")),
        "provenance": _provenance(run),
    }
    return {**view, "sections": _sections(view)}


def _sections(view: dict[str, Any]) -> list[tuple[str, str]]:
    """Kind and title of the sections that have something to show, in the page's order."""
    parts = view["breakdowns"]
    both = " and ".join(
        name for name in ("latency", "area") if parts[name] or (name == "latency" and view["timing"])
    )
    found = [
        ("accuracy", "Accuracy", view["readouts"] or view["charts"]),
        ("energy", "Energy", parts["energy"]),
        ("actions", "Actions", view["actions"]),
        ("latency", both.capitalize(), both),
        ("memory", "Memory", view["memory"]),
        ("fields", "Receptive fields", view["fields"]),
        ("device", "Device", view["device"]),
        ("technology", "Technology", view["technology"] or view["sources"]),
        ("spec", "Spec", view["spec"]),
        ("provenance", "Provenance", view["provenance"]),
    ]
    return [(key, title) for key, title, content in found if content]


def _unit(text: str) -> Any:
    """A number and its unit, the unit set smaller."""
    import markupsafe

    value, _, unit = text.rpartition(" ")
    return markupsafe.Markup("{}<small>&nbsp;{}</small>").format(value, unit) if value else text


def _headline(run: Run) -> dict[str, Any]:
    energy, latency = run.part("energy_j"), run.part("latency_s")
    rows = summary.readouts(run)
    return {
        "readout": rows[0] if rows else None,
        "train_energy": wording.energy(energy.get("train_per_sample")),
        "train_total": wording.energy(energy.get("train_total")),
        "inference_energy": wording.energy(energy.get("inference_per_sample")),
        "ratio": _ratio(energy.get("train_per_sample"), energy.get("inference_per_sample")),
        "train_latency": wording.time(latency.get("train_per_sample")),
        "inference_latency": wording.time(latency.get("inference_per_sample")),
        "area": wording.area(run.part("area_mm2").get("total")),
    }


def _ratio(train: object, inference: object) -> str | None:
    """How many inferences one training step is worth."""
    above, below = number(train), number(inference)
    return f"{above / below:.3g}" if above and below else None


def _sources(sources: object) -> list[str]:
    """Sources of the technology table, one text each, whatever shape the table gave them."""
    if isinstance(sources, dict):
        return [f"{wording.label(str(key))}: {wording.quantity('', value)}" for key, value in sources.items()]
    if not isinstance(sources, list):
        return [str(sources)] if sources else []
    texts = []
    for entry in sources:
        parts = (
            [wording.quantity(k, v) for k, v in entry.items()] if isinstance(entry, dict) else [str(entry)]
        )
        texts.append(", ".join(parts))
    return texts


def _provenance(run: Run) -> list[tuple[str, str]]:
    record = run.record
    rows = [("spec hash", record.get("spec_hash")), ("seed", record.get("seed"))]
    rows.append(("started", wording.moment(record["started"]) if "started" in record else None))
    rows.append(("duration", wording.time(record["duration_s"]) if "duration_s" in record else None))
    rows += [(name, version) for name, version in run.part("versions").items()]
    rows += [(f"simulated {wording.label(k)}", wording.quantity(k, v)) for k, v in run.part("speed").items()]
    return [(name, str(value)) for name, value in rows if value is not None]


def _yaml(spec: dict[str, Any]) -> Any:
    """The resolved spec as YAML with its keys marked up; None where the record has none."""
    import markupsafe
    import yaml

    if not spec:
        return None
    text = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
    escaped = str(markupsafe.escape(text))
    return markupsafe.Markup(re.sub(r"(?m)^(\s*(?:- )?)([\w.]+)(?=:)", r"\1<b>\2</b>", escaped))
