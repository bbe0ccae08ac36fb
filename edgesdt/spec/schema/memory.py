"""The `chip.memory:` section of a spec: division of the arrays into banks, for all kinds of array or for each kind."""

from __future__ import annotations

from typing import Final, NamedTuple

from pydantic import Field

from edgesdt.spec.types import Flag, Section, Size

KINDS: Final = ("weights", "inputs", "states", "biases", "targets", "buffers")
"""Kinds of array, the same as `edgesdt.ledger.recipes.KINDS`."""
WORD_BITS: Final = 64
"""Default bits of a word: those of an access in the technology tables."""


class Banks(Section):
    """Banks of one kind of array; null means the value for all kinds."""

    bank: Size | None = Field(default=None, description="Size of a bank of this kind; null: the value for all kinds "
                                                        "[bits]")
    word: Size | None = Field(default=None, description="Bits that an access opens; null: the value for all kinds "
                                                        "[bits]")
    sleep: Flag | None = Field(default=None, description="Whether idle banks sleep; null: the value for all kinds")


class Asked(NamedTuple):
    """Requested organisation of one kind of array: bits of a bank (None: one bank for all), bits of a word, sleep."""

    bank: int | None
    word: int
    sleep: bool


class Memory(Section):
    """Banks and words of the memories; by default one memory for each kind, priced by the bits used."""

    bank: Size | None = Field(
        default=None, description="Size of a bank, for all kinds of array; null: one bank for each kind [bits]"
    )
    word: Size | None = Field(
        default=None,
        description="Bits that an access opens, for all kinds; null: 64 where a bank or sleep is given [bits]",
    )
    sleep: Flag = Field(default=False, description="Whether banks that are not accessed sleep, for all kinds")
    weights: Banks = Field(default_factory=Banks)
    inputs: Banks = Field(default_factory=Banks)
    states: Banks = Field(default_factory=Banks)
    biases: Banks = Field(default_factory=Banks)
    targets: Banks = Field(default_factory=Banks)
    buffers: Banks = Field(default_factory=Banks)

    def own(self, kind: str) -> Banks:
        """The section of one kind. Raises `KeyError` for an unknown kind."""
        if kind not in KINDS:
            raise KeyError(kind)
        found: Banks = getattr(self, kind)
        return found

    def of(self, kind: str) -> Asked | None:
        """The organisation of one kind of array; None if none is given."""
        own = self.own(kind)
        bank, word = own.bank or self.bank, own.word or self.word
        sleep = self.sleep if own.sleep is None else own.sleep
        return Asked(bank, word or WORD_BITS, sleep) if bank or word or sleep else None

    @property
    def organised(self) -> bool:
        """Whether an organisation is given for any kind."""
        return any(self.of(kind) for kind in KINDS)
