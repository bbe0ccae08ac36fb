"""Every law of the contract of a learning rule can be broken, and then says so; ours and the example keep them all."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any, Literal

import numpy as np
import pytest
from pydantic import Field, create_model

from edgesdt import registry
from edgesdt.errors import RuleError, SpecError
from edgesdt.ledger.memory import Array
from edgesdt.ledger.recipes import Access, Bound, Design, Phase
from edgesdt.qformat import QFormat, Rounding, Scale, round_shift
from edgesdt.rules import contract, foreign
from edgesdt.rules.activity import ASSUMED
from edgesdt.rules.mapped import rounded, scaled
from edgesdt.spec import Spec, loads
from tests.conftest import ROOT
from tests.witnesses import fields_of

SPEC = """\
name: small
data: {set: small.npz}
encoder: {bits: 4}
chip: {layers: [10, 6], memory_budget: 1 MiB, weights: {frac_bits: 7}}
learning: {rule: competitive}
epochs: 2
"""


class Point:
    """An entry point of a plug-in."""

    def __init__(self, name: str, found: Any, dist: str = "theirs") -> None:
        self.name, self.value, self._found = name, f"{dist}:RULE", found
        self.dist = SimpleNamespace(name=dist, version="1.2")

    def load(self) -> Any:
        """The rule, or the exception in its place."""
        if isinstance(self._found, BaseException):
            raise self._found
        return self._found


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    """The module of the example package."""
    place = ROOT / "docs" / "plugin" / "edgesdt-competitive" / "competitive.py"
    made = importlib.util.spec_from_file_location("competitive", place)
    assert made is not None and made.loader is not None
    module = importlib.util.module_from_spec(made)
    sys.modules["competitive"] = module
    made.loader.exec_module(module)
    yield module
    del sys.modules["competitive"]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Installs entry points for one test."""

    def install(*points: Point) -> None:
        monkeypatch.setattr(registry, "entry_points", lambda group: points)
        registry.forget()

    yield install
    monkeypatch.undo()
    registry.forget()


@pytest.fixture
def spec(example: ModuleType, installed: Callable[..., None]) -> Spec:
    """A small spec of the example rule."""
    installed(Point("competitive", example.RULE))
    return loads(SPEC)


def test_the_example_keeps_the_contract(example: ModuleType, spec: Spec) -> None:
    contract.check(example.RULE, spec)


DEEP = {
    "activation": [
        "learning.label.classes=3", "learning.draws=weights", "learning.feedback.enabled=true",
        "learning.activation=std_abs",
    ],
}  # fmt: skip
"""Fields of a rule's own, for the second of two chips."""


@pytest.mark.parametrize("name", registry.OURS)
@pytest.mark.parametrize("more", [[], ["learning.target=label", "chip.layers=[10, 7, 6]", "learning.batch=4"]])
def test_our_rules_keep_it(name: str, more: list[str]) -> None:
    asked = [f"learning.rule={name}", *more, *(DEEP.get(name, []) if more else ["learning.winners=2"])]
    made = loads(SPEC, overrides=fields_of(name, asked))
    contract.check(registry.load(name), made)


def built(example: ModuleType, **methods: Any) -> dict[str, Any]:
    """A rule whose learner has other methods."""
    return {"build": type("Changed", (example.Competitive,), methods)}


def with_arrays(example: ModuleType, change: Callable[[tuple[Array, ...]], Any]) -> dict[str, Any]:
    """A rule with another memory map."""
    return {"arrays": lambda spec: change(example.arrays(spec))}


def with_design(example: ModuleType, change: Callable[[Design], Design]) -> dict[str, Any]:
    """A rule with another design."""
    return {"design": lambda spec: change(example.design(spec))}


def with_counts(example: ModuleType, **counts: Any) -> dict[str, Any]:
    """A rule that expects other counts."""
    return {"expected": lambda spec, learning, activity: {**example.expected(spec, learning, activity), **counts}}


def _first(design: Design, **changes: Any) -> Design:
    return replace(design, actions=(replace(design.actions[0], **changes), *design.actions[1:]))


def _bound(design: Design, bound: Bound) -> Design:
    return replace(design, phases=(*design.phases, Phase("more", ((bound,),))))


def _drifting(self: Any, *arguments: Any) -> None:
    """Learning that starts with something of its own in every call."""
    self.arrays["conscience"][0] += 1
    type(self).__mro__[1]._learn(self, *arguments)


_calls = itertools.count(1)


def _unlike(self: Any, spec: Spec) -> None:
    """Weights from no seed."""
    type(self).__mro__[1].__init__(self, spec)
    self.arrays["weights_0"][0, 0] = next(_calls) % 100


