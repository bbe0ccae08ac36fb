"""Reports: run folders in, one self-contained HTML page out (`write`); reads records, never runs a chip.

Nothing here imports numba, the kernels, the rules or the chip, so that an old run can be reported on, and
priced again with another technology table, by any machine that has its folder.
"""

from __future__ import annotations

from edgesdt.report.page import write

__all__ = ["write"]
