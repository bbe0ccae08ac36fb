"""What the tests share: the command line called in-process and in a process of its own, one finished run, real data.

Nothing here writes outside pytest's temporary folders.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

os.environ["MPLBACKEND"] = "Agg"
ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that plain `pytest` finds `tests.…` as `python -m pytest` does
sys.modules.setdefault("tests.conftest", sys.modules[__name__])  # one set of classes, whoever imports them

from edgesdt import datasets  # noqa: E402

SMALL = """\
name: small
data: {set: digits, train: 700, test: 200}
encoder: {bits: 4}
chip:
  layers: [64, 40]
  weights: {bits: 8, frac_bits: 9}
  memory_budget: 8 KiB
learning: {winners: 2, learning_rate: 0.004}
epochs: 3
"""
"""A run of a fraction of a second."""


@pytest.fixture(autouse=True)
def read_data_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command in-process may keep a data set in memory (`datasets.keep`); the next test must not see it."""
    monkeypatch.setattr(datasets, "_keeping", False)
    monkeypatch.setattr(datasets, "_kept", {})


@dataclass
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    def refused(self, *told: str) -> Said:
        """It is bad input: exit 2, nothing on standard output, no traceback, each of `told` on standard error."""
        assert self.code == 2, (self.code, self.err)
        assert self.out == ""
        assert "Traceback" not in self.err
        assert self.err.endswith("\n")
        for words in told:
            assert words in self.err, f"{words!r} is not in: {self.err}"
        return self


@dataclass
class Shell:
    """Runs the command line in processes of their own, in one folder."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Start `edgesdt` with these arguments; both streams are pipes."""
        return subprocess.Popen(
            [sys.executable, "-m", "edgesdt", *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "", **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __call__(self, *arguments: object) -> Said:
        """Run `edgesdt` to its end."""
        with self.start(*arguments) as process:
            out, err = process.communicate()
        return Said(process.returncode, out, err)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """The command line in a process of its own, in a temporary folder."""
    return Shell(tmp_path)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """The command line in this process, in a temporary folder."""
    from edgesdt.cli.main import main

    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ending:  # argparse
            code = int(ending.code or 0)
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A spec file of a small, quick run."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@dataclass(frozen=True)
class Finished:
    """A finished run, to look at only."""

    folder: Path
    record: dict[str, Any]
    told: tuple[str, ...]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The run of `SMALL` with both read-outs, made once."""
    from edgesdt.runs.experiment import run
    from edgesdt.spec import loads

    folder = tmp_path_factory.mktemp("finished") / "run"
    told: list[str] = []
    made = run(loads(SMALL, overrides=["readout=[direct, linear]"]), folder, say=told.append)
    kept = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    assert kept == made
    return Finished(folder, kept, tuple(told))


@pytest.fixture(scope="session")
def data_folder() -> Path | None:
    """The folder with real data sets that `EDGESDT_DATA` names, if it is set."""
    named = os.environ.get("EDGESDT_DATA")
    return Path(named) if named else None
