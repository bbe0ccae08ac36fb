"""Which technology table priced a record: figures of different ones are never ranked against each other.

A table of one's own is told by its file and digest: it may call itself as it likes, `cmos_45nm` for one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

_DIGITS: Final = 12
"""Of a digest, as it is shown."""


def name(record: Mapping[str, Any]) -> str:
    """The table that priced a record, or anything else with its `technology` and `spec`; empty where none is told."""
    told, asked = _section(record.get("technology")), _section(_section(record.get("spec")).get("technology"))
    own = told if told.get("sha256") else asked
    if own.get("file") or own.get("sha256"):
        file = os.path.basename(str(own.get("file") or "a table of one's own"))
        digest = str(own.get("sha256") or "")[:_DIGITS]
        return f"{file} (SHA-256 {digest}…)" if digest else file
    return str(told.get("table") or asked.get("table") or "")


def at_node(record: Mapping[str, Any]) -> str:
    """The same with the node: `cmos_45nm at 45 nm`."""
    node = _section(record.get("technology")).get("node_nm")
    known = isinstance(node, int | float) and not isinstance(node, bool)
    return f"{name(record) or 'an unknown table'}{f' at {node:g} nm' if known else ''}"


def differ(records: Iterable[Mapping[str, Any]], with_node: bool = True) -> bool:
    """Whether records were priced with more than one table, or (`with_node`) at more than one node."""
    return len({(at_node if with_node else name)(record) for record in records}) > 1


def own(file: str | None, sha256: str | None) -> dict[str, str]:
    """The record's `technology.file` and `technology.sha256`, of a table of one's own; nothing of one that ships."""
    return {} if file is None else {"file": os.path.basename(file), **({"sha256": sha256} if sha256 else {})}


def _section(given: object) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {}
