"""Compiling is told in two lines and in no rate; compiled code lies in the user's cache folder and nowhere else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from numba import typeof

from edgesdt.chip.simulated import Chip
from edgesdt.runs import compilation
from edgesdt.runs.rehearsal import kinds, rehearse, twin
from edgesdt.synapses.cells import CellStore
from hw_models.kernels import jit
from hw_models.kernels.sources import source_folders, sources
from hw_models.sheets import catalog
from tests.conftest import ROOT
from tests.small_chips import spec_of

SAMPLE = """
from hw_models.kernels import randomness
print(randomness.gaussians(1, 2), randomness._fill_gaussians._cache.cache_path)
"""


def child(code: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=kept | env, capture_output=True, text=True, check=True
    )  # fmt: skip


def house(tmp_path: Path, name: str) -> Path:
    """A copy of the device package, as small as its kernels allow."""
    shutil.copytree(ROOT / "hw_models", tmp_path / name / "hw_models", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / name


def compiled_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.nb?") if path.is_file()]


def test_compiled_code_goes_to_the_users_cache_folder_alone(tmp_path: Path) -> None:
    source, cache = house(tmp_path, "here"), tmp_path / "cache"
    child(SAMPLE, source, XDG_CACHE_HOME=str(cache))
    assert compiled_in(source) == [] and len(compiled_in(cache / "edgesdt" / "compiled")) >= 2


def test_the_users_own_choice_is_obeyed(tmp_path: Path) -> None:
    source, mine = house(tmp_path, "here"), tmp_path / "mine"
    child(SAMPLE, source, NUMBA_CACHE_DIR=str(mine), XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert compiled_in(mine) and compiled_in(source) == [] == compiled_in(tmp_path / "cache")


def test_a_home_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """A file in the folder's place: root may write anywhere else."""
    source, blocked = house(tmp_path, "here"), tmp_path / "blocked"
    blocked.write_text("")
    done = child(SAMPLE, source, XDG_CACHE_HOME=str(blocked))
    assert done.stdout.startswith("[") and done.stderr == ""


@pytest.mark.parametrize(("package", "chosen"), [("hw_models", ""), ("edgesdt", ""), ("edgesdt", "mine")])
def test_an_edit_of_what_others_inline_is_seen(tmp_path: Path, package: str, chosen: str) -> None:
    """Numba alone does not see it: the result would be that of the function before the edit."""
    here = house(tmp_path, "here")
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")} | ({"NUMBA_CACHE_DIR": str(tmp_path / chosen)} if chosen else {})
    (here / package / "room").mkdir(parents=True, exist_ok=True)  # another folder: found by the import
    (here / package / "__init__.py").touch()
    head = "from hw_models.kernels.jit import njit\n"
    imports = f"from {package}.room import (\n    inner as there,\n)\n"
    outer = f"{head}{imports}inner = there.inner\n@njit(cache=True)\ndef call(x):\n    return inner(x)\n"
    (here / package / "outer.py").write_text(outer, encoding="utf-8")
    for factor in (2, 3):
        inner = f"{head}@njit(cache=True)\ndef inner(x):\n    return {factor} * x\n"
        (here / package / "room" / "inner.py").write_text(inner, encoding="utf-8")
        assert child(f"from {package}.outer import call; print(call(7))", here, **env).stdout == f"{7 * factor}\n"


def test_a_type_of_a_package_that_is_gone_hides_no_other(tmp_path: Path) -> None:
    """A kernel that two packages call, each with a tuple of its own, when one of the packages is removed."""
    here = house(tmp_path, "here")
    shared = "from hw_models.kernels.jit import njit\n@njit(cache=True)\ndef total(x):\n    return x.codes.sum()\n"
    (here / "hw_models" / "shared.py").write_text(shared, encoding="utf-8")
    for name in ("guest", "host"):
        made = "import numpy as np\nfrom typing import NamedTuple\nclass Arrays(NamedTuple):\n    codes: np.ndarray\n"
        (here / f"{name}.py").write_text(made, encoding="utf-8")

    def called(name: str) -> str:
        code = f"import numpy as np, {name}\nfrom hw_models.shared import total\n"
        code += f"print(total({name}.Arrays(np.arange(4))), sum(total.stats.cache_hits.values()))"
        return child(code, here, XDG_CACHE_HOME=str(tmp_path / "cache")).stdout

    assert [called(name) for name in ("guest", "host", "guest")] == ["6 0\n", "6 0\n", "6 1\n"]
    (here / "guest.py").rename(here / "away.py")
    assert called("host") == "6 1\n"
    (here / "away.py").rename(here / "guest.py")
    assert called("guest") == "6 1\n"


