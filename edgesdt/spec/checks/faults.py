"""Converts pydantic's errors to faults, and faults to lines: `FILE:LINE: path: what: value, allowed`.

`fields` describes the allowed values, `hints` formats values and suggestions, and `loading` calls this module.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edgesdt import registry
from edgesdt.spec.checks.hints import Path, did_you_mean, dotted, flat, nearest, shown
from edgesdt.spec.fields import allowed, choices, documented, field_at, rules_with, section_at
from edgesdt.spec.schema.learning import DEFAULT_RULE
from edgesdt.spec.text.source import Fault

_NOT_FINITE = ("nan", "inf", "infinity")
_WHAT = {
    "finite_number": "not a finite number",
    "too_short": "too few items",
    "string_too_long": "not a valid name",
    "string_too_short": "not a valid name",
    "string_pattern_mismatch": "not a valid name",
    "greater_than": "out of range",
    "greater_than_equal": "out of range",
    "less_than": "out of range",
    "less_than_equal": "out of range",
    "literal_error": "unknown choice",
}


@dataclass
class Origin:
    """The origin of data: a file with its lines, and the `--set` of each overridden path."""

    label: str
    lines: Mapping[Path, int] = field(default_factory=dict)
    overrides: Mapping[Path, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Paths are compared part by part, however a key is dotted."""
        self.lines = {flat(path): line for path, line in self.lines.items()}
        self.overrides = {flat(path): key for path, key in self.overrides.items()}

    def render(self, faults: Iterable[Fault]) -> list[str]:
        """One line for each distinct fault: faults of the file by line, then faults of `--set`."""
        placed = sorted({(*self._place(fault), fault.text) for fault in faults}, key=_in_order)
        return list(dict.fromkeys(f"{prefix}: {text}" for _, _, prefix, text in placed))

    def _place(self, fault: Fault) -> tuple[bool, int, str]:
        blame = fault.blame or (fault.path,)
        shown_path = dotted(fault.path)
        if fault.line is None:
            for path in blame:
                key = self._override(path)
                if key is not None:
                    rest = "" if shown_path == key else f": {shown_path}"
                    return True, 0, f"--set {key}{rest}"
        line = fault.line or self._line(blame)
        prefix = f"{self.label}:{line}" if line else self.label
        return False, line or 0, f"{prefix}: {shown_path}" if shown_path else prefix

    def _override(self, path: Path) -> str | None:
        """The `--set` that wrote `path`, in whole or in part of it or around it."""
        path = flat(path)
        for length in range(len(path), 0, -1):
            if path[:length] in self.overrides:
                return self.overrides[path[:length]]
        return None

    def _line(self, blame: tuple[Path, ...]) -> int | None:
        """The line of the first path that is written in the file, or else of what is nearest around it."""
        for path in map(flat, blame):
            if path in self.lines:
                return self.lines[path]
        path = flat(blame[0])
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def _in_order(placed: tuple[bool, int, str, str]) -> tuple[bool, int, str, list[tuple[int, str]]]:
    """A sort key that compares numbers in a text as numbers, because a text may contain line numbers."""
    parts = re.findall(r"(\d+)|(\D+)", placed[3])
    return *placed[:3], [(int(number[:300]) if number else -1, words) for number, words in parts]


def translated(error: ValidationError, data: Any) -> list[Fault]:
    """Every fault that pydantic found in `data`."""
    details = error.errors(include_url=False)
    rule = _rule_of(data)
    inner = {found["loc"][: len(found["loc"]) - 1] for found in details if found["type"] != "missing"}
    faults = []
    for found in details:
        if found["type"] == "too_short" and found["loc"] in inner:
            continue  # pydantic counts only valid items; invalid ones have their own faults
        path = _within(found["loc"], data)
        faults.append(Fault(path, _text(found, path, rule)))
    return faults


def inside(error: ValidationError, place: Path, rule: str) -> list[Fault]:
    """The faults that pydantic found in the section of `rule` at `place`, checked by itself."""
    details = error.errors(include_url=False)
    return [Fault((*place, *found["loc"]), _text(found, (*place, *found["loc"]), rule)) for found in details]


def _rule_of(data: Any) -> str | None:
    """The rule that `data` names; None if there is none or it is unknown."""
    learning = data.get("learning") if isinstance(data, Mapping) else None
    rule = learning.get("rule") if isinstance(learning, Mapping) else None
    return rule if isinstance(rule, str) and rule in registry.names() else None


