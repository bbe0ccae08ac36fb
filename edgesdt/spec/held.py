"""Learning constants as their registers hold them, which may lie just outside the range for what is written.

They stand in a resolved spec. A constant at the end of its range is held at the nearest value with a mantissa of
`chip.constants.bits`. What a spec holds must be readable as a spec again, so exactly those values are taken beside the
range. What a rule makes of a learning rate is its own business: it says so among its `disagreements`.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError, ValidatorFunctionWrapHandler

from edgesdt.qformat import Scale

_WIDTHS: Final = range(2, 11)
"""Widths that `chip.constants.bits` may have."""
_MOST_RATE: Final = 1.25
"""Above what any mantissa makes of a learning rate of 1."""


def or_an_end_as_held(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Validator around the range of a constant: takes what a register makes of an end that belongs to the range."""
    try:
        return check(value)
    except ValidationError as error:
        ends = [found.get("ctx", {}) for found in error.errors(include_url=False)]
        for end in (ctx[key] for ctx in ends for key in ("ge", "le") if key in ctx):
            if isinstance(value, float) and value in [Scale.nearest(end, bits).value for bits in _WIDTHS]:
                return value
        raise


def or_a_rate_as_held(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Validator around the range of a rate: the register is looked at later, which the rule decides about."""
    return value if isinstance(value, float) and 1 < value <= _MOST_RATE else check(value)


def too_small(value: float, least: float) -> str:
    """The fault of a constant that its register would hold as 0; `least` is the smallest value that it holds."""
    return f"too small for its register: {value!r} is held as 0, allowed: {least:.4g}..1"
