"""`--set KEY=VALUE`: one field of a spec, by dotted path, with a value written as in YAML."""

from __future__ import annotations

from typing import Any

from edgesdt.spec import source
from edgesdt.spec.faults import unknown_key
from edgesdt.spec.fields import field_at, section_at
from edgesdt.spec.hints import Path, dotted, shown


class OverrideError(Exception):
    """An override that cannot be applied; `text` is the whole fault."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def parsed(override: str) -> tuple[Path, Any]:
    """The path and the plain value of one `KEY=VALUE`. Raises `OverrideError`."""
    key, equals, text = override.partition("=")
    key = key.strip()
    if not equals or not key:
        raise OverrideError(f"--set {shown(override)}: not KEY=VALUE, allowed: for example epochs=5")
    path = known_path(key)
    read = source.read(text.strip())
    if read.faults:
        fault = read.faults[0]
        where = dotted((*path, *fault.path))
        raise OverrideError(
            f"--set {key}: {where + ': ' if fault.path else ''}{fault.text}, in {shown(text)}"
        )
    return path, read.data


def known_path(key: str) -> Path:
    """The path that `key` names in the schema. Raises `OverrideError`, with the nearest key that there is."""
    path = tuple(key.split("."))
    if path[0] == "sweep" and len(path) > 1:
        return ("sweep", key.partition(".")[2])  # the keys of a sweep are dotted paths themselves
    for depth in range(1, len(path) + 1):
        if section_at(path[:depth]) is not None:
            continue
        if field_at(path[:depth]) is None:
            raise OverrideError(f"--set {_on_one_line(key)}: {unknown_key(path[:depth], whole=True)}")
        if depth < len(path):
            raise OverrideError(
                f"--set {key}: {dotted(path[:depth])} is a value, not a mapping: set it whole"
            )
    return path


def _on_one_line(key: str) -> str:
    """The key as it was typed, without control characters."""
    return dotted(tuple(key.split(".")))


def apply(data: dict[str, Any], path: Path, value: Any) -> None:
    """Writes `value` at `path`, making the sections on the way. A value where a section belongs stays."""
    here = data
    for part in path[:-1]:
        if here.get(str(part)) is None:
            here[str(part)] = {}
        inner = here[str(part)]
        if not isinstance(inner, dict):
            return  # the file's own fault, and it is reported as such
        here = inner
    here[str(path[-1])] = value