def _by_threads(self: Any, samples: Any, threads: int = 1) -> Any:
    return type(self).__mro__[1].infer(self, samples, threads) // threads


def _forgetful(self: Any) -> dict[str, Any]:
    state = type(self).__mro__[1].state(self)
    return {**state, "conscience": np.zeros_like(state["conscience"])}


def _shared(self: Any) -> dict[str, Any]:
    return {**type(self).__mro__[1].state(self), "weights_0": self.arrays["weights_0"]}


def _careless(self: Any, state: Any) -> None:
    if "weights_0" in state and state["weights_0"].shape == self.arrays["weights_0"].shape:
        type(self).__mro__[1].restore(self, state)


def _half_done(self: Any, state: Any) -> None:
    self.arrays["conscience"][:] += 1
    type(self).__mro__[1].restore(self, state)


def _learning_inference(self: Any, samples: Any, threads: int = 1) -> Any:
    self.arrays["weights_0"][0] += 1
    return type(self).__mro__[1].infer(self, samples, threads)


def _wide(self: Any, shape: Any) -> dict[str, Any]:
    file = type(self).__mro__[1].weight_file(self, shape)
    return {**file, "weights_0": file["weights_0"] + 128}


def _unwritten(self: Any) -> dict[str, int]:
    return {**type(self).__mro__[1].counts(self), "weight_write": 0}


Change = Callable[[ModuleType], dict[str, Any]]
BREAKS: list[tuple[str, Change, str]] = [
    ("a rule says what it is", lambda m: {"summary": " "}, "summary is ' '"),
    ("a rule says what it is", lambda m: {"targets": ("nothing",)}, "targets has 'nothing'"),
    ("a rule says what it is", lambda m: {"readouts": "direct"}, "must be a tuple"),
    ("a rule says what it is", lambda m: {"synapses": ()}, "must be a tuple of digital, cells"),
    ("a rule says what it is", lambda m: {"held": {}}, "held is a dict"),
    ("settings are a section of learning", lambda m: {"settings": dict}, "must be a class made from"),
    ("settings are a section of learning", lambda m: {"targets": ("label",)}, "settings.target allows none"),
    ("settings are a section of learning", lambda m: {"costless": {"beta": 1}}, "costless has 'beta'"),
    ("every array is in the memory map with its shape and bits", lambda m: with_arrays(m, list), "must be a tuple"),
    ("every array is in the memory map with its shape and bits", lambda m: with_arrays(m, lambda a: a + a), "repeats"),
    ("every array is in the memory map with its shape and bits", lambda m: with_arrays(m, lambda a: a[2:]), "no array"),
    (
        "every array is in the memory map with its shape and bits",
        lambda m: with_arrays(m, lambda a: (*a, Array("odd", (0,), "u1", 1))),
        "array odd: shape (0,)",
    ),
    (
        "every action has a component and a recipe",
        lambda m: with_design(m, lambda d: _first(d, component="")),
        "action mac: component is ''",
    ),
    (
        "every action has a component and a recipe",
        lambda m: with_design(m, lambda d: _first(d, recipe=(replace(d.actions[0].recipe[0], bits=(8,)),))),
        "action mac: multiply of widths (8,), must be 2",
    ),
    (
        "every action has a component and a recipe",
        lambda m: with_design(m, lambda d: replace(d, actions=d.actions + d.actions[:1])),
        "repeats an action",
    ),
    (
        "the schedule is made of known actions",
        lambda m: with_design(m, lambda d: _bound(d, Bound(64, {"dream": 1}))),
        "action 'dream' is not in the design",
    ),
    (
        "the schedule is made of known actions",
        lambda m: with_design(m, lambda d: _bound(d, Bound(0, {"mac": 1}))),
        "per_cycle 0",
    ),
    ("constants as held are fields of the spec", lambda m: {"held": lambda s: {"learning.x": (1.0, "1")}}, "no field"),
    (
        "constants as held are held again as they are",
        lambda m: {"held": lambda s: {"learning.conscience": (s.learning.conscience / 2, "half")}},
        "it must stay",
    ),
    (
        "there is a learning rate for each weight layer",
        lambda m: {"rates": lambda s, e: [0.1, 0.2]},
        "rates() in epoch 0",
    ),
    ("every action is expected", lambda m: with_counts(m, dream=1), "has 'dream', which is not in the design"),
    ("every action is expected", lambda m: with_counts(m, mac=1.5), "mac is 1.5"),
    (
        "every action is expected",
        lambda m: with_design(m, lambda d: _first(d, recipe=(Access(8, ("dreams",)),))),
        "counts mac, which needs an array dreams",
    ),
    ("what it says are sentences", lambda m: {"cautions": lambda s: "beware"}, "cautions() is 'beware'"),
    ("every action is counted", lambda m: built(m, _actions=lambda self, events: {"mac": 1}), "lacks the action"),
    ("what was seen is expected", lambda m: {"observed": lambda *_: {}}, "observed() is a dict"),
    ("what was seen is expected", lambda m: built(m, happened=lambda self, inference=False: ([1], ())), "no array"),
    ("the same seed gives the same integers", lambda m: built(m, __init__=_unlike), "weights_0 differs"),
    ("learning in two calls is learning in one", lambda m: built(m, _learn=_drifting), "learning 1 samples, none"),
    ("a restored chip goes on bit for bit", lambda m: built(m, state=_forgetful), "lacks something"),
    ("a restored chip goes on bit for bit", lambda m: built(m, state=_shared), "not copies"),
    (
        "restore refuses what is no state of this chip",
        lambda m: built(m, restore=_careless),
        "takes a state without weights_0",
    ),
    ("restore refuses what is no state of this chip", lambda m: built(m, restore=_half_done), "has changed the chip"),
    ("inference changes nothing", lambda m: built(m, infer=_learning_inference), "inference changes the chip"),
    ("inference changes nothing", lambda m: built(m, infer=_by_threads), "on 3 threads gives other outputs"),
    ("the weight file holds what the memory map says", lambda m: built(m, weight_file=_wide), "gives it 8 bits"),
    ("the weight file holds what the memory map says", lambda m: built(m, counts=_unwritten), "no weight_write"),
    (
        "a chip tells what learning did to its memory",
        lambda m: built(m, wear=lambda self: {"model": 1}),
        "wear() has model 1",
    ),
    ("a chip tells what learning did to its memory", lambda m: built(m, warnings=lambda self: "none"), "warnings()"),
]


