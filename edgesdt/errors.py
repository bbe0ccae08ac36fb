"""The exceptions that edgesdt raises on purpose, and the exit code of each kind."""

from __future__ import annotations


class EdgesdtError(Exception):
    """Base of every error that edgesdt raises on purpose; its text is meant for users.

    `exit_code` is what the command line returns: 2 for bad input, 1 for a run that failed.
    """

    exit_code = 2


class SpecError(EdgesdtError):
    """A spec that cannot be simulated. The text lists every fault, one per line (`FILE:LINE: path: …`)."""

    def __init__(self, faults: list[str] | str) -> None:
        self.faults = [faults] if isinstance(faults, str) else list(faults)
        super().__init__("\n".join(self.faults))


class RuleError(SpecError):
    """A learning rule of a plug-in cannot be used. The text names the plug-in and the reason."""


class ArgumentError(EdgesdtError, ValueError):
    """An invalid argument of a call from Python. The text names the argument, its value and the allowed values."""


class BudgetError(EdgesdtError):
    """The chip's arrays do not fit its memory budget; the text shows the memory map and the excess."""


class DataError(EdgesdtError, ValueError):
    """A data set that is absent, damaged or of the wrong shape or type."""


class RunError(EdgesdtError):
    """A run with a valid spec that failed while running (a full disk, a folder that is not writable)."""

    exit_code = 1
