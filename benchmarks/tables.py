"""Formats rows of text as aligned columns for a terminal or as Markdown, and updates sections of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgesdt.errors import EdgesdtError

Rows = Sequence[Sequence[str]]


def plain(rows: Rows) -> str:
    """`rows` (the first is the head) as aligned columns: the first left-aligned, the others right-aligned.

    Raises `ValueError` if rows differ in length.
    """
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(rows: Rows) -> str:
    """`rows` (the first is the head) as a Markdown table: the first column left-aligned, the others right-aligned.

    Raises `ValueError` if rows differ in length.
    """
    head, *body = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    if any(len(row) != len(head) for row in body):
        raise ValueError("rows differ in length")
    rule = ["---"] + ["--:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *body])


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->", f"<!-- /{name} -->"


def section(text: str, name: str) -> str | None:
    """The text between `<!-- name -->` and `<!-- /name -->` in `text`, stripped; None without these marks."""
    start, end = _marks(name)
    _, found, rest = text.partition(start)
    inside, closed, _ = rest.partition(end)
    return inside.strip() if found and closed else None


def with_section(path: Path, name: str, content: str, text: str | None = None) -> str:
    """`text` (None: the content of file `path`) with `content` between the marks of `name`.

    Raises `EdgesdtError` if the marks are missing.
    """
    start, end = _marks(name)
    if text is None:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    if section(text, name) is None:
        raise EdgesdtError(f"{path}: no place for the {name}: it needs a line {start} and after it a line {end}")
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}\n{content}\n{end}{after}"
