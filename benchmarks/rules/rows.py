"""The tables of RULES.md: one row a contestant, from groups of records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.rules import charts, findings, words
from benchmarks.rules.charts import NAMES
from benchmarks.rules.findings import Group, Record
from benchmarks.rules.grid import BITS, BUDGETS, CELLS, FRACTIONS, SETS, from_labels
from edgesdt import units
from edgesdt.report.sweep.statistics.points import Estimate

ENERGIES: Final = (1e-3, 1e-2, 0.1, 1.0, 10.0)
Cells = list[str]


def percent(found: Estimate) -> str:
    """`95.31 ± 0.09`; without an interval the mean alone."""
    return f"{100 * found.mean:.2f}" + (f" ± {100 * found.half:.2f}" if found.half is not None else "")


def _kib(budget: int) -> str:
    return f"{budget} KiB" if budget < 1024 else f"{budget // 1024} MiB"


def _labels(group: Group) -> float:
    return 1.0 if group.own else charts.LABELS


def _shape(group: Group) -> str:
    return "-".join(map(str, group.first["layers"]))


def by_labels(found: Sequence[Group]) -> Iterator[tuple[bool, list[Group]]]:
    """The groups that learn without labels, and then those that learn from labels."""
    for own in (False, True):
        if mine := [group for group in found if from_labels(group.case.contestant) == own]:
            yield own, mine


def memory_rows(found: list[Group]) -> list[Cells]:
    """One row a contestant and budget: shape, accuracies beside the control, costs of a sample."""
    rows = [[
        "rule", "memory", "layers", "weights", "one pass %", "all passes %", "passes", "untrained %", "gain, points",
        "energy: training · inference", "time of a training sample", "area",
    ]]  # fmt: skip
    for group in sorted(found, key=lambda group: group.case.budget):
        share, first = _labels(group), group.first
        rows.append([
            group.title,
            _kib(group.case.budget),
            _shape(group),
            f"{first['weights'][0]} bits",
            percent(group.accuracy("first", share)),
            percent(group.accuracy("last", share)),
            str(first["passes"]),
            percent(group.accuracy("untrained", share)),
            _gain(group, share),
            " · ".join(units.format_energy(group.mean("energy_j", place)) for place in (0, 1)),
            units.format_time(group.mean("latency_s", 0)),
            units.format_area(first["area_mm2"]),
        ])  # fmt: skip
    return rows


def _gain(group: Group, share: float, stage: str = "last") -> str:
    gain = group.gain(stage, share)
    return f"{100 * gain.mean:+.2f} ± {100 * (gain.half or 0):.2f}"


def energy_rows(found: list[Group]) -> list[Cells]:
    """One row a contestant and budget: its accuracy untrained, and once so much energy is spent on training."""
    rows = [["rule", "memory", "untrained", *(units.format_energy(joules) for joules in ENERGIES), "all passes"]]
    for group in sorted(found, key=lambda group: group.case.budget):
        cells = [f"{100 * group.at(0.0)[0]:.1f}"]
        for joules in ENERGIES:
            reached, state = group.at(joules)
            cells.append({"over": "({:.1f})", "untrained": "*{:.1f}*"}.get(state, "{:.1f}").format(100 * reached))
        total = sum(made["curve"][-1][1] for made in group.seeds) / len(group.seeds)
        rows.append([group.title, _kib(group.case.budget), *cells, units.format_energy(total)])
    return rows


def label_rows(found: list[Group]) -> list[Cells]:
    """One row a contestant: with each share of the labels, accuracy and control, or accuracy alone."""
    rows = [["rule", *(f"{100 * share:g} %" for share in FRACTIONS)]]
    for name in dict.fromkeys(group.case.contestant for group in found):
        mine = [group for group in found if group.case.contestant == name]
        cells = []
        for share in FRACTIONS:
            if not mine[0].own:
                accuracy, control = (percent(mine[0].accuracy(stage, share)) for stage in ("last", "untrained"))
                cells.append(f"{accuracy} ({control})")
                continue
            of = [group for group in mine if group.case.fraction == share]
            cells.append(percent(of[0].accuracy("last", 1.0)) if of else "–")
        rows.append([mine[0].title, *cells])
    return rows


def bit_rows(found: list[Group]) -> list[Cells]:
    """One row a contestant: accuracy and fractional bits at each width of weights."""
    rows = [["rule", *(f"{bits} bits" for bits in BITS), "untrained, 8 bits"]]
    for name in dict.fromkeys(group.case.contestant for group in found):
        mine = {group.case.bits: group for group in found if group.case.contestant == name}
        one = next(iter(mine.values()))
        cells = [
            f"{percent(mine[bits].accuracy('last', _labels(one)))} (.{mine[bits].first['weights'][1]})"
            if bits in mine else "–" for bits in BITS
        ]  # fmt: skip
        control = percent(mine[8].accuracy("untrained", _labels(one))) if 8 in mine else "–"
        rows.append([one.title, *cells, control])
    return rows


def head_rows(found: list[Group], converged: list[Group]) -> list[Cells]:
    """One row a contestant and budget: least squares, and the converged classifier, with each share of the labels."""
    heads = [f"{100 * share:g} %, {head}" for share in FRACTIONS for head in ("least squares", "converged")]
    rows = [["rule", "memory", *heads]]
    for group in sorted(converged, key=lambda group: group.case.budget):
        same = [g for g in found if (g.case.contestant, g.case.budget) == (group.case.contestant, group.case.budget)]
        cells = []
        for share in FRACTIONS:
            cells += [_one(made, share, group.case.seed) for made in (*same, group)]
        rows.append([group.title, _kib(group.case.budget), *cells])
    return rows


def _one(group: Group, share: float, seed: int) -> str:
    """Accuracy and control of one seed."""
    if not group.has(share):
        return "–"
    place = [made["case"]["seed"] for made in group.seeds].index(seed)
    return f"{100 * group.of('last', share)[place]:.2f} ({100 * group.of('untrained', share)[place]:.2f})"


def cell_rows(found: list[Group]) -> list[Cells]:
    """One row a rule: on digital weights and on each kind of cells, accuracy, control and energy."""
    devices = ("sram", *CELLS)
    rows = [["rule", "samples", *("digital, 8 bits" if device == "sram" else device for device in devices)]]
    for name in dict.fromkeys(group.case.contestant for group in found if group.case.device != "sram"):
        mine = {group.case.device: group for group in found if group.case.contestant == name}
        one = next(iter(mine.values()))
        rows.append([one.title, f"{one.first['samples']:,}", *(_on(mine.get(device)) for device in devices)])
    return rows


def _on(group: Group | None) -> str:
    if group is None:
        return "–"
    share = _labels(group)
    energy = units.format_energy(group.mean("energy_j", 0))
    return f"{percent(group.accuracy('last', share))} ({percent(group.accuracy('untrained', share))}), {energy}"


def no_better(records: Sequence[Record]) -> list[str]:
    """A line for every run that learning did not lift above its control: after all passes, or only after one."""
    lines = []
    for group in findings.groups(records):
        for share in (0.01, 0.1, 1.0):
            if not group.has(share) or group.own:
                continue
            gain = group.gain("last", share)
            if gain.mean <= (gain.half or 0.0):
                memory, bits, device = _kib(group.case.budget), f"{group.case.bits} bits", group.case.device
                at = {"memory": memory, "head": f"{memory}, converged read-out", "bits": bits, "cells": device}
                said = "worse" if gain.mean < -(gain.half or 0.0) else "no better"
                where = f"{NAMES[group.case.data]}, {at[group.case.part]}, {100 * share:g} % of the labels"
                lines.append(f"- **{group.title}**, {where}: {said}, {_gain(group, share)} points")
    return lines


def best_rows(records: Sequence[Record]) -> list[Cells]:
    """The best rule of every situation, and those whose interval meets its own."""
    rows = [["data", "memory", "labels", "best", "not distinguishable from it", "least training energy within a point"]]
    every = findings.groups(records, part="memory", fraction=1.0)
    for one in SETS:
        for budget in BUDGETS:
            for own, mine in by_labels([g for g in every if g.case.data == one and g.case.budget == budget]):
                ranked = sorted(mine, key=lambda g: -g.accuracy("last", _labels(g)).mean)
                top = ranked[0]
                near = [g for g in ranked[1:] if not _below(g, top)]
                cheap = min((g for g in ranked if _mean(g) >= _mean(top) - 0.01), key=lambda g: g.mean("energy_j", 0))
                rows.append([
                    NAMES[one], _kib(budget), words.LABELS_IN[own],
                    f"{top.title}, {percent(top.accuracy('last', _labels(top)))}",
                    ", ".join(g.title for g in near) or "none",
                    f"{cheap.title}, {units.format_energy(cheap.mean('energy_j', 0))} a sample",
                ])  # fmt: skip
    return rows


def _mean(group: Group) -> float:
    return group.accuracy("last", _labels(group)).mean


def _half(group: Group) -> float:
    """Half an interval of an accuracy: over seeds where there are enough, else of the sampling of test images."""
    found = group.accuracy("last", _labels(group))
    if found.half is not None:
        return found.half
    return float(1.96 * (found.mean * (1 - found.mean) / (group.first["tested"] * found.n)) ** 0.5)


def _below(group: Group, top: Group) -> bool:
    return _mean(group) + _half(group) < _mean(top) - _half(top)