@pytest.mark.parametrize(("law", "change", "told"), BREAKS, ids=[f"{law[:30]}-{told[:20]}" for law, _, told in BREAKS])
def test_a_broken_law_is_named(example: ModuleType, spec: Spec, law: str, change: Change, told: str) -> None:
    with pytest.raises(RuleError) as error:
        contract.check(replace(example.RULE, **change(example)), spec)
    assert f"rule competitive breaks the contract, {law!r}: " in str(error.value)
    assert told in str(error.value)


def test_every_law_is_broken_above() -> None:
    assert {law for law, _, _ in BREAKS} == set(contract.names())


def test_a_guard_tells_which_part_failed(example: ModuleType, spec: Spec) -> None:
    def fails(*_: Any) -> Any:
        raise KeyError("dream")

    more: dict[str, tuple[Any, ...]] = {"rates": (0,), "expected": (True, ASSUMED), "observed": (None, None, "")}
    for part in contract.FUNCTIONS:
        guarded = foreign.admitted(replace(example.RULE, **{part: fails}), "competitive", "rule competitive (theirs)")
        with pytest.raises(RuleError, match=r"rule competitive \(theirs\).*KeyError: 'dream'"):
            getattr(guarded, part)(spec, *more.get(part, ()))


def test_what_a_rule_for_labels_refuses_is_told_in_its_own_words(
    example: ModuleType, installed: Callable[..., None]
) -> None:
    # its classes are asked for while the spec is still checked, when the laws of a chip need not hold
    target = Field(default="label", description="The rule learns labels")
    settings = create_model("Settings", __base__=example.Settings, target=(Literal["label"], target))
    installed(Point("competitive", replace(example.RULE, settings=settings, targets=("label",))))
    digits = ["data.set=digits", "chip.layers=[64, 10]"]
    assert loads(SPEC, overrides=digits).learning.target == "label"
    for asked, told in (
        ("learning.batch=4", "learning.batch: 4, allowed: 1 with the rule competitive"),
        ("chip.layers=[64, 20, 10]", "allowed: a list of 2 layers with the rule competitive"),
        ("learning.learning_rate=[0.1, 0.1]", "wrong number of rates: 2"),
        ("chip.layers=[64, 9]", "does not fit the classes of digits: 9 outputs, allowed: 10"),
    ):
        with pytest.raises(SpecError) as error:
            loads(SPEC, overrides=[*digits, asked])
        assert told in str(error.value)


