"""The checks of `hw_models.arguments` under an error of this package: `ARGUMENTS` raises `ArgumentError`."""

from __future__ import annotations

from typing import Final

from edgesdt.errors import ArgumentError
from hw_models.arguments import Arguments

ARGUMENTS: Final = Arguments(ArgumentError)
