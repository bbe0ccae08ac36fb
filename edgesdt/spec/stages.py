"""The stages of a run: one for each part of each phase, with the spec that its rule is asked for.

A run without phases has one stage, whose spec is the run's own. A stage of several has the chip of the run, and the
`learning:` section, `epochs` and known labels of its part: to a rule it looks like a run of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from edgesdt.spec.checks.hints import Path
from edgesdt.spec.schema.learning import Learning, Targeted, section_of
from edgesdt.spec.schema.phases import OWN_FIELDS, Part, Phase
from edgesdt.spec.sets import SETS
from edgesdt.spec.types import CANONICAL

if TYPE_CHECKING:
    from edgesdt.spec.schema.spec import Spec

MIXED = "mixed"
PRETRAIN, BOTH = "pretrain", "both"
"""Names of the two phases that `learning.target: mixed` stands for."""


class StageError(ValueError):
    """A part has no learning section; `place` is the part, `error` what pydantic found in it."""

    def __init__(self, place: Path, error: ValidationError) -> None:
        super().__init__(str(error))
        self.place, self.error = place, error


@dataclass(frozen=True)
class Stage:
    """One part of one phase. `place` is its path in the spec, empty for a run without phases."""

    index: int
    phase: int
    name: str
    part: Part
    spec: Spec
    place: Path = ()

    @property
    def samples(self) -> str:
        """Which training samples it learns: labelled, unlabelled or all."""
        target = self.spec.learning.target
        return self.part.samples or ("labelled" if target == "label" else "all")


def is_phased(spec: Spec) -> bool:
    """Whether a run of `spec` has phases, given or by its target."""
    return bool(spec.phases) or spec.learning.target == MIXED


def phases_of(spec: Spec) -> tuple[Phase, ...]:
    """The phases of a run: those of the spec, or those that its target stands for; none of a run of one phase."""
    if spec.phases or spec.learning.target != MIXED:
        return spec.phases
    pretrain = Phase(name=PRETRAIN, samples="labelled", target="label")
    parts = (Part(samples="unlabelled", target="self_defined"), Part(samples="labelled", target="label"))
    return pretrain, Phase(name=BOTH, alternate=parts)


def epochs_of(spec: Spec) -> int:
    """Epochs of the whole run."""
    return sum(phase.epochs or spec.epochs for phase in phases_of(spec)) if is_phased(spec) else spec.epochs


def stages(spec: Spec) -> tuple[Stage, ...]:
    """Every stage of a run, in order. Raises `StageError` for a spec that has not been checked."""
    if not is_phased(spec):
        return (Stage(0, 0, "", Part(), spec),)
    return tuple(replace(stage, index=index) for index, stage in enumerate(_every(spec)))


def samples_of(spec: Spec, stage: Stage) -> int | None:
    """Samples that a stage learns in an epoch; None where the size of its data set is not known without reading it."""
    facts = SETS.get(stage.part.set or spec.data.set)
    asked = stage.part.train or spec.data.train
    there = asked if facts is None else min(asked or facts.train, facts.train)
    if there is None:
        return None
    given = spec.data.labels
    known = max(1, round(there * spec.label_fraction)) if given is None else min(given.count, there)
    return {"labelled": known, "unlabelled": there - known}.get(stage.samples, there) * stage.part.passes


def shares(spec: Spec) -> list[float]:
    """The share of each stage in the samples that a run learns; all alike where they are not known."""
    every = stages(spec)
    sizes = [samples_of(spec, stage) for stage in every]
    known = [size * stage.spec.epochs for size, stage in zip(sizes, every, strict=True) if size is not None]
    if len(known) < len(every) or not sum(known):
        return [1.0 / len(every)] * len(every)
    return [size / sum(known) for size in known]


def longest(spec: Spec) -> Stage:
    """The stage that learns most samples; the first of equals."""
    found = shares(spec)
    return stages(spec)[found.index(max(found))]


def base_of(spec: Spec) -> Spec:
    """`spec` as one phase, with a target that a rule knows: its own `learning:` section by itself."""
    if not is_phased(spec):
        return spec
    target = "self_defined" if spec.learning.target == MIXED else spec.learning.target
    learning = spec.learning.model_copy(update={"target": target})
    return spec.model_copy(update={"learning": learning, "phases": ()})


def given_at(stage: Stage, path: str) -> str:
    """Where a part gives the field at dotted `path` itself, dotted; empty where it does not."""
    section, _, field = path.partition(".")
    if not stage.place or section != "learning":
        return ""
    place = ".".join(map(str, stage.place))
    if field in ("learning_rate", "target", "schedule"):
        return f"{place}.{field}" if getattr(stage.part, field) is not None else ""
    here: Any = stage.part.learning
    for name in field.split("."):
        if not isinstance(here, Mapping) or name not in here:
            return ""
        here = here[name]
    return f"{place}.{path}"


def _every(spec: Spec) -> Iterator[Stage]:
    for number, phase in enumerate(phases_of(spec)):
        epochs = phase.epochs or spec.epochs
        for at, part in enumerate(phase.parts):
            place: Path = ("phases", number, "alternate", at) if phase.alternate else ("phases", number)
            place = place if spec.phases else ()
            changes = {"learning": _learning(spec, part, place), "epochs": epochs, "phases": ()}
            yield Stage(0, number, phase.name, part, spec.model_copy(update=changes), place)


def _learning(spec: Spec, part: Part, place: Path) -> Learning:
    """The learning section of a part: the spec's, with the fields that the part gives."""
    base = spec.learning
    # what does not go there is told by the checks, by name
    given = {name: value for name, value in _nested(part.learning).items() if name not in OWN_FIELDS}
    own = {name: getattr(part, name) for name in ("target", "learning_rate", "schedule")}
    fields = base.model_dump() | {name: value for name, value in own.items() if value is not None}
    for name, value in given.items():
        fields[name] = _merged(fields.get(name), value)
    if part.schedule is not None:
        fields["schedule"] = part.schedule.model_dump()
    rates = fields["learning_rate"]
    if len(rates) == 1:
        fields["learning_rate"] = tuple(rates) * (len(spec.chip.layers) - 1)
    dropped = given.get("dropout", {})
    if isinstance(base, Targeted) and fields["target"] == "label" and "output" not in dropped:
        fields["dropout"] = {**fields["dropout"], "output": 0.0}
    try:
        made = section_of(base.rule).model_validate(fields, context={CANONICAL: True})
    except ValidationError as error:
        raise StageError(place, error) from None
    return made


def _nested(given: Mapping[str, Any]) -> dict[str, Any]:
    """Fields with dotted keys taken apart, as `--set phases.0.learning.dropout.input=0` writes them."""
    made: dict[str, Any] = {}
    for key, value in given.items():
        name, *inner = str(key).split(".")
        for part in reversed(inner):
            value = {part: value}
        made[name] = _merged(made.get(name), value)
    return made


def _merged(below: Any, above: Any) -> Any:
    """`above`, whose fields replace those of `below` one by one where both are mappings."""
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    return {**below, **{key: _merged(below.get(key), value) for key, value in above.items()}}
