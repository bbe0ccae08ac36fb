"""The contract of a learning rule as laws with names, each with its check: for the tests of whoever writes a rule.

`check(rule, spec)` tries them all on the chip of `spec` and raises `RuleError` with the first that is broken. Those of
`DESCRIPTION` need no spec and are tried whenever a rule of a plug-in is loaded, those of `CHIP` whenever a chip is
built on one, on a small twin (`edgesdt.rules.foreign`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NoReturn, get_args

import numpy as np
import numpy.typing as npt

from edgesdt.errors import RuleError
from edgesdt.ledger import actions as act
from edgesdt.ledger.memory import Array
from edgesdt.ledger.recipes import Access, Action, Design, Phase, Unit, Use
from edgesdt.rules.protocol import Learner, Rule
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Learning

SYNAPSES: Final = ("digital", "cells")
READOUTS: Final = ("direct", "linear", "output")
TARGETS: Final = ("self_defined", "label", "none")
WIDTHS: Final = {"add": 1, "multiply": 2, "compare": 1, "shift": 1, "xor": 1, "register": 1}
"""Primitives of a technology table, and how many widths each has."""
_SAMPLES: Final = 12
_MANY: Final = 600
"""Samples of a thorough check of inference: more than one thread takes at a time."""

Codes = npt.NDArray[np.uint8]
State = dict[str, npt.NDArray[np.generic]]


class Broken(Exception):
    """What a rule did instead of keeping a law."""


def check(rule: Rule, spec: Spec) -> None:
    """Raise `RuleError` with the first law that `rule` breaks, or in which it fails, on the chip of `spec`.

    `spec` must name the rule. The chip learns `_SAMPLES` random samples a few times over: a small chip is enough.
    """
    for laws in (DESCRIPTION, SPEC, HELD, CHIP):
        hold(rule, laws, spec)
    hold(rule, {"inference changes nothing and does not depend on threads": _infers_on_many}, spec)


def hold(rule: Rule, laws: Mapping[str, Callable[[Any, Any], None]], spec: Spec | None, label: str = "") -> None:
    """Raise `RuleError` with the first of `laws` that is broken; `label` names the rule and where it is from."""
    for law, keeps in laws.items():
        try:
            keeps(rule, spec)
        except Exception as error:  # other people's code: anything can come out of it
            named = label or f"rule {getattr(rule, 'name', '?')}"
            said = str(error) if isinstance(error, Broken) else f"{type(error).__name__}: {error}"
            raise RuleError(f"{named} breaks the contract, {law!r}: {' '.join(said.split())}") from error


def _require(kept: bool, told: str) -> None:
    if not kept:
        raise Broken(told)


def _refuse(told: str) -> NoReturn:
    raise Broken(told)


# what it says of itself


def _is_described(rule: Rule, spec: Spec | None) -> None:
    _require(isinstance(rule, Rule), f"RULE is a {type(rule).__name__}, must be an edgesdt.rules.protocol.Rule")
    for word in ("name", "summary", "source"):
        text = getattr(rule, word)
        _require(isinstance(text, str) and bool(text.strip()), f"{word} is {text!r}, must say something")
        _require("\n" not in text, f"{word} has more than one line")
    for word, known in (("targets", TARGETS), ("readouts", READOUTS), ("synapses", SYNAPSES)):
        given = getattr(rule, word)
        _require(isinstance(given, tuple) and bool(given), f"{word} is {given!r}, must be a tuple of {', '.join(known)}")
        for name in given:
            _require(name in known, f"{word} has {name!r}, allowed: {', '.join(known)}")
    for part in FUNCTIONS:
        _require(callable(getattr(rule, part)), f"{part} is a {type(getattr(rule, part)).__name__}, must be a function")


FUNCTIONS: Final = (
    "arrays", "design", "held", "rates", "expected", "assumptions", "disagreements", "cautions", "build",
)  # fmt: skip
"""The fields of a `Rule` that are called with a spec."""


def _has_settings(rule: Rule, spec: Spec | None) -> None:
    kind = rule.settings
    wanted = "must be a class made from edgesdt.spec.schema.learning.Learning"
    _require(isinstance(kind, type) and issubclass(kind, Learning) and kind is not Learning, f"settings is {kind!r}, {wanted}")
    for name, field in kind.model_fields.items():
        _require(bool(field.description) or hasattr(field.annotation, "model_fields"), f"settings.{name} has no description")
        _require(not field.is_required(), f"settings.{name} has no default")
    choices = get_args(kind.model_fields["target"].annotation)
    same = set(choices) == set(rule.targets)
    _require(same, f"settings.target allows {', '.join(choices)}, targets are {', '.join(rule.targets)}")
    _require(rule.targets[0] == kind.model_fields["target"].default or len(rule.targets) > 1, "settings.target: default")
    for name, value in rule.costless.items():
        _require(name in kind.model_fields, f"costless has {name!r}, which is no field of settings")
        _require(value == value, f"costless.{name} is not equal to itself")


# what it says of a chip


def _fits_the_map(rule: Rule, spec: Spec) -> None:
    arrays = rule.arrays(spec)
    _require(isinstance(arrays, tuple) and bool(arrays), f"arrays() is a {type(arrays).__name__}, must be a tuple of Array")
    for array in arrays:
        _require(isinstance(array, Array), f"arrays() has a {type(array).__name__}, must be an Array")
        shape = isinstance(array.shape, tuple) and all(_whole(n, 1) for n in array.shape)
        _require(shape, f"array {array.name}: shape {array.shape!r}, must be whole numbers of 1 or more")
        _require(_whole(array.bits_each, 0), f"array {array.name}: bits_each {array.bits_each!r}, must be a whole number")
        _require(isinstance(array.format, str), f"array {array.name}: format {array.format!r}, must be text")
    names = [array.name for array in arrays]
    _require(len(set(names)) == len(names), f"arrays() repeats a name: {', '.join(names)}")
    if spec.device.digital:
        stored = sum(array.bits for array in arrays if array.name.startswith("weights"))
        _require(stored > 0, "no array whose name starts with 'weights': a digital chip keeps its weights somewhere")
    _require(any(a.name.startswith("random") for a in arrays), "no array whose name starts with 'random'") if any(
        action.name == act.RANDOM_WORD for action in rule.design(spec).actions
    ) else None


def _has_recipes(rule: Rule, spec: Spec) -> None:
    design = rule.design(spec)
    _require(isinstance(design, Design), f"design() is a {type(design).__name__}, must be a Design")
    names = [action.name for action in design.actions]
    _require(len(set(names)) == len(names), f"design() repeats an action: {', '.join(names)}")
    for action in design.actions:
        where = f"action {action.name}"
        _require(isinstance(action, Action), f"{where} is a {type(action).__name__}, must be an Action")
        _require(action.name not in act.CELL_MEANING, f"{where} is an action of analog cells, which are priced apart")
        for word in ("name", "meaning", "component"):
            text = getattr(action, word)
            _require(isinstance(text, str) and bool(text.strip()), f"{where}: {word} is {text!r}, must say something")
        _parts(where, action.recipe, (Use, Access))
    for unit in design.units:
        _require(isinstance(unit, Unit) and _whole(unit.count, 1), f"unit {unit!r}: a count of 1 or more")
        _parts(f"unit of {unit.component}", unit.parts, (Use,))


def _parts(where: str, parts: Iterable[Any], kinds: tuple[type, ...]) -> None:
    for part in parts:
        may = " or ".join(kind.__name__ for kind in kinds)
        _require(isinstance(part, kinds), f"{where}: {part!r}, must be {may}")
        _require(_whole(part.times, 1), f"{where}: {part}: times {part.times!r}, must be 1 or more")
        if isinstance(part, Access):
            _require(_whole(part.bits, 1), f"{where}: an access of {part.bits!r} bits, must be 1 or more")
            _require(isinstance(part.arrays, tuple), f"{where}: an access to {part.arrays!r}, must be a tuple of names")
            continue
        known = ", ".join(WIDTHS)
        _require(part.primitive in WIDTHS, f"{where}: unknown primitive {part.primitive!r}, allowed: {known}")
        right = len(part.bits) == WIDTHS[part.primitive] and all(_whole(n, 1) for n in part.bits)
        wanted = f"{WIDTHS[part.primitive]} whole numbers of 1 or more"
        _require(right, f"{where}: {part.primitive} of widths {part.bits!r}, must be {wanted}")


def _has_a_schedule(rule: Rule, spec: Spec) -> None:
    design = rule.design(spec)
    known = [action.name for action in design.actions]
    names = [phase.name for phase in design.phases]
    _require(bool(names), "no phase: nothing takes time")
    _require(len(set(names)) == len(names), f"two phases have one name: {', '.join(names)}")
    for phase in design.phases:
        _require(isinstance(phase, Phase) and bool(phase.stages), f"phase {phase!r}: must have stages")
        for bound in (bound for stage in phase.stages for bound in stage):
            where = f"phase {phase.name!r}"
            _require(_whole(bound.per_cycle, 1), f"{where}: per_cycle {bound.per_cycle!r}, must be 1 or more")
            for name, each in bound.actions.items():
                _require(name in known, f"{where}: action {name!r} is not in the design, allowed: {', '.join(known)}")
                _require(_whole(each, 1), f"{where}: {each!r} of action {name} are one thing, must be 1 or more")


def _names_constants(rule: Rule, spec: Spec) -> None:
    _with_held(rule, spec)


def _is_held(rule: Rule, spec: Spec) -> None:
    once = Spec.from_plain(_with_held(rule, spec))
    twice = Spec.from_plain(_with_held(rule, once))
    for path in rule.held(spec):
        first, second = _at(once, path), _at(twice, path)
        _require(first == second, f"held(): {path} is {first!r}, and resolved again {second!r}: it must stay")


def _with_held(rule: Rule, spec: Spec) -> dict[str, Any]:
    """The plain spec with every constant at the value that `held` gives it."""
    plain = spec.plain()
    for path, (value, register) in rule.held(spec).items():
        numbers = value if isinstance(value, list) else [value]
        real = bool(numbers) and all(isinstance(n, int | float) and math.isfinite(n) for n in numbers)
        _require(real, f"held(): {path} is {value!r}, must be a finite number or a list of them")
        _require(isinstance(register, str) and bool(register), f"held(): {path}: register {register!r}, must be text")
        *sections, name = path.split(".")
        place: Any = plain
        for section in sections:
            place = place.get(section) if isinstance(place, dict) else None
        _require(isinstance(place, dict) and name in place, f"held(): {path} is no field of the spec")
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
        _require(right, f"rates() in epoch {epoch} is {rates!r}, must be a list of a number for each weight layer")


def _expects_every_action(rule: Rule, spec: Spec) -> None:
    for learning in (True, False):
        _counted(rule, spec, rule.expected(spec, learning), f"expected(spec, {learning})")


def _counted(rule: Rule, spec: Spec, counts: object, where: str) -> None:
    """`counts` must be whole numbers of the actions of the design, and only of those whose arrays are there."""
    design = {action.name: action for action in rule.design(spec).actions}
    known = [*design, *(() if spec.device.digital else act.CELL_MEANING)]
    _require(isinstance(counts, Mapping), f"{where} is a {type(counts).__name__}, must be a mapping of actions to numbers")
    assert isinstance(counts, Mapping)
    for name in counts:
        _require(name in known, f"{where} has {name!r}, which is not in the design, allowed: {', '.join(known)}")
    arrays = [array.name for array in rule.arrays(spec)]
    for name in known:
        _require(name in counts, f"{where} lacks the action {name!r}")
        _require(name in act.CELL_MEANING or _whole(counts[name], 0), f"{where}: {name} is {counts[name]!r}, must be 0 or more")
        for part in design[name].recipe if name in design and counts[name] else ():
            if isinstance(part, Access) and not any(array.startswith(part.arrays) for array in arrays):
                wanted = f"the memory map has {', '.join(arrays)}"
                _refuse(f"{where} counts {name}, which needs an array {' or '.join(part.arrays)}: {wanted}")


def _says_sentences(rule: Rule, spec: Spec) -> None:
    _require(isinstance(rule.assumptions(spec), str), "assumptions() is no text")
    told = rule.cautions(spec)
    _require(isinstance(told, list) and all(isinstance(line, str) for line in told), f"cautions() is {told!r}, must be a list")
    _require(not list(rule.disagreements(spec)), "disagreements() refuses this very spec")


# what it does


def _data(spec: Spec, count: int) -> tuple[Codes, npt.NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 1 << spec.encoder.bits, (count, spec.chip.layers[0]), np.uint8, endpoint=False)
    return codes, np.arange(count, dtype=np.int64) % spec.chip.layers[-1]


def _taught(rule: Rule, spec: Spec, *pieces: tuple[int, int], on: Learner | None = None) -> Learner:
    """A learner that has learned the samples first … last of every piece, in a fixed order."""
    learner = rule.build(spec) if on is None else on
    codes, labels = _data(spec, _SAMPLES)
    order = np.arange(_SAMPLES)[::-1].copy()
    for first, last in pieces:
        learner.learn(codes, labels, order[first:last], 0)
    return learner


def _same_states(one: Mapping[str, Any], two: Mapping[str, Any], told: str) -> None:
    _require(set(one) == set(two), f"{told}: other names: {', '.join(sorted(set(one) ^ set(two)))}")
    for name, array in one.items():
        _require(np.array_equal(array, two[name]) and array.dtype == two[name].dtype, f"{told}: {name} differs")


def _copied(state: Mapping[str, Any]) -> State:
    for name, array in state.items():
        kept = isinstance(array, np.ndarray) and array.dtype.kind in "iufbU"
        _require(kept, f"state() has {name} as a {type(array).__name__}, must be an array of numbers or text")
    return {name: array.copy() for name, array in state.items()}


def _counts_every_action(rule: Rule, spec: Spec) -> None:
    learner = rule.build(spec)
    _counted(rule, spec, learner.counts(), "counts() of a new chip")
    for name, count in learner.counts().items():
        _require(count == 0, f"counts() of a new chip has {count!r} of {name}, must be 0")
    _taught(rule, spec, (0, _SAMPLES), on=learner)
    before = dict(learner.counts())
    _counted(rule, spec, before, "counts()")
    _require(any(before.values()), f"counts() is all 0 after {_SAMPLES} samples")
    learner.infer(_data(spec, 3)[0])
    _counted(rule, spec, learner.inference_counts(), "inference_counts()")
    _require(any(learner.inference_counts().values()), "inference_counts() is all 0 after 3 samples")
    _require(dict(learner.counts()) == before, "counts() changes by inference")


def _repeats(rule: Rule, spec: Spec) -> None:
    one, two = (_taught(rule, spec, (0, _SAMPLES)) for _ in range(2))
    _same_states(_copied(one.state()), two.state(), "two chips of one seed that learned the same")


def _learns_in_pieces(rule: Rule, spec: Spec) -> None:
    cut = spec.learning.batch if spec.learning.batch < _SAMPLES else _SAMPLES
    one, two = _taught(rule, spec, (0, _SAMPLES)), _taught(rule, spec, (0, cut), (cut, cut), (cut, _SAMPLES))
    _same_states(one.state(), two.state(), f"learning {cut} samples, none, and the others is not learning all at once")
    _require(one.counts() == two.counts(), "learning in two calls counts other actions than in one")


def _goes_on(rule: Rule, spec: Spec) -> None:
    cut = spec.learning.batch if spec.learning.batch < _SAMPLES else _SAMPLES
    first = _taught(rule, spec, (0, cut))
    kept = _copied(first.state())
    given = first.state()
    _taught(rule, spec, (cut, _SAMPLES), on=first)
    _same_states(kept, given, "state() gives arrays that change as the chip goes on learning, not copies")
    second = rule.build(spec)
    second.restore(kept)
    _same_states(kept, second.state(), "state() after restore() is not what was restored")
    _taught(rule, spec, (cut, _SAMPLES), on=second)
    _same_states(first.state(), second.state(), "a chip that was saved and restored goes on otherwise: state() lacks something")
    _require(first.counts() == second.counts(), "a restored chip counts other actions: state() lacks something")
    codes, _ = _data(spec, _SAMPLES)
    same = np.array_equal(first.infer(codes), second.infer(codes))
    _require(same, "a restored chip infers otherwise: state() lacks something")


def _refuses_other_states(rule: Rule, spec: Spec) -> None:
    learner = _taught(rule, spec, (0, _SAMPLES))
    kept = _copied(learner.state())
    largest = max(kept, key=lambda name: kept[name].size)
    wrong = {
        f"a state without {largest}": {name: array for name, array in kept.items() if name != largest},
        f"a state with {largest} of another shape": {**kept, largest: np.zeros((1, 2, 3), kept[largest].dtype)},
    }
    for what, state in wrong.items():
        try:
            learner.restore(state)
        except ValueError:
            _same_states(kept, learner.state(), f"restore() refuses {what} but has changed the chip")
            continue
        _refuse(f"restore() takes {what}, must raise a ValueError")


def _infers(rule: Rule, spec: Spec) -> None:
    _infers_on(rule, spec, _SAMPLES)


def _infers_on_many(rule: Rule, spec: Spec) -> None:
    _infers_on(rule, spec, _MANY)


def _infers_on(rule: Rule, spec: Spec, count: int) -> None:
    learner = _taught(rule, spec, (0, _SAMPLES))
    before = _copied(learner.state())
    codes, _ = _data(spec, count)
    one = learner.infer(codes).copy()
    counted = dict(learner.inference_counts())
    _same_states(before, learner.state(), "inference changes the chip")
    most = (1 << spec.chip.states.bits) - 1
    right = one.shape == (count, spec.chip.layers[-1]) and one.dtype in (np.uint8, np.uint16) and int(one.max()) <= most
    wanted = f"uint8 or uint16 of shape {(count, spec.chip.layers[-1])}, 0 to {most} (chip.states.bits)"
    _require(right, f"outputs are {one.dtype} of shape {one.shape}, up to {one.max()}; must be {wanted}")
    for threads in (1, 3):
        again = learner.infer(codes, threads)
        _require(np.array_equal(one, again), f"inference on {threads} threads gives other outputs than before on one")
        _require(dict(learner.inference_counts()) == counted, f"inference on {threads} threads counts other actions")
    with learner.rested(1.0):
        _require(learner.infer(codes[:1]).shape[0] == 1, "no inference while rested")


def _writes_weights(rule: Rule, spec: Spec) -> None:
    learner = _taught(rule, spec, (0, _SAMPLES))
    file = learner.weight_file((spec.chip.layers[0],))
    _copied(file)
    first = file.get("weights_0")
    inputs, hidden = spec.chip.layers[:2]
    right = first is not None and first.dtype.kind in "iu" and first.shape == (inputs, hidden)
    _require(right or not spec.device.digital, f"weight_file() lacks weights_0 as integers of shape {(inputs, hidden)}")
    for array in rule.arrays(spec):
        codes = file.get(array.name)
        if codes is None or codes.dtype.kind not in "iu" or not codes.size:
            continue
        _require(codes.shape == array.shape, f"{array.name} has the shape {codes.shape}, the memory map says {array.shape}")
        signed = int(codes.min()) < 0
        limit = 1 << (array.bits_each - signed)
        fits = -limit <= int(codes.min()) and int(codes.max()) < limit
        told = f"holds {codes.min()} to {codes.max()}, the memory map gives it {array.bits_each} bits"
        _require(fits, f"{array.name} {told}")


def _tells_its_wear(rule: Rule, spec: Spec) -> None:
    learner = _taught(rule, spec, (0, _SAMPLES))
    for name, made in (("wear", learner.wear()), ("simulator_arrays", learner.simulator_arrays())):
        try:
            json.dumps(made, allow_nan=False)
        except (TypeError, ValueError) as error:
            _refuse(f"{name}() cannot be written as JSON: {error}")
    worn = learner.wear()
    for key, kind in (("model", str), ("writes_total", int), ("writes_per_cell_max", int)):
        _require(isinstance(worn.get(key), kind), f"wear() has {key} {worn.get(key)!r}, must be a {kind.__name__}")
    told = learner.warnings()
    _require(isinstance(told, list) and all(isinstance(line, str) for line in told), f"warnings() is {told!r}, must be a list")
    _require(learner.calibration is None, "calibration is not None before a rest")


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def laws() -> Iterator[str]:
    """The laws, in the order in which they are tried."""
    yield from (*DESCRIPTION, *SPEC, *HELD, *CHIP)


DESCRIPTION: Final[dict[str, Callable[[Rule, Spec | None], None]]] = {
    "a rule says what it is": _is_described,
    "settings are a section of learning": _has_settings,
}
SPEC: Final[dict[str, Callable[[Rule, Spec], None]]] = {
    "every array is in the memory map with its shape and bits": _fits_the_map,
    "every action has a component and a recipe": _has_recipes,
    "the schedule is made of known actions": _has_a_schedule,
    "constants as held are fields of the spec": _names_constants,
    "there is a learning rate for each weight layer": _has_rates,
    "every action is expected": _expects_every_action,
    "what it says are sentences": _says_sentences,
}
HELD: Final[dict[str, Callable[[Rule, Spec], None]]] = {"constants as held are held again as they are": _is_held}
CHIP: Final[dict[str, Callable[[Rule, Spec], None]]] = {
    "every action is counted": _counts_every_action,
    "the same seed gives the same integers": _repeats,
    "learning in two calls is learning in one": _learns_in_pieces,
    "a restored chip goes on bit for bit": _goes_on,
    "restore refuses what is no state of this chip": _refuses_other_states,
    "inference changes nothing": _infers,
    "the weight file holds what the memory map says": _writes_weights,
    "a chip tells what learning did to its memory": _tells_its_wear,
}
