"""The command `python -m benchmarks.bits`: trials on held-out images, kept rows of the sweeps, and the page of both."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bits import choices, rows, scales


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code. Raises `EdgesdtError`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bits", description=(__doc__ or "").partition("\n")[0])
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("choose", help="run the trials on held-out training images that are not kept yet")
    keeps = actions.add_parser("keep", help="keep the rows of finished sweeps (edgesdt sweep mnist_bits, mnist_widths)")
    keeps.add_argument("folders", nargs="+", type=Path, metavar="SWEEP_DIR")
    cuts = actions.add_parser("scales", help="cut the weights of runs of mnist_1layer_4bit with two kinds of scale")
    cuts.add_argument("folders", nargs="+", type=Path, metavar="RUN_DIR")
    pages = actions.add_parser("page", help="write BITS.md and its chart from what is kept")
    pages.add_argument("--check", action="store_true", help="only say whether they are up to date")
    given = parser.parse_args(arguments)
    if given.action == "choose":
        choices.run()
        return 0
    if given.action == "keep":
        return _keep(given.folders)
    if given.action == "scales":
        scales.keep(given.folders)
        return 0
    from benchmarks.bits import page

    if given.check:
        stale = page.stale()
        print(f"BITS.md: {', '.join(stale) + ': not made from what is kept' if stale else 'ok'}")
        return int(bool(stale))
    page.write()
    return 0


def _keep(folders: Sequence[Path]) -> int:
    new = [row for folder in folders for row in rows.of_sweep(folder)]
    named = {row["sweep"] for row in new}
    old = [row for row in (rows.kept() if rows.KEPT.exists() else []) if row["sweep"] not in named]
    found = sorted([*old, *new], key=lambda row: rows.SWEEPS.index(row["sweep"]))
    rows.KEPT.write_text(rows.text_of(found), encoding="utf-8")
    print(f"{len(found)} rows kept")
    return 0
