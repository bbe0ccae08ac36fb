"""Text for faults: values on one short line, and the most similar valid word (`did you mean`)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches

from hw_models.foreign import printable as printable

Path = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_VALUE = 60


def nearest(word: object, options: Iterable[str]) -> str | None:
    """The option most similar to `word`, ignoring case and `-` for `_`; None if none is similar."""
    if not isinstance(word, str) or len(word) > 200:
        return None
    folded = {option.casefold().replace("-", "_"): option for option in options}
    found = get_close_matches(word.strip().casefold().replace("-", "_"), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def did_you_mean(word: object, options: Iterable[str]) -> str:
    """` (did you mean 'X'?)`, or an empty text if no option is similar."""
    found = nearest(word, options)
    return f" (did you mean {found!r}?)" if found is not None else ""


def shown(value: object) -> str:
    """The value on one line, as in the YAML file, shortened if it is long."""
    if isinstance(value, str):
        text = repr(value[: _LONGEST_VALUE + 1])
    elif value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    else:
        try:
            text = repr(value) if isinstance(value, float) else json.dumps(value)
        except (TypeError, ValueError, RecursionError):
            text = f"a value of type {type(value).__name__}"
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"


def flat(path: Path) -> Path:
    """The path with dotted parts taken apart: `--set device.layers.1.off=...` writes the key `1.off`."""
    return tuple(inner for part in path for inner in (part.split(".") if isinstance(part, str) else (part,)))


def dotted(path: Path) -> str:
    """`chip.layers[1]`; keys that are not plain words are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _PLAIN_KEY.fullmatch(part) else shown(part))
    return text
