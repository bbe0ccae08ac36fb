"""Commands asked to write onto what they read: refused in one line, with every byte left as it was."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Finished, Said

Cli = Callable[..., Said]
MEASURED = "pulse,phase,G (uS)\n" + "".join(
    f"{k},{'up' if k <= 20 else 'down'},{1 + (k if k <= 20 else 40 - k)}\n" for k in range(1, 40)
)
SHEET = """\
name: keep
family: soft_bounds
sources: {here: a measurement}
parameters:
  dw_min: {value: 0.01, unit: "1", source: here}
"""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["fit", "d.csv", "--out", "d.csv"], "--out: d.csv: would overwrite a file that this command reads"),
        (["fit", "d.csv", "--out", "./d.csv"], "--out: d.csv: would overwrite"),
        (["fit", "d.csv", "--out", "hard.csv"], "--out: hard.csv: would overwrite"),
        (["fit", "d.csv", "--out", "soft.csv"], "--out: soft.csv: would overwrite"),
        (["fit", "d.svg", "--out", "d.yaml"], "--plot: d.svg: would overwrite"),
        (["fit", "d.csv", "--out", "x.yaml", "--plot", "d.csv"], "--plot: d.csv: would overwrite"),
        (["fit", "d.csv", "--out", "x.svg", "--plot", "x.svg"], "--plot: x.svg: is already written by --out"),
        (["pulse", "keep.yaml", "--csv", "keep.yaml"], "--csv: keep.yaml: would overwrite a file that this command"),
        (["pulse", "./keep.svg", "--plot", "keep.svg"], "--plot: keep.svg: would overwrite"),
        (["pulse", "EcRam", "--csv", "x.svg", "--plot", "x.svg"], "--plot: x.svg: is already written by --csv"),
        (["pulse", "EcRam", "--csv", "record.json"], "--csv: record.json: would overwrite a file of a run"),
    ],
)
def test_a_measurement_and_a_sheet_survive(arguments: list[str], told: str, cli: Cli, tmp_path: Path) -> None:
    for name, text in (("d.csv", MEASURED), ("d.svg", MEASURED), ("keep.yaml", SHEET), ("keep.svg", SHEET)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    os.link(tmp_path / "d.csv", tmp_path / "hard.csv")
    (tmp_path / "soft.csv").symlink_to("d.csv")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    said = cli("device", *arguments).refused(told, "allowed: another file")
    assert said.err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("option", ["--csv", "--out", "--parquet"])
@pytest.mark.parametrize("name", ["record.json", "weights.npz", "log.txt", "spec.yaml"])
def test_a_run_survives_its_report(option: str, name: str, cli: Cli, finished: Finished, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished.folder, tmp_path / "run"))
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    said = cli("report", "run", option, f"run/{name}").refused(f"{option}: run/{name}: would overwrite a file")
    assert said.err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_the_run_beside_is_safe_too(cli: Cli, finished: Finished, tmp_path: Path) -> None:
    for name in ("run", "other"):
        shutil.copytree(finished.folder, tmp_path / name)
    before = (tmp_path / "other" / "record.json").read_bytes()
    cli("report", "run", "--csv", "other/record.json").refused("--csv: other/record.json: would overwrite")
    assert (tmp_path / "other" / "record.json").read_bytes() == before
    assert cli("report", "run", "--csv", "run/table.csv").code == 0
    assert cli("report", "run", "--csv", "run/table.csv").code == 0


def test_standard_output_takes_a_table_and_nothing_else(cli: Cli, finished: Finished, tmp_path: Path) -> None:
    """`-` is standard output for every table; what else is said goes to standard error."""
    shutil.copytree(finished.folder, tmp_path / "run")
    said = cli("report", "run", "--csv", "-")
    assert said.code == 0 and said.out.startswith("source,name,seed,status,") and said.out.count("\n") == 2
    said = cli("report", "run", "--csv", "-", "--out", "page.html")
    assert said.out.startswith("source,") and said.err == "page.html\n" and (tmp_path / "page.html").exists()
    said = cli("report", "run", "--json")
    assert said.code == 0 and json.loads(said.out)[0]["record"]["accuracy"] == finished.record["accuracy"]
    said = cli("device", "pulse", "EcRam", "--up", 2, "--down", 0, "--csv", "-")
    assert said.code == 0 and said.out.count("\n") == 4 and said.out.startswith("pulse,phase,cell,weight,g_s\n")
    assert "EcRam (" in said.err and "written" not in said.err
    assert not (tmp_path / "-").exists()
    for more in (["--csv", "-", "--json"], ["--out", "-"], ["--csv", "-", "--parquet", "-"]):
        cli("report", "run", *more).refused("--")
    cli("report", "run", "--curves").refused("--curves: goes with --csv, --parquet or --json")


def test_seeds_are_for_ablations(cli: Cli) -> None:
    cli("run", "quickstart", "--seeds", "0,1").refused("--seeds: goes with --ablate")
    cli("run", "quickstart", "--ablate", "--seeds", "0,1", "--seed", 3).refused("--seed or --seeds, not both")
    for text in ("0,0", "x", "", "-1", "4294967296", "0,,1"):
        cli("run", "quickstart", "--ablate", f"--seeds={text}").refused("allowed: different numbers in 0..4294967295")
