"""Technology tables: costs of digital primitives in joules, watts and mm2.

`load("cmos_45nm", node_nm=32)` gives a `Technology`; `names()` lists the tables that ship with the package, `load_text`
reads one of your own.
"""

from __future__ import annotations

from hw_models.technology.errors import TechnologyError
from hw_models.technology.table import Technology, load, load_text, names

__all__ = ["Technology", "TechnologyError", "load", "load_text", "names"]
