"""Reports: `write` reads run folders and writes one self-contained HTML page; it reads records and never runs a chip.

No module here imports numba, the kernels, the rules or the chip. So any machine with the run folder can report on an
old run, and price it again with another technology table.
"""

from __future__ import annotations

from edgesdt.report.page import write

__all__ = ["write"]
