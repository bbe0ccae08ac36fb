"""Generates `docs/reference/devices.md` from the catalog: families, and presets with the source of every number."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from edgesdt.units import format_si
from hw_models.base import CellModel
from hw_models.sheets import building, catalog
from hw_models.sheets.conditions import INFORMATIVE
from hw_models.sheets.sheet import Entry, Sheet
from hw_models.sheets.values import Parameter

Table = Callable[[Iterable[str], Iterable[Iterable[str]]], Iterator[str]]


def page(note: str, table: Table) -> str:
    """The whole page; `note` states that it is generated, `table` formats the lines of a Markdown table."""
    presets = [name for name in catalog.names() if catalog.origin(name).kind == "preset"]
    models = {name: catalog.load(name) for name in presets}
    lines = [
        "# Devices: every preset and family",
        "",
        note,
        "",
        "`edgesdt device show NAME` prints the same for one of them, `edgesdt device pulse NAME` its pulse response.",
        "Names ignore case. What a cell model is, and how weights become conductances:",
        "[devices](../explanation/devices.md). A device of your own: [how to](../how_to/own_device_model.md).",
        "",
        "## Presets at a glance",
        "",
        *table(("name", "what it is", "family", "non-idealities"), (_glance(name, models[name]) for name in presets)),
        "",
        "## Families",
        "",
        "A parameter that a sheet leaves out has the family's value.",
        "",
    ]
    for name in catalog.FAMILIES:
        lines += [*_family(catalog.family(name), table), ""]
    lines += ["## Presets", ""]
    for name in presets:
        lines += [*_preset(models[name], catalog.preset(name), table), ""]
    return "\n".join(lines)


def _glance(name: str, model: CellModel) -> tuple[str, str, str, str]:
    link = f"[{name}](#{name.lower()})"  # the anchor that GitHub gives the heading
    return link, catalog.preset(name).summary, model.family, ", ".join(model.non_idealities) or "–"


def _family(kind: type[CellModel], table: Table) -> Iterator[str]:
    text = inspect.cleandoc(kind.__doc__ or "")
    yield from (f"### `{kind.family}`", "", text, "")
    yield f"Sources: {kind.citation}. Valid: {kind.valid_range}. Not modelled: {kind.not_modelled}."
    yield ""
    yield from table(("parameter", "default", "unit", "allowed", "what it is"), _rows(kind))


def _rows(kind: type[CellModel]) -> Iterator[tuple[str, str, str, str, str]]:
    items = {item.name: item for item in dataclasses.fields(cast("Any", kind))}
    for known in building.parameters(kind):
        item = items[known.name]
        default = "**required**" if known.required else _value(item.default)
        yield _row(known, default, item.metadata.get("above") is not None)


def _row(known: Parameter, default: str, above: bool) -> tuple[str, str, str, str, str]:
    words = {"numbers": "a list", "truth": "true, false", "word": "a word"}
    allowed = words.get(known.kind) or _range(known.low, known.high)
    allowed = allowed.replace("at least", "above") if above else allowed
    return f"`{known.name}`", default, known.unit if known.unit != "1" else "", allowed, known.doc


def _range(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "any number"
    if math.isinf(high):
        return f"at least {low:g}"
    return f"at most {high:g}" if math.isinf(low) else f"{low:g} to {high:g}"


def _preset(model: CellModel, made: Sheet, table: Table) -> Iterator[str]:
    about = f"{made.summary}. Family `{made.family}`, {model.quantity} {_bounds(model)}."
    yield from (f"### {model.name}", "", about, "")
    if made.notes:
        yield from (" ".join(made.notes.split()), "")
    citations = [citation.strip() for citation in made.sources.values()]
    rows = [_entry(name, entry, citations) for name, entry in (*made.parameters.items(), *made.drive.items())]
    yield from table(("parameter", "value", "unit", "source", "how it follows"), rows)
    yield ""
    yield from (f"{number}. {' '.join(citation.split())}" for number, citation in enumerate(citations, start=1))


def _bounds(model: CellModel) -> str:
    low, high = model.bounds()
    if model.quantity == "conductance":
        return f"{format_si(low, 'S')} to {format_si(high, 'S')}"
    return f"{low:g} to {high:g}"


def _entry(name: str, entry: Entry, citations: list[str]) -> tuple[str, str, str, str, str]:
    unit = "" if entry.unit == "1" else entry.unit
    told = "; ".join(text for text in (entry.derived, INFORMATIVE.get(name, "")) if text)
    return f"`{name}`", _value(entry.value), unit, str(citations.index(entry.source) + 1), told


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        inner = [_value(item) for item in value]
        return f"{', '.join(inner[:3])}, … ({len(inner)} numbers)" if len(inner) > 6 else f"[{', '.join(inner)}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return "not given" if math.isnan(value) else "none"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
