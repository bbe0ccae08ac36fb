"""What is built: wheel and source archive hold what they should, and the description holds on a package index."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
import yaml

from edgesdt import __version__
from tests.architecture.test_house import kept
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SETUP = runpy.run_path(str(ROOT / "setup.py"))
TARGETS = re.compile(r"!?\[[^\]]+\]\(([^)\s]+)\)")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_{}(sys.argv[1])"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive of a copy of what is under version control."""
    place = tmp_path_factory.mktemp("built")
    for path in kept():
        copy = place / "tree" / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    for kind in ("sdist", "wheel"):
        command = [sys.executable, "-c", BUILD.format(kind), str(place)]
        subprocess.run(command, cwd=place / "tree", check=True, capture_output=True)
    return place


def test_the_wheel_holds_the_packages_and_all_their_data(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    packages = {str(path.relative_to(ROOT)) for path in kept()}
    assert names == {name for name in packages if name.startswith(("edgesdt/", "hw_models/"))}


def test_the_source_archive_holds_the_whole_project(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    wanted = {str(path.relative_to(ROOT)) for path in kept()} - {".gitignore"}
    assert wanted - names == set()
    assert not any("__pycache__" in name or name.endswith(".pyc") for name in names)


def test_the_metadata_says_who_and_has_a_description_that_holds(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith("/METADATA"))
        found = message_from_string(wheel.read(name).decode())
    assert found["Author"] == "the edgesdt authors"
    assert found["Version"] == __version__
    assert found["Description-Content-Type"] == "text/markdown"
    text = str(found.get_payload())
    assert "# edgesdt" in text and "What it is not" in text
    assert [target for target in TARGETS.findall(text) if not re.match(r"https?:|#", target)] == []


def test_without_an_address_files_are_named_and_with_one_they_are_linked() -> None:
    relative = [target for target in TARGETS.findall(README) if not re.match(r"https?:|#", target)]
    assert len(relative) > 10
    named = SETUP["description"](README, "")
    linked = SETUP["description"](README, "https://example.org/edgesdt/raw/v1/")
    for target in relative:
        path = target.partition("#")[0]
        assert f"(`{path}`)" in named and (ROOT / path).exists()
        assert f"](https://example.org/edgesdt/raw/v1/{target})" in linked
    assert "source archive" in named.partition("##")[0] and "source archive" not in linked.partition("##")[0]
    assert "![Accuracy" in linked and "![" not in named
    inside = [target for target in TARGETS.findall(README) if target.startswith("#")]
    assert all(f"]({target})" in named for target in inside)


def test_the_citation_agrees_with_the_metadata() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    config = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert citation["version"] == __version__
    assert f"author = {citation['authors'][0]['name']}\n" in config
    assert f"license = {citation['license']}\n" in config
    keywords = re.search(r"^keywords = (.+)$", config, re.MULTILINE)
    assert keywords is not None and citation["keywords"] == keywords[1].split(", ")
