"""What a rule says of itself and of a chip: settings, memory map, recipes, schedule, constants, expected counts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final, get_args

from edgesdt import registry
from edgesdt.ledger import actions as act
from edgesdt.ledger.memory import Array
from edgesdt.ledger.recipes import KINDS, Access, Action, Along, Design, Phase, Unit, Use
from edgesdt.rules.activity import ASSUMED
from edgesdt.rules.contract.broken import check_counts, require, whole
from edgesdt.rules.protocol import Rule
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Learning

SYNAPSES: Final = ("digital", "cells")
READOUTS: Final = tuple(registry.READOUTS)
TARGETS: Final = ("self_defined", "label", "none", "mixed")
WIDTHS: Final = {"add": 1, "multiply": 2, "compare": 1, "shift": 1, "xor": 1, "register": 1}
"""Primitives of a technology table, and how many widths each has."""


def _is_described(rule: Rule, spec: Spec | None) -> None:
    require(isinstance(rule, Rule), f"RULE is a {type(rule).__name__}, must be an edgesdt.rules.protocol.Rule")
    for word in ("name", "summary", "source"):
        text = getattr(rule, word)
        require(isinstance(text, str) and bool(text.strip()), f"{word} is {text!r}, must say something")
        require("\n" not in text, f"{word} has more than one line")
    for word, known in (("targets", TARGETS), ("readouts", READOUTS), ("synapses", SYNAPSES)):
        given = getattr(rule, word)
        require(isinstance(given, tuple) and bool(given), f"{word} is {given!r}, must be a tuple of {', '.join(known)}")
        for name in given:
            require(name in known, f"{word} has {name!r}, allowed: {', '.join(known)}")
    for part in FUNCTIONS:
        require(callable(getattr(rule, part)), f"{part} is a {type(getattr(rule, part)).__name__}, must be a function")


FUNCTIONS: Final = (
    "arrays", "design", "held", "rates", "expected", "observed", "outputs", "output_bits", "classes", "disagreements",
    "cautions", "build",
)  # fmt: skip
"""The fields of a `Rule` that are called with a spec."""


def _has_settings(rule: Rule, spec: Spec | None) -> None:
    kind = rule.settings
    wanted = "must be a class made from edgesdt.spec.schema.learning.Learning"
    require(
        isinstance(kind, type) and issubclass(kind, Learning) and kind is not Learning,
        f"settings is {kind!r}, {wanted}",
    )
    for name, field in kind.model_fields.items():
        require(
            bool(field.description) or hasattr(field.annotation, "model_fields"), f"settings.{name} has no description"
        )
        require(not field.is_required(), f"settings.{name} has no default")
    choices = get_args(kind.model_fields["target"].annotation)
    same = set(choices) == set(rule.targets)
    require(same, f"settings.target allows {', '.join(choices)}, targets are {', '.join(rule.targets)}")
    require(rule.targets[0] == kind.model_fields["target"].default or len(rule.targets) > 1, "settings.target: default")
    for name, value in rule.costless.items():
        require(name in kind.model_fields, f"costless has {name!r}, which is no field of settings")
        require(value == value, f"costless.{name} is not equal to itself")


def _fits_the_map(rule: Rule, spec: Spec) -> None:
    arrays = rule.arrays(spec)
    require(
        isinstance(arrays, tuple) and bool(arrays), f"arrays() is a {type(arrays).__name__}, must be a tuple of Array"
    )
    for array in arrays:
        require(isinstance(array, Array), f"arrays() has a {type(array).__name__}, must be an Array")
        shape = isinstance(array.shape, tuple) and all(whole(n, 1) for n in array.shape)
        require(shape, f"array {array.name}: shape {array.shape!r}, must be whole numbers of 1 or more")
        require(whole(array.bits_each, 0), f"array {array.name}: bits_each {array.bits_each!r}, must be a whole number")
        require(isinstance(array.format, str), f"array {array.name}: format {array.format!r}, must be text")
    names = [array.name for array in arrays]
    require(len(set(names)) == len(names), f"arrays() repeats a name: {', '.join(names)}")
    if spec.device.digital:
        stored = sum(array.bits for array in arrays if array.name.startswith("weights"))
        require(stored > 0, "no array whose name starts with 'weights': a digital chip keeps its weights somewhere")
    require(any(a.name.startswith("random") for a in arrays), "no array whose name starts with 'random'") if any(
        action.name == act.RANDOM_WORD for action in rule.design(spec).actions
    ) else None


def _has_recipes(rule: Rule, spec: Spec) -> None:
    design = rule.design(spec)
    require(isinstance(design, Design), f"design() is a {type(design).__name__}, must be a Design")
    names = [action.name for action in design.actions]
    require(len(set(names)) == len(names), f"design() repeats an action: {', '.join(names)}")
    for action in design.actions:
        where = f"action {action.name}"
        require(isinstance(action, Action), f"{where} is a {type(action).__name__}, must be an Action")
        require(action.name not in act.CELL_MEANING, f"{where} is an action of analog cells, which are priced apart")
        for word in ("name", "meaning", "component"):
            text = getattr(action, word)
            require(isinstance(text, str) and bool(text.strip()), f"{where}: {word} is {text!r}, must say something")
        _parts(where, action.recipe, (Use, Access))
    for unit in design.units:
        require(isinstance(unit, Unit) and whole(unit.count, 1), f"unit {unit!r}: a count of 1 or more")
        _parts(f"unit of {unit.component}", unit.parts, (Use,))


def _parts(where: str, parts: Iterable[Any], kinds: tuple[type, ...]) -> None:
    for part in parts:
        may = " or ".join(kind.__name__ for kind in kinds)
        require(isinstance(part, kinds), f"{where}: {part!r}, must be {may}")
        require(whole(part.times, 1), f"{where}: {part}: times {part.times!r}, must be 1 or more")
        if isinstance(part, Access):
            require(whole(part.bits, 1), f"{where}: an access of {part.bits!r} bits, must be 1 or more")
            ways = part.along in get_args(Along) and (part.kind is None or part.kind in KINDS)
            allowed = f"along {' or '.join(get_args(Along))}, kind one of {', '.join(KINDS)}"
            require(ways, f"{where}: an access along {part.along!r} of kind {part.kind!r}, must be {allowed}")
            require(isinstance(part.arrays, tuple), f"{where}: an access to {part.arrays!r}, must be a tuple of names")
            continue
        known = ", ".join(WIDTHS)
        require(part.primitive in WIDTHS, f"{where}: unknown primitive {part.primitive!r}, allowed: {known}")
        right = len(part.bits) == WIDTHS[part.primitive] and all(whole(n, 1) for n in part.bits)
        wanted = f"{WIDTHS[part.primitive]} whole numbers of 1 or more"
        require(right, f"{where}: {part.primitive} of widths {part.bits!r}, must be {wanted}")


def _has_a_schedule(rule: Rule, spec: Spec) -> None:
    design = rule.design(spec)
    known = [action.name for action in design.actions]
    names = [phase.name for phase in design.phases]
    require(bool(names), "no phase: nothing takes time")
    require(len(set(names)) == len(names), f"two phases have one name: {', '.join(names)}")
    for phase in design.phases:
        require(isinstance(phase, Phase) and bool(phase.stages), f"phase {phase!r}: must have stages")
        for bound in (bound for stage in phase.stages for bound in stage):
            where = f"phase {phase.name!r}"
            require(whole(bound.per_cycle, 1), f"{where}: per_cycle {bound.per_cycle!r}, must be 1 or more")
            for name, each in bound.actions.items():
                require(name in known, f"{where}: action {name!r} is not in the design, allowed: {', '.join(known)}")
                require(whole(each, 1), f"{where}: {each!r} of action {name} are one thing, must be 1 or more")


def _names_constants(rule: Rule, spec: Spec) -> None:
    _with_held(rule, spec)


def _is_held(rule: Rule, spec: Spec) -> None:
    once = Spec.from_plain(_with_held(rule, spec))
    twice = Spec.from_plain(_with_held(rule, once))
    for path in rule.held(spec):
        first, second = _at(once, path), _at(twice, path)
        require(first == second, f"held(): {path} is {first!r}, and resolved again {second!r}: it must stay")


def _with_held(rule: Rule, spec: Spec) -> dict[str, Any]:
    """The plain spec with every constant at the value that `held` gives it."""
    plain = spec.plain()
    for path, (value, register) in rule.held(spec).items():
        numbers = value if isinstance(value, list) else [value]
        real = bool(numbers) and all(isinstance(n, int | float) and math.isfinite(n) for n in numbers)
        require(real, f"held(): {path} is {value!r}, must be a finite number or a list of them")
        require(isinstance(register, str) and bool(register), f"held(): {path}: register {register!r}, must be text")
        *sections, name = path.split(".")
        place: Any = plain
        for section in sections:
            place = place.get(section) if isinstance(place, dict) else None
        require(isinstance(place, dict) and name in place, f"held(): {path} is no field of the spec")
        place[name] = value
    plain["data"]["set"] = "any.npz"  # a twin has fewer inputs than its data set
    return plain


def _at(spec: Spec, path: str) -> object:
    here: Any = spec.plain()
    for part in path.split("."):
        here = here[part]
    return here


def _has_rates(rule: Rule, spec: Spec) -> None:
    for epoch in (0, spec.epochs - 1):
        rates = rule.rates(spec, epoch)
        right = isinstance(rates, list) and len(rates) == len(spec.chip.layers) - 1
        right = right and all(isinstance(rate, int | float) and math.isfinite(rate) and rate >= 0 for rate in rates)
        require(right, f"rates() in epoch {epoch} is {rates!r}, must be a list of a number for each weight layer")


def _expects_every_action(rule: Rule, spec: Spec) -> None:
    for learning in (True, False):
        check_counts(rule, spec, rule.expected(spec, learning, ASSUMED), f"expected(spec, {learning}, ASSUMED)")


def _says_sentences(rule: Rule, spec: Spec) -> None:
    require(isinstance(rule.in_words(ASSUMED, spec.chip.layers[1:]), str), "in_words() is no text")
    told = rule.cautions(spec)
    require(
        isinstance(told, list) and all(isinstance(line, str) for line in told),
        f"cautions() is {told!r}, must be a list",
    )
    require(not list(rule.disagreements(spec)), "disagreements() refuses this very spec")


LAWS_OF_ITSELF: Final = {
    "a rule says what it is": _is_described,
    "settings are a section of learning": _has_settings,
}
LAWS_OF_A_CHIP: Final = {
    "every array is in the memory map with its shape and bits": _fits_the_map,
    "every action has a component and a recipe": _has_recipes,
    "the schedule is made of known actions": _has_a_schedule,
    "constants as held are fields of the spec": _names_constants,
    "there is a learning rate for each weight layer": _has_rates,
    "every action is expected": _expects_every_action,
    "what it says are sentences": _says_sentences,
}
LAWS_OF_CONSTANTS: Final = {"constants as held are held again as they are": _is_held}
