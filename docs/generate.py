"""Writes the pages that are generated from the code: `python -m docs.generate` (`tests/docs` fails while one is stale).

Reference pages come from the spec's schema, the argument parser and the device catalog (`device_pages.py`), the action
tables from the recipes of the learning rules.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from docs import device_pages
from edgesdt import registry
from edgesdt.cli.main import parser
from edgesdt.cli.spec_arguments import EXIT_CODES
from edgesdt.ledger import actions
from edgesdt.ledger.recipes import Access, Action
from edgesdt.pricing import bill, cells
from edgesdt.rules.lookup import design_of, memory_map
from edgesdt.spec import documented, loads, shipped, to_yaml
from edgesdt.spec.fields import FieldDoc, section_at
from edgesdt.units import format_size
from hw_models.technology import load as load_technology
from hw_models.technology import names

DOCS = Path(__file__).resolve().parent
NOTE = "<!-- written by `python -m docs.generate`: change the code it is made from, not this page -->"
EXAMPLE = """
name: example
data: {set: mnist}
chip: {layers: [784, 300, 100], memory_budget: 512 KiB}
learning: {batch: 16}
"""


def pages() -> dict[Path, str]:
    """Every generated page with its text; only the part of `energy.md` between its marks is generated."""
    energy_page = DOCS / "explanation" / "energy.md"
    return {
        DOCS / "reference" / "spec.md": spec_page(),
        DOCS / "reference" / "cli.md": cli_page(),
        DOCS / "reference" / "devices.md": device_pages.page(NOTE, table),
        energy_page: between(energy_page.read_text(encoding="utf-8"), "actions", action_tables()),
    }


def between(text: str, mark: str, new: str) -> str:
    """`text` with the part between `<!-- MARK -->` and `<!-- /MARK -->` replaced. Raises `ValueError`."""
    head, opened, rest = text.partition(f"<!-- {mark} -->\n")
    _, closed, tail = rest.partition(f"<!-- /{mark} -->")
    if not opened or not closed:
        raise ValueError(f"no marks <!-- {mark} --> … <!-- /{mark} -->")
    return f"{head}{opened}{new}{closed}{tail}"


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of a Markdown table."""
    heads = list(headings)
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


# The spec


def spec_page() -> str:
    """`docs/reference/spec.md`."""
    lines = [
        "# The spec: every field",
        "",
        NOTE,
        "",
        "A spec is a YAML file. Fields that are left out have the default; a field without a default is required. "
        "Unknown",
        "and duplicate keys are errors, and all faults of a file are reported at once, each with its line. A field is",
        "named by its dotted path, in messages and in `--set chip.weights.bits=4` alike.",
        "",
        "The path of a file (`data.set`, `device.file`, `technology.file`) is relative to the spec that names it, also",
        "in its `sweep:` section; in `--set` it is relative to the current folder. The text of a device sheet or a",
        "technology table is stored in the run, which then does not need the file.",
        "",
        "`sweep:` lists values of fields; [groups](../how_to/sweep_fields_together.md) contain fields that change "
        "together.",
        "",
        "`edgesdt check SPEC --resolved` prints the whole spec with the values that the chip stores.",
        "",
    ]
    sections: dict[str, list[FieldDoc]] = {}
    for doc in documented():
        sections.setdefault(doc.path.rpartition(".")[0], []).append(doc)
    for path, fields in sections.items():
        section = section_at(tuple(path.split(".")) if path else ())
        assert section is not None
        about = (section.__doc__ or "").partition("\n")[0] if path else "Fields at the top of the file."
        lines += [f"## {f'`{path}`' if path else 'Top level'}", "", about, ""]
        lines += [*table(("field", "default", "allowed", "what it is"), map(_field_row, fields)), ""]
    return "\n".join([*lines, *_phases(), *_rules(), *_shipped()])


def _phases() -> Iterator[str]:
    """Sections that a spec may leave out: known labels, and what the items of `phases` are made of."""
    for path, title in (
        (("data", "labels"), "data.labels"),
        (("phases", 0), "phases[]"),
        (("phases", 0, "alternate", 0), "phases[].alternate[]"),
        (("phases", 0, "transform"), "phases[].transform"),
    ):
        section = section_at(path)
        assert section is not None
        yield from (f"## `{title}`", "", (section.__doc__ or "").partition("\n")[0], "")
        yield from table(("field", "default", "allowed", "what it is"), map(_field_row, documented(path)))
        yield ""
    yield "[Learn in phases](../how_to/learn_in_phases.md) shows them in use."
    yield ""


def _rules() -> Iterator[str]:
    """A section for each rule: the fields of `learning` that the default rule does not have."""
    common = {doc.path for doc in documented(("learning",))}
    for name in registry.OURS:
        rule = registry.load(name)
        about = f"{rule.summary[0].upper()}{rule.summary[1:]}. {rule.source}."
        yield from (f"## `learning.rule: {name}`", "", about, "")
        yield f"Targets: {', '.join(rule.targets)}. Read-outs: {', '.join(rule.readouts)}. "
        yield f"Synapses: {', '.join(rule.synapses)}. "
        yield f"May change between phases: {', '.join(rule.between_phases)}."
        yield ""
        own = [doc for doc in documented(("learning",), name) if doc.path not in common]
        if own:
            yield "Beside the fields of `learning` that all rules have:"
            yield ""
            yield from table(("field", "default", "allowed", "what it is"), (_own_row(doc) for doc in own))
            yield ""


