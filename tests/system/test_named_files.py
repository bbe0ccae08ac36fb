"""Files that a spec names: relative to it, found from any folder, and no longer needed once a run has read them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesdt import __version__
from edgesdt.pricing.bill import reprice
from edgesdt.spec import Spec, load, loads, spec_hash, to_yaml
from edgesdt.spec.named_files import MOST_BYTES
from edgesdt.sweep.workers.jobs import Job
from edgesdt.sweep.workers.point import carry_out_there
from tests.conftest import Said

Cli = Callable[..., Said]
SPEC = """\
name: own
data: {set: own.npz}
chip: {layers: [6, 12], memory_budget: 64 KiB}
learning: {winners: 2}
device: {file: cells/mine.yaml}
technology: {file: ../tables/my28.yaml}
epochs: 1
"""


def table(add_pj: float = 0.21) -> str:
    text = files("hw_models.technology").joinpath("cmos_40nm_aladdin.yaml").read_text(encoding="utf-8")
    return text.replace("table: cmos_40nm_aladdin", "table: my28").replace("value: 0.21", f"value: {add_pj}")


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A folder `lab` with a spec in `lab/specs`, its data beside it, a device below, a table in another folder."""
    place = tmp_path / "lab" / "specs"
    (place / "cells").mkdir(parents=True)
    (tmp_path / "lab" / "tables").mkdir()
    drawn = np.random.RandomState(0)
    x, y = drawn.randint(0, 256, (60, 6)).astype(np.uint8), np.arange(60) % 3
    np.savez(place / "own.npz", x_train=x[:40], y_train=y[:40], x_test=x[40:], y_test=y[40:])
    preset = files("hw_models").joinpath("presets/EcRam.yaml").read_text(encoding="utf-8")
    (place / "cells" / "mine.yaml").write_text(preset, encoding="utf-8")
    (tmp_path / "lab" / "tables" / "my28.yaml").write_text(table(), encoding="utf-8")
    (place / "s.yaml").write_text(SPEC, encoding="utf-8")
    return place


def record_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "record.json").read_text(encoding="utf-8")))


def test_paths_are_relative_to_the_spec_that_names_them(lab: Path) -> None:
    spec = load(str(lab / "s.yaml"))
    assert spec.data.set == str(lab / "own.npz")
    assert spec.device.file == str(lab / "cells" / "mine.yaml")
    assert spec.technology.file == str(lab.parent / "tables" / "my28.yaml")
    assert spec.technology.prices().name == "my28"


