"""Pages say what is so: blocks run, commands parse, links lead somewhere, generated pages are fresh."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from docs import examples, figure, generate
from edgesdt.cli.main import parser
from edgesdt.rules.lookup import resolve
from edgesdt.runs.experiment import run
from edgesdt.spec import load, loads, spec_hash
from tests.conftest import SMALL
from tests.readme_command import command

if TYPE_CHECKING:
    from tests.conftest import Finished

ROOT = examples.ROOT
README = (ROOT / "README.md").read_text(encoding="utf-8")
FLOW = """\
data set → encoder → chip [ inference → target → homeostasis → update ] ⇄ synapses (memory | cells)
                        └── action counts ── × technology table ──→ energy, latency, area → record → report
"""
RUN = ("console", "python", "pycon")


def _named(page: Path) -> str:
    return str(page.relative_to(ROOT))


PAGES = examples.pages()
RUNNING = [page for page in PAGES if any(block.language in RUN for block in examples.blocks(page))]


@pytest.mark.parametrize("page", RUNNING, ids=_named)
def test_every_block_does_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    assert examples.run(page, tmp_path)


def test_the_pages_that_must_be_there_are_there() -> None:
    kinds = {page.relative_to(ROOT / "docs").parts[0] for page in PAGES if page.is_relative_to(ROOT / "docs")}
    assert {"README.md", "tutorial", "how_to", "explanation", "reference", "decisions"} <= kinds


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_block_is_of_a_known_kind(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count("```") == 2 * len(examples.blocks(page)), "a fence is not closed, or is indented"
    assert {block.language for block in examples.blocks(page)} <= {*RUN, "bash", "yaml", "toml", "text", ""}


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_edgesdt_command_parses(page: Path) -> None:
    for arguments in examples.edgesdt_commands(page):
        told = io.StringIO()
        try:
            with redirect_stderr(told), redirect_stdout(told):
                parser().parse_args(arguments)
        except SystemExit as ending:  # the name of a command alone is no command, but it must be the name of one
            assert not ending.code or "arguments are required" in told.getvalue(), (arguments, told.getvalue())


def test_commands_are_found_where_pages_show_them(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Say `edgesdt check A --set x=1` or:\n\n"
        "```bash\nX=1 .venv/bin/edgesdt run 'B C' && \\\n  edgesdt specs  # all\n```\n\n"
        "```console\n$ edgesdt report D | cat; ls\nedgesdt is printed\n```\n",
        encoding="utf-8",
    )
    found = list(examples.edgesdt_commands(page))
    assert sorted(found) == [["check", "A", "--set", "x=1"], ["report", "D"], ["run", "B C"], ["specs"]]


def _anchors(page: Path) -> set[str]:
    """GitHub's anchors for the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", examples._FENCE.sub("", page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = examples._FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), f"{_named(page)}: {target}"
        assert not anchor or anchor in _anchors(place), f"{_named(page)}: {target}: no such heading"


def test_every_page_is_in_the_index() -> None:
    linked = re.findall(r"\]\(([^)#\s]+)", (ROOT / "docs" / "README.md").read_text(encoding="utf-8"))
    reached = {(ROOT / "docs" / target).resolve() for target in linked}
    assert {page for page in PAGES if page.is_relative_to(ROOT / "docs")} <= reached | {ROOT / "docs" / "README.md"}


