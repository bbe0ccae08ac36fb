"""Finds fields and sections of the schema by path, describes their allowed values, and lists them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from edgesdt import registry
from edgesdt.spec.checks.hints import Path
from edgesdt.spec.schema.learning import DEFAULT_RULE, Learning, section_of
from edgesdt.spec.schema.spec import Spec
from edgesdt.spec.types import Allowed, Quantity


@dataclass(frozen=True)
class FieldDoc:
    """One field as shown on a reference page; `default` has no meaning if the field is `required`."""

    path: str
    description: str
    allowed: str
    required: bool
    default: Any


def section_at(path: Path, rule: str | None = None) -> type[BaseModel] | None:
    """The model of the mapping at `path` (the whole spec for an empty path); None if there is none.

    Below `learning`, it is that of `rule`, or else of the first rule that has such a mapping.
    """
    found = (_walk(path, each) for each in _rules(path, rule))
    return next((model for model in found if model is not None), None)


def field_at(path: Path, rule: str | None = None) -> FieldInfo | None:
    """The field at `path`; None if there is none. List indices at the end are ignored."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    for each in _rules(path, rule) if path else ():
        section = _walk(path[:-1], each)
        if section is not None and str(path[-1]) in section.model_fields:
            return section.model_fields[str(path[-1])]
    return None


def rules_with(path: Path) -> list[str]:
    """The rules that have a field at `path`."""
    return [name for name in registry.usable() if field_at(path, name) is not None]


def _rules(path: Path, rule: str | None) -> Iterator[str]:
    """The rules whose sections may hold `path`: `rule`, or the default one and then, below `learning`, all others."""
    yield rule or DEFAULT_RULE
    if rule is None and path[:1] == ("learning",):
        yield from (name for name in registry.usable() if name != DEFAULT_RULE)


def _walk(path: Path, rule: str) -> type[BaseModel] | None:
    model: type[BaseModel] = Spec
    keyed = False
    for part in path:
        if keyed:  # `part` is the key of one of several sections
            keyed = False
            continue
        field = model.model_fields.get(str(part))
        inner: Any = _given(field.annotation) if field else None
        item = _item(inner)
        if item is not None:
            model, keyed = item, True
            continue
        if not _is_section(inner):
            return None
        model = section_of(rule) if inner is Learning else inner
    return None if keyed else model


def _given(kind: Any) -> Any:
    """The section of a field that may be null; any other type as it is."""
    arms = [arm for arm in get_args(kind) if arm is not NoneType] if get_origin(kind) in (Union, UnionType) else []
    inner = _bare(arms[0]) if len(arms) == 1 else None
    return inner if _is_section(inner) else kind


def _item(kind: Any) -> Any:
    """The section that each value of a mapping, or each item of a list, is; None for another type."""
    args = get_args(kind)
    if get_origin(kind) is dict and _is_section(args[1]):
        return args[1]
    return args[0] if get_origin(kind) is tuple and _is_section(args[0]) else None


def listed_at(path: Path) -> type[BaseModel] | None:
    """The section of the items of the list at `path`; None for any other field."""
    field = field_at(path)
    kind = _bare(field.annotation) if field else None
    found: type[BaseModel] | None = _item(kind) if get_origin(kind) is tuple else None
    return found


def quantity_at(path: Path) -> Quantity | None:
    """The unit and limits of the field at `path`; None if it has no unit."""
    field = field_at(path)
    if field is None:
        return None
    inside = [mark for arm in get_args(field.annotation) for mark in getattr(arm, "__metadata__", ())]
    return next((mark for mark in [*field.metadata, *inside] if isinstance(mark, Quantity)), None)


def free_at(path: Path) -> bool:
    """Whether the field at `path` is a mapping with free keys."""
    field = field_at(path)
    return field is not None and get_origin(_bare(field.annotation)) is dict


def allowed(path: Path, rule: str | None = None) -> str:
    """Text for the allowed values at `path`; empty for an unknown path. An index names an item of a list."""
    field = field_at(path, rule)
    if field is None:
        return _mapping_of(Spec) if not path else ""
    if isinstance(path[-1], int):
        items = get_args(_bare(field.annotation))
        return describe(items[0], []) if items else ""
    return describe(field.annotation, field.metadata)


def choices(path: Path, rule: str | None = None) -> tuple[str, ...]:
    """The words allowed at `path` (with an index: for an item of the list); empty for fields without choices."""
    field = field_at(path, rule)
    kind = _bare(field.annotation) if field else None
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    return tuple(str(word) for word in get_args(kind)) if get_origin(kind) is Literal else ()


def documented(path: Path = (), rule: str | None = None) -> Iterator[FieldDoc]:
    """Every field below `path`, in the order of the schema, with `rule` (or the default one) in `learning`."""
    section = section_at(path, rule)
    assert section is not None, path
    for name, field in section.model_fields.items():
        here = (*path, name)
        if _is_section(field.annotation):
            yield from documented(here, rule)
        else:
            required = field.is_required()
            default = None if required else field.get_default(call_default_factory=True)
            yield FieldDoc(
                ".".join(map(str, here)), field.description or "", allowed(here, rule), required, default
            )


def describe(annotation: Any, metadata: list[Any]) -> str:
    """Text for the allowed values of a field type."""
    for mark in metadata:
        if isinstance(mark, Allowed | Quantity):
            return mark.text
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [m for mark in args[1:] for m in (mark.metadata if isinstance(mark, FieldInfo) else [mark])]
        return describe(args[0], metadata + inner)
    if origin in (Union, UnionType):
        return " or ".join(describe(arg, metadata) if arg is not NoneType else "null" for arg in args)
    if origin is tuple:
        return f"a list of {describe(args[0], [])}"
    if origin is Literal:
        return ", ".join(map(str, args))
    if _is_section(annotation):
        return _mapping_of(annotation)
    noun = {int: "an integer", float: "a number"}.get(annotation, "text")
    return noun + _bounds(annotation is int, metadata)


def _bounds(whole: bool, metadata: list[Any]) -> str:
    marks = {type(mark): mark for mark in metadata}
    low = marks[Ge].ge if Ge in marks else marks[Gt].gt if Gt in marks else None
    high = marks[Le].le if Le in marks else marks[Lt].lt if Lt in marks else None
    if low is None or high is None:
        return ""
    if whole:
        return f" {low}..{high}"
    return f" in {'[' if Ge in marks else '('}{low:g}, {high:g}{']' if Le in marks else ')'}"


def _mapping_of(section: type[BaseModel]) -> str:
    return f"a mapping of {', '.join(section.model_fields)}"


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _bare(annotation: Any) -> Any:
    """The type without its `Annotated` wrapper."""
    return _bare(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation
