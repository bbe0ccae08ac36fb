"""The house rule of imports: downward only, from a table of rooms; what must be light is."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgesdt import registry
from tests.conftest import ROOT

# Every room of the house, from the floor up. A room imports rooms below its own floor, and itself.
FLOORS = (
    ("errors", "qformat", "hw_models"),
    ("arguments", "units", "kernels", "registry"),
    ("files",),
    ("datasets",),
    ("ledger", "spec"),
    ("synapses", "targets"),
    ("rules",),
    ("pricing",),
    ("chip", "report", "reference"),
    ("readouts",),
    ("suggest",),
    ("runs",),
    ("sweep",),
    ("cli",),
    ("__main__",),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
KERNELS_MAY = {"qformat", "kernels"}
HOW_THEY_ARE_COMPILED = "hw_models.kernels.jit.njit"
COMPILERS = {"numpy", "numba", "llvmlite"}
PRICES_AND_REPORTS = ("pricing", "report")
NOT_FOR_THEM = ("numba", "edgesdt.kernels", "edgesdt.chip", "edgesdt.runs", "sklearn")


def modules() -> dict[str, Path]:
    """Every module of the two packages by its dotted name."""
    found = {}
    for package in ("edgesdt", "hw_models"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(source: str, module: str, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of everything that a module imports, wherever it does so."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: len(module.split(".")) - node.level + is_package] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            # `from edgesdt import memory` names a module, `from edgesdt.ledger.memory import Array` does not
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def room(name: str) -> str | None:
    """The room that a dotted name lies in; None for other people's packages."""
    parts = name.split(".")
    if parts[0] == "hw_models":
        return "hw_models"
    return parts[1] if parts[0] == "edgesdt" and len(parts) > 1 else None


def faults(module: str, source: str, is_package: bool = False) -> list[str]:
    """What a module may not import by the rules of the house."""
    mine, found = room(module), []
    for line, name in imported(source, module, is_package):
        theirs, top = room(name), name.split(".")[0]
        where = f"{module}:{line}: imports {name}"
        if mine == "hw_models" and top == "edgesdt":
            found.append(f"{where}: hw_models imports nothing of edgesdt")
        elif mine == "kernels" and (theirs or top) not in KERNELS_MAY | COMPILERS | sys.stdlib_module_names:
            if name != HOW_THEY_ARE_COMPILED:
                may = ", ".join(sorted(KERNELS_MAY))
                found.append(f"{where}: kernels import {may}, numpy, numba and llvmlite only")
        elif theirs == "reference" and mine != "reference":
            found.append(f"{where}: the reference is for tests, benchmarks and docs")
        elif theirs in FLOOR_OF and mine in FLOOR_OF and theirs != mine and FLOOR_OF[theirs] >= FLOOR_OF[mine]:
            found.append(f"{where}: imports go downward only")
    return found


@pytest.mark.parametrize("module", modules())
def test_imports_go_downward(module: str) -> None:
    path = modules()[module]
    assert faults(module, path.read_text(encoding="utf-8"), path.name == "__init__.py") == []


def test_every_module_has_a_room() -> None:
    homeless = {module for module in modules() if module != "edgesdt" and room(module) not in FLOOR_OF}
    assert homeless == set(), "give it a floor in FLOORS"


@pytest.mark.parametrize(
    ("module", "line", "told"),
    [
        ("edgesdt.ledger.memory", "from edgesdt.chip.simulated import Chip", "downward"),
        ("edgesdt.ledger.memory", "from edgesdt import chip", "downward"),
        ("edgesdt.ledger.memory", "import edgesdt.chip.simulated", "downward"),
        ("edgesdt.ledger.memory", "def f():\n    from edgesdt import rules", "downward"),
        ("edgesdt.pricing.bill", "from edgesdt import runs", "downward"),
        ("edgesdt.rules.eqprop.rule", "from ...chip.simulated import Chip", "downward"),
        ("edgesdt.rules.eqprop.rule", "from ... import chip", "downward"),
        ("edgesdt.kernels.drive", "from edgesdt.spec import Spec", "kernels import"),
        ("edgesdt.kernels.drive", "import scipy", "kernels import"),
        ("edgesdt.chip.simulated", "from edgesdt.reference import float_chip", "for tests"),
        ("hw_models.technology.table", "from edgesdt.units import parse", "nothing of edgesdt"),
    ],
)
def test_the_check_finds_what_it_is_for(module: str, line: str, told: str) -> None:
    found = faults(module, line)
    assert len(found) == 1 and told in found[0]


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("edgesdt.chip.simulated", "from edgesdt.rules.eqprop.rule import EqProp"),
        ("edgesdt.kernels.drive", "from __future__ import annotations\nimport numpy\nfrom numba import njit"),
        ("edgesdt.kernels.drive", "from edgesdt.qformat import Rounding\nfrom edgesdt.kernels import layout"),
        ("edgesdt.spec.loading", "from . import source\nfrom hw_models.technology import names"),
        ("edgesdt.cli.main", "from edgesdt import __version__"),
    ],
)
def test_the_check_lets_pass_what_is_allowed(module: str, line: str) -> None:
    assert faults(module, line) == []


def test_pricing_and_reporting_load_no_simulator() -> None:
    """With every module below them, and what those import in turn."""
    wanted = [name for name in modules() if room(name) in PRICES_AND_REPORTS]
    assert len(wanted) > 5
    code = f"import sys, {', '.join(wanted)}\nprint([m for m in sys.modules if m.startswith({NOT_FOR_THEM!r})])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def rule_names_in(source: str) -> list[str]:
    """Names of learning rules that stand in a source, in code, text or comment."""
    names = [*registry.OURS, "equilibrium propagation"]
    return [name for name in names if re.search(rf"(?<![a-z]){re.escape(name)}(?![a-z])", source.lower())]


def test_no_rule_is_named_outside_its_room() -> None:
    """Pricing, previews, runs, sweeps and reports ask the registry; float twins are witnesses of one rule each."""
    may = {"rules", "registry", "reference"}
    named = {
        module: rule_names_in(path.read_text(encoding="utf-8"))
        for module, path in modules().items()
        if module.startswith("edgesdt.") and room(module) not in may
    }
    assert {module: names for module, names in named.items() if names} == {}


def test_a_named_rule_would_be_found() -> None:
    assert rule_names_in("if spec.learning.rule == 'eqprop': ...") == ["eqprop"]
    assert rule_names_in("from edgesdt.rules.softhebb import RULE") == ["softhebb"]
    assert rule_names_in("the rule of the spec") == []


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("edgesdt.cli.main", "numpy numba pydantic yaml matplotlib sklearn jinja2"),
        ("edgesdt.spec", "numpy numba matplotlib sklearn jinja2"),
        ("edgesdt.runs.preview", "matplotlib sklearn jinja2"),
        ("edgesdt.runs.experiment", "matplotlib sklearn jinja2"),
        ("hw_models.technology", "numpy numba edgesdt"),
    ],
)
def test_heavy_packages_wait_until_they_are_needed(module: str, heavy: str) -> None:
    code = f"import sys, {module}\nprint([name for name in {heavy.split()!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
