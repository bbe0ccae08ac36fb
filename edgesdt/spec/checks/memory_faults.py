"""Faults of banks that follow from the spec alone: a bank smaller than a word."""

from __future__ import annotations

from collections.abc import Iterator

from edgesdt.spec.checks.hints import Path
from edgesdt.spec.schema.memory import KINDS
from edgesdt.spec.schema.spec import Spec
from edgesdt.spec.text.source import Fault
from edgesdt.units import format_size

_SECTION: Path = ("chip", "memory")


def smaller_than_a_word(spec: Spec) -> Iterator[Fault]:
    """A fault for each bank smaller than its word, at the most specific field."""
    memory, told = spec.chip.memory, set()
    for kind in KINDS:
        asked, own = memory.of(kind), memory.own(kind)
        if asked is None or asked.bank is None or asked.bank >= asked.word:
            continue
        given = (own.bank is not None, own.word is not None)
        inner: Path = (*_SECTION, kind)
        path: Path = (*inner, "bank") if given[0] else (*inner, "word") if given[1] else (*_SECTION, "bank")
        if path in told:
            continue
        told.add(path)
        bank, word = format_size(asked.bank), format_size(asked.word)
        if path[-1] == "bank":
            text = f"smaller than a word: {bank}, allowed: at least {word} (a word)"
        else:
            text = f"larger than a bank: {word}, allowed: at most {bank} (a bank)"
        others = tuple((*place, name) for place in (inner, _SECTION) for name in ("bank", "word"))
        yield Fault(path, text, blame=(path, *others, _SECTION))
