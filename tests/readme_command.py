"""Prints one of the README's two set-up commands, `run` or `test`, so that CI runs what a reader copies.

    bash <(python3 tests/readme_command.py test)

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def command(name: str, text: str) -> str:
    """The text of the bash block that follows the mark `<!-- command: NAME -->`. Raises `SystemExit` without one."""
    found = re.search(rf"<!-- command: {re.escape(name)} -->\n+```bash\n(.*?)```", text, re.S)
    if found is None:
        raise SystemExit(f"{README.name}: no command {name!r}, allowed: run, test")
    return found[1]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: readme_command.py run|test")
    print(command(sys.argv[1], README.read_text(encoding="utf-8")), end="")
