"""Evaluates an ablation from its records: the cost of each non-ideality over seeds, as a table and as a page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesdt.errors import EdgesdtError
from edgesdt.registry import ACCURACIES
from edgesdt.report.drawing import charts, svg, wording
from edgesdt.report.drawing.svg import Marks
from edgesdt.report.files.folders import number
from edgesdt.report.run.curves import Chart
from edgesdt.report.sweep.statistics.points import Estimate, estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILE = "ablation.json"
SCHEMA = 1
ALL_ON, ALL_OFF = "all on", "all off"
ALIKE = "not distinguishable"
_READOUTS = ("direct_average", "output")
"""Read-outs that an ablation is told by, the first that it has; without one of them, by any other."""


@dataclass(frozen=True)
class Effect:
    """One variant: its accuracy, and its differences by seed to all on and to all off (None for those two)."""

    label: str
    accuracy: Estimate
    to_on: Estimate | None
    to_off: Estimate | None


@dataclass(frozen=True)
class Ablation:
    """The accuracies of an ablation; `folders` holds the run folders, relative to `folder`, by variant and seed."""

    about: dict[str, Any]
    seeds: list[Any]
    readout: str
    effects: list[Effect]
    folders: dict[str, list[str]]


def is_ablation(folder: Path) -> bool:
    """Whether `folder` holds an ablation."""
    return (folder / FILE).exists() and not (folder / "record.json").exists()


def read(folder: Path) -> Ablation:
    """The ablation in `folder`. Raises `EdgesdtError` naming the file if it is missing or damaged."""
    path = folder / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EdgesdtError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise EdgesdtError(f"{path}: damaged: not a JSON document ({error})") from None
    schema = found.get("schema", SCHEMA) if isinstance(found, dict) else None
    if not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise EdgesdtError(f"{path}: schema: {schema!r} cannot be read by this version (allowed: 1..{SCHEMA})")
    try:
        return worked(found)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise EdgesdtError(f"{path}: damaged: not the accuracies of an ablation ({error})") from None


def worked(found: Mapping[str, Any]) -> Ablation:
    """Builds the ablation from a plain mapping: of one seed, or with `results` of several seeds.

    Raises `KeyError`, `TypeError`, `AttributeError`, `ValueError` for a mapping with another structure.
    """
    results = found.get("results") or [found]
    first = results[0]["variants"]
    scores: dict[str, list[float]] = {str(row["variant"]): [] for row in first}
    if not {ALL_ON, ALL_OFF} <= scores.keys():
        raise ValueError(f"variants: expected {ALL_ON} and {ALL_OFF} among them")
    readout = next((name for name in (*_READOUTS, *ACCURACIES) if name in first[0]), _READOUTS[1])
    folders: dict[str, list[str]] = {label: [] for label in scores}
    for result in results:
        for row in result["variants"]:
            share = number(row[readout])
            if share is None:
                raise ValueError(f"{readout} of {row['variant']}: expected a fraction")
            scores[str(row["variant"])].append(share)
            folders[str(row["variant"])].append(_inside(row.get("folder")))
    if {len(s) for s in scores.values()} != {len(results)}:
        raise ValueError("a variant lacks a seed")
    effects = [
        Effect(label, estimate(own), *(_apart(own, scores[to], label == to) for to in (ALL_ON, ALL_OFF)))
        for label, own in scores.items()
    ]
    return Ablation(dict(found), [result.get("seed") for result in results], readout, effects, folders)


def _inside(folder: object) -> str:
    """The recorded folder of a run. Raises `ValueError` if it is not inside the folder of the ablation."""
    name = "" if folder is None else str(folder)
    if not re.fullmatch(r"[\w/-]*", name) or name.startswith("/") or len(name) > 250:
        raise ValueError("folder: expected one inside that of the ablation")
    return name


def _apart(own: Sequence[float], other: Sequence[float], same: bool) -> Estimate | None:
    return None if same else estimate([a - b for a, b in zip(own, other, strict=True)])


def difference_text(found: Estimate | None) -> str:
    """`+4.00 ± 1.41` in percentage points; with `not distinguishable` after it if the interval includes 0."""
    if found is None:
        return wording.ABSENT
    told = f"{100 * found.mean:+.2f}".replace("-", "\N{MINUS SIGN}")
    if found.half is None:
        return told
    return f"{told} ± {100 * found.half:.2f}{'' if found.tells else f' {ALIKE}'}"


def accuracy_text(found: Estimate) -> str:
    """`86.00 ± 1.41 %`."""
    half = "" if found.half is None else f" ± {100 * found.half:.2f}"
    return f"{100 * found.mean:.2f}{half} %"


def method(found: Ablation) -> str:
    """One or two sentences on the calculation of the differences."""
    n = len(found.seeds)
    if n < 2:
        return "one seed: the scatter of seeds is not known, so a difference may be due to chance (--seeds 0,1,2)"
    return (
        f"mean of {n} seeds ± half of the 95 % interval (Student's t); differences in percentage points, seed by seed; "
        f"{ALIKE}: the interval includes 0, as 19 of 20 do if there is no difference"
    )


def table(found: Mapping[str, Any]) -> str:
    """A table for a terminal: accuracy of each variant, differences to all on and all off, and the method."""
    made = worked(found)
    rows = [("", "accuracy", "to all on", "to all off")]
    rows += [
        (e.label, accuracy_text(e.accuracy), difference_text(e.to_on), difference_text(e.to_off)) for e in made.effects
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, method(made)])


def view(found: Ablation, folder: Path) -> dict[str, Any]:
    """The data for the template of the page; a variant links to the report of its first run, if it exists."""
    about = found.about
    name = str(about.get("name") or folder.name)
    layers = about.get("layers")
    facts = [
        ("device", about.get("model")),
        ("layers", " \N{EN DASH} ".join(map(str, layers)) if isinstance(layers, list) else None),
        ("epochs", about.get("epochs")),
        ("seeds", ", ".join(map(str, found.seeds))),
        ("accuracy", wording.readout(found.readout)),
    ]
    method_text = method(found)
    return {
        "name": name,
        "facts": [(key, str(value)) for key, value in facts if value is not None],
        "charts": [
            _chart(found, side, f"Difference to {to}") for side, to in (("to_on", ALL_ON), ("to_off", ALL_OFF))
        ],
        "rows": [
            {
                "label": e.label,
                "accuracy": accuracy_text(e.accuracy),
                "to_on": _split(e.to_on),
                "to_off": _split(e.to_off),
                "links": _links(found.folders[e.label], found.seeds, folder),
            }
            for e in found.effects
        ],
        "several": len(found.seeds) > 1,
        "method": f"{method_text[0].upper()}{method_text[1:]}.",
    }


def _split(found: Estimate | None) -> tuple[str, bool]:
    """The text of a difference, and whether it is not distinguishable from 0."""
    return difference_text(found).removesuffix(f" {ALIKE}"), bool(found and found.tells is False)


def _links(folders: Sequence[str], seeds: Sequence[Any], folder: Path) -> list[tuple[str, str]]:
    made = []
    for seed, name in zip(seeds, folders, strict=True):
        there = bool(name) and (folder / name / "report.html").exists()
        made.append((str(seed), f"{name}/report.html" if there else ""))
    return made


def _chart(found: Ablation, side: str, title: str) -> Chart:
    """Chart of the differences in percentage points with intervals, one line per variant; grey if they include 0."""
    shown = [(e.label, d) for e in found.effects if (d := getattr(e, side)) is not None]
    tips = [f"{label}: {difference_text(d)} points" for label, d in shown]
    colours = [0 if d.tells is False else 1 for _, d in shown]
    marks = [Marks(f"tips{i}", [tip for tip, c in zip(tips, colours, strict=True) if c == i]) for i in (0, 1)]

    def fill(axes: Axes) -> None:
        axes.axvline(0, color=svg.colour(8), linewidth=1.0)
        for i in (0, 1):
            at = [(row, d) for row, ((_, d), c) in enumerate(zip(shown, colours, strict=True)) if c == i]
            rows, x = [row for row, _ in at], [100 * d.mean for _, d in at]
            low, high = [100 * d.low for _, d in at], [100 * d.high for _, d in at]
            axes.hlines(rows, low, high, color=svg.colour(i), linewidth=1.6)
            axes.plot(x, rows, "o", color=svg.colour(i), markersize=5, markeredgewidth=0, gid=f"tips{i}")
        charts.frame(axes, "percentage points")
        axes.set_yticks(range(len(shown)), [label for label, _ in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_ylabel(" ", fontsize=16)  # space beside the labels, which are larger on a phone
        axes.grid(axis="y", visible=False)
        axes.grid(axis="x", linewidth=0.8)

    height = 0.7 + 0.21 * len(shown)
    legend = [(1, charts.POINTS, False, "beyond the scatter of seeds"), (0, charts.POINTS, False, ALIKE)]
    kept = legend if len(found.seeds) > 1 else []
    return Chart(title, svg.element(f"ablation-{side}", title, (5.4, height), fill, marks), kept)
