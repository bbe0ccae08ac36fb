"""The section model and the field types of a spec: quantities, YAML flags, data set and table names, sweeps.

Each type is `Annotated`, and its metadata states the allowed values, so that faults and reference pages agree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainValidator,
    ValidationInfo,
    WrapValidator,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from edgesdt.spec.checks.held import or_a_rate_as_held
from edgesdt.spec.checks.hints import did_you_mean, shown
from edgesdt.spec.sets import NOT_YET, SETS
from edgesdt.units import FREQUENCY, LENGTH, RESISTANCE, SIZE, TIME, Kind, UnitError, parse

CANONICAL: Final = "canonical"
"""Key of the validation context for plain data, where numbers without a unit are in the unit of the model."""


class Section(BaseModel):
    """A mapping in the file. An empty one (`learning:` without fields) has all its defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_empty(cls, value: object) -> object:
        return {} if value is None else value


@dataclass(frozen=True)
class Allowed:
    """Metadata: text for the allowed values of a field, if its type does not state them."""

    text: str


def wrong(what: str, hint: str = "") -> PydanticCustomError:
    """A fault; its value and allowed range are added when it is shown."""
    return PydanticCustomError("spec_what", "{what}", {"what": what, "hint": hint})


def sentence(text: str) -> PydanticCustomError:
    """A fault whose text is complete."""
    return PydanticCustomError("spec_text", "{text}", {"text": text})


@dataclass(frozen=True)
class Quantity:
    """A number with a unit: `held` is the unit in the model, `bare` that of a number without a unit."""

    kind: Kind
    held: str
    bare: str
    low: int
    high: int
    whole: bool
    text: str

    def check(self, value: object, info: ValidationInfo) -> int | float:
        """The value in unit `held`; a whole one is rounded down."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise wrong("wrong type")
        canonical = bool(info.context and info.context.get(CANONICAL))
        try:
            exact = parse(value, self.kind, self.held if canonical else self.bare)
        except UnitError as error:
            raise sentence(f"{error.what}, allowed: {self.text}{error.hint}") from None
        held = exact / self.kind.units[self.held]
        number = Fraction(math.floor(held)) if self.whole else held
        if not self.low <= number <= self.high:
            raise wrong("out of range")
        return int(number) if self.whole else float(number)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self.check)


def _flag(value: object) -> object:
    words = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
    return words.get(value.casefold(), value) if isinstance(value, str) else value


def _one_or_many(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


def _known_set(name: str) -> str:
    if name in SETS or name.lower().endswith(".npz"):
        return name
    if name in NOT_YET:
        files = "give your own .npz file with x_train, y_train, x_test, y_test"
        raise sentence(f"{name!r} cannot be loaded by name in this version: {files}")
    raise wrong("unknown data set", did_you_mean(name, SETS))


def _known_table(name: str) -> str:
    from hw_models.technology import names  # only a spec that is being checked needs the tables

    known = names()
    if name not in known:
        hint = did_you_mean(name, known)
        raise sentence(f"unknown technology table: {shown(name)}, allowed: {', '.join(known)}{hint}")
    return name


def _known_model(name: str) -> str:
    if name == "sram":
        return name
    from hw_models.sheets import catalog  # only a spec with a device needs the catalogue

    known = {known.lower(): known for known in catalog.names()}
    if name.lower() not in known:
        hint = did_you_mean(name, known.values())
        raise sentence(f"unknown device model: {shown(name)}, allowed: a name of 'edgesdt device list'{hint}")
    return known[name.lower()]


def power_of_two_real(number: float) -> float:
    """Checks that a number is a power of two."""
    if math.frexp(number)[0] != 0.5:
        raise wrong("not a power of two")
    return number


def a_mapping(value: object) -> object:
    """Checks and copies a mapping with finite numbers."""
    if isinstance(value, Mapping):
        _finite(value)
        return dict(value)
    return value


def _bits_or_auto(value: object) -> object:
    """Checks fractional bits, or `auto`."""
    if value == "auto":
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong("wrong type")
    if not -8 <= value <= 24:
        raise wrong("out of range")
    return value


def _power_of_two(number: int) -> int:
    if number & (number - 1):
        raise wrong("not a power of two")
    return number


def unique(items: tuple[str, ...]) -> tuple[str, ...]:
    """Checks that no item occurs twice."""
    for item in items:
        if items.count(item) > 1:
            raise sentence(f"{item!r} is given more than once, allowed: each read-out once")
    return items


def _sweep(value: object) -> object:
    """Checks a mapping of JSON-ready values and keeps it unchanged; an empty one means no sweep."""
    if isinstance(value, Mapping):
        _finite(value)
        return dict(value) or None
    return value


def _finite(value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise sentence(f"not a finite number: {value!r}, allowed: finite numbers, text, lists")
    if isinstance(value, Mapping):
        for item in value.values():
            _finite(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _finite(item)


Size = Annotated[
    int,
    Quantity(SIZE, "bit", "B", 1, 2**53, True, "a size above 0, up to 1 PiB, such as '256 KiB' (bare: bytes)"),
]
Frequency = Annotated[
    float,
    Quantity(FREQUENCY, "Hz", "Hz", 1, 10**11, False, "1 Hz..100 GHz, such as '100 MHz' (bare: hertz)"),
]
NodeLength = Annotated[
    float, Quantity(LENGTH, "nm", "nm", 7, 130, False, "7 nm..130 nm, such as '65 nm' (bare: nanometres)")
]
Duration = Annotated[
    float, Quantity(TIME, "s", "s", 0, 10**11, False, "0 s..3000 years, such as '1 day' (bare: seconds)")
]
Resistance = Annotated[
    float, Quantity(RESISTANCE, "Ohm", "Ohm", 0, 10**6, False, "0 Ohm..1 MOhm, such as '2.5 Ohm' (bare: ohms)")
]
ModelName = Annotated[str, AfterValidator(_known_model), Allowed("a name of 'edgesdt device list'")]
FracBits = Annotated[
    int | Literal["auto"], PlainValidator(_bits_or_auto), Allowed("an integer -8..24, or auto")
]
Flag = Annotated[bool, BeforeValidator(_flag), Allowed("true or false (on/off, yes/no)")]
Rate = Annotated[float, Field(gt=0, le=1), WrapValidator(or_a_rate_as_held)]
Rates = Annotated[
    tuple[Rate, ...],
    BeforeValidator(_one_or_many),
    Field(strict=False, min_length=1),
    Allowed("a number in (0, 1], or a list of one per weight layer"),
]
SetName = Annotated[str, AfterValidator(_known_set), Allowed(f"{', '.join(SETS)}, or the path of an .npz file")]
TableName = Annotated[str, AfterValidator(_known_table), Allowed("the name of a technology table")]
Sha256 = Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$"), Allowed("64 hexadecimal digits")]
Lanes = Annotated[int, Field(ge=1, le=64), AfterValidator(_power_of_two), Allowed("1, 2, 4, 8, 16, 32 or 64")]
SweepMap = Annotated[
    dict[str, Any] | None, BeforeValidator(_sweep), Allowed("a mapping of dotted field: list of values")
]
