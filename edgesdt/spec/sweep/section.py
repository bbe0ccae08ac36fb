"""Reads the `sweep:` section of a spec: fields, values, seeds, objectives and constraints.

The section has two forms; both may contain `groups` (see the module `groups`). Short: `{dotted.path: values, …, seed:
[0, 1]}`, a grid. Long: `{method, parameters: {dotted.path: values}, seeds, objectives, constraints, samples, prune}`.
Values are a list, or `{min, max, step, log}`. This module checks only the section itself; `edgesdt.sweep.plan` checks
every point.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from edgesdt.errors import SpecError
from edgesdt.spec.checks.hints import Path, did_you_mean, shown
from edgesdt.spec.loading import Traced, load_traced
from edgesdt.spec.schema.spec import Spec
from edgesdt.spec.sweep import goals, groups
from edgesdt.spec.sweep.value_ranges import Range, RangeError, read_range
from edgesdt.spec.text.overrides import PathError, parameter_path
from edgesdt.spec.text.source import Fault

Method = Literal["grid", "zip", "random", "sobol", "search"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)
LONG: Final = ("method", "parameters", "groups", "seeds", "objectives", "constraints", "samples", "prune")
SAMPLES: Final = 64
"""Default number of points of a random, sobol or search sweep."""
MOST_POINTS: Final = 1_000_000
_NOT_SWEPT: Final = {"name": "it names the whole sweep", "sweep": "it is the sweep", "seed": "seeds go to sweep.seeds"}
_VALUES: Final = "a list of values, or {min, max, step, log}"


@dataclass(frozen=True)
class Parameter:
    """A parameter of a sweep: one field, its path in the spec, and its values (a list) or its range.

    A group of fields is one parameter too: `group` holds its fields and their paths; its values are tuples.
    """

    name: str
    place: Path
    values: tuple[Any, ...]
    range: Range | None
    at: Path
    """The position of its values in the file."""
    group: tuple[tuple[str, Path], ...] = ()

    @property
    def fields(self) -> tuple[tuple[str, Path], ...]:
        """Name and path of every field that it sets."""
        return self.group or ((self.name, self.place),)

    def spread(self, value: Any) -> tuple[tuple[str, Path, Any], ...]:
        """Name, path and value of every field that `value` sets."""
        each = value if self.group else (value,)
        return tuple((name, place, one) for (name, place), one in zip(self.fields, each, strict=True))

    def line_of(self, value: Any, field: int = 0) -> Path:
        """The position of a value in the file; for a group, that of its field."""
        if not self.values:
            return self.at
        entry = (*self.at, self.values.index(value))
        return (*entry, self.group[field][0]) if self.group else entry

    def at_share(self, share: float) -> Any:
        """The value at `share` in [0, 1) of the list or of the range."""
        return self.values[int(share * len(self.values))] if self.range is None else self.range.at_share(share)


@dataclass(frozen=True)
class Sweep:
    """A checked section: `samples` points of `parameters` by `method` (grid, zip: all), each with every seed."""

    method: Method
    parameters: tuple[Parameter, ...]
    seeds: tuple[int, ...]
    objectives: tuple[goals.Goal, ...]
    constraints: tuple[goals.Constraint, ...]
    samples: int
    prune: bool


def load_sweep(name_or_path: str, overrides: tuple[str, ...] | list[str] = ()) -> tuple[Traced, Sweep]:
    """The spec with its origin, and its sweep. Raises `SpecError` with every fault, or if the spec has no sweep."""
    traced = load_traced(name_or_path, overrides)
    if traced.spec.sweep is None:
        text = "missing: this spec runs one chip ('edgesdt run'), allowed: a mapping of dotted field: list of values"
        raise SpecError(traced.origin.render([Fault(("sweep",), text)]))
    sweep, faults = read(traced.spec)
    if faults:
        raise SpecError(traced.origin.render(faults))
    return traced, sweep


def read(spec: Spec) -> tuple[Sweep, list[Fault]]:
    """The sweep of a spec with such a section, and all its faults; with faults the sweep must not be used."""
    section = spec.sweep or {}
    faults: list[Fault] = []
    is_long = any(key in LONG and key != groups.KEY for key in section)
    given = dict(section) if is_long else _as_long(section)
    seeds_at: Path = ("sweep", "seeds" if is_long else "seed")
    for key in given:
        if key not in LONG:
            hint = did_you_mean(key, LONG) or " (a swept field goes below parameters)"
            faults.append(Fault(("sweep", key), f"unknown key, allowed: {', '.join(LONG)}{hint}"))
    method = _choice(given.get("method", "grid"), faults)
    sampled = method not in ("grid", "zip")
    rule = None if "learning.rule" in str(given.get("parameters")) + str(given.get("groups")) else spec.learning.rule
    swept = _parameters(given.get("parameters"), is_long, sampled, faults, rule)
    parameters = (*swept, *_groups(given, faults))
    fields = {name for parameter in parameters for name, _ in parameter.fields}
    own = "readout" in fields and method != "search"  # a search stops runs by the curve of one read-out
    sweep = Sweep(
        method=method,
        parameters=parameters,
        seeds=_seeds(given["seeds"], seeds_at, faults) if "seeds" in given else (spec.seed,),
        objectives=_objectives(given.get("objectives", list(goals.DEFAULT)), spec, own, faults),
        constraints=_constraints(given.get("constraints", []), spec, own, faults),
        samples=_samples(given.get("samples", SAMPLES if sampled else 0), sampled, "samples" in given, faults),
        prune=_flag(given.get("prune", method == "search"), faults),
    )
    faults += _as_a_whole(sweep, "parameters" in section)
    return sweep, faults


def _as_long(section: Mapping[str, Any]) -> dict[str, Any]:
    """Converts the short form to the long form."""
    apart = {"seed": "seeds", groups.KEY: groups.KEY}
    fields = {key: value for key, value in section.items() if key not in apart}
    return {"parameters": fields, **{long: section[key] for key, long in apart.items() if key in section}}


def _groups(given: Mapping[str, Any], faults: list[Fault]) -> Iterator[Parameter]:
    if groups.KEY not in given:
        return
    for group in groups.read(given[groups.KEY], _NOT_SWEPT, faults):
        fields = tuple(zip(group.fields, group.places, strict=True))
        yield Parameter(", ".join(group.fields), (), group.values, None, group.at, fields)


def _choice(value: object, faults: list[Fault]) -> Method:
    for method in METHODS:
        if value == method:
            return method
    text = f"unknown choice: {shown(value)}, allowed: {', '.join(METHODS)}{did_you_mean(value, METHODS)}"
    faults.append(Fault(("sweep", "method"), text))
    return "grid"


def _parameters(
    given: object, is_long: bool, sampled: bool, faults: list[Fault], rule: str | None
) -> Iterator[Parameter]:
    above: Path = ("sweep", "parameters") if is_long else ("sweep",)
    if not isinstance(given, Mapping):
        if given is not None:
            text = f"wrong type: {shown(given)}, allowed: a mapping of dotted field: {_VALUES}"
            faults.append(Fault(above, text))
        return
    for name, values in given.items():
        try:
            if name in _NOT_SWEPT:
                raise PathError(f"cannot be swept: {_NOT_SWEPT[name]}")
            yield _parameter(name, values, (*above, name), sampled, rule)
        except (PathError, RangeError) as error:
            inner = getattr(error, "inside", ())
            faults.append(Fault((*above, name, *inner), str(error)))


def _parameter(name: str, values: object, at: Path, sampled: bool, rule: str | None) -> Parameter:
    place = parameter_path(name, rule)
    if isinstance(values, Mapping):
        made = read_range(values, place, sampled)
        return Parameter(name, place, () if sampled else tuple(made.steps()), made if sampled else None, at)
    if not isinstance(values, list | tuple):
        raise RangeError(f"wrong type: {shown(values)}, allowed: {_VALUES}")
    if not values:
        raise RangeError(f"an empty list, allowed: {_VALUES}")
    for index, value in enumerate(values):
        if any(value == other and type(value) is type(other) for other in values[:index]):
            raise RangeError(f"given more than once: {shown(value)}, allowed: each value once", (index,))
    return Parameter(name, place, tuple(values), None, at)


def _seeds(given: object, at: Path, faults: list[Fault]) -> tuple[int, ...]:
    wanted = "a list of different integers 0..4294967295"
    if not isinstance(given, list | tuple):
        faults.append(Fault(at, f"wrong type: {shown(given)}, allowed: {wanted}"))
        return (0,)
    if not given:
        faults.append(Fault(at, f"an empty list, allowed: {wanted}"))
    for index, seed in enumerate(given):
        if type(seed) is not int or not 0 <= seed < 2**32:
            faults.append(Fault((*at, index), f"not a seed: {shown(seed)}, allowed: an integer 0..4294967295"))
        elif seed in given[:index]:
            faults.append(Fault((*at, index), f"given more than once: {seed}, allowed: {wanted}"))
    return tuple(given)


def _objectives(given: object, spec: Spec, own: bool, faults: list[Fault]) -> tuple[goals.Goal, ...]:
    at: Path = ("sweep", "objectives")
    if not isinstance(given, list | tuple) or not given:
        faults.append(Fault(at, f"wrong type: {shown(given)}, allowed: a list of {', '.join(goals.names(spec))}"))
        return ()
    made: list[goals.Goal] = []
    for index, name in enumerate(given):
        try:
            found = goals.goal(name, spec, own)
            if found in made:
                raise ValueError(f"given more than once: {shown(name)}, allowed: each objective once")
            made.append(found)
        except ValueError as error:
            faults.append(Fault((*at, index), str(error)))
    return tuple(made)


def _constraints(given: object, spec: Spec, own: bool, faults: list[Fault]) -> tuple[goals.Constraint, ...]:
    at: Path = ("sweep", "constraints")
    if not isinstance(given, list | tuple):
        faults.append(Fault(at, f"wrong type: {shown(given)}, allowed: a list such as ['memory <= 64 KiB']"))
        return ()
    made = []
    for index, text in enumerate(given):
        try:
            made.append(goals.constraint(text, spec, own))
        except ValueError as error:
            faults.append(Fault((*at, index), str(error)))
    return tuple(made)


def _samples(given: object, sampled: bool, is_given: bool, faults: list[Fault]) -> int:
    at: Path = ("sweep", "samples")
    if is_given and not sampled:
        faults.append(Fault(at, f"no effect: {shown(given)}, allowed: only with method random, sobol or search"))
        return 0
    if type(given) is not int or not (1 <= given <= MOST_POINTS or not sampled):
        faults.append(Fault(at, f"wrong number of points: {shown(given)}, allowed: an integer 1..{MOST_POINTS}"))
        return 1
    return given


def _flag(given: object, faults: list[Fault]) -> bool:
    words = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
    value = words.get(given.casefold()) if isinstance(given, str) else given
    if not isinstance(value, bool):
        faults.append(Fault(("sweep", "prune"), f"wrong type: {shown(given)}, allowed: true or false"))
        return False
    return value


def _as_a_whole(sweep: Sweep, has_parameters: bool) -> Iterator[Fault]:
    where: Path = ("sweep", "parameters") if has_parameters else ("sweep",)
    for index, parameter in enumerate(sweep.parameters):
        before = [field for other in sweep.parameters[:index] for field in other.fields]
        for mine, (name, place) in enumerate(parameter.fields):
            for other, taken in [*before, *parameter.fields[:mine]]:
                shorter = min(len(place), len(taken))
                if place[:shorter] == taken[:shorter]:
                    at = parameter.line_of(parameter.values[0], mine) if parameter.group else parameter.at
                    whose = f"{name} sweeps" if parameter.group else "sweeps"
                    yield Fault(at, f"{whose} what {other} sweeps, allowed: each field once")
    if sweep.method == "zip" and len({len(parameter.values) for parameter in sweep.parameters}) > 1:
        lengths = ", ".join(f"{parameter.name} {len(parameter.values)}" for parameter in sweep.parameters)
        yield Fault(where, f"zip needs lists of one length: {lengths}")
    if sweep.method in ("random", "sobol", "search") and not sweep.parameters:
        yield Fault(where, f"no parameters, allowed: a mapping of dotted field: {_VALUES}")
    count = len(sweep.seeds)
    if sweep.method == "grid":
        for parameter in sweep.parameters:
            count *= max(len(parameter.values), 1)
    elif sweep.method != "zip":
        count *= sweep.samples
    if count > MOST_POINTS:
        yield Fault(where, f"too many runs: {count}, allowed: up to {MOST_POINTS}")
