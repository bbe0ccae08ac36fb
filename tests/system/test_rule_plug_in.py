"""A learning rule from outside the tree, installed as its users would: all commands work for it as for ours."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from docs import examples
from tests.conftest import ROOT, Shell

PACKAGE = ROOT / "docs" / "plugin" / "edgesdt-competitive"
PAGE = ROOT / "docs" / "how_to" / "own_learning_rule.md"
SPEC = """\
name: prototypes
data: {set: digits, train: 400, test: 200}
encoder: {bits: 4}
chip:
  layers: [64, 20]
  weights: {bits: 8, frac_bits: 7}
  memory_budget: 8 KiB
learning: {rule: competitive, learning_rate: 0.1}
readout: [direct, linear]
epochs: 3
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the example package, without a network."""
    folder = tmp_path_factory.mktemp("site")
    source = folder / "source"
    source.mkdir()
    for path in PACKAGE.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    pip += ["--disable-pip-version-check", "--no-warn-script-location", "--target", str(folder / "here"), str(source)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "here"


@pytest.fixture
def with_it(site: Path, tmp_path: Path) -> Shell:
    """The command line in a folder with a spec, where the package is installed."""
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return Shell(tmp_path, {"PYTHONPATH": f"{site}:{ROOT}"})


def broken(site: Path, folder: Path, *changes: tuple[str, str]) -> Shell:
    """The command line where a copy of the package is installed, with the first `old` of each change made `new`."""
    place = folder / "changed"
    shutil.copytree(site, place, ignore=shutil.ignore_patterns("__pycache__"))
    module = place / "competitive.py"
    text = module.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    module.write_text(text, encoding="utf-8")
    return Shell(folder, {"PYTHONPATH": f"{place}:{ROOT}"})


def test_the_package_is_about_150_lines_and_one_registration() -> None:
    assert sorted(path.name for path in PACKAGE.iterdir() if path.is_file()) == ["competitive.py", "pyproject.toml"]
    lines = (PACKAGE / "competitive.py").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 190
    assert (PACKAGE / "pyproject.toml").read_text(encoding="utf-8").count("entry-points") == 1


def test_the_page_builds_the_very_package(tmp_path: Path) -> None:
    session = examples.Session(tmp_path)
    for block in examples.blocks(PAGE):
        if block.language in examples.FILES:
            session.save(block)
    for path in PACKAGE.glob("*.*"):
        made = (session.folder / path.name).read_text(encoding="utf-8").partition("\n")[2]
        wanted = path.read_text(encoding="utf-8")
        assert [line for line in made.splitlines() if line] == [line for line in wanted.splitlines() if line]


def test_it_is_listed_and_shown(with_it: Shell) -> None:
    listed = with_it("rules", "list")
    assert (listed.code, listed.err) == (0, "")
    assert listed.out.splitlines()[-1].split()[0] == "competitive"
    shown = with_it("rules", "show", "competitive")
    assert "plug-in    competitive:RULE of edgesdt-competitive 0.1.0" in shown.out
    assert re.search(r"learning\.conscience +How much .*\(default 0\.02; a number in \[0, 1\]\)", shown.out)


def test_check_run_report_and_prices(with_it: Shell, tmp_path: Path) -> None:
    checked = with_it("check", "spec.yaml")
    assert checked.code == 0, checked.err
    for told in (
        "event_driven, competitive\n",
        "half_squares",
        "per training sample",
        "of the inputs not zero",
    ):
        assert told in checked.out
    banks = with_it("check", "spec.yaml", "--set", "chip.memory={bank: 1 KiB, word: 32 bit}")
    assert banks.code == 0 and "weights: 2 banks of 1 KiB, words of 32 bits" in banks.out, banks
    resolved = with_it("check", "spec.yaml", "--resolved").out
    assert re.search(r"conscience: 0\.02\d*\b.*held as", resolved)
    ran = with_it("run", "spec.yaml", "--out", "run")
    assert ran.code == 0, ran.err
    record = json.loads((tmp_path / "run" / "record.json").read_text(encoding="utf-8"))
    accuracy = record["accuracy"]
    assert accuracy["direct_average"] > accuracy["untrained_direct_average"] + 0.2
    assert accuracy["linear"] > 0.6
    assert re.fullmatch(r"0\.1\.0 \(source [0-9a-f]{16}\)", record["versions"]["edgesdt-competitive"])
    assert set(record["counts"]["train"]) == set(record["counts"]["inference"]) >= {"mac", "weight_pull"}
    assert record["energy_j"]["train_breakdown"]["learning arithmetic"] > 0
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "competitive" in page and "data:image/png" in page, "receptive fields"
    other = with_it("report", "run", "--table", "cmos_40nm_aladdin", "--json")
    assert other.code == 0, other.err
    assert "cmos_40nm_aladdin" in other.out
    assert with_it("run", "spec.yaml", "--out", "run").code == 0
    without = Shell(tmp_path)  # what is recorded is read without the package
    assert without("report", "run", "--out", "again.html").code == 0
    without("report", "run", "--table", "cmos_40nm_aladdin").refused("run", "unknown rule: 'competitive'")


def test_a_killed_run_goes_on_to_the_same_integers(with_it: Shell, tmp_path: Path) -> None:
    assert with_it("run", "spec.yaml", "--out", "whole").code == 0
    with with_it.start("run", "spec.yaml", "--out", "cut") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "epoch 1/3" in line:
                process.send_signal(signal.SIGKILL)
                break
        process.communicate()
    assert not (tmp_path / "cut" / "record.json").exists()
    went_on = with_it("run", "spec.yaml", "--out", "cut")
    assert went_on.code == 0 and "going on after epoch" in went_on.err
    one, two = (json.loads((tmp_path / name / "record.json").read_text()) for name in ("whole", "cut"))
    for part in ("accuracy", "counts", "device", "curve", "energy_j", "versions"):
        assert one[part] == two[part], part


def test_it_is_swept(with_it: Shell, tmp_path: Path) -> None:
    swept = with_it("sweep", "spec.yaml", "--out", "swept", "--workers", "1", "--set", "epochs=1",
                    "--set", "sweep={learning.conscience: [0.0, 0.05], chip.weights.bits: [6, 8]}",
                    "--set", "chip.weights.frac_bits=5")  # fmt: skip
    assert swept.code == 0, swept.err
    assert with_it("report", "swept", "--csv", "rows.csv").code == 0
    rows = (tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 5 and "learning.conscience" in rows[0]


def test_bad_fields_are_told_with_their_line(with_it: Shell, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        SPEC.replace("{rule: competitive,", "{rule: competitive, target: label, beta: 0.1,").replace(
            "frac_bits: 7", "frac_bits: 9"
        ),
        encoding="utf-8",
    )
    said = with_it("check", "bad.yaml")
    said.refused("bad.yaml:8: learning.target", "bad.yaml:8: learning.beta: that is a field of rule eqprop")
    with_it("check", "spec.yaml", "--set", "chip.weights.frac_bits=9").refused(
        "chip.weights.frac_bits: 9, allowed: 4..7"
    )
    with_it("check", "spec.yaml", "--set", "chip.weights.frac_bits=auto").refused("frac_bits: auto, allowed: 4..7")
    with_it("run", "spec.yaml", "--set", "readout=[output]").refused("rule competitive has no read-out 'output'")
    with_it("run", "spec.yaml", "--set", "device.model=EcRam").refused("rule competitive does not run on analog cells")


def test_another_version_does_not_go_on_in_a_folder(with_it: Shell, site: Path, tmp_path: Path) -> None:
    assert with_it("run", "spec.yaml", "--out", "run", "--set", "epochs=1").code == 0
    other = broken(site, tmp_path, ("ties: the lowest", "ties: the first"))
    other("run", "spec.yaml", "--out", "run", "--set", "epochs=1").refused(
        "edgesdt-competitive", "choose another --out"
    )


KEEPS_A_SECRET = (
    ('self.draw("weights_0"', 'self.secret = 0\n        self.draw("weights_0"'),
    ("won[winner] = one", "won[winner] = one + self.secret\n            self.secret += 1 << 9"),
)


@pytest.mark.parametrize(
    ("command", "changes", "told"),
    [
        ("check", [('Use("compare", (total,))', 'Use("guess", (total,))')], "unknown primitive 'guess'"),
        ("check", [('{"score_compare": 1}', '{"scores_compare": 1}')], "action 'scores_compare' is not in the design"),
        ("check", [('"weight_square": learned * n,', "")], "lacks the action 'weight_square'"),
        ("check", [('targets=("none",)', 'targets=("label",)')], "settings.target allows none, targets are label"),
        ("check", [('name="competitive"', 'name="other"')], "it calls itself 'other'"),
        ("check", [("n, m = spec.chip.layers", "n, m = spec.chip.layers, 1 // 0")], "ZeroDivisionError"),
        ("check", [("RULE = Rule(", "1 // 0\nRULE = Rule(")], "cannot be loaded: ZeroDivisionError"),
        ("run", KEEPS_A_SECRET, "'a restored chip goes on bit for bit'"),
        ("run", [("outputs[place] = np", "self.arrays['weights_0'][0] += 1; outputs[place] = np")], "read-only"),
    ],
    ids=["primitive", "schedule", "counts", "targets", "name", "exception", "import", "state", "inference"],
)
def test_a_rule_that_breaks_the_contract_is_refused(
    site: Path, tmp_path: Path, command: str, changes: list[tuple[str, str]], told: str
) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    shell = broken(site, tmp_path, *changes)
    said = shell(command, "spec.yaml").refused("competitive:RULE of edgesdt-competitive 0.1.0", told)
    assert len(said.err.splitlines()) == 1
    if "cannot be loaded" in told or "'other'" in told:
        listed = shell("rules", "list")
        assert listed.code == 0 and "eqprop" in listed.out, "the others are still there"
        assert shell("check", "quickstart").code == 0


def test_a_name_of_ours_is_refused_at_once(site: Path, tmp_path: Path) -> None:
    place = tmp_path / "changed"
    shutil.copytree(site, place, ignore=shutil.ignore_patterns("__pycache__"))
    (points,) = place.glob("*.dist-info/entry_points.txt")
    points.write_text("[edgesdt.rules]\neqprop = competitive:RULE\n", encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(re.sub("learning:.*\n", "", SPEC), encoding="utf-8")
    shell = Shell(tmp_path, {"PYTHONPATH": f"{place}:{ROOT}"})
    told = "the plug-in competitive:RULE of edgesdt-competitive 0.1.0 has the name of a rule of edgesdt"
    for command in (("check", "spec.yaml"), ("rules", "list"), ("run", "quickstart", "--out", "o")):
        shell(*command).refused("rule eqprop", told)


def test_without_it_there_is_no_such_rule(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    shell("check", "spec.yaml").refused("spec.yaml:8: learning.rule: unknown rule: 'competitive'")
