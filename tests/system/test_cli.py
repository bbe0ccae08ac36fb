"""The command line as other people's scripts use it: help, streams, exit codes, `check`, `specs`, `data`, `report`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgesdt import __version__, datasets
from edgesdt.rules.lookup import memory_map, resolve
from edgesdt.spec import load, loads, shipped
from tests.conftest import ROOT, SMALL, Finished, Said, Shell

Cli = Callable[..., Said]
COMMANDS = ["run", "check", "specs", "report", "data", "device"]
SHIPPED = ["quickstart", "mnist_edge", "mnist_1layer", "mnist_1layer_16bit", "mnist_2layer", "mnist_supervised"]


# --- help and arguments


@pytest.mark.parametrize("command", [[], *([c] for c in COMMANDS), ["data", "list"], ["data", "fetch"]])
def test_there_is_help_on_every_level(command: list[str], cli: Cli) -> None:
    said = cli(*command, "--help")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"usage: {' '.join(['edgesdt', *command])} ")
    if not command:
        assert all(re.search(rf"^ +{name} +\w", said.out, re.MULTILINE) for name in COMMANDS)
        assert "exit codes: 0 done, 1 the run failed, 2 bad input, 130 interrupted" in said.out


def test_version(cli: Cli) -> None:
    assert cli("--version") == Said(0, f"edgesdt {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_is_light(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom edgesdt.cli.main import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "heavy = ('numpy', 'numba', 'matplotlib', 'sklearn', 'pydantic', 'yaml', 'jinja2')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["fly"], "edgesdt: argument COMMAND: invalid choice: 'fly'"),
        (["run"], "edgesdt run: the following arguments are required: SPEC"),
        (["check", "quickstart", "--fast"], "unrecognized arguments: --fast"),
        (["run", "quickstart", "--seed", "one"], "edgesdt run: argument --seed: invalid int value: 'one'"),
        (["run", "quickstart", "--threads", "0"], "edgesdt run: argument --threads: '0': allowed: 1..1024"),
        (["run", "quickstart", "--threads", "two"], "'two': allowed: 1..1024"),
        (["report"], "edgesdt report: the following arguments are required: DIR"),
        (["data", "fetch"], "edgesdt data fetch: the following arguments are required: NAME"),
    ],
)
def test_wrong_arguments_are_one_line(arguments: list[str], told: str, cli: Cli) -> None:
    said = cli(*arguments).refused(told, "--help')")
    assert said.err.count("\n") == 1


def test_debug_shows_the_traceback_and_keeps_the_exit_code(cli: Cli) -> None:
    plain, debug = cli("run", "quickstrat"), cli("--debug", "run", "quickstrat")
    plain.refused("did you mean 'quickstart'?")
    assert (debug.code, debug.out) == (2, "")
    assert debug.err.startswith("Traceback (most recent call last):") and debug.err.endswith(plain.err)


def test_a_closed_pipe_is_no_traceback(shell: Shell) -> None:
    process = shell.start("data", "list")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), told) == (1, "")


# --- specs and data


def test_specs_lists_every_shipped_spec_with_a_line(cli: Cli) -> None:
    said = cli("specs")
    assert (said.code, said.err) == (0, "")
    listed = dict(line.split(maxsplit=1) for line in said.out.splitlines())
    assert listed == dict(shipped())
    assert set(SHIPPED) <= listed.keys()
    assert all(len(text) > 20 for text in listed.values())


def test_specs_prints_one_as_its_file(cli: Cli, tmp_path: Path) -> None:
    said = cli("specs", "mnist_edge")
    assert (said.code, said.err) == (0, "") and said.out.startswith("# ")
    assert loads(said.out) == load("mnist_edge")
    cli("specs", "mnist_egde").refused("unknown spec: 'mnist_egde', allowed: activation_mnist, ", "mnist_edge")


def test_data_list_tells_where_each_set_comes_from(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGESDT_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    said = cli("data", "list")
    assert (said.code, said.err) == (0, "")
    for entry in datasets.catalogue():
        block = said.out[said.out.index(f"{entry.name}: {entry.title}") :]
        for part in (f"{entry.train} training", entry.licence, *entry.sources, *(sum for _, sum in entry.checksums)):
            assert part in block
    assert "here: not here" in said.out[said.out.index("mnist:") :]
    assert "here: " + str(Path(datasets.load("digits").origin).parents[2]) in said.out


def test_fetching_an_embedded_set_has_nothing_to_do(cli: Cli) -> None:
    said = cli("data", "fetch", "digits")
    assert said.code == 0
    assert Path(said.out.strip()).is_dir()
    assert "nothing to fetch" in said.err


# --- check


@pytest.mark.parametrize("name", SHIPPED)
def test_check_shows_map_plan_and_predicted_cost(name: str, cli: Cli) -> None:
    said = cli("check", name)
    assert said.code == 0 and all("compil" in line for line in said.err.splitlines()), said.err
    spec = load(name)
    layers = " - ".join(map(str, spec.chip.layers))
    assert said.out.startswith(f"{spec.name}: {layers}, {spec.chip.style}, {spec.learning.rule}, ")
    for array in memory_map(spec).arrays:
        shape = " x ".join(map(str, array.shape))
        assert re.search(rf"^  {array.name} +{shape} +{re.escape(array.format)} +[\d.]+ ", said.out, re.MULTILINE)
    for pattern in (
        r"^  used .* \d+\.\d %$",
        r"^  budget .* 100\.0 %$",
        r"^  energy +[\d.]+ [nµ]J per training sample, [\d.]+ [nµ]J per inference$",
        r"^  latency +[\d.]+ [nµm]s per training sample, [\d.]+ [nµm]s per inference \(64 MACs per cycle at 100 MHz\)$",
        r"^  area +[\d.]+ mm²$",
        r"^  leakage +[\d.]+ [mµ]?W \(weight memory [\d.]+ [mµ]?W, .*, …\)$",
    ):
        assert re.search(pattern, said.out, re.MULTILINE), pattern


def test_check_says_how_good_its_prediction_is(cli: Cli) -> None:
    assert "exact for a dense chip" in cli("check", "quickstart", "--set", "chip.style=dense").out
    assert "measured from sample 10,001 to 20,000: 51% of the inputs not zero" in cli("check", "quickstart").out
    assert "assuming 20% of the inputs not zero" in cli("check", "quickstart", "--assume").out


def test_check_writes_nothing(cli: Cli, tmp_path: Path) -> None:
    cli("check", "quickstart")
    cli("check", "mnist_1layer", "--resolved")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["--resolved"]])
def test_a_budget_too_small_names_every_array_and_the_excess(arguments: list[str], cli: Cli) -> None:
    said = cli("check", "mnist_1layer", "--set", "chip.memory_budget=1MiB", *arguments)
    assert said.code == 2
    assert "Traceback" not in said.err
    fitted = memory_map(load("mnist_1layer"))
    excess = fitted.used_bits - 2**23
    assert f"chip.memory_budget: 1 MiB is too small by {excess / 8192:.4g} KiB" in said.err
    assert f"({excess / 1e6:.4g} M bits)" in said.err
    for array in fitted.arrays:
        assert re.search(rf"^ +{array.name} .*{re.escape(array.format)} .* %$", said.err, re.MULTILINE), array.name


@pytest.mark.parametrize("name", SHIPPED)
def test_the_resolved_spec_is_the_same_chip_and_a_fixed_point(name: str, cli: Cli, tmp_path: Path) -> None:
    said = cli("check", name, "--resolved")
    assert (said.code, said.err) == (0, "")
    path = tmp_path / "resolved.yaml"
    path.write_text(said.out, encoding="utf-8")
    again = load(str(path))
    assert again == resolve(load(name))
    assert resolve(again) == again
    assert cli("check", path, "--resolved") == said
    assert cli("check", path).out == cli("check", name).out


def test_the_resolved_spec_shows_the_values_really_used(cli: Cli) -> None:
    changed = ("learning.dt=0.3", "learning.dropout.input=0.1", "learning.beta=0.25", "chip.constants.bits=8")
    shown = cli("check", "quickstart", "--resolved", *(part for field in changed for part in ("--set", field))).out
    assert re.search(r"^  dt: 0\.30078125 +# held as 77·2\^-8$", shown, re.M)
    assert re.search(r"^    input: 0\.1015625 +# held as 26/256$", shown, re.M)
    assert re.search(r"^  beta: 0\.25 +# held as 1·2\^-2$", shown, re.M)


def test_a_resolved_spec_goes_on_in_the_folder_of_its_run(cli: Cli, small: Path, tmp_path: Path) -> None:
    assert cli("run", small, "--out", "out", "--quiet").code == 0
    (tmp_path / "resolved.yaml").write_text(cli("check", small, "--resolved").out, encoding="utf-8")
    said = cli("run", "resolved.yaml", "--out", "out")
    assert said.code == 0
    assert "this run is finished; its record is shown" in said.err


# --- report


def test_a_report_is_made_from_the_record_alone(cli: Cli, finished: Finished, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    shutil.copy(finished.folder / "record.json", tmp_path / "old")
    said = cli("report", "old")
    assert said == Said(0, "old/report.html\n", "")
    page = (tmp_path / "old" / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>")
    assert f"{100 * finished.record['accuracy']['direct_average']:.1f}" in page


def test_a_report_with_another_table_leaves_the_record_alone(cli: Cli, finished: Finished, tmp_path: Path) -> None:
    before = (finished.folder / "record.json").read_bytes()
    said = cli("report", finished.folder, "--table", "cmos_40nm_aladdin", "--out", "other.html")
    assert said == Said(0, "other.html\n", "")
    page = (tmp_path / "other.html").read_text(encoding="utf-8")
    assert "cmos_40nm_aladdin" in page
    assert (finished.folder / "record.json").read_bytes() == before


def test_several_runs_are_compared(cli: Cli, finished: Finished, tmp_path: Path) -> None:
    second = shutil.copytree(finished.folder, tmp_path / "second")
    record = json.loads((second / "record.json").read_text(encoding="utf-8"))
    (second / "record.json").write_text(json.dumps(record | {"name": "second"}), encoding="utf-8")
    assert cli("report", finished.folder, second, "--out", "both.html").code == 0
    page = (tmp_path / "both.html").read_text(encoding="utf-8")
    assert "2 runs compared" in page and "second" in page


# --- run: what is said where


def test_progress_goes_to_standard_error_and_the_summary_to_standard_output(cli: Cli, small: Path) -> None:
    said = cli("run", small, "--out", "out")
    assert said.code == 0
    assert re.match(
        r"untrained direct_average [\d.]+ %  direct_max [\d.]+ %\n(epoch [123]/3 direct_.* %\n){3}done .* %\n\Z",
        said.err,
    )
    assert said.out.startswith("small · seed 0 · cmos_45nm at 45 nm\n")
    assert said.out.endswith("\nreport: out/report.html\n")
    assert "\x1b" not in said.out + said.err and "\r" not in said.out + said.err, "plain where it is not a terminal"


def test_quiet_is_quiet_and_says_the_same(cli: Cli, small: Path) -> None:
    loud = cli("run", small, "--out", "out")
    quiet = cli("run", small, "--out", "out", "--quiet")
    assert (quiet.code, quiet.err, quiet.out) == (0, "", loud.out)


def test_json_is_the_record_and_nothing_else(cli: Cli, small: Path, tmp_path: Path) -> None:
    said = cli("run", small, "--out", "out", "--json")
    assert said.code == 0 and said.err.startswith("untrained ")
    kept = json.loads((tmp_path / "out" / "record.json").read_text(encoding="utf-8"))
    assert json.loads(said.out) == kept
    again = cli("run", small, "--out", "out", "--json", "--quiet")
    assert again == Said(0, said.out, "")


def test_set_and_seed_override_the_file(cli: Cli, small: Path, tmp_path: Path) -> None:
    said = cli(
        "run", small, "--seed", 7, "--set", "epochs=1", "--set", "learning.winners=3", "--set", "name=mine", "--json"
    )
    record = json.loads(said.out)
    assert (record["seed"], record["spec"]["seed"], record["spec"]["epochs"]) == (7, 7, 1)
    assert record["spec"]["learning"]["winners"] == 3
    assert (tmp_path / "runs" / "mine-7" / "record.json").exists()
    assert load(str(tmp_path / "runs" / "mine-7" / "spec.yaml")).plain() == record["spec"]
    assert small.read_text(encoding="utf-8") == SMALL


def test_a_spec_runs_from_any_folder_by_name(shell: Shell, tmp_path: Path) -> None:
    said = shell("run", "quickstart", "--set", "epochs=1", "--set", "data.train=200", "--set", "data.test=50")
    assert said.code == 0, said.err
    assert {p.name for p in (tmp_path / "runs" / "quickstart-0").iterdir()} == {
        ".lock", "run.json", "spec.yaml", "log.txt", "record.json", "weights.npz", "report.html",
    }  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == ["runs"]
