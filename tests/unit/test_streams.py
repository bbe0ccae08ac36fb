"""Closed and broken streams: a run goes on to its end, a result that nobody gets is told."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from edgesdt.cli import streams
from tests.conftest import ROOT, SMALL


def in_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    whole = f"edgesdt() {{ PYTHONPATH={ROOT} {sys.executable} -m edgesdt \"$@\"; }}; {command}"
    return subprocess.run(["bash", "-c", whole], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        ("edgesdt check small.yaml >&-", 1, "standard output is closed: done, but the result is not shown"),
        ("edgesdt specs >&-", 1, "standard output is closed"),
        ("edgesdt check none.yaml >&-", 2, "none.yaml: no such file"),
        ("edgesdt check small.yaml 2>&-", 0, ""),
        ("edgesdt check small.yaml <&-", 0, ""),
        ("edgesdt check none.yaml 2>&-", 2, ""),
        ("edgesdt check small.yaml >&- 2>&- <&-", 1, ""),
    ],
)
def test_closed_streams(command: str, code: int, told: str, tmp_path: Path) -> None:
    done = in_shell(command, tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert told in done.stderr and (done.stderr == "" or told)


@pytest.mark.parametrize("closed", ["2>&-", "2> >(true)"])
def test_a_run_whose_progress_nobody_reads_is_finished(closed: str, tmp_path: Path) -> None:
    done = in_shell(f"edgesdt run small.yaml --out run {closed}", tmp_path)
    assert done.returncode == 0 and "accuracy" in done.stdout
    assert (tmp_path / "run" / "record.json").exists()
    assert "\0" not in (tmp_path / "run" / "log.txt").read_text(encoding="utf-8")


def test_only_a_live_line_may_take_a_line_away() -> None:
    below = io.StringIO()
    stream = streams.Printable(below, lossy=False)
    print("\r\033[Kepoch 1 \033[31m\r\033[K", end="", file=stream)
    print("µ ± β\t|", file=stream)
    assert below.getvalue() == "\r\033[Kepoch 1 \\x1b[31m\\r\\x1b[Kµ ± β\t|\n"
    below.close()
    streams.Printable(below, lossy=True).write("nobody reads this")
    with pytest.raises(ValueError):
        streams.Printable(below, lossy=False).write("nobody reads this")
