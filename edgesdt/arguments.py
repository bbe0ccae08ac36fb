"""The checks of `hw_models.arguments` under the errors of this package: what `ARGUMENTS` refuses is an `ArgumentError`."""

from __future__ import annotations

from typing import Final

from edgesdt.errors import ArgumentError
from hw_models.arguments import Arguments

ARGUMENTS: Final = Arguments(ArgumentError)