@pytest.mark.parametrize("page", generate.pages(), ids=_named)
def test_generated_pages_are_up_to_date(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == generate.pages()[page], "run: python -m docs.generate"


def test_the_reference_lists_every_field_and_command() -> None:
    pages = {page.name: text for page, text in generate.pages().items()}
    assert "| `frac_bits` | `9` | an integer -8..24, or auto |" in pages["spec.md"]
    assert "| `memory_budget` | **required** |" in pages["spec.md"]
    commands = ("run", "check", "specs", "report", "data list", "data fetch")
    for name in (*commands, "device list", "device show", "device pulse", "device fit"):
        assert f"## `edgesdt {name}`" in pages["cli.md"]


def test_a_page_without_marks_cannot_be_generated_into() -> None:
    assert generate.between("a\n<!-- x -->\nold\n<!-- /x -->\nb", "x", "new\n") == "a\n<!-- x -->\nnew\n<!-- /x -->\nb"
    with pytest.raises(ValueError, match="no marks"):
        generate.between("a", "x", "new")


# The README


def test_the_readme_has_exactly_two_set_up_commands() -> None:
    bash = [block.text for block in examples.blocks(ROOT / "README.md") if block.language == "bash"]
    assert bash == [command("run", README), command("test", README)]
    for text in bash:
        assert text.count("\n") == 1, "one line to copy"
        assert text.startswith("python3 -m venv .venv")
    assert bash[0].endswith("edgesdt run quickstart\n")
    assert "make check" in bash[1]


def test_ci_is_given_the_readmes_own_command() -> None:
    script = ROOT / "tests" / "readme_command.py"
    told = subprocess.run([sys.executable, "-S", script, "test"], capture_output=True, text=True, check=True)
    assert told.stdout == command("test", README)
    refused = subprocess.run([sys.executable, "-S", script, "tset"], capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "allowed: run, test" in refused.stderr


def test_the_data_flow_is_drawn_identically_everywhere() -> None:
    chip = (ROOT / "edgesdt" / "chip" / "simulated.py").read_text(encoding="utf-8")
    assert f"```\n{FLOW}```" in README
    assert [line.strip() for line in FLOW.splitlines()] == [
        line.strip() for line in chip.splitlines() if "→" in line and ("data set" in line or "action counts" in line)
    ]


def test_the_readme_has_a_place_for_results() -> None:
    assert README.count("<!-- results -->") == README.count("<!-- /results -->") == 1
    assert README.index("<!-- results -->") < README.index("<!-- /results -->")


def test_the_readmes_figure_is_a_run_of_a_spec_as_it_is_shipped() -> None:
    drawn = figure.FIGURE.read_text(encoding="utf-8")
    found = re.search(r"<dc:description>(\S+), seed (\d+), spec_hash (\w+)</dc:description>", drawn)
    assert found is not None
    shipped = spec_hash(resolve(load(found[1])).plain())
    assert found[3] == shipped, f"run: edgesdt run {found[1]} && python -m docs.figure runs/{found[1]}-{found[2]}"


def test_the_figure_is_drawn_from_a_run_and_always_the_same(finished: Finished, tmp_path: Path) -> None:
    one, two = (figure.draw(finished.folder, tmp_path / name) for name in ("one.svg", "two.svg"))
    assert one.read_bytes() == two.read_bytes()
    record, drawn = finished.record, one.read_text(encoding="utf-8")
    assert f"{record['name']}, seed {record['seed']}, spec_hash {record['spec_hash']}" in drawn


def test_a_folder_without_a_run_gives_no_figure(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "docs.figure", tmp_path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert "record.json: no record here" in told.stderr
    assert "Traceback" not in told.stderr


# The record


def _keys(value: Any, path: str) -> Iterator[str]:
    """Every path to a leaf: `a.b`, with `[]` for a list."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _keys(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner, f"{path}[]")
    else:
        yield path


@pytest.fixture(scope="module")
def on_cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The record of a small run on analog cells with all that a spec can ask of them."""
    cells = ["device.model=TaOx_HfOx", "device.array.wire_resistance=1 Ohm", "deployment.times=[0 s, 1 day]"]
    cells.append("device.array.slices=2")
    folder = tmp_path_factory.mktemp("cells") / "run"
    return run(loads(SMALL, overrides=cells), folder, report=False)


def _named_keys() -> dict[str, bool]:
    """Keys that the record page names, and whether the spec must ask for them."""
    page = (ROOT / "docs" / "reference" / "record.md").read_text(encoding="utf-8")
    section = page.partition("## `record.json`")[2].partition("\n## ")[0]
    rows = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    return {name: "¹" in row for row in rows for name in re.findall(r"`([^`]+)`", row)}


def _covers(name: str, key: str) -> bool:
    return re.fullmatch(re.escape(name).replace(r"\*", "[^.]+"), key) is not None


def test_the_record_page_names_every_key_of_a_run_on_cells(on_cells: dict[str, Any]) -> None:
    named = _named_keys()
    keys = [key for part in ("device", "deployment") for key in _keys(on_cells[part], part)]
    assert {"device.wire_loss", "device.carries", "deployment[].time_s"} <= set(keys)
    assert not {key for key in keys if not any(_covers(name, key) for name in named)}


def test_the_record_page_names_every_key_and_no_other(finished: Finished) -> None:
    named = _named_keys()
    record = json.loads((finished.folder / "record.json").read_text(encoding="utf-8"))
    keys = {"spec" if key.startswith("spec.") else key for key in _keys(record, "")}
    keys = {"held.*" if key.startswith("held.") else key for key in keys}
    assert not {key for key in keys if not any(_covers(name, key) for name in named)}
    assert not {name for name, asked in named.items() if not asked and not any(_covers(name, key) for key in keys)}


# The examples themselves


@pytest.mark.parametrize(
    ("shown", "actual"),
    [
        ("energy  20.09 nJ\n", "energy  870 pJ\n"),
        ("a   1 b\n...\nz 9 %\n", "a 22 b\nx\ny\nz 10.5 %\n"),
        ("...\n", ""),
        ("cost (...\n", "cost (assuming 20%)\n"),
        ("hash ef2b15ecbab1e378, 0\n", "hash bd033e4eb03f4aa3, 1\n"),
        ("", ""),
    ],
)
def test_numbers_and_elided_lines_may_differ(shown: str, actual: str) -> None:
    lines = examples.aligned(shown, actual)
    assert lines is not None
    kept = [line for line in lines if examples.ANY not in line]
    assert set(kept) <= set(actual.splitlines())


@pytest.mark.parametrize(
    ("shown", "actual"),
    [
        ("energy  20.09 nJ\n", "area  20.09 nJ\n"),
        ("a 1\n", "a 1\nb 2\n"),
        ("a 1\nb 2\n", "a 1\n"),
        ("", "unexpected\n"),
        ("...\nz\n", "a\nz\ny\n"),
    ],
)
def test_words_may_not(shown: str, actual: str) -> None:
    assert examples.aligned(shown, actual) is None


def test_what_is_told_of_compiling_is_left_out_where_a_page_does_not_show_it() -> None:
    told = "compiling the kernels, once for this kind of chip: a minute …\ncompiled in 3 s, and kept for later runs"
    assert examples.aligned("one 1\n", f"{told}\none 2\n") == ["one 2"]
    assert examples.aligned("compiling the kernels, once for ...\ncompiled in ...\none\n", f"{told}\none\n") is not None
    assert examples.aligned("one\n", f"{told}\ntwo\n") is None


def _page(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_output_is_brought_up_to_date_and_the_rest_left_alone(tmp_path: Path) -> None:
    console = "Say\n\n```console\n$ echo 12 apples\n7 apples\n$ false\n$ echo $?\n1\n```\n"
    page = _page(
        tmp_path, console + "\n```python\nn = 3\nprint(n)\n```\n\n```text\n4\n```\n\n```pycon\n>>> n\n3\n\n```\nEnd\n"
    )
    now = examples.run(page, tmp_path)
    assert now == page.read_text(encoding="utf-8").replace("7 apples", "12 apples").replace("text\n4", "text\n3")


def test_a_page_without_blocks_stays_as_it_is(tmp_path: Path) -> None:
    assert examples.run(_page(tmp_path, "Words\n"), tmp_path) == "Words\n"


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ echo pears\n7 apples\n```\n",
        "```console\n$ false\n```\n",
        "```console\n$ false\n$ echo next\nnext\n```\n",
        "```pycon\n>>> 1 + 1\n3\n\n```\n",
        "```python\nprint('a')\n```\n\n```text\nb\n```\n",
    ],
)
def test_a_page_that_is_wrong_is_caught(text: str, tmp_path: Path) -> None:
    with pytest.raises(examples.Mismatch):
        examples.run(_page(tmp_path, text), tmp_path)
