"""Lists and checks every point of a sweep before any run: values, seed, hash, and whether it fits its memory.

A point with an invalid spec is an error; a point that only exceeds its memory budget is infeasible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgesdt import datasets
from edgesdt.errors import SpecError
from edgesdt.pricing import bill
from edgesdt.report.files import telling
from edgesdt.spec import SETS, SetFacts, Spec, named_files
from edgesdt.spec.checks.hints import Path, dotted, shown
from edgesdt.spec.loading import Traced
from edgesdt.spec.sweep.section import Parameter, Sweep
from edgesdt.spec.sweep.variants import Faulty, Variants
from edgesdt.spec.text.source import Fault
from edgesdt.spec.text.writing import UNHASHED, canonical, joined_hash
from edgesdt.sweep import keys as texts
from edgesdt.sweep.forecast import used_bits
from edgesdt.sweep.sampling import combinations
from edgesdt.units import format_size

_MOST_FAULTS = 20
_SET: Path = ("data", "set")


@dataclass(frozen=True, slots=True)
class Point:
    """One run of a sweep: the values of the plan's parameters, in their order, and a seed.

    `spec_hash` is the hash of the whole planned spec (before its constants are rounded to registers). `infeasible` says
    why the chip cannot be built; it is empty if the chip can be built.
    """

    values: tuple[Any, ...]
    seed: int
    spec_hash: str
    infeasible: str = ""

    @property
    def id(self) -> str:
        """The name of the point in a store."""
        return f"{self.spec_hash}-{self.seed}"


class SweepPlan:
    """The plan of a sweep: `points` in the order in which they run (empty for a search, which chooses its own).

    Raises `SpecError` with every fault of every point, and `DataError` if the user's data file cannot be read. Without
    `with_data` no data file is read.
    """

    def __init__(self, traced: Traced, sweep: Sweep, with_data: bool = True) -> None:
        self.base, self.sweep, self._origin = traced.spec, sweep, traced.origin
        sets = [v for p in sweep.parameters for value in p.values for _, place, v in p.spread(value) if place == _SET]
        sets = sets or [self.base.data.set]
        located = [named_files.located(_SET, name, traced.folder) if traced.folder else name for name in sets]
        self._variants = Variants(traced.spec, traced.data, _facts(located) if with_data else {}, traced.folder)
        self.folder = traced.folder
        """The folder for relative paths of the sweep section; empty for the current folder."""
        self._technologies: dict[str, str] = {}
        self._texts: dict[tuple[str, str], str] = {}
        self.points: list[Point] = []
        self.repeated = 0
        """Number of combinations left out because they describe the same chip as an earlier one."""
        if sweep.method != "search":
            self.points = self._checked(combinations(sweep, self.base.seed))

    def points_of(self, values: tuple[Any, ...]) -> list[Point]:
        """The point with these values for every seed. Raises `Faulty`."""
        spec = self.spec_with(values)
        digest, reason = self._hash(spec), _infeasible(spec)
        return [Point(values, seed, digest, reason) for seed in self.sweep.seeds]

    def spec_with(self, values: tuple[Any, ...]) -> Spec:
        """The spec with these values and the seed of the base spec. Raises `Faulty`."""
        spec = self._variants.with_values((place, value) for _, place, value in spread(self.sweep.parameters, values))
        self._check_technology(spec)
        return spec

    def spec_of(self, point: Point) -> Spec:
        """The spec for the run of a point."""
        return self.spec_with(point.values).model_copy(update={"seed": point.seed})

    def named(self, point: Point) -> dict[str, Any]:
        """Dotted path → value of a point."""
        return {name: value for name, _, value in spread(self.sweep.parameters, point.values)}

    def told(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """Dotted path → value as shown, of a point that `named` returned: a whole section by what tells it apart."""
        made: dict[str, Any] = {}
        for parameter in self.sweep.parameters:
            names = [name for name, _ in parameter.fields]
            made |= _told(parameter, [point.get(name) for name in names])
        return made

    def check(self, every: Iterable[tuple[Any, ...]]) -> None:
        """Raise `SpecError` with every fault of these combinations of values."""
        self._checked(every)

    def faults_of(self, parameter: Parameter, values: Iterable[Any]) -> list[str]:
        """The faults of values of one parameter in the base spec; none if another parameter chooses the device."""
        found: dict[tuple[Path, str], tuple[str, int]] = {}
        devices = [other for other in self.sweep.parameters if any(_chooses(name) for name, _ in other.fields)]
        of_device = any(place[0] == "device" for _, place in parameter.fields)
        if of_device and any(other is not parameter for other in devices):
            return []
        for value in values:
            try:
                self._variants.with_values([(place, one) for _, place, one in parameter.spread(value)])
            except Faulty as error:
                for fault in error.faults:
                    at = _line_of_field(parameter, value, (fault.path, *fault.blame)) or parameter.line_of(value)
                    found[at, f"{dotted(fault.path)}: {fault.text}"] = label([parameter], [value]), 1
        return self._told(found)

    def _checked(self, every: Iterable[tuple[Any, ...]]) -> list[Point]:
        points: list[Point] = []
        seen: set[str] = set()
        found: dict[tuple[Path, str], tuple[str, int]] = {}
        for values in every:
            try:
                made = self.points_of(values)
            except Faulty as error:
                for fault in error.faults:
                    key = self._line_of_fault(fault, values), f"{dotted(fault.path)}: {fault.text}"
                    first, count = found.get(key, (label(self.sweep.parameters, values), 0))
                    found[key] = first, count + 1
                continue
            self.repeated += made[0].spec_hash in seen
            if made[0].spec_hash not in seen:
                seen.add(made[0].spec_hash)
                points += made
        if found:
            raise SpecError(self._told(found))
        return points

    def _told(self, found: Mapping[tuple[Path, str], tuple[str, int]]) -> list[str]:
        faults = []
        for (path, text), (first, count) in found.items():
            more = f" and {count - 1} more" if count > 1 else ""
            faults.append(Fault(path, f"{text}, at point {first}{more}"))
        lines = self._origin.render(faults)
        left = len(lines) - _MOST_FAULTS
        return lines if left <= 0 else [*lines[:_MOST_FAULTS], f"… and {left} more faults"]

    def _line_of_fault(self, fault: Fault, values: tuple[Any, ...]) -> Path:
        """Position in the file of the value that takes part in a fault."""
        paths = (fault.path, *fault.blame)
        for path in paths:
            for parameter, value in zip(self.sweep.parameters, values, strict=True):
                if found := _line_of_field(parameter, value, (path,)):
                    return found
        return ("sweep",)

    def _hash(self, spec: Spec) -> str:
        """As `spec_hash` of the plain spec, but each distinct section is converted only once."""
        keys = {name: texts.of(value) for name, value in spec if name not in UNHASHED}
        unseen = [(name, key) for name, key in keys.items() if (name, key) not in self._texts]
        plain = spec.plain() if unseen else {}
        for name, key in unseen:
            self._texts[name, key] = canonical(named_files.identity(name, plain[name])) if name in plain else ""
        found = {name: self._texts[name, key] for name, key in keys.items()}
        return joined_hash({name: text for name, text in found.items() if text})

    def _check_technology(self, spec: Spec) -> None:
        key = texts.of(spec.technology)
        if key not in self._technologies:
            try:
                bill.technology(spec)
                self._technologies[key] = ""
            except SpecError as error:
                self._technologies[key] = str(error).removeprefix("technology: ")
        if self._technologies[key]:
            raise Faulty([Fault(("technology",), self._technologies[key])])


def _line_of_field(parameter: Parameter, value: Any, paths: Iterable[Path]) -> Path:
    """Position in the file of the parameter's field that one of `paths` concerns; empty if there is none."""
    for path in paths:
        for index, (_, place) in enumerate(parameter.fields):
            length = min(len(path), len(place))
            if length and path[:length] == place[:length]:
                return parameter.line_of(value, index)
    return ()


