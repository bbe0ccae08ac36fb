"""The report of one sweep folder, for programs; `edgesdt.report.write` takes runs and sweeps alike."""

from __future__ import annotations

from pathlib import Path

from edgesdt.errors import EdgesdtError
from edgesdt.report import page
from edgesdt.report.files import sweeps


def write(
    folder: Path, out: Path | None = None, table: str | None = None, say: page.Say = lambda line: None
) -> Path:
    """Write the report of the sweep in `folder` and return where it is: `out`, or `report.html` in the folder.

    `table` prices the recorded counts again with another technology table; without `out` the page is then
    `report-TABLE.html`. `say` gets what was left out. Raises `EdgesdtError` naming what is missing, damaged or unknown,
    `RunError` where the page cannot be written.
    """
    if not sweeps.is_sweep(Path(folder)):
        raise EdgesdtError(f"{folder}: not a sweep; expected {sweeps.STORE} in it")
    return page.write([Path(folder)], out, table=table, say=say)
