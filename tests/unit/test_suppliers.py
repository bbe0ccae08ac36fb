"""A plug-in leaves its version and digest in the record, and a run folder is held to them."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgesdt.errors import EdgesdtError
from edgesdt.rules.lookup import resolve
from edgesdt.runs.experiment import run
from edgesdt.runs.folder import RunFolder
from edgesdt.spec import Spec, loads
from hw_models.families.levels.quantized import Quantized
from hw_models.families.wrappers.stuck_at import StuckAt
from hw_models.sheets import catalog, suppliers
from tests.conftest import SMALL, Said

SOURCE = '''\
import dataclasses
from hw_models.families.levels.quantized import Quantized

@dataclasses.dataclass(frozen=True)
class Theirs(Quantized):
    """Levels of somebody else."""

    family = "levels_of_others"

def make(levels=16):
    return Quantized(name="made", levels=levels)
'''


class Plugged:
    """A distribution `cells-of-others` with the devices `theirs` (a class) and `made` (a factory)."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "cells_of_others.py"
        self.file.write_text(SOURCE, encoding="utf-8")
        self.dist = SimpleNamespace(name="cells-of-others", version="0.1")

    def points(self) -> dict[str, Any]:
        """The entry points as `catalog` has them."""
        return {name: self._point(name, thing) for name, thing in (("theirs", "Theirs"), ("made", "make"))}

    def _point(self, name: str, thing: str) -> Any:
        def load() -> Any:
            return getattr(importlib.import_module("cells_of_others"), thing)

        return SimpleNamespace(name=name, value=f"cells_of_others:{thing}", dist=self.dist, load=load)


@pytest.fixture
def plugged(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Plugged:
    """The plug-in, installed for one test."""
    folder = tmp_path_factory.mktemp("site")
    made = Plugged(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "cells_of_others", raising=False)
    monkeypatch.setattr(catalog, "_plugins", made.points)
    return made


def spec_on(model: str, *more: str) -> Spec:
    """A small spec on cells."""
    short = ["epochs=1", "data.train=200", "data.test=100"]
    return loads(SMALL, overrides=[*short, f"device.model={model}", *more])


def test_models_of_the_package_come_from_no_plug_in(plugged: Plugged) -> None:
    assert suppliers.of_model(catalog.load("EcRam"), "EcRam") == {}
    assert suppliers.of_model(StuckAt(inner=Quantized())) == {}


def test_a_plug_in_is_found_by_its_class_by_its_name_and_inside_a_wrapper(plugged: Plugged) -> None:
    model = catalog.load("theirs")
    one = suppliers.of_model(model)
    assert list(one) == ["cells-of-others"] and one["cells-of-others"].startswith("0.1 (source ")
    assert suppliers.of_model(StuckAt(inner=model)) == one
    assert suppliers.of_model(catalog.load("made"), "Made") == one
    assert suppliers.of_model(catalog.load("made")) == {}, "a model of the package, by its looks"


def test_a_package_is_told_by_all_its_files(plugged: Plugged) -> None:
    folder = plugged.file.with_name("cells_of_others")
    folder.mkdir()
    plugged.file.rename(folder / "__init__.py")
    importlib.invalidate_caches()
    before = suppliers.of_model(catalog.load("theirs"))
    (folder / "laws.py").write_text("RATE = 2\n", encoding="utf-8")
    assert suppliers.of_model(catalog.load("theirs")) != before


@pytest.mark.parametrize("change", ["version", "source"])
@pytest.mark.parametrize("model", ["theirs", "made"])
def test_another_version_of_a_plug_in_is_refused(change: str, model: str, plugged: Plugged, tmp_path: Path) -> None:
    spec = spec_on(model)
    for _ in range(2):
        with RunFolder(tmp_path / "run", spec):
            pass
    if change == "version":
        plugged.dist.version = "0.2"
    else:
        plugged.file.write_text(SOURCE + "# other physics\n", encoding="utf-8")
    with pytest.raises(EdgesdtError, match=r"another version of a plug-in .*; choose another --out") as caught:
        RunFolder(tmp_path / "run", spec)
    assert caught.value.exit_code == 2
    told = str(caught.value)
    assert "\n" not in told and told.count("cells-of-others 0.") == 2
    assert told.count("0.2") == (change == "version")


def test_a_folder_from_before_versions_were_noted_is_refused(plugged: Plugged, tmp_path: Path) -> None:
    spec = spec_on("theirs")
    with RunFolder(tmp_path / "run", spec):
        pass
    owner = tmp_path / "run" / "run.json"
    kept = json.loads(owner.read_text(encoding="utf-8"))
    del kept["plug_ins"]
    owner.write_text(json.dumps(kept), encoding="utf-8")
    with pytest.raises(EdgesdtError, match=r"plug-in \(none known; now cells-of-others 0\.1"):
        RunFolder(tmp_path / "run", spec)


def test_the_record_has_the_version_and_a_finished_run_is_held_to_it(plugged: Plugged, tmp_path: Path) -> None:
    spec = spec_on("theirs")
    made = run(spec, tmp_path / "run", report=False)
    assert made["versions"]["cells-of-others"].startswith("0.1 (source ")
    assert run(spec, tmp_path / "run", report=False) == made
    plugged.dist.version = "0.2"
    with pytest.raises(EdgesdtError, match="another version of a plug-in"):
        run(spec, tmp_path / "run", report=False)


def test_the_command_ends_in_one_line(plugged: Plugged, cli: Callable[..., Said], small: Path, tmp_path: Path) -> None:
    with RunFolder(tmp_path / "o", resolve(loads(SMALL, overrides=["device.model=theirs"]))):
        pass
    plugged.dist.version = "0.2"
    said = cli("run", small, "--set", "device.model=theirs", "--out", "o", "--quiet")
    assert said.refused("another version of a plug-in").err.count("\n") == 1