def _within(path: Path, data: Any) -> Path:
    """The path without the index of a single value that was read as a list of one."""
    here = data
    for depth, part in enumerate(path):
        if isinstance(part, int) and not isinstance(here, list | tuple):
            return path[:depth]
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            return path
    return path


def _text(found: ErrorDetails, path: Path, rule: str | None) -> str:
    kind, value = found["type"], found.get("input")
    context = found.get("ctx", {})
    if kind == "spec_text":
        return str(context["text"])
    if kind == "missing":
        return f"missing, it has no default, allowed: {allowed(path, rule)}"
    if kind == "invalid_key":
        return "a key must be text"
    if kind == "extra_forbidden":
        return unknown_key(path, rule=rule)
    if kind == "literal_error" and not isinstance(value, str):
        kind = "wrong_type"
    if kind == "literal_error" and _is_unknown_model(path, value, rule):
        return f"not in this version: {shown(value)}, allowed: {', '.join(choices(path, rule))}"
    what = context["what"] if kind == "spec_what" else _WHAT.get(kind, "wrong type")
    hint = context["hint"] if kind == "spec_what" else _hint(path, value, rule)
    if what == "wrong type" and isinstance(value, str) and value.lower().lstrip("+-.") in _NOT_FINITE:
        what = "not a finite number"
    return f"{what}: {shown(value)}, allowed: {allowed(path, rule)}{hint}"


def _is_unknown_model(path: Path, value: object, rule: str | None) -> bool:
    """Whether an unknown device model should be reported as not in this version: it is similar to no known name."""
    return path == ("device", "model") and nearest(value, choices(path, rule)) is None


def _hint(path: Path, value: object, rule: str | None) -> str:
    """What the value was probably meant to be."""
    wanted = allowed(path, rule)
    if isinstance(value, str) and wanted.startswith("a list"):
        options = choices(path, rule)
        is_word = not options and "such as [" in wanted and value.isidentifier()
        item = value if is_word else nearest(value, options)
        return f" (did you mean [{item}]?)" if item else ""
    if options := choices(path, rule):
        return did_you_mean(value, options)
    if isinstance(value, float) and value.is_integer() and wanted.startswith("an integer"):
        return f" (did you mean {int(value)}?)"
    if isinstance(value, str) and wanted.startswith(("an integer", "a number")) and _reads_as_number(value):
        return f" (did you mean {value.strip()}, without quotes?)"
    if wanted.startswith("1 to 100 letters") and isinstance(value, int | float):
        return " (put it in quotes to make it text)"
    return ""


def _reads_as_number(text: str) -> bool:
    try:
        return len(text) < 30 and math.isfinite(float(text))
    except ValueError:
        return False


def unknown_key(path: Path, whole: bool = False, rule: str | None = None, rest: Path = ()) -> str:
    """The text for a key that its section does not have; with `whole`, suggestions are full dotted paths.

    `rest` is what was written after the key: it is part of the suggestion where that is a field.
    """
    key = str(path[-1])
    section = section_at(path[:-1], rule)
    assert section is not None, path
    others = rules_with(path) if path[0] == "learning" else []
    if others:
        mine = f"rule {rule or DEFAULT_RULE} has {', '.join(section.model_fields)}"
        return f"that is a field of rule {' and '.join(others)}, allowed: {mine}"
    everywhere = [doc.path for doc in documented(rule=rule)]
    fields = list(section.model_fields)
    if whole and rule is None and path[0] == "learning":  # the rule is not known here
        sections = [section_at(path[:-1], name) for name in registry.usable()]
        fields = list(dict.fromkeys([*fields, *(name for each in sections if each for name in each.model_fields)]))
    found = nearest(key, fields)
    if found is not None:
        full: Path = (*path[:-1], found, *rest)
        full = full if field_at(full) is not None else full[: len(path)]
        hint = f" (did you mean {dotted(full) if whole else found!r}?)"
    else:
        elsewhere = [known for known in everywhere if known == key or known.rpartition(".")[2] == key]
        hint = f" (did you mean {' or '.join(elsewhere[:3])}?)" if elsewhere else ""
    if key in everywhere and "." in key:
        hint = f" (did you mean it nested, as {key.replace('.', ': {', 1)}: …}}?)"
    return f"unknown key, allowed: {', '.join(fields)}{hint}"
