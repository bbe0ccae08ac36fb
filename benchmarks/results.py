"""The results tables of README.md and benchmarks/README.md, made from records and from nothing else.

`python -m benchmarks.results` writes them from the kept records; with `RUN_DIR...` it keeps those runs' records first.
With `--check` it writes nothing: it fails where a table is not what the kept records give, or where a given run differs
from its kept record in what must be the same on every machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks import command, records, result_pages, rule_table, speed, tables
from edgesdt.errors import EdgesdtError
from edgesdt.runs import record

README = records.HERE.parent / "README.md"
PAGE = records.HERE / "README.md"
SPEED = records.HERE / "speed.json"
"""What `python -m benchmarks.speed --json benchmarks/speed.json` wrote, if that was kept."""


def pages() -> dict[Path, dict[str, str]]:
    """What each file must hold between which marks. Raises `EdgesdtError` for a damaged record."""
    made = records.kept()
    wanted: dict[Path, dict[str, str]] = {}
    if made:
        wanted[README] = {"results": result_pages.short(made)}
        wanted[PAGE] = {"results": result_pages.long(made)}
        if compared := rule_table.rows(made):
            wanted[PAGE]["rules"] = rule_table.table(compared)
    if SPEED.exists():
        wanted.setdefault(PAGE, {})["speed"] = result_pages.speed_section(speed.read(SPEED))
    return wanted


def write(wanted: dict[Path, dict[str, str]]) -> None:
    """Put every table in its place. Raises `EdgesdtError`, before any file is touched, where a place is missing."""
    texts: dict[Path, str] = {}
    for path, sections in wanted.items():
        for name, content in sections.items():
            texts[path] = tables.with_section(path, name, content, texts.get(path))
    for path, text in texts.items():
        record.write_atomically(path, text.encode())
        path.chmod(0o644)


def stale(wanted: dict[Path, dict[str, str]]) -> list[str]:
    """A line for each table that is not there or not what its source gives."""
    found = []
    for path, sections in wanted.items():
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for name, content in sections.items():
            if tables.section(text, name) != content.strip():
                found.append(f"{path.name}: the {name} are not those of the kept records")
    return found


def strays(folders: Sequence[Path]) -> list[str]:
    """A line for each run that differs from its kept record in what is promised to be the same everywhere."""
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
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something is not as kept")
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
