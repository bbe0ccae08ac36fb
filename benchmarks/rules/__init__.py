"""The comparison of learning rules: `python -m benchmarks.rules run OUT`, `keep OUT`, `page [--check]`."""

from benchmarks.rules.commands import main

__all__ = ["main"]