@pytest.mark.parametrize("folder", [".", "lab", "lab/specs", "lab/specs/cells"])
def test_a_spec_is_the_same_from_every_folder(folder: str, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load(str(lab / "s.yaml"))
    monkeypatch.chdir(lab.parents[1] / folder)
    relative = Path(*[".."] * len(Path(folder).parts), "lab", "specs", "s.yaml")
    assert load(str(relative)) == whole


def test_set_is_relative_to_the_current_folder(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lab.parents[1])
    shutil.copy(lab / "own.npz", "here.npz")
    shutil.copy(lab / "cells" / "mine.yaml", "cell.yaml")
    (lab.parents[1] / "t.yaml").write_text(table(0.5), encoding="utf-8")
    sets = ["data.set=here.npz", "device.file=cell.yaml", "technology={file: t.yaml}"]
    spec = load("lab/specs/s.yaml", sets)
    assert (spec.data.set, spec.device.file) == (str(lab.parents[1] / "here.npz"), str(lab.parents[1] / "cell.yaml"))
    assert spec.technology.prices().add_j(32) == pytest.approx(0.5e-12)
    section = "sweep={parameters: {device.file: [cell.yaml]}, groups: [{data.set: here.npz}]}"
    swept = load("lab/specs/s.yaml", [section])
    assert swept.sweep == {
        "parameters": {"device.file": [str(lab.parents[1] / "cell.yaml")]},
        "groups": [{"data.set": str(lab.parents[1] / "here.npz")}],
    }
    assert load("quickstart", ["technology.file=t.yaml"]).technology.file == str(lab.parents[1] / "t.yaml")


def test_the_hash_is_of_what_a_file_holds_not_of_where_it_is(lab: Path, tmp_path: Path) -> None:
    first = spec_hash(load(str(lab / "s.yaml")).plain())
    shutil.copytree(lab.parent, tmp_path / "moved")
    moved = tmp_path / "moved" / "specs" / "s.yaml"
    assert spec_hash(load(str(moved)).plain()) == first
    for file, text in (("tables/my28.yaml", table(0.3)), ("specs/cells/mine.yaml", None), ("specs/own.npz", None)):
        path, before = tmp_path / "moved" / file, (tmp_path / "moved" / file).read_bytes()
        path.write_bytes(before + b"\n" if text is None else text.encode())
        assert spec_hash(load(str(moved)).plain()) != first, file
        path.write_bytes(before)


def test_a_run_needs_its_sheets_no_more(lab: Path, cli: Cli, tmp_path: Path) -> None:
    assert cli("run", lab / "s.yaml", "--out", "run", "--quiet").code == 0
    made = record_of(tmp_path / "run")
    assert made["technology"]["table"] == "my28"
    assert made["spec"]["technology"]["sheet"] == table()
    assert load(str(tmp_path / "run" / "spec.yaml")).plain() == made["spec"]
    shown = cli("run", tmp_path / "run" / "spec.yaml", "--out", "run", "--json", "--quiet")
    assert json.loads(shown.out) == made
    lab.parent.rename(tmp_path / "gone")
    assert cli("report", "run").code == 0
    cheaper = cli("report", "run", "--table", "cmos_45nm", "--csv", "there.csv")
    assert cheaper.code == 0 and "sheet" not in (tmp_path / "there.csv").read_text().partition("\n")[0]
    assert reprice(reprice(made, "cmos_45nm"), "./gone/tables/my28.yaml")["energy_j"] == made["energy_j"]
    said = cli("run", tmp_path / "run" / "spec.yaml", "--out", "again", "--quiet").refused("own.npz")
    assert "my28.yaml" not in said.err
    data = tmp_path / "gone" / "specs" / "own.npz"
    spec = tmp_path / "run" / "spec.yaml"
    again = cli("run", spec, "--set", f"data.set={data}", "--out", "again", "--quiet", "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["counts"] == made["counts"]
    assert json.loads(again.out)["spec_hash"] == made["spec_hash"]


def test_a_run_goes_on_after_its_sheets_are_gone_but_not_with_others(lab: Path, cli: Cli, tmp_path: Path) -> None:
    assert cli("run", lab / "s.yaml", "--out", "run", "--quiet").code == 0
    (lab.parent / "tables" / "my28.yaml").write_text(table(0.4), encoding="utf-8")
    cli("run", lab / "s.yaml", "--out", "run").refused("holds the run of another spec or seed")
    with np.load(lab / "own.npz") as arrays:
        np.savez(lab / "own.npz", **{**arrays, "y_test": arrays["y_test"][::-1]})
    cli("run", tmp_path / "run" / "spec.yaml", "--out", "new").refused("own.npz: has changed since this spec")


def test_a_worker_far_away_needs_no_sheet(lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a Dask worker without a shared disk runs a job: in another folder, the data set in `$EDGESDT_DATA`."""
    plain = json.loads(json.dumps(load(str(lab / "s.yaml")).plain()))
    lab.parent.rename(tmp_path / "gone")
    far = tmp_path / "far"
    (far / "data").mkdir(parents=True)
    monkeypatch.chdir(far)
    job = Job("x-0", plain, str(far / "none"))
    outcome = carry_out_there(job, __version__)
    assert outcome["kind"] == "failed" and "own.npz" in outcome["error"]
    monkeypatch.setenv("EDGESDT_DATA", str(far / "data"))
    shutil.copy(tmp_path / "gone" / "specs" / "own.npz", far / "data")
    outcome = carry_out_there(job, __version__)
    assert outcome["kind"] == "done", outcome
    assert outcome["record"]["technology"]["table"] == "my28"
    assert b"table: my28" in outcome["files"]["spec.yaml"]


def test_a_sweep_over_files_runs_goes_on_and_is_priced_again(lab: Path, cli: Cli, tmp_path: Path) -> None:
    (lab / "dear.yaml").write_text(table(2.1).replace("my28", "dear"), encoding="utf-8")
    section = "sweep:\n  technology.file: [dear.yaml, ../tables/my28.yaml]\n  learning.winners: [1, 2]\n"
    (lab / "s.yaml").write_text(SPEC + section, encoding="utf-8")
    planned = cli("sweep", lab / "s.yaml", "--plan")
    assert planned.code == 0 and "4 points" in planned.out and "dear.yaml" in planned.out
    assert cli("sweep", lab / "s.yaml", "--out", "s", "--workers", 1, "--quiet").code == 0
    rows = [json.loads(line) for line in (tmp_path / "s" / "records.jsonl").read_text().splitlines()]
    assert {(row["point"]["technology.file"], row["record"]["technology"]["table"]) for row in rows} == {
        ("dear.yaml", "dear"), ("../tables/my28.yaml", "my28"),
    }  # fmt: skip
    again = cli("sweep", tmp_path / "s" / "spec.yaml", "--out", "s", "--workers", 1, "--quiet")
    assert again.code == 0 and " 4 done" in again.out and "beside it" not in again.out
    shutil.copytree(lab.parent, tmp_path / "moved")
    moved = cli("sweep", tmp_path / "moved" / "specs" / "s.yaml", "--out", "s", "--workers", 1, "--quiet")
    assert moved.code == 0 and "beside it" not in moved.out
    shutil.rmtree(lab.parent)
    assert cli("report", "s", "--table", "moved/tables/my28.yaml").out.endswith("report-my28.html\n")


def test_a_value_of_a_sweep_replaces_file_digest_and_text(lab: Path) -> None:
    """A resolved spec has them all; another file must not be held against the digest of the first."""
    text = to_yaml(load(str(lab / "s.yaml")).plain())
    (lab / "resolved.yaml").write_text(text, encoding="utf-8")
    (lab / "dear.yaml").write_text(table(2.1), encoding="utf-8")
    spec = load(str(lab / "resolved.yaml"), [f"technology.file={lab / 'dear.yaml'}"])
    assert spec.technology.prices().add_j(32) == pytest.approx(2.1e-12)
    plain = load(str(lab / "resolved.yaml"), ["technology.file=null", "device.file=null", "data.set=digits",
                                              "chip.layers=[64, 12]"]).plain()  # fmt: skip
    assert plain["technology"] == {"table": "cmos_45nm", "node": None} and "sha256" not in plain["data"]


FAULTS = {
    "nothing there": ("my28.yaml", "nix.yaml", ":6: technology.file: {lab}/tables/nix.yaml: cannot be read: No such"),
    "a folder": ("../tables/my28.yaml", "..", "s.yaml:6: technology.file: {lab}: a folder, allowed: a YAML file"),
    "a device": ("../tables/my28.yaml", "/dev/zero", ":6: technology.file: /dev/zero: no file, allowed: a YAML file"),
    "two tables": ("file: ..", "table: cmos_45nm, file: ..", "technology.file: beside table cmos_45nm, allowed: one"),
    "no YAML": ("../tables/my28.yaml", "own.npz", ":6: technology.file: {lab}/specs/own.npz: not a text file"),
    "another key": ("{file: ..", "{fiel: ..", "s.yaml:6: technology.fiel: unknown key, allowed: table, node, file, "),
    "digest alone": ("file: ../tables/my28.yaml", f"sha256: {'f' * 64}", "technology.sha256: no effect without"),
    "changed": ("my28.yaml", f"my28.yaml, sha256: {'f' * 64}", "technology.sha256: {lab}/tables/my28.yaml has changed"),
    "node": ("my28.yaml", "my28.yaml, node: 3", "s.yaml:6: technology.node: out of range: 3, allowed: 7 nm..130 nm"),
    "data": ("own.npz", "nix.npz", "{lab}/specs/nix.npz: cannot be read: No such file or directory"),
    "device": ("mine.yaml", "nix.yaml", "s.yaml:5: device.file: {lab}/specs/cells/nix.yaml: cannot be read"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_is_none_is_told_at_its_line(fault: str, lab: Path, cli: Cli) -> None:
    old, new, told = FAULTS[fault]
    (lab / "s.yaml").write_text(SPEC.replace(old, new, 1), encoding="utf-8")
    said = cli("run", lab / "s.yaml").refused(told.replace("{lab}", str(lab.parent)))
    assert said.err.count("\n") <= 2, said.err


def test_faults_of_a_table_are_told_with_both_lines_and_for_report_with_its_own(lab: Path, cli: Cli) -> None:
    path = lab.parent / "tables" / "my28.yaml"
    path.write_text(table().replace("multiply:", "multipy:"), encoding="utf-8")
    line = 1 + table().partition("multiply:")[0].count("\n")
    said = cli("check", lab / "s.yaml").refused(f"s.yaml:6: technology.file: {path}:{line}: multipy: unknown key")
    assert "(did you mean 'multiply'?)" in said.err
    assert cli("run", "quickstart", "--set", "epochs=1", "--set", "data.train=50", "--out", "q", "--quiet").code == 0
    told = f"--table: {path}:{line}: multipy: unknown key"
    cli("report", "q", "--table", path).refused(told, "did you mean 'multiply'")
    cli("report", "q", "--table", "./nix.yaml").refused("--table: ", "nix.yaml: cannot be read: No such file")
    cli("report", "q", "--table", "cmos_45").refused("--table: unknown technology table", "did you mean 'cmos_45nm'")
    path.write_text(table(), encoding="utf-8")
    assert cli("report", "q", "--table", path).out == "q/report-my28.html\n"
    assert "Priced with my28.yaml (SHA-256 " in Path("q/report-my28.html").read_text(encoding="utf-8")
    cli("report", "q", "--table", path, "--out", path).refused("would overwrite a file that this command reads")


@pytest.mark.parametrize("text", [
    "a: 1\n", "a: 1", "\n\n a: 1\n\n\n", "# µ – “x”\nb: '2'\n  ", "a: 1\r\nb: 2\r\n",
    "\ta\n", "x\u2028y\n", "\ufeffa: 1\n",
])  # fmt: skip
def test_the_text_of_a_sheet_survives_a_spec_file(text: str) -> None:
    plain = loads(SPEC.partition("device:")[0].replace("own.npz", "digits").replace("6, 12", "64, 12")).plain()
    plain["device"] = {"model": "sram", "file": "f", "sheet": text}
    from edgesdt.spec.text import source

    assert source.read(to_yaml(plain)).data["device"]["sheet"] == text


def test_a_long_device_sheet_stays_where_it_is(lab: Path) -> None:
    path = lab / "cells" / "mine.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "#" * MOST_BYTES + "\n", encoding="utf-8")
    spec = load(str(lab / "s.yaml"))
    assert spec.device.sheet is None and spec.device.sha256 is not None
    assert spec == Spec.from_plain(spec.plain())
