"""Runs `python -m benchmarks.bits`."""

from benchmarks import command
from benchmarks.bits.commands import main

command.finish(main)
