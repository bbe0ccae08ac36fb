"""Runs `python -m benchmarks.rules`."""

from benchmarks import command
from benchmarks.rules.commands import main

command.finish(main)
