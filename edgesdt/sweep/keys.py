"""Text keys of spec sections, computed once per object: the specs of a sweep share most of their sections."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

_MOST: Final = 50_000
_known: dict[int, tuple[object, str]] = {}


def of(section: Any) -> str:
    """Text that is equal for equal sections of a spec (frozen models), or for equal plain values."""
    if not isinstance(section, BaseModel):
        return repr(section)
    found = _known.get(id(section))
    if found is not None:
        return found[1]
    if len(_known) >= _MOST:
        _known.clear()
    text = section.model_dump_json()
    _known[id(section)] = section, text  # keep the object, so that its id is not reused
    return text
