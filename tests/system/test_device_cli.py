"""`edgesdt device` as other people's scripts use it: list, show, pulse, its CSV and its errors, and a real plug-in."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hw_models.sheets import catalog
from tests.conftest import ROOT, Said, Shell

Cli = Callable[..., Said]
PLUGIN = ROOT / "docs" / "plugin" / "edgesdt-shiny-memristor"
# aihwkit 1.2.0, compiled, ReRamSB without noise and spread: weight after pulses 0..1500 up, then down
RERAM_SB = {0: -0.75, 18: -0.6931767, 90: -0.4815758, 180: -0.2491774, 288: -0.01109222, 306: 0.02473749}
RERAM_SB |= {504: 0.3576515, 702: 0.60011, 900: 0.7766913, 1098: 0.9052932, 1296: 0.9989532, 1494: 1.067165}
RERAM_SB |= {1500: 1.068913, 1512: 1.011554, 1530: 0.9288893, 3000: -0.716863}
SHEET = """\
name: mine
family: soft_bounds
sources: {here: a measurement of the authors}
parameters:
  dw_min: {value: 0.01, unit: "1", source: here, derived: half of what was measured}
"""


PROGRESS = re.compile(r"(compiling the kernels.*|compiled in .*|pulse [\d,]+ of [\d,]+)\n")


def done(said: Said) -> bool:
    """It ended well, with nothing on standard error but how far it had come, which only a slow machine is told."""
    return (said.code, PROGRESS.sub("", said.err)) == (0, "")


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV that `device pulse` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- pulse


def test_pulse_reproduces_the_reference_curve(cli: Cli, tmp_path: Path) -> None:
    said = cli("device", "pulse", "ReRamSB", "--up", 1500, "--down", 1500, "--noise", "off", "--csv", "out.csv")
    assert done(said), said
    found = {int(row["pulse"]): row for row in rows(tmp_path / "out.csv")}
    assert list(found) == list(range(3001))
    assert {pulse: float(found[pulse]["weight"]) for pulse in RERAM_SB} == pytest.approx(RERAM_SB, abs=2e-6)
    assert {row["g_s"] for row in found.values()} == {""} and {row["cell"] for row in found.values()} == {"0"}
    assert [found[pulse]["phase"] for pulse in (0, 1, 1500, 1501, 3000)] == ["start", "up", "up", "down", "down"]


def test_the_csv_has_a_row_per_pulse_and_cell(cli: Cli, tmp_path: Path) -> None:
    assert cli("device", "pulse", "ag_asi", "--up", 3, "--down", 2, "--cells", 4, "--csv", "out.csv").code == 0
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").startswith("pulse,phase,cell,weight,g_s\n0,start,0,,3.07")
    found = rows(tmp_path / "out.csv")
    assert [(int(row["pulse"]), int(row["cell"])) for row in found] == [(p, c) for p in range(6) for c in range(4)]
    assert {row["weight"] for row in found} == {""}
    low, high = catalog.load("Ag_aSi").bounds()
    assert all(low <= float(row["g_s"]) <= high for row in found)


def test_noise_and_seed(cli: Cli, tmp_path: Path) -> None:
    def weights(*arguments: object) -> list[str]:
        assert cli("device", "pulse", "ReRamES", "--up", 5, "--cells", 3, "--csv", "o.csv", *arguments).code == 0
        return [row["weight"] for row in rows(tmp_path / "o.csv")]

    noisy, quiet = weights(), weights("--noise", "off")
    assert noisy == weights("--noise", "on", "--seed", 0) != weights("--seed", 1)
    assert quiet == weights("--noise", "off", "--seed", 1)
    assert len(set(quiet[:3])) == 1 and len(set(noisy[:3])) == 3


def test_cells_of_a_population_are_spread_as_published(cli: Cli, tmp_path: Path) -> None:
    """GokmenVlasov, all noise on: mean and deviation of 1000 cells in aihwkit after 0 and 504 pulses."""
    assert cli("device", "pulse", "GokmenVlasov", "--up", 504, "--down", 0, "--cells", 1000, "--csv", "o.csv").code == 0
    shown = np.array([float(row["weight"]) for row in rows(tmp_path / "o.csv")]).reshape(505, 1000)
    for pulse, mean, deviation in ((504, -0.07037082, 0.2875233),):
        assert abs(shown[pulse].mean() - mean) < 4 * deviation * np.sqrt(2 / 1000)
        assert shown[pulse].std() == pytest.approx(deviation, rel=0.12)


def test_the_summary_has_units_and_energy(cli: Cli) -> None:
    said = cli("device", "pulse", "Ag_aSi", "--up", 97, "--down", 100, "--noise", "off")
    assert done(said), said
    lines = said.out.splitlines()
    assert lines[0] == "Ag_aSi (neurosim), 1 cell, noise off, seed 0"
    found = dict(re.split(r"  +", line.strip(), maxsplit=1) for line in lines[1:])
    assert found == {
        "range": "3.077 nS to 38.46 nS",
        "start": "3.077 nS",
        "after 97 up": "38.46 nS",
        "after 100 down": "3.077 nS",
        "energy up": "7.841 nJ per cell, 80.84 pJ per pulse",
        "energy down": "2.334 nJ per cell, 23.34 pJ per pulse",
    }


def test_no_conditions_no_energy(cli: Cli) -> None:
    said = cli("device", "pulse", "idealized", "--up", 3, "--down", 3)
    assert said.code == 0
    assert "energy        not priced: the model states no electrical conditions (drive:)" in said.out
    assert "per pulse" not in said.out


def test_show_says_that_the_access_resistance_is_for_information(cli: Cli) -> None:
    line = next(line for line in cli("device", "show", "Ag_aSi").out.splitlines() if "access_resistance" in line)
    assert line.endswith("for information: in no current, energy or time")


def test_the_plot_is_always_the_same_picture(cli: Cli, tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        said = cli("device", "pulse", "EcRam", "--up", 20, "--down", 20, "--cells", 3, "--plot", name)
        assert said.code == 0 and re.search(rf"^  written +{name}$", said.out, re.MULTILINE)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.svg", "two.svg"))
    assert one == two
    assert "EcRam: 20 pulses up, 20 down" in "".join(ET.fromstring(one).itertext())


def test_a_file_is_as_good_as_a_name(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SHEET, encoding="utf-8")
    assert cli("device", "pulse", "mine.yaml", "--up", 1, "--down", 0, "--noise", "off", "--csv", "o.csv").code == 0
    assert [float(row["weight"]) for row in rows(tmp_path / "o.csv")] == pytest.approx([-0.6, -0.58])


# --- fit


def test_a_fitted_device_is_a_device(cli: Cli) -> None:
    assert cli("device", "pulse", "Ag_aSi", "--up", 97, "--down", 100, "--cells", 4, "--csv", "m.csv").code == 0
    said = cli("device", "fit", "m.csv", "--out", "mine.yaml", "--family", "neurosim")
    assert said.code == 0 and "mine.yaml" in said.out
    shown = cli("device", "show", "mine.yaml")
    assert shown.code == 0 and re.search(r"^  nl_up +\S+ +\[1\]", shown.out, re.MULTILINE)


# --- list and show


def test_list_has_every_device(cli: Cli) -> None:
    said = cli("device", "list")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0].split() == ["name", "family", "quantity", "states", "source"]
    assert [line.split()[0] for line in lines[1:]] == list(catalog.names())
    row = next(line for line in lines if line.startswith("Ag_aSi "))
    assert row.split()[:4] == ["Ag_aSi", "neurosim", "conductance", "97/100"] and "NeuroSim" in row


@pytest.mark.parametrize("name", catalog.names())
def test_show_gives_every_parameter_and_source(name: str, cli: Cli) -> None:
    said = cli("device", "show", name.upper())
    assert (said.code, said.err) == (0, "")
    made = catalog.preset(name)
    for key in (*made.parameters, *made.drive):
        assert re.search(rf"^  {key} +\S.*\[\d\]", said.out, re.MULTILINE), key
    for number, citation in enumerate(made.sources.values(), start=1):
        assert f"  [{number}] {citation.strip()}\n" in said.out
    for heading in ("family", "equations", "valid range", "not modelled", "non-idealities"):
        assert re.search(rf"^  {heading} +\S", said.out, re.MULTILINE)


def test_show_has_units_meanings_and_derivations(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SHEET, encoding="utf-8")
    said = cli("device", "show", "mine.yaml")
    assert re.search(r"^  dw_min +0\.01 +\[1\] +mean step .*; half of what was measured$", said.out, re.MULTILINE)
    assert re.search(r"^  w_max +0\.6 +default +mean upper bound", said.out, re.MULTILINE)
    assert "none stated: its energy and delay are not known" in said.out
    assert re.search(r"^  r_on_ohm +26 +MOhm +\[1\]", cli("device", "show", "Ag_aSi").out, re.MULTILINE)


def test_show_looks_into_a_wrapper(cli: Cli, tmp_path: Path) -> None:
    sheet = SHEET.replace("family: soft_bounds", "family: stuck_at\nover: EcRam").replace("dw_min", "lrs_fraction")
    (tmp_path / "stuck.yaml").write_text(sheet, encoding="utf-8")
    said = cli("device", "show", "./stuck.yaml")
    assert re.search(r"^  lrs_fraction +0\.01 +\[1\]", said.out, re.MULTILINE)
    assert re.search(r"^  EcRam\.gamma_up +0\.1153 +of EcRam", said.out, re.MULTILINE)


# --- bad input


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "ReRamSD"], "unknown device 'ReRamSD' (did you mean 'ReRamSB'?)"),
        (["pulse", "ReRamSD"], "did you mean 'ReRamSB'?"),
        (["show", "none.yaml"], "none.yaml: cannot be read: No such file or directory"),
        (["show", "bad.yaml"], "bad.yaml:5: parameters.dw_mim: unknown parameter 'dw_mim' (did you mean 'dw_min'?)"),
        (["show", "unitless.yaml"], "unitless.yaml:5: parameters.dw_min: 0.01 has no unit"),
        (["pulse", "sram", "--up", "-1"], "--up: -1 is out of range, allowed: at least 0"),
        (["pulse", "sram", "--cells", "0"], "--cells: 0 is out of range, allowed: at least 1"),
        (["pulse", "sram", "--up", "1000000", "--cells", "1000"], "allowed: at most 50000000 values"),
        (["pulse", "sram", "--plot", "x.doc"], "x.doc: a plot must end in .svg, .png or .pdf"),
        (["pulse", "sram", "--csv", "no/x.csv"], "no/x.csv: there is no folder no"),
        (["fit", "none.csv", "--out", "x.yaml"], "none.csv"),
        (["fit", "none.csv", "--out", "x.yaml", "--read-voltage", "3"], "--read-voltage: '3' is not a number"),
        (["fit", "none.csv"], "the following arguments are required: --out"),
        (["pulse", "sram", "--noise", "maybe"], "--noise: invalid choice: 'maybe'"),
        (["pulse", "sram", "--up", "many"], "--up: invalid int value: 'many'"),
        (["pulse"], "the following arguments are required: NAME"),
        (["shew"], "invalid choice: 'shew'"),
    ],
)
def test_bad_input_is_refused(arguments: list[str], told: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(SHEET.replace("dw_min", "dw_mim"), encoding="utf-8")
    (tmp_path / "unitless.yaml").write_text(SHEET.replace('unit: "1", ', ""), encoding="utf-8")
    cli("device", *arguments).refused(told)


@pytest.mark.parametrize("command", [[], ["list"], ["show"], ["pulse"], ["fit"]])
def test_there_is_help_on_every_level(command: list[str], cli: Cli) -> None:
    said = cli("device", *command, "--help")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"usage: {' '.join(['edgesdt', 'device', *command])} ")


# --- a plug-in, installed as its users would


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the package of the how-to page, without a network."""
    folder = tmp_path_factory.mktemp("site")
    source = folder / "source"
    source.mkdir()
    for path in PLUGIN.iterdir():
        if path.is_file():
            (source / path.name).write_bytes(path.read_bytes())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    pip += ["--disable-pip-version-check", "--no-warn-script-location", "--target", str(folder / "here"), str(source)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "here"


def test_a_plug_in_is_one_pip_install_away(site: Path, tmp_path: Path) -> None:
    shell = Shell(tmp_path, {"PYTHONPATH": f"{site}:{ROOT}"})
    listed = shell("device", "list")
    assert (listed.code, listed.err) == (0, "")
    assert listed.out.splitlines()[-1].split()[:3] == ["shiny_memristor", "biolek_window", "conductance"]
    shown = shell("device", "show", "Shiny_Memristor")
    assert "plug-in: shiny_memristor:ShinyMemristor of edgesdt-shiny-memristor" in shown.out
    assert re.search(r"^  rate +0\.02 +default +largest step", shown.out, re.MULTILINE)
    said = shell("device", "pulse", "shiny_memristor", "--up", 60, "--down", 60, "--noise", "off", "--csv", "o.csv")
    assert done(said), said
    found = np.array([float(row["g_s"]) for row in rows(tmp_path / "o.csv")])
    x = [0.0]  # the window of the paper, by hand
    for pulse in range(120):
        ahead = x[-1] if pulse < 60 else 1 - x[-1]
        x.append(min(max(x[-1] + (1 if pulse < 60 else -1) * 0.02 * (1 - ahead**4), 0.0), 1.0))
    assert found == pytest.approx(1e-6 + np.array(x) * 99e-6, rel=1e-9)


def test_without_it_there_is_no_such_device(shell: Shell) -> None:
    shell("device", "show", "shiny_memristor").refused("unknown device 'shiny_memristor'")


def test_a_plug_in_that_breaks_a_law_is_refused(site: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in site.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            target = broken / path.relative_to(site)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    module = broken / "shiny_memristor.py"
    healthy = module.read_text(encoding="utf-8")
    module.write_text(healthy.replace("cells.pulses[where] += 1", "pass"), encoding="utf-8")
    assert healthy != module.read_text(encoding="utf-8")
    shell = Shell(tmp_path, {"PYTHONPATH": f"{broken}:{ROOT}"})
    law = "breaks the law 'a pulse reaches its own cells and is counted'"
    shell("device", "show", "shiny_memristor").refused("plug-in shiny_memristor", law)
    listed = shell("device", "list")  # the others are still there
    assert listed.code == 0 and law in listed.err and "ReRamSB" in listed.out
