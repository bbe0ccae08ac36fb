"""Writes a plain spec as YAML text with end-of-line notes, and computes its hash."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from edgesdt.errors import ArgumentError
from edgesdt.spec.checks.hints import Path, printable
from edgesdt.spec.fields import quantity_at
from edgesdt.spec.named_files import identity
from edgesdt.spec.text.source import is_text
from edgesdt.units import exact

UNHASHED: Final = ("name", "seed", "sweep")
"""Sections that do not affect the described chip."""
_BOOLEANS_OF_OTHERS = ("y", "n", "yes", "no", "on", "off")  # in YAML 1.1
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_WORD = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*")


def _integral(text: str) -> float | int:
    number = float(text)
    return int(number) if number.is_integer() else number


_DECODER = json.JSONDecoder(parse_float=_integral)


def spec_hash(plain: Mapping[str, Any]) -> str:
    """16 hexadecimal digits of SHA-256 over the canonical JSON of all but `name`, `seed` and `sweep`.

    The hash does not depend on the order of keys, on the machine, or on whether a whole number is written as 1 or 1.0.
    For a named file, the digest counts and the path does not.
    """
    _require_plain(plain)
    kept = {key: identity(key, value) for key, value in plain.items() if key not in UNHASHED}
    return joined_hash({key: canonical(value) for key, value in kept.items()})


def _require_plain(plain: object) -> None:
    """Raise `ArgumentError` for what is no plain spec."""
    if not isinstance(plain, Mapping):
        raise ArgumentError(f"plain: a {type(plain).__name__}, allowed: a mapping, as Spec.plain() makes one")


def joined_hash(sections: Mapping[str, str]) -> str:
    """The hash of a spec whose sections are given as `canonical` text."""
    parts = (f"{_quoted(key)}:{sections[key]}" for key in sorted(sections))
    return hashlib.sha256(f"{{{','.join(parts)}}}".encode("ascii")).hexdigest()[:16]


@lru_cache(maxsize=256)
def _quoted(key: str) -> str:
    return json.dumps(key)


def canonical(value: Any) -> str:
    """JSON of plain data with sorted keys, without spaces, whole numbers as integers. Raises `ValueError` for NaN."""
    return _ENCODER.encode(_DECODER.decode(_ENCODER.encode(value)))


def to_yaml(plain: Mapping[str, Any], notes: Mapping[str, str] | None = None) -> str:
    """YAML text that `load` reads back as the same spec; `notes` maps dotted paths to end-of-line comments.

    Raises `ValueError` for a note at a path that the spec does not have.
    """
    _require_plain(plain)
    lines = list(_lines(plain, (), ""))
    notes = notes or {}
    unknown = set(notes) - {path for path, _ in lines}
    if unknown:
        raise ValueError(f"notes for paths that are not in the spec: {', '.join(sorted(unknown))}")
    width = max((len(text) for path, text in lines if path in notes), default=0)
    noted = (
        f"{text:<{width}}  # {printable(notes[path])}" if path in notes else text for path, text in lines
    )
    return "\n".join(noted) + "\n"


def _lines(mapping: Mapping[str, Any], path: Path, indent: str) -> Iterator[tuple[str, str]]:
    """Pairs of dotted path and line of text."""
    for key, value in mapping.items():
        here = (*path, key)
        head = f"{indent}{_text(key)}:"
        if isinstance(value, str) and _is_block(value):
            yield ".".join(map(str, here)), f"{head} {_block(value, indent + '  ')}"
        elif isinstance(value, Mapping) and value:
            yield ".".join(map(str, here)), head
            yield from _lines(value, here, indent + "  ")
        else:
            yield ".".join(map(str, here)), f"{head} {_value(value, here)}"


def _is_block(text: str) -> bool:
    """Whether a text has several lines and no characters that a literal block of YAML would change."""
    return "\n" in text and all(character == "\n" or character.isprintable() for character in text)


def _block(text: str, indent: str) -> str:
    """A text as a literal block, with every line unchanged."""
    kept = "+" if text.endswith("\n") else "-"
    lines = text.removesuffix("\n").split("\n") if kept == "+" else text.split("\n")
    return "\n".join([f"|2{kept}", *(f"{indent}{line}" if line else "" for line in lines)])


def _value(value: Any, path: Path) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item, path) for item in value) + "]"
    quantity = quantity_at(path)
    if quantity is not None and value is not None:
        is_base = quantity.held == quantity.kind.base
        return exact(value, quantity.kind) if is_base else f"{value!r} {quantity.held}"
    return _flow(value)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        text = repr(value)  # YAML 1.1 readers want a point before the exponent
        return text if "." in text else text.replace("e", ".0e")
    return _text(value) if isinstance(value, str) else str(value)


def _text(text: str) -> str:
    """A plain scalar if every YAML reader reads it as text; otherwise double-quoted with escapes."""
    if _WORD.fullmatch(text) and text.casefold() not in _BOOLEANS_OF_OTHERS and is_text(text):
        return text
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable() and character.isascii():
        return character
    return f"\\U{ord(character):08X}"