def test_checkouts_do_not_mix(tmp_path: Path) -> None:
    one, other, cache = house(tmp_path, "one"), house(tmp_path, "other"), str(tmp_path / "cache")
    first = child(SAMPLE, one, XDG_CACHE_HOME=cache).stdout
    assert child(SAMPLE, one, XDG_CACHE_HOME=cache).stdout == first
    second = child(SAMPLE, other, XDG_CACHE_HOME=cache).stdout
    assert first.partition("]")[0] == second.partition("]")[0] and first.split()[-1] != second.split()[-1]


def test_an_installed_package_is_part_of_the_state_of_its_code() -> None:
    assert [root.name for root in source_folders("edgesdt")] == ["hw_models", "edgesdt"]
    assert [root.name for root in source_folders("hw_models")] == ["hw_models"]
    assert [root.name for root in source_folders("pytest")] == ["hw_models", "edgesdt", "pytest"]
    assert all(root.is_dir() for root in source_folders("edgesdt"))


@pytest.mark.parametrize(
    ("module", "seen", "unseen"),
    [
        ("edgesdt.rules.eqprop.kernels.sample", "edgesdt.synapses.stores.array", "edgesdt.rules.softhebb.kernels.pull"),
        ("edgesdt.rules.softhebb.kernels.pull", "edgesdt.synapses.digital", "edgesdt.rules.eqprop.kernels.relax"),
        ("edgesdt.synapses.digital", "edgesdt.kernels.arithmetic", "edgesdt.rules.base"),
        ("edgesdt.kernels.drive", "hw_models.kernels.randomness", "edgesdt.synapses.digital"),
    ],
)
def test_a_module_is_compiled_anew_for_what_it_can_inline(module: str, seen: str, unseen: str) -> None:
    found = set(sources(module, source_folders("edgesdt")))
    assert {module, seen, "edgesdt.kernels.layout", "hw_models.kernels.jit"} <= found
    assert not {unseen, "edgesdt.report.page", "edgesdt.cli.main"} & found


def test_old_states_of_a_checkout_go(tmp_path: Path) -> None:
    for age in range(5):
        (tmp_path / f"state{age}").mkdir()
        os.utime(tmp_path / f"state{age}", (1000 - age, 1000 - age))
    jit._drop_old(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state0", "state1", "state2"]


def test_only_one_module_asks_numba_to_compile() -> None:
    asking = re.compile(r"import njit|numba\.njit|numba import .*jit")
    found = [
        str(path.relative_to(ROOT))
        for package in ("edgesdt", "hw_models")
        for path in (ROOT / package).rglob("*.py")
        if asking.search(path.read_text(encoding="utf-8").replace("from hw_models.kernels.jit import njit", ""))
    ]
    assert found == ["hw_models/kernels/jit.py"]


def test_what_is_compiled_together_is_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(compilation.time, "perf_counter", lambda: now[0])
    said: list[Any] = []
    watch = compilation.Compilation(lambda: said.append("start"), said.append)
    with watch.together():
        for seconds in (3.0, 4.0):
            watch.start(), watch.start()
            now[0] += seconds
            watch.end()
            assert watch.seconds == now[0] - (10.0 if seconds == 4.0 else 0.0)
            watch.end()
            now[0] += 10.0
    assert said == ["start", 7.0] and watch.seconds == 7.0
    watch.start()
    now[0] += 1.0
    watch.end()
    assert said == ["start", 7.0, "start", 8.0]


def test_numba_is_heard() -> None:
    from numba import njit

    def twice(x: int) -> int:
        return 2 * x

    lines: list[str] = []
    with compilation.watched(lines.append) as watch:
        assert njit(twice)(3) == 6
    assert len(lines) == 2 and lines[0].startswith("compiling") and lines[1].startswith("compiled in")
    assert watch.seconds > 0
    njit(twice)(4)
    assert len(lines) == 2


def test_a_rehearsal_leaves_nothing_to_compile() -> None:
    for spec in kinds():
        rehearse(spec)
        lines: list[str] = []
        with compilation.watched(lines.append):
            rehearse(spec)
        assert lines == [] and max(twin(spec).chip.layers) <= 12


def test_all_devices_share_their_kernels() -> None:
    """A number that one of them holds as an integer, such as a lowest conductance of 0, would compile them all anew."""
    types: dict[Any, list[str]] = {}
    for name in catalog.names():
        fields = {"device.model": name, "device.array.weight_per_range": 1.0, "chip.weights.init_gain": 0.1}
        rule = Chip(spec_of([6, 4], fields)).rule
        if isinstance(rule.store, CellStore):
            types.setdefault(typeof(rule.store.crossbar.bank), []).append(name)
    assert len(types) == 1, list(types.values())[1:]
    assert len(next(iter(types.values()))) > 20