def test_a_learner_that_fails_in_the_midst_of_learning_is_told(example: ModuleType, spec: Spec) -> None:
    def _learn(self: Any, samples: Any, labels: Any, order: Any, epoch: int) -> None:
        if len(samples) > 50:
            raise ZeroDivisionError("by a large set\nin two lines")

    rule = replace(example.RULE, build=type("Fails", (example.Competitive,), {"_learn": _learn}))
    broken = foreign.admitted(rule, "competitive", "rule competitive")
    for _ in range(2):  # one that failed a check does not pass it by being asked again
        with pytest.raises(RuleError, match="all 0 after"):  # it learns nothing, which the contract finds first
            broken.build(spec)

    def late(self: Any, samples: Any, *more: Any) -> None:
        _learn(self, samples, *more)
        example.Competitive._learn(self, samples, *more)

    rule = replace(example.RULE, build=type("Fails", (example.Competitive,), {"_learn": late}))
    learner = foreign.admitted(rule, "competitive", "rule competitive").build(spec)
    codes = np.zeros((60, 10), np.uint8)
    with pytest.raises(
        RuleError, match=r"^rule competitive: learn\(\) failed: ZeroDivisionError: by a large set in"
    ):
        learner.learn(codes, np.zeros(60, np.int64), np.arange(60), 0)
    with pytest.raises(ValueError, match="missing"):
        learner.restore({})


def test_plug_ins_that_cannot_be_used_are_refused_when_asked_for(
    example: ModuleType, installed: Callable[..., None]
) -> None:
    installed(
        Point("twice", example.RULE, "one"),
        Point("twice", example.RULE, "two"),
        Point("absent", ModuleNotFoundError("No module named 'dream'")),
        Point("ending", SystemExit(3)),
        Point("number", 7),
        Point("other_name", example.RULE),
        Point("competitive", example.RULE),
    )
    for name, told in (
        ("twice", "2 plug-ins have this name: one:RULE of one 1.2 and two:RULE of two 1.2; uninstall all but one"),
        ("absent", "cannot be loaded: ModuleNotFoundError: No module named 'dream'"),
        ("ending", "cannot be loaded: SystemExit: 3"),
        ("number", "RULE is a int, must be an edgesdt.rules.protocol.Rule"),
        ("other_name", "it calls itself 'competitive', its entry point is 'other_name'"),
    ):
        with pytest.raises(RuleError) as error:
            loads(SPEC.replace("competitive", name))
        assert told in str(error.value) and str(error.value).startswith(f"rule {name}")
    assert registry.usable() == [*registry.OURS, "competitive"]
    assert loads(SPEC).learning.rule == "competitive"
    with pytest.raises(SpecError, match="unknown key"):  # who looks through all rules is not disturbed by broken ones
        loads(SPEC, overrides=["learning.dream=1"])


@pytest.mark.parametrize("name", registry.OURS)
def test_a_name_of_ours_is_refused_at_once(name: str, example: ModuleType, installed: Callable[..., None]) -> None:
    installed(Point(name, example.RULE))
    for asks in (registry.names, lambda: registry.load(registry.DEFAULT), lambda: registry.load("dream")):
        with pytest.raises(
            RuleError, match=f"rule {name}: the plug-in theirs:RULE of theirs 1.2 has the name of a rule"
        ):
            asks()


def test_rounding_of_arrays_is_that_of_numbers() -> None:
    codes = np.arange(-300, 300, 7)
    words = np.arange(len(codes)) * 700
    for mode in Rounding:
        for drop in (-3, 0, 1, 5, 16, 20):
            one = rounded(codes, drop, mode, words)
            assert one.tolist() == [round_shift(int(c), drop, mode, int(w)) for c, w in zip(codes, words, strict=True)]
    held = Scale.nearest(0.37, 8)
    assert scaled(codes, held, 2, Rounding.NEAREST).tolist() == [
        round_shift(int(c) * held.multiplier, held.shift + 2, Rounding.NEAREST) for c in codes
    ]


def test_the_example_learns_what_the_page_says(example: ModuleType, spec: Spec) -> None:
    """One update by hand: the nearest neuron moves by its share of the way, to a code beside it."""
    learner = example.RULE.build(spec)
    before, codes = learner.weights(0).copy(), np.arange(10, dtype=np.uint8).reshape(1, 10)
    kept = QFormat(8, 7)
    distance = ((kept.lsb * before - codes.T / 16) ** 2).sum(axis=0)
    learner.learn(codes, np.zeros(1, np.int64), np.array([0]), 0)
    moved = np.abs(learner.weights(0) - before).sum(axis=0)
    assert np.nonzero(moved)[0].tolist() == [int(distance.argmin())]
    winner = int(distance.argmin())
    wanted = before[:, winner] + example.standard.rate(spec, 0).value * (codes[0] * 8.0 - before[:, winner])
    assert np.abs(learner.weights(0)[:, winner] - wanted).max() < 1
    assert learner.infer(codes)[0].argmax() == winner
