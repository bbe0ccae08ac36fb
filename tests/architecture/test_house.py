"""Habits of the house that a machine can see: docstrings, names, nothing of one person's machine."""

from __future__ import annotations

import ast
import re
import subprocess
from configparser import ConfigParser
from pathlib import Path
from typing import TypeGuard

import pytest

from tests.conftest import ROOT

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
TEXT = {".py", ".md", ".yaml", ".yml", ".cfg", ".toml", ".j2", ".css", ".txt", ".svg", ".json", ""}
# a folder of somebody's own files; split, so that this file does not find itself
PRIVATE = ("wo" + "rk", "ro" + "ot", "ho" + "me", "Us" + "ers")
OF_A_MACHINE = re.compile(rf"(?<![\w.~$}}>/-])/(?:{'|'.join(PRIVATE)})/(?!someone\b)\w")


def kept() -> list[Path]:
    """Every file that is, or is about to be, under version control; all but hidden ones where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0 and listed.stdout:
        return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    parts = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
    return [ROOT / path for path in parts if not any(p.startswith(".") or p == "__pycache__" for p in path.parts)]


def sources() -> list[Path]:
    """The Python files among them."""
    return [path for path in kept() if path.suffix == ".py"]


def test_there_is_something_to_look_at() -> None:
    names = {str(path.relative_to(ROOT)) for path in kept()}
    assert {"setup.cfg", "edgesdt/cli/main.py", "hw_models/technology/table.py", "tests/conftest.py"} <= names
    assert not any("__pycache__" in name for name in names)


def test_every_module_opens_with_a_docstring_that_says_its_job() -> None:
    for path in sources():
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert text, f"{path}: no docstring"
        first = text.splitlines()[0]
        assert len(first) > 20 and (first[-1] in ".:?" or text.count("\n")), f"{path}: {first!r}"


def test_every_public_function_and_class_of_the_packages_is_documented() -> None:
    bare = []
    for path in sources():
        if path.relative_to(ROOT).parts[0] not in ("edgesdt", "hw_models"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        public = [node for node in tree.body if _is_public(node)]
        for node in [*public, *(item for kind in public if isinstance(kind, ast.ClassDef) for item in kind.body)]:
            if _is_public(node) and not ast.get_docstring(node):
                bare.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}")
    assert bare == []


def _is_public(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.ClassDef]:
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [path for path in kept() if EMPTY_NAMES & set(Path(path.relative_to(ROOT)).with_suffix("").parts)] == []


def test_nothing_speaks_of_one_machine() -> None:
    told = []
    for path in kept():
        if path.suffix not in TEXT:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if OF_A_MACHINE.search(line):
                told.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert told == []


@pytest.mark.parametrize("folder", PRIVATE)
def test_the_check_finds_such_a_path(folder: str) -> None:
    for line in (f"open('/{folder}/me/data')", f"in /{folder}/me/x", f'"/{folder}/x"', f"PATH=/{folder}/me/bin"):
        assert OF_A_MACHINE.search(line), line
    for line in (f"https://example.org/{folder}/page", f"my/{folder}/x", f"$HOME/{folder}/x", f"~/{folder}/x"):
        assert not OF_A_MACHINE.search(line), line


def test_every_data_file_of_the_packages_is_packaged() -> None:
    """A wheel holds what `package_data` names: a preset that is left out would only be missed after an installation."""
    told = ConfigParser()
    told.read(ROOT / "setup.cfg", encoding="utf-8")
    named = {
        path
        for package, patterns in told["options.package_data"].items()
        for pattern in patterns.split()
        for path in (ROOT / package).glob(pattern)
    }
    data = {path for path in kept() if path.relative_to(ROOT).parts[0] in ("edgesdt", "hw_models")} - set(sources())
    assert data - named == set()
    assert {ROOT / "hw_models/presets/ReRamSB.yaml", ROOT / "hw_models/periphery/constants.yaml"} <= named


def test_no_bytes_that_only_some_editors_show() -> None:
    for path in sources():
        data = path.read_bytes()
        assert not data or (b"\r" not in data and b"\t" not in data and data.endswith(b"\n")), path
