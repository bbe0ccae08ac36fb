"""Reads untrusted JSON within limits of size and depth; errors are one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from edgesdt.errors import EdgesdtError
from hw_models.files import read_bytes

MOST_BYTES: Final = 1 << 28
"""Largest size of a document, 256 MiB: a record takes a few kilobytes, plus one for each epoch."""
DEEPEST: Final = 40
"""Largest depth of lists and mappings; a record has six levels."""


class DocumentError(EdgesdtError):
    """An invalid JSON document. The text gives the reason, without the name of the file."""


def read(path: Path, most: int = MOST_BYTES) -> Any:
    """The document in a file. Raises `DocumentError`, and `OSError` if the file cannot be read."""
    return loads(read_bytes(path, most))


def loads(text: str | bytes) -> Any:
    """Parses `text`. Raises `DocumentError` if it is damaged or nested too deeply."""
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
    """Whether `found` has more than `most` levels; it does not use recursion."""
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
