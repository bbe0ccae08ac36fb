"""Walks the schema: which fields and sections a path names, what each allows, and a table of them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from edgesdt.spec.hints import Path
from edgesdt.spec.schema.spec import Spec
from edgesdt.spec.types import Allowed, Quantity


@dataclass(frozen=True)
class FieldDoc:
    """One field as a reference page shows it; `default` means nothing when the field is `required`."""

    path: str
    description: str
    allowed: str
    required: bool
    default: Any


def section_at(path: Path) -> type[BaseModel] | None:
    """The model of the mapping at `path` (the whole spec for an empty path), None where there is none."""
    model: type[BaseModel] = Spec
    for part in path:
        field = model.model_fields.get(str(part))
        inner: Any = field.annotation if field else None
        if not _is_section(inner):
            return None
        model = inner
    return model


def field_at(path: Path) -> FieldInfo | None:
    """The field at `path`, None where there is none; list indices at the end are passed over."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    section = section_at(path[:-1]) if path else None
    return section.model_fields.get(str(path[-1])) if section else None


def quantity_at(path: Path) -> Quantity | None:
    """The unit and limits of the field at `path`, None where it is no quantity."""
    field = field_at(path)
    if field is None:
        return None
    inside = [mark for arm in get_args(field.annotation) for mark in getattr(arm, "__metadata__", ())]
    return next((mark for mark in [*field.metadata, *inside] if isinstance(mark, Quantity)), None)


def free_at(path: Path) -> bool:
    """Whether the field at `path` is a mapping with keys of its own choice."""
    field = field_at(path)
    return field is not None and get_origin(_bare(field.annotation)) is dict


def allowed(path: Path) -> str:
    """What may stand at `path`, in words; empty if it names nothing. An index names an item of a list."""
    field = field_at(path)
    if field is None:
        return _mapping_of(Spec) if not path else ""
    if isinstance(path[-1], int):
        items = get_args(_bare(field.annotation))
        return describe(items[0], []) if items else ""
    return describe(field.annotation, field.metadata)


def choices(path: Path) -> tuple[str, ...]:
    """The words that the field at `path` (with an index: an item of it) chooses from; empty for others."""
    field = field_at(path)
    kind = _bare(field.annotation) if field else None
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    return tuple(str(word) for word in get_args(kind)) if get_origin(kind) is Literal else ()


def documented(path: Path = ()) -> Iterator[FieldDoc]:
    """Every field below `path`, in the order of the schema."""
    section = section_at(path)
    assert section is not None, path
    for name, field in section.model_fields.items():
        here = (*path, name)
        if _is_section(field.annotation):
            yield from documented(here)
        else:
            required = field.is_required()
            default = None if required else field.get_default(call_default_factory=True)
            yield FieldDoc(
                ".".join(map(str, here)), field.description or "", allowed(here), required, default
            )


def describe(annotation: Any, metadata: list[Any]) -> str:
    """What a field of this type takes, in words."""
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
    """The type without `Annotated` around it."""
    return _bare(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation
