"""Writes the results tables of README.md and benchmarks/README.md from records alone.

`python -m benchmarks.results` writes them from the kept records; with `RUN_DIR...` it first stores the records of those
runs. With `--check` it writes nothing. It then fails if a table differs from the kept records, or if a given run
differs from its kept record in a machine-independent field.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks import (
    command,
    equal_accuracy,
    kept_sweeps,
    records,
    reproduction_table,
    reproductions,
    result_pages,
    rule_table,
    speed,
    tables,
)
from edgesdt.errors import EdgesdtError
from edgesdt.runs import record

README = records.HERE.parent / "README.md"
PAGE = records.HERE / "README.md"
SPEED = records.HERE / "speed.json"
"""The output of `python -m benchmarks.speed --json benchmarks/speed.json`, if it is kept."""


def pages() -> dict[Path, dict[str, str]]:
    """The required content of each file between its marks. Raises `EdgesdtError` for a damaged record."""
    made = records.kept()
    wanted: dict[Path, dict[str, str]] = {}
    if made:
        wanted[README] = {"results": result_pages.short(made)}
        wanted[PAGE] = {"results": result_pages.long(made)}
        paper = reproductions.chosen([reproductions.PAPER.name])
        wanted[PAGE] |= {reproductions.PAPER.name: reproduction_table.table(paper, made), **kept_sweeps.sections()}
        if compared := rule_table.rows(made):
            wanted[PAGE]["rules"] = rule_table.table(compared)
            wanted[PAGE]["equal accuracy"] = equal_accuracy.table(made)
    if SPEED.exists():
        wanted.setdefault(PAGE, {})["speed"] = result_pages.speed_section(speed.read(SPEED))
    return wanted


def write(wanted: dict[Path, dict[str, str]]) -> None:
    """Writes every table to its page. Raises `EdgesdtError`, before any file is changed, if marks are missing."""
    texts: dict[Path, str] = {}
    for path, sections in wanted.items():
        for name, content in sections.items():
            texts[path] = tables.with_section(path, name, content, texts.get(path))
    for path, text in texts.items():
        record.write_atomically(path, text.encode())
        path.chmod(0o644)


def stale(wanted: dict[Path, dict[str, str]]) -> list[str]:
    """A line for each table that is missing or differs from its source."""
    found = []
    for path, sections in wanted.items():
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for name, content in sections.items():
            if tables.section(text, name) != content.strip():
                found.append(f"{path.name}: the {name} are not those of the kept records")
    return found


def strays(folders: Sequence[Path]) -> list[str]:
    """A line for each run that differs from its kept record in a machine-independent field."""
    found = []
    for made in records.of_runs(folders):
        path = records.place(made)
        if not path.exists():
            raise EdgesdtError(f"{path}: no record of this name and seed is kept")
        kept = record.read(path)
        for field in ("spec_hash", *records.PROMISED):
            if (text := records.difference(kept[field], made[field], field)) is not None:
                found.append(f"{path.name}: kept and new differ: {text}")
    return found


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if something differs from the kept "
                                                             "records")
    parser.add_argument("folders", nargs="*", type=Path, metavar="RUN_DIR", help="folder of a finished run")
    options = parser.parse_args(arguments)
    if options.check:
        wrong = stale(pages()) + strays(options.folders)
        print("\n".join(wrong) if wrong else "tables and records agree")
        return 1 if wrong else 0
    for made in records.of_runs(options.folders):
        print(records.keep(made))
    wanted = pages()
    if not wanted:
        raise EdgesdtError(f"{records.FOLDER}: no records; give run folders, or collect some first")
    write(wanted)
    print("\n".join(str(path) for path in wanted))
    return 0


if __name__ == "__main__":
    command.finish(main)
