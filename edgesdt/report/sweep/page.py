"""The report of one sweep folder, for programs; `edgesdt.report.write` accepts both runs and sweeps."""

from __future__ import annotations

from pathlib import Path

from edgesdt.errors import EdgesdtError
from edgesdt.report import page
from edgesdt.report.files import sweeps


def write(
    folder: Path, out: Path | None = None, table: str | None = None, say: page.Say = lambda line: None
) -> Path:
    """Writes the report of the sweep in `folder` and returns its path: `out`, or `report.html` in the folder.

    `table` prices the recorded counts again with another technology table; without `out` the page is then
    `report-TABLE.html`. `say` receives messages about rows that were left out. Raises `EdgesdtError` naming a missing,
    damaged or unknown item, and `RunError` if the page cannot be written.
    """
    if not sweeps.is_sweep(Path(folder)):
        raise EdgesdtError(f"{folder}: not a sweep; expected {sweeps.STORE} in it")
    return page.write([Path(folder)], out, table=table, say=say)