def _infeasible(spec: Spec) -> str:
    """Why the chip does not fit its memory; empty if it fits."""
    used, budget = used_bits(spec), spec.chip.memory_budget
    if used <= budget:
        return ""
    needed, excess = format_size(used), format_size(used - budget)
    return f"chip.memory_budget: {format_size(budget)} is too small by {excess}; its arrays take {needed}"


def _chooses(name: str) -> bool:
    """Whether the field at a dotted path chooses the device of all weights or of one layer."""
    inner = name.removeprefix("device").split(".")[1:]
    if not name.startswith("device") or inner[:1] != ["layers"]:
        return name in ("device", "device.model", "device.file")
    return len(inner) <= 2 or inner[2:] in (["model"], ["file"])


def label(parameters: Sequence[Parameter], values: Sequence[Any]) -> str:
    """`chip.weights.bits=4, learning.winners=3`."""
    shown_as = [_told(p, v if p.group else (v,)) for p, v in zip(parameters, values, strict=True)]
    pairs = [pair for each in shown_as for pair in each.items()]
    return ", ".join(f"{name}={v if isinstance(v, str) else shown(v)}" for name, v in pairs) or "the spec itself"


def heads(parameters: Sequence[Parameter]) -> list[str]:
    """The fields that are shown of points, in their order."""
    return [name for p in parameters for name in telling.telling(_entries(p))]


def _entries(parameter: Parameter) -> list[dict[str, Any]]:
    """Field -> value, of every value of a parameter; of a range the field alone."""
    values = parameter.values or (None,)
    return [{name: one for name, _, one in parameter.spread(value)} for value in values]


def _told(parameter: Parameter, values: Sequence[Any]) -> dict[str, Any]:
    """The shown fields of one entry, given as the values of the parameter's fields."""
    entry = {name: value for (name, _), value in zip(parameter.fields, values, strict=True)}
    return telling.told(entry, _entries(parameter)) if any(map(telling.is_section, values)) else entry


def spread(parameters: Sequence[Parameter], values: Sequence[Any]) -> list[tuple[str, Path, Any]]:
    """Name, position and value of every field that the values of `parameters` set; the fields of groups separately."""
    pairs = zip(parameters, values, strict=True)
    return [field for parameter, value in pairs for field in parameter.spread(value)]


def _facts(sets: Iterable[Any]) -> dict[str, SetFacts]:
    """Shapes and sizes of the user's own data files."""
    facts = {}
    for name in sets:
        if isinstance(name, str) and name.lower().endswith(".npz") and name not in SETS:
            data = datasets.load(name)
            facts[name] = SetFacts(data.features, data.classes, len(data.x_train), len(data.x_test))
    return facts
