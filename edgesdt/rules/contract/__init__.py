"""The contract of a learning rule as laws with names, each with its check: for the tests of whoever writes a rule.

`check(rule, spec)` tries them all on the chip of `spec` and raises `RuleError` with the first that is broken. Those of
`DESCRIPTION` need no spec and are tried whenever a rule of a plug-in is loaded, those of `SPEC` whenever it first
describes a chip, those of `HELD` and `CHIP` whenever a chip is first built, `CHIP` on a small twin
(`edgesdt.rules.foreign`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from edgesdt.errors import RuleError
from edgesdt.rules.contract import description, learner
from edgesdt.rules.contract.broken import Broken
from edgesdt.rules.contract.description import FUNCTIONS as FUNCTIONS
from edgesdt.rules.protocol import Rule
from edgesdt.spec import Spec
from hw_models.foreign import printable

Laws = Mapping[str, Callable[[Any, Any], None]]

DESCRIPTION: Final[Laws] = description.LAWS_OF_ITSELF
SPEC: Final[Laws] = description.LAWS_OF_A_CHIP
HELD: Final[Laws] = description.LAWS_OF_CONSTANTS
CHIP: Final[Laws] = learner.LAWS


def check(rule: Rule, spec: Spec) -> None:
    """Raise `RuleError` with the first law that `rule` breaks, or in which it fails, on the chip of `spec`.

    `spec` must name the rule. Chips learn a dozen random samples a few times over, and infer some hundreds: a small
    chip is enough.
    """
    for laws in (DESCRIPTION, SPEC, HELD, CHIP, learner.LAWS_ON_MANY):
        hold(rule, laws, spec)


def hold(rule: Rule, laws: Laws, spec: Spec | None, label: str = "") -> None:
    """Raise `RuleError` with the first of `laws` that is broken; `label` names the rule and where it is from."""
    for law, keeps in laws.items():
        try:
            keeps(rule, spec)
        except Exception as error:  # other people's code: anything can come out of it
            named = label or f"rule {getattr(rule, 'name', '?')}"
            said = str(error) if isinstance(error, Broken) else f"{type(error).__name__}: {error}"
            told = printable(" ".join(said.split()))
            raise RuleError(f"{named} breaks the contract, {law!r}: {told}") from error


def names() -> Iterator[str]:
    """The laws, in the order in which they are tried."""
    yield from (*DESCRIPTION, *SPEC, *HELD, *CHIP)
