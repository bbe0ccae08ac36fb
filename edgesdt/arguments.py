"""The argument checks of `hw_models.arguments`, which raise `ArgumentError` of this package: `ARGUMENTS`."""

from __future__ import annotations

from typing import Final

from edgesdt.errors import ArgumentError
from hw_models.arguments import Arguments

ARGUMENTS: Final = Arguments(ArgumentError)
