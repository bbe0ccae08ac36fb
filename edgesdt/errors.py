"""The one exception tree: everything edgesdt raises on purpose, and the exit code that each kind maps to."""

from __future__ import annotations


class EdgesdtError(Exception):
    """Base of every error that edgesdt raises on purpose; its text is fit for a user to read.

    `exit_code` is what the command line returns: 2 for bad input, 1 for a run that failed.
    """

    exit_code = 2


class SpecError(EdgesdtError):
    """A spec that cannot be simulated. Holds every fault that was found, one line each (`FILE:LINE: path: …`)."""

    def __init__(self, faults: list[str] | str) -> None:
        self.faults = [faults] if isinstance(faults, str) else list(faults)
        super().__init__("\n".join(self.faults))


class RuleError(SpecError):
    """A learning rule of a plug-in that cannot be used: says which plug-in, and what is wrong with it."""


class ArgumentError(EdgesdtError, ValueError):
    """An argument of a call from Python that cannot be: says its name, what came and what is allowed."""


class BudgetError(EdgesdtError):
    """The chip's arrays do not fit its memory budget; the text shows the whole map and the excess."""


class DataError(EdgesdtError, ValueError):
    """A data set that is absent, damaged or of the wrong shape or type."""


class RunError(EdgesdtError):
    """A run that was well described but failed while running (a full disk, a folder that is not writable)."""

    exit_code = 1