def _field_row(doc: FieldDoc) -> tuple[str, str, str, str]:
    default = "**required**" if doc.required else f"`{_written(doc)}`"
    return f"`{doc.path.rpartition('.')[2]}`", default, doc.allowed, doc.description


def _own_row(doc: FieldDoc) -> tuple[str, str, str, str]:
    """As `_field_row`, with the path of the field below `learning`."""
    return f"`{doc.path.partition('.')[2]}`", *_field_row(doc)[1:]


def _written(doc: FieldDoc) -> str:
    """The default as written in a file, with its unit."""
    nested: Any = doc.default
    for part in reversed(doc.path.split(".")):
        nested = {part: nested}
    return to_yaml(nested).strip().rpartition("\n")[2].partition(": ")[2]


def _shipped() -> Iterator[str]:
    yield from ("## Specs that come with edgesdt", "")
    yield "`edgesdt run NAME` runs one from any folder; `./NAME` means a file of that name."
    yield ""
    yield from table(("name", "what it is"), ((f"`{name}`", text) for name, text in shipped()))
    yield ""


# The command line


def cli_page() -> str:
    """`docs/reference/cli.md`."""
    lines = ["# The command line", "", NOTE, "", "Progress goes to standard error, results to standard output. "]
    lines[-1] += f"{EXIT_CODES[0].upper()}{EXIT_CODES[1:]}."
    bare = "A command that needs another after it (`edgesdt`, `edgesdt device`) prints its help if it is missing, and"
    lines += ["", f"`--help` works at every level. {bare} exits with 2.", "", *_command(parser(), None)]
    return "\n".join(lines)


def _command(command: argparse.ArgumentParser, about: str | None) -> Iterator[str]:
    inner = [a for a in command._actions if isinstance(a, argparse._SubParsersAction)]
    own = [a for a in command._actions if a not in inner and a.dest != "help"]
    yield from (f"## `{command.prog}`", "", f"{_sentence(about or command.description or '')}", "")
    yield from ("```", _usage(command, own, inner), "```", "")
    if own:
        yield from table(("argument", "what it does"), ((f"`{_form(a)}`", a.help or "") for a in own))
        yield ""
    for group in inner:
        abouts = {choice.dest: choice.help for choice in group._choices_actions}
        for name, child in group.choices.items():
            yield from _command(child, abouts.get(name))


def _usage(command: argparse.ArgumentParser, own: list[argparse.Action], inner: list[Any]) -> str:
    options = [f"[{_form(a)}]{'...' if isinstance(a, argparse._AppendAction) else ''}" for a in own if a.option_strings]
    operands = [_form(a) for a in own if not a.option_strings]
    return " ".join([command.prog, *options, *operands, *(f"{group.metavar} ..." for group in inner)])


def _form(action: argparse.Action) -> str:
    """An argument as typed."""
    word = str(action.metavar or action.dest.upper())
    if not action.option_strings:
        return f"{word}..." if action.nargs == "+" else word
    flag = ", ".join(action.option_strings)
    word = f"[{word}]" if action.nargs == "?" else word
    return flag if action.nargs == 0 else f"{flag} {word}"


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text[:1].upper()}{text[1:]}."


# What an action costs


def made_of(action: Action, memory: dict[str, Any]) -> str:
    """The recipe of an action as text."""
    parts = (
        _times(f"SRAM {part.bits} of {format_size(bill.bits_of(memory, *part.arrays))}", part.times)
        if isinstance(part, Access)
        else str(part)
        for part in action.recipe
    )
    return ", ".join(parts)


def _times(text: str, times: int) -> str:
    return text if times == 1 else f"{times} × {text}"


def action_tables() -> str:
    """The tables of `docs/explanation/energy.md`: the meaning, the recipe and the cost of each action."""
    spec = loads(EXAMPLE)
    memory = memory_map(spec).plain()
    stated = design_of(spec).actions
    prices = [bill.recipes(spec, memory, load_technology(name)) for name in names()]
    meanings = ((f"`{each.name}`", each.meaning, each.component) for each in stated)
    of_cells = ((f"`{name}`", text, cells.COMPONENT[name]) for name, text in actions.CELL_MEANING.items())
    read_back = ((f"`{name}`", text, cells.COMPONENT[name]) for name, text in actions.BACK_MEANING.items())
    costs = (
        (f"`{each.name}`", made_of(each, memory), *(f"{price[each.name] * 1e12:.3g}" for price in prices))
        for each in stated
    )
    lines = [
        *table(("action", "one count is", "component"), meanings),
        "",
        "The same actions as sums of primitives, with their widths in bits, on a 784-300-100 chip with 8-bit weights,",
        "states and inputs and mini-batches of 16, all other fields at their defaults. Prices in pJ, each table at its",
        "own node:",
        "",
        *table(("action", "is made of", *(f"`{name}`" for name in names())), costs),
        "",
        "A chip on analog cells has these besides. What they cost depends on the device, the converters and the node",
        "([by hand](price_by_hand.md)). Those that end in `_share` are signed: they sum differences from the lowest",
        "conductance, and spread or noise can put a cell below it, so `pulse_down_share` may be negative:",
        "",
        *table(("action", "one count is", "component"), of_cells),
        "",
        "An array between two layers of neurons is read both ways ([0014](../decisions/0014-changes-read-arrays.md)).",
        "It has two more; conversions, samples and additions of its rows count with those of its columns. The actions",
        "of weight layers on cells above the lowest are counted with their layer, as `layer_1.adc_conversion`:",
        "",
        *table(("action", "one count is", "component"), read_back),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Writes the pages that are not up to date, and prints their names."""
    for page, text in pages().items():
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
            print(page.relative_to(DOCS.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
