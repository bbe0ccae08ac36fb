"""Reads YAML text of sheets and tables into plain data with the line of every key, without interpreting it.

Numbers are read as YAML 1.2 reads them. Aliases and deep nesting are refused, duplicate keys are reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

_DEEPEST: Final = 12
_FLOAT: Final = re.compile(r"[-+]?(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][-+]?\d+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.?(?:inf|nan)", re.IGNORECASE)

Scalar = float | int | bool | str
Lines = dict[tuple[str, ...], int]


class YamlError(ValueError):
    """A text cannot be read; the message names file and line."""


def placed(where: str, lines: Lines, path: tuple[str, ...]) -> str:
    """`FILE:LINE: a.b`; without the line if it is not known."""
    for end in range(len(path), -1, -1):
        if path[:end] in lines:
            where = f"{where}:{lines[path[:end]]}"
            break
    return ": ".join(part for part in (where, ".".join(path)) if part)


def read(text: str, where: str) -> tuple[Any, Lines, list[str]]:
    """Plain data, the line of every key, and a fault for each duplicate key; `where` stands for the file.

    Raises `YamlError` for a text that is not YAML, has aliases, or is nested deeply.
    """
    import yaml  # imported here, because it takes most of the import time

    lines: Lines = {}
    faults: list[str] = []
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        _refuse_deep(yaml.parse(text, Loader=loader), yaml.AliasEvent, where)
        node = yaml.compose(text, Loader=loader)
        return None if node is None else _Plain(where, lines, faults).of(node, ()), lines, faults
    except yaml.MarkedYAMLError as error:
        with suppress(yaml.YAMLError):  # libyaml refuses deep nesting itself, the parser in Python does not
            _refuse_deep(yaml.parse(text, Loader=yaml.SafeLoader), yaml.AliasEvent, where)
        mark = error.problem_mark or error.context_mark
        raise YamlError(f"{where}:{mark.line + 1 if mark else 1}: not readable as YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise YamlError(f"{where}:1: not readable as YAML: {str(error).splitlines()[0]}") from None


def _refuse_deep(events: Iterable[Any], alias: type[Any], where: str) -> None:
    """Raises `YamlError` for aliases and deep nesting, which could exhaust memory or the stack."""
    depth = 0
    for event in events:
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        if depth > _DEEPEST + 2:  # the stream and the document count
            raise YamlError(f"{where}:{event.start_mark.line + 1}: nested more than {_DEEPEST} levels deep")
        if isinstance(event, alias):
            raise YamlError(f"{where}:{event.start_mark.line + 1}: aliases are not read, write the value out")


@dataclass
class _Plain:
    """Converts YAML nodes to plain data by the rules of YAML 1.2: `1e-4` is a number and `on` is a word."""

    where: str
    lines: Lines
    faults: list[str]

    def of(self, node: Any, path: tuple[str, ...]) -> Any:
        """`node` as mappings, lists and scalars; stores the line of every key, reports duplicates."""
        self.lines.setdefault(path, node.start_mark.line + 1)
        if node.id == "scalar":
            return _scalar(node.value, plain=not node.style)
        if node.id == "sequence":
            return [self.of(child, (*path, str(index))) for index, child in enumerate(node.value)]
        mapping: dict[str, Any] = {}
        for key_node, child in node.value:
            key = str(key_node.value) if key_node.id == "scalar" else "?"
            here, line = (*path, key), key_node.start_mark.line + 1
            if key in mapping:
                self.faults.append(f"{self.where}:{line}: {'.'.join(here)}: duplicate key")
                continue
            self.lines[here] = line
            mapping[key] = self.of(child, here)
        return mapping


def _scalar(text: str, plain: bool) -> Scalar | None:
    if not plain:
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return int(text.replace("_", "")) if re.fullmatch(r"[-+]?[\d_]{1,18}", text) else number
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text
