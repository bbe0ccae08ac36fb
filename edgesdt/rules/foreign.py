"""Rules of plug-ins: checked before they are used, and every exception of theirs told as a sentence.

`admitted` is the gate that `edgesdt.registry` sends them through. What a plug-in does wrong is a `RuleError`: it says
which rule, which plug-in and which part.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from edgesdt.errors import EdgesdtError, RuleError
from edgesdt.rules.contract import CHIP, DESCRIPTION, FUNCTIONS, HELD, SPEC, hold
from edgesdt.rules.protocol import Learner, Rule
from edgesdt.rules.twin import twin
from edgesdt.spec import Spec, spec_hash
from edgesdt.spec.text.source import Fault
from hw_models.foreign import printable


def admitted(rule: Any, name: str, label: str) -> Rule:
    """`rule` behind a guard, if it is a rule named `name`. Raises `RuleError`, which begins with `label`.

    Whatever it says of a chip is checked once for every spec, before it is used; a chip is built only after a small
    twin of it has kept the laws of a chip.
    """
    hold(rule, DESCRIPTION, None, label)
    if rule.name != name:
        called = printable(repr(rule.name))
        raise RuleError(f"{label} breaks the contract: it calls itself {called}, its entry point is {name!r}")
    described, built = _Seen(), _Seen()

    def describes(part: str) -> Callable[..., Any]:
        guarded = _guarded(getattr(rule, part), f"{label}: {part}()")

        def call(spec: Spec, *more: Any) -> Any:
            if spec.chip.weights.frac_bits != "auto":
                described.hold(spec, lambda: hold(rule, SPEC, spec, label))
            return guarded(spec, *more)

        return call

    def build(spec: Spec) -> Learner:
        built.hold(spec, lambda: _holds_on_a_chip(rule, spec, label))
        guard: Any = _Guard(_guarded(rule.build, f"{label}: build()")(spec), label)
        return guard  # type: ignore[no-any-return]

    def disagreements(spec: Spec) -> list[Fault]:
        found: list[Fault] = _guarded(lambda: list(rule.disagreements(spec)), f"{label}: disagreements()")()
        return found

    parts: Any = {part: describes(part) for part in FUNCTIONS}
    words = _guarded(rule.in_words, f"{label}: in_words()")
    classes = _guarded(rule.classes, f"{label}: classes()")  # asked of specs that the rule may refuse
    own: Any = {"build": build, "classes": classes, "disagreements": disagreements, "in_words": words}
    guarded: Rule = replace(rule, **parts | own)
    return guarded


def _holds_on_a_chip(rule: Rule, spec: Spec, label: str) -> None:
    hold(rule, {**SPEC, **HELD}, spec, label)
    hold(rule, CHIP, twin(spec), label)


class _Seen:
    """Specs that have passed a check; one that fails is checked again when it is next asked for."""

    def __init__(self) -> None:
        self._recent: deque[Spec] = deque(maxlen=8)
        self._marks: set[str] = set()

    def hold(self, spec: Spec, check: Callable[[], None]) -> None:
        """Call `check` unless this spec has passed it."""
        if any(seen is spec for seen in self._recent):
            return
        mark = spec_hash(spec.plain())
        if mark not in self._marks:
            check()
            self._marks.add(mark)
        self._recent.append(spec)


def _guarded(function: Callable[..., Any], label: str, passes: tuple[type[Exception], ...] = ()) -> Callable[..., Any]:
    """`function`, whose exceptions become a `RuleError`; ours, and `passes`, stay what they are."""

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except (EdgesdtError, MemoryError):
            raise
        except Exception as error:  # other people's code: anything can come out of it
            if isinstance(error, passes):
                raise
            said = printable(" ".join(f"{type(error).__name__}: {error}".split()))
            raise RuleError(f"{label} failed: {said}") from error

    return call


class _Guard:
    """A learner of other people, whose exceptions are told as sentences."""

    def __init__(self, learner: object, label: str) -> None:
        self._learner, self._label = learner, label

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._learner, name)
        if not callable(found):
            return found
        # a run tells a damaged checkpoint from a failure by the kind of error
        return _guarded(found, f"{self._label}: {name}()", (ValueError,) if name == "restore" else ())
