"""Validators for learning constants rounded to registers, which may lie just outside the range of the field.

A resolved spec contains rounded constants. A constant at the end of its range is rounded to the nearest value with a
mantissa of `chip.constants.bits`. A resolved spec must be readable again, so exactly these values are accepted outside
the range. Each rule checks rounded learning rates itself, in its `disagreements`.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError, ValidatorFunctionWrapHandler

from edgesdt.qformat import Scale

_WIDTHS: Final = range(2, 11)
"""The allowed widths of `chip.constants.bits`."""
_MOST_RATE: Final = 1.25
"""Upper limit for a rounded learning rate of 1, for every mantissa."""


def or_an_end_as_held(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Validator around the range of a constant: also accepts the rounded value of an end of the range."""
    try:
        return check(value)
    except ValidationError as error:
        ends = [found.get("ctx", {}) for found in error.errors(include_url=False)]
        for end in (ctx[key] for ctx in ends for key in ("ge", "le") if key in ctx):
            if isinstance(value, float) and value in [Scale.nearest(end, bits).value for bits in _WIDTHS]:
                return value
        raise


def or_a_rate_as_held(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Validator around the range of a rate: accepts rounded values, which the rule checks later."""
    return value if isinstance(value, float) and 1 < value <= _MOST_RATE else check(value)


def too_small(value: float, least: float) -> str:
    """The fault of a constant that its register would store as 0; `least` is the smallest stored value."""
    return f"too small for its register: {value!r} is held as 0, allowed: {least:.4g}..1"
