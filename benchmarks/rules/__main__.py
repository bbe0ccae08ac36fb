"""Runs the command."""

from benchmarks import command
from benchmarks.rules.commands import main

command.finish(main)
