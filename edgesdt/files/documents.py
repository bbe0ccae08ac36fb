"""JSON that somebody else may have written or damaged: read within bounds of size and depth, told in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from edgesdt.errors import EdgesdtError
from hw_models.files import read_bytes

MOST_BYTES: Final = 1 << 28
"""Of one document, 256 MiB: a record takes a few kilobytes, and one more for each epoch."""
DEEPEST: Final = 40
"""Levels of lists and mappings; a record has six."""


class DocumentError(EdgesdtError):
    """What is no JSON document; the text says why, without the name of the file."""


def read(path: Path, most: int = MOST_BYTES) -> Any:
    """The document in a file. Raises `DocumentError`, and `OSError` where the file cannot be read."""
    return loads(read_bytes(path, most))


def loads(text: str | bytes) -> Any:
    """The document that `text` is. Raises `DocumentError` for what is damaged or nested too deeply."""
    try:
        found = json.loads(text)
    except RecursionError:
        raise DocumentError(f"nested more than {DEEPEST} levels deep") from None
    except ValueError as error:  # broken JSON, bytes that are not UTF-8, an integer of thousands of digits
        raise DocumentError(f"not a JSON document ({error})") from None
    if _is_deeper(found, DEEPEST):
        raise DocumentError(f"nested more than {DEEPEST} levels deep")
    return found


def _is_deeper(found: Any, most: int) -> bool:
    """Whether `found` has more than `most` levels, told without recursion."""
    level = [found]
    for _ in range(most):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.values()
            elif isinstance(item, list):
                inner += item
        level = [item for item in inner if isinstance(item, dict | list)]
        if not level:
            return False
    return True
