"""`edgesdt sweep --plan`: prints the predicted cost and time of every point, and infeasible points with reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from edgesdt import units
from edgesdt.sweep import objectives
from edgesdt.sweep.activity import Foreseen
from edgesdt.sweep.forecast import Forecast, forecast
from edgesdt.sweep.plan import Point, SweepPlan, heads

_WIDEST = 24
"""Maximum characters for several values in a cell; longer lists show only their number."""
_COLUMNS = ("energy", "latency", "area", "memory")


def lines(
    plan: SweepPlan, workers: int, assume: float | None = None, say: Callable[[str], None] = lambda line: None
) -> Iterator[str]:
    """The lines of the table. Points with the same prediction share a line, and so do the seeds of a point.

    `assume` and `say` are those of `Foreseen`.
    """
    sweep = plan.sweep
    seeds = len(sweep.seeds)
    if sweep.method == "search":
        yield from _search(plan, workers, Foreseen([((), plan.base)], assume, say))
        return
    points = plan.points[::seeds]
    feasible = [point for point in points if not point.infeasible]
    specs = [plan.spec_of(point) for point in feasible]
    foreseen = Foreseen(((point.values, spec) for point, spec in zip(feasible, specs, strict=True)), assume, say)
    forecasts = [forecast(spec, foreseen.of(spec)) for spec in specs]
    rows = _folded([list(plan.told(plan.named(point)).values()) for point in feasible], forecasts)
    count = ("points",) if len(rows) < len(feasible) else ()
    names = (*heads(sweep.parameters), *count, *_COLUMNS, "run")
    total, known = sum(made.seconds or 0.0 for made in forecasts), all(made.seconds is not None for made in forecasts)
    yield (
        f"{plan.base.name}: {sweep.method}, {len(points)} points with {seeds} seed{'s' * (seeds != 1)}: "
        f"{len(feasible) * seeds} runs" + (f", {plan.repeated} repeated points left out" if plan.repeated else "")
    )
    if rows:
        yield ""
        yield from _aligned([names, *rows])
        yield ""
        if not all(made.whole for made in forecasts):
            yield ">=: the device model states no electrical conditions (drive:), so parts of the chip have no price"
        yield "energy and latency of a training sample as 'edgesdt check' predicts them; run: on one core, roughly"
        yield foreseen.told()
    if known and rows:
        wall = total * seeds / workers
        yield f"in all {_time(total * seeds)} of one core, {_time(wall)} with {workers} worker{'s' * (workers != 1)}"
    yield from _infeasible([point for point in points if point.infeasible], plan)


def _folded(points: Sequence[Sequence[object]], forecasts: Sequence[Forecast]) -> list[tuple[str, ...]]:
    """A line for every distinct prediction, with all values of its points, and their number if there are several."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, made in enumerate(forecasts):
        groups.setdefault((*(made.values[name] for name in _COLUMNS), made.whole, made.seconds), []).append(i)
    rows = []
    for group in groups.values():
        made = forecasts[group[0]]
        columns = zip(*(points[i] for i in group), strict=True)
        values = (_several(list(dict.fromkeys(map(_value, column)))) for column in columns)
        count = (str(len(group)),) if len(groups) < len(points) else ()
        costs = (_cost(name, made.values[name], made.whole) for name in _COLUMNS)
        rows.append((*values, *count, *costs, _time(made.seconds)))
    return rows


def _several(values: Sequence[str]) -> str:
    told = ", ".join(values)
    return told if len(values) == 1 or len(told) <= _WIDEST else f"{len(values)} values"


def _search(plan: SweepPlan, workers: int, foreseen: Foreseen) -> Iterator[str]:
    sweep, made = plan.sweep, forecast(plan.base, foreseen.of(plan.base))
    seeds = len(sweep.seeds)
    goals = ", ".join(f"{goal.name} {'up' if goal.up else 'down'}" for goal in sweep.objectives)
    yield f"{plan.base.name}: search for {goals}: {sweep.samples} points with {seeds} seed{'s' * (seeds != 1)}"
    yield from (f"  constraint {kept.text}" for kept in sweep.constraints)
    for parameter in sweep.parameters:
        if parameter.range is None:
            values = ", ".join(map(_value, parameter.values))
            yield f"  {parameter.name}: {values}"
        else:
            low, high = parameter.at_share(0.0), parameter.at_share(1.0 - 1e-12)
            step = f", step {parameter.range.step:g}" if parameter.range.step else ""
            yield f"  {parameter.name}: {low} to {high}{', logarithmic' if parameter.range.log else ''}{step}"
    yield "the spec itself: " + ", ".join(f"{name} {_cost(name, made.values[name], made.whole)}" for name in _COLUMNS)
    if made.seconds is not None:
        total = made.seconds * sweep.samples * seeds
        yield (
            f"in all about {_time(total)} of one core, {_time(total / workers)} with {workers} "
            f"worker{'s' * (workers != 1)}, if the points are like the spec itself"
        )


def _infeasible(points: list[Point], plan: SweepPlan) -> Iterator[str]:
    if points:
        yield ""
        yield f"{len(points)} infeasible points, which are not run:"
        for point in points:
            yield f"  {objectives.described(plan.told(plan.named(point)))}: {point.infeasible}"


def _cost(name: str, value: float, whole: bool) -> str:
    """A cost with its unit; marked as a lower bound if parts of the chip have no price."""
    shown = {"energy": units.format_energy, "latency": units.format_time, "area": units.format_area}
    told = shown.get(name, units.format_size)(value)
    return told if whole or name == "memory" else f">= {told}"


def _time(seconds: float | None) -> str:
    return "?" if seconds is None else units.format_time(round(seconds, 1) if seconds < 60 else round(seconds))


def _value(value: object) -> str:
    return value if isinstance(value, str) else objectives.described({"": value})[1:]


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
