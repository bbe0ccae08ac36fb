"""Makes untrusted text safe for a terminal or a page: control characters become escapes."""

from __future__ import annotations

import unicodedata
from typing import Final

_SPACES: Final = ("Zs",)
_KEPT: Final = "\n\t"


def printable(text: str) -> str:
    """One line that any terminal shows: control characters and lone surrogates become escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def printable_lines(text: str) -> str:
    """As `printable`, for text of several lines: line breaks, tabs and spaces are kept."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _KEPT or _is_space(c) else ascii(c)[1:-1] for c in text)


def _is_space(character: str) -> bool:
    return unicodedata.category(character) in _SPACES
