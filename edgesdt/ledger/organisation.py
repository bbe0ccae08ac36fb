"""The organisation of the arrays of one kind in banks: words, banks, built bits, and the words that accesses open."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edgesdt.units import format_count, format_size


class Asked(Protocol):
    """The requested organisation of a kind of array: bits of a bank (None: one bank for all), bits of a word, sleep."""

    @property
    def bank(self) -> int | None:
        """Bits of a bank; None: one bank for all."""

    @property
    def word(self) -> int:
        """Bits of a word."""

    @property
    def sleep(self) -> bool:
        """Whether idle banks sleep."""


@dataclass(frozen=True)
class Organisation:
    """The memory of one kind of array.

    `words` of `word_bits` bits hold its `entries`. A row of an array (its last axis) starts on a new word, and no entry
    spans two words unless it is wider than one. `asked_bits` is the requested size of a bank (None: one bank); a bank
    never has more words than the kind of array needs.
    """

    kind: str
    arrays: tuple[str, ...]
    used_bits: int
    entries: int
    words: int
    word_bits: int
    asked_bits: int | None = None
    sleep: bool = False

    @property
    def bank_words(self) -> int:
        """Words of a bank."""
        asked = self.words if self.asked_bits is None else self.asked_bits // self.word_bits
        return max(1, min(self.words, asked))

    @property
    def banks(self) -> int:
        """Number of banks."""
        return -(-self.words // self.bank_words)

    @property
    def bank_bits(self) -> int:
        """Bits of a bank, which determine the price of an access."""
        return self.bank_words * self.word_bits

    @property
    def built_bits(self) -> int:
        """Bits of all banks, which determine area and leakage."""
        return self.banks * self.bank_bits

    def opened(self, bits: int, in_rows: float, alone: float) -> float:
        """Words opened by accesses to entries of `bits` bits: `in_rows` along rows, `alone` single ones."""
        return in_rows * self.words / self.entries + alone * -(-bits // self.word_bits)

    def plain(self) -> dict[str, Any]:
        """The memory as `record.json` lists it."""
        return {
            "kind": self.kind,
            "arrays": list(self.arrays),
            "banks": self.banks,
            "bank_bits": self.bank_bits,
            "word_bits": self.word_bits,
            "built_bits": self.built_bits,
            "sleep": self.sleep,
        }


def organised(
    arrays: Sequence[Mapping[str, Any]], kinds: Mapping[Any, tuple[str, ...]], asked: Callable[[str], Asked | None]
) -> Iterator[Organisation]:
    """The memory of each requested kind, from the arrays of a recorded memory map.

    `kinds` holds the prefixes of the array names of each kind. A kind without bits (it has no array, or its arrays are
    on analog cells) has no memory.
    """
    for kind, prefixes in kinds.items():
        wanted = asked(kind)
        own = [array for array in arrays if array["name"].startswith(prefixes) and array["bits"]]
        if wanted is None or not own:
            continue
        yield Organisation(
            kind=kind,
            arrays=tuple(array["name"] for array in own),
            used_bits=sum(array["bits"] for array in own),
            entries=sum(math.prod(array["shape"]) for array in own),
            words=sum(_words(array, wanted.word) for array in own),
            word_bits=wanted.word,
            asked_bits=wanted.bank,
            sleep=wanted.sleep,
        )


def _words(array: Mapping[str, Any], word_bits: int) -> int:
    """Words of an array whose rows each start on a new word."""
    shape: list[int] = list(array["shape"])
    entries, row = math.prod(shape), shape[-1] if shape else 1
    bits = int(array["bits"]) // entries
    in_a_row = -(-row // (word_bits // bits)) if bits <= word_bits else row * -(-bits // word_bits)
    return entries // row * in_a_row


def lines(memories: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line of text for each recorded memory in banks."""
    return [
        f"  {memory['kind']}: {format_count(memory['banks'])} {'bank' if memory['banks'] == 1 else 'banks'} of "
        f"{format_size(memory['bank_bits'])}, words of {memory['word_bits']} bits, "
        f"{format_size(memory['built_bits'])} built{', idle banks asleep' if memory['sleep'] else ''}"
        for memory in memories
    ]
