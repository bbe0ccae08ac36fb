"""Files that somebody else prepared: specials refused at once, links not followed, foreign text shown as text."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgesdt.errors import EdgesdtError, RunError
from edgesdt.files import archives
from edgesdt.runs.folder import RunFolder
from edgesdt.spec import loads, named_files
from hw_models import files
from hw_models.foreign import printable, printable_lines
from tests.conftest import SMALL, Said

SPEC = loads(SMALL)
Cli = Callable[..., Said]


def specials(folder: Path) -> dict[str, Path]:
    """One of each: a pipe, a socket, a device, a folder, and a file of a terabyte that takes no disk."""
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(folder / "socket"))
    with (folder / "huge").open("wb") as file:
        file.truncate(1 << 40)
    (folder / "folder").mkdir()
    return {name: folder / name for name in ("pipe", "socket", "huge", "folder")} | {"zero": Path("/dev/zero")}


def test_a_file_too_large_for_a_data_set_has_no_digest(tmp_path: Path) -> None:
    """Nor does a digest of it take minutes."""
    assert named_files.LARGEST_FILE == archives.MOST_FILE
    assert named_files.digest(str(specials(tmp_path)["huge"])) is None
    (tmp_path / "small").write_bytes(b"x")
    assert named_files.digest(str(tmp_path / "small")) is not None


def test_specials_are_refused_at_once(tmp_path: Path) -> None:
    for name, path in specials(tmp_path).items():
        with pytest.raises(OSError) as caught:
            files.read_bytes(path)
        assert caught.value.strerror, name
    with pytest.raises(OSError, match="null"):
        files.read_bytes(Path("a\0b"))
    (tmp_path / "text").write_text("é", encoding="utf-8")
    assert files.read_text(tmp_path / "text") == "é"
    with pytest.raises(OSError, match="2 bytes, allowed: at most 1"):
        files.read_bytes(tmp_path / "text", 1)
    assert files.read_bytes(Path("/proc/self/cmdline")), "its size is told as 0"


@pytest.mark.parametrize(
    "command",
    [
        "check {}", "run {} --out out", "sweep {} --plan", "device show {}.yaml", "device pulse {}.yaml",
        "device fit {} --out fitted.yaml", "check small --set data.set={}.npz --plan",
        "check small --set device.file={}", "run small --set device.file={} --out out", "report {}",
        "run small --set data.set={}.npz --out out",
    ],
)  # fmt: skip
def test_every_reader_refuses_them(command: str, cli: Cli, small: Path, tmp_path: Path) -> None:
    if "--plan" in command and "small" in command:
        command = command.replace("check", "sweep").replace(" --plan", " --set sweep={seeds:[0]} --plan")
    for name, path in specials(tmp_path).items():
        for ending in (".yaml", ".npz"):
            if name != "zero" and not Path(f"{path}{ending}").exists():
                Path(f"{path}{ending}").symlink_to(path)
        given = str(path) if name != "zero" or "}." not in command else "/dev/zero"
        words = [word.format(given) if "{}" in word else word for word in command.split()]
        said = cli(*(str(small) if word == "small" else word for word in words))
        said.refused()
        assert said.err.count("\n") == 1, said.err
    assert not (tmp_path / "out").exists() and not (tmp_path / "fitted.yaml").exists()


def logged(folder: Path) -> None:
    with RunFolder(folder, SPEC) as opened:
        opened.log("line")


@pytest.mark.parametrize("name", [".lock", "log.txt"])
def test_a_link_in_a_prepared_folder_is_not_followed(name: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious", encoding="utf-8")
    with RunFolder(tmp_path / "run", SPEC):
        pass
    (tmp_path / "run" / name).unlink(missing_ok=True)
    (tmp_path / "run" / name).symlink_to(target)
    with pytest.raises((EdgesdtError, RunError), match=name if name == "log.txt" else "not a folder that can be"):
        logged(tmp_path / "run")
    assert target.read_text(encoding="utf-8") == "precious"


def test_the_claims_of_a_sweep_follow_no_link(cli: Cli, small: Path, tmp_path: Path) -> None:
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / ".claims").symlink_to(tmp_path / "made")
    cli("sweep", small, "--set", "sweep={seeds: [0]}", "--out", "sweep", "--quiet").refused("sweep: not a folder that")
    assert not (tmp_path / "made").exists()


@given(st.text())
def test_nothing_foreign_moves_a_cursor(text: str) -> None:
    assert printable(text).isprintable()
    assert all(part.isprintable() or part.isspace() for line in printable_lines(text).split("\n") for part in line)
    assert "\x1b" not in printable_lines(text) and "\r" not in printable_lines(text)
    plain = "".join(c for c in text if c.isprintable())
    assert printable(plain) == printable_lines(plain) == plain


HOSTILE = 'red\\e[31m\\a\\rline\\ntwo'


def test_a_sheet_cannot_write_to_the_terminal(cli: Cli, small: Path, tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text(
        f'name: "{HOSTILE}"\nfamily: soft_bounds\nsummary: "{HOSTILE}"\nnotes: "{HOSTILE}"\n'
        f'sources: {{here: "{HOSTILE}"}}\nparameters:\n  dw_min: {{value: 0.01, unit: "1", source: here, '
        f'derived: "{HOSTILE}"}}\n',
        encoding="utf-8",
    )
    for arguments in (["device", "show", "d.yaml"], ["device", "pulse", "d.yaml"], ["check", small, "--set",
                      "device.file=d.yaml", "--set", "device.off=[]"]):  # fmt: skip
        said = cli(*arguments)
        assert "\x1b" not in said.out + said.err and "\r" not in said.out + said.err
        assert not any(line.startswith("two") for line in (said.out + said.err).splitlines())
    shown = cli("device", "show", "d.yaml").out
    assert "red\\x1b[31m\\x07\\rline\\ntwo" in shown
    (tmp_path / "d.yaml").write_text(f'name: "{HOSTILE}"\n"{HOSTILE}": 1\n', encoding="utf-8")
    assert "\x1b" not in cli("device", "show", "d.yaml").refused().err


def test_a_path_cannot_write_to_the_terminal(cli: Cli, tmp_path: Path) -> None:
    name = "a\x1b[2Jb.yaml"
    (tmp_path / name).write_text("name: [", encoding="utf-8")
    for arguments in (["check", name], ["device", "show", name], ["device", "fit", name, "--out", "x.yaml"],
                      ["report", name], ["run", name, "--out", name], ["no\x1b[2Jcommand"]):  # fmt: skip
        assert "\x1b" not in cli(*arguments).refused().err
