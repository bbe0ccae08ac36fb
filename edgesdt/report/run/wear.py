"""Wear and retention of cells for the report: pulses per cell as bars, accuracy after each time at rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgesdt.pricing import omissions
from edgesdt.report.drawing import wording
from edgesdt.report.files.folders import Run, number
from edgesdt.report.run.summary import Bar, Bars, best_key, samples_tested

_HISTOGRAM = "writes_histogram"


def histogram(run: Run) -> Bars | None:
    """Numbers of cells by their programming pulses, in the record's order; None if the record has none."""
    counted = run.part("device").get(_HISTOGRAM)
    if not isinstance(counted, Mapping):
        return None
    values = {str(name): n for name, n in ((name, number(n)) for name, n in counted.items()) if n is not None}
    whole, longest = sum(values.values()), max(values.values(), default=0.0)
    if not longest:
        return None
    rows = [
        Bar(_range(name, list(values)), wording.exact(int(n)), wording.share(n, whole), 100 * n / longest)
        for name, n in values.items()
    ]
    return Bars("Pulses received", wording.exact(int(whole)), "cells", rows)


@dataclass(frozen=True)
class Rest:
    """The accuracy of the leading read-out after the longest rest [s]; `modelled` if these cells change with time."""

    time_s: float
    accuracy: float
    modelled: bool
    text: str


def of_cells(run: Run) -> bool:
    """Whether retention matters: the weights are on cells, or were read again after a rest."""
    return bool(run.record.get("deployment")) or number(run.part("device").get("cells")) is not None


def last_rest(run: Run) -> Rest | None:
    """The accuracy after the longest rest; None if the record has no rest."""
    found, key = run.record.get("deployment"), best_key(run)
    known = [
        (time, share)
        for point in (found if isinstance(found, list) else [])
        if isinstance(point, Mapping)
        and (time := number(point.get("time_s"))) is not None
        and (share := number(point.get(key or ""))) is not None
    ]
    if not known:
        return None
    time, share = max(known)
    modelled = not omissions.of_rest(run.record)
    told = f"{wording.percent(share, samples_tested(run))} after {wording.time(time)}"
    return Rest(time, share, modelled, told if modelled else "retention not modelled")


def _range(name: str, names: list[str]) -> str:
    """`10 or more` as `10 to 99`, if a larger class follows it."""
    least = name.removesuffix(" or more")
    if not least.isdigit() or name == names[-1]:
        return name
    return f"{int(least):,} to {10 * int(least) - 1:,}"


def rests(run: Run) -> tuple[list[str], list[tuple[str, ...]]]:
    """Head and rows of the table of accuracies after training and after each rest; no rows without rests."""
    found, n = run.record.get("deployment"), samples_tested(run)
    points = [point for point in found if isinstance(point, Mapping)] if isinstance(found, list) else []
    names = list(dict.fromkeys(name for point in points for name in point if name != "time_s"))
    rows = [
        (wording.time(point.get("time_s")), *(wording.percent(number(point.get(name)), n) for name in names))
        for point in points
    ]
    return [wording.readout(name) for name in names], rows
