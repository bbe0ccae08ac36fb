"""Runs a benchmark as a command: an error of edgesdt becomes a line on standard error and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from edgesdt.errors import EdgesdtError


def finish(main: Callable[[Sequence[str]], int]) -> None:
    """Runs `main` with the command line's arguments and exits with its exit code; bad input shows no traceback."""
    try:
        code = main(sys.argv[1:])
    except EdgesdtError as error:
        print(error, file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = 130
    sys.exit(code)
