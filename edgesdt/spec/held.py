"""Learning constants as their registers hold them, which may lie just outside the range for what is written.

They stand in a resolved spec. A constant at the end of its range is held at the nearest value with a mantissa of
`chip.constants.bits`. What a spec holds must be readable as a spec again, so exactly those values are taken beside the
range. The learning rate has no register of its own, only lr/β has (lr/2β when symmetric, divided by the batch).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError, ValidatorFunctionWrapHandler

from edgesdt.qformat import MAX_SHIFT, Scale

if TYPE_CHECKING:
    from edgesdt.spec.schema.spec import Spec

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
    """Validator around the range of a rate: `beyond` then looks at the register, which other fields decide about."""
    return value if isinstance(value, float) and 1 < value <= _MOST_RATE else check(value)


def quotient(spec: Spec, rate: float) -> Scale:
    """The register of the learning rate `rate`: lr/β as it is held."""
    return Scale.nearest(rate / per_quotient(spec), spec.chip.constants.bits)


def per_quotient(spec: Spec) -> float:
    """The learning rate of a quotient of 1: β as it is held, times its sides and the batch."""
    learning = spec.learning
    sides = 2.0 if learning.beta_sign == "symmetric" else 1.0
    return sides * Scale.nearest(learning.beta, spec.chip.constants.bits).value * learning.batch


def rate_used(spec: Spec, rate: float) -> float:
    """What a learning rate of `rate` really is."""
    return quotient(spec, rate).value * per_quotient(spec)


def beyond(spec: Spec) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Path and fault of every constant that its register cannot hold, or that no register makes of a value in range."""
    rates, bits = spec.learning.learning_rate, spec.chip.constants.bits
    least = 2.0 ** -(MAX_SHIFT + 1)
    for layer, rate in enumerate(rates):
        path = ("learning", "learning_rate", layer)
        if rate > 1 and rate != rate_used(spec, 1.0):
            yield path, f"out of range: {rate!r}, allowed: a number in (0, 1]"
        elif rate_used(spec, rate) == 0:
            yield path, _too_small(rate, least * per_quotient(spec))
    eta = spec.learning.homeostasis.eta
    if Scale.nearest(eta, bits).value == 0:
        yield ("learning", "homeostasis", "eta"), _too_small(eta, least)


def _too_small(value: float, least: float) -> str:
    return f"too small for its register: {value!r} is held as 0, allowed: {least:.4g}..1"
