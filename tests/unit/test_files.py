"""Files that somebody else prepared: specials refused at once, links not followed, foreign text shown as text."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from edgesdt.errors import EdgesdtError, RunError
from edgesdt.run_folder import RunFolder
from edgesdt.spec import Spec
from hw_models import files
from hw_models.foreign import printable, printable_lines
from tests.conftest import SMALL

SPEC = Spec.loads(SMALL) if hasattr(Spec, "loads") else None


@pytest.mark.timeout(20) if hasattr(pytest.mark, "never") else pytest.mark.parametrize("read", [files.read_bytes, files.read_text])
def test_specials_are_refused_without_waiting(read: object, tmp_path: Path) -> None:
    pass
