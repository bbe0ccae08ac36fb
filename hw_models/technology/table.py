"""The technology table: prices of digital primitives at one node; `reading.py` reads it, `scaling.py` scales it.

Widths are in bits and may be fractions (a mean width); energies in joules, powers in watts, areas in mm2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from hw_models.technology import scaling
from hw_models.technology.curves import Line, PowerLaw
from hw_models.technology.errors import TechnologyError, checked, unknown
from hw_models.technology.reading import Entry, Row, Sheet, read

BITS_PER_KIB = 8 * 1024


@dataclass(frozen=True, slots=True)
class Primitive:
    """Energy of one operation (joules) and area of one unit (mm2) of a kind of logic, each over its width."""

    energy_j: Line | PowerLaw
    area_mm2: Line | PowerLaw

    def scaled(self, energy: float, area: float) -> Primitive:
        """The same primitive with energy and area times these factors."""
        return Primitive(self.energy_j.scaled(energy), self.area_mm2.scaled(area))


@dataclass(frozen=True, slots=True)
class Technology:
    """Prices of one table at one node. Created by `load`; every method is a pure function of its arguments.

    Every method raises `TechnologyError` for a width, capacity or area that is not a finite number in its
    range: widths of operations and capacities at least 1 bit, SRAM sizes and areas at least 0.
    """

    name: str
    node_nm: float
    base_node_nm: float
    sources: tuple[str, ...]
    adder: Primitive
    multiplier: Primitive
    comparator: Primitive
    shifter: Primitive
    xor_gates: Primitive
    flip_flops: Primitive
    sram_bit_access_j: PowerLaw
    sram_mm2_per_bit: float
    sram_leakage_w_per_bit: float
    logic_leakage_w_per_mm2: float
    table_rows: tuple[Row, ...]
    sram_macro_base_mm2: float | None = None
    sram_retention_share: float | None = None

    def add_j(self, bits: float) -> float:
        """One addition or subtraction of two `bits`-bit integers."""
        return self.adder.energy_j.at(_width(bits))

    def multiply_j(self, bits_a: float, bits_b: float) -> float:
        """One product of a `bits_a`-bit and a `bits_b`-bit integer, full-width result."""
        return self.multiplier.energy_j.at(_width(bits_a, "bits_a") * _width(bits_b, "bits_b"))

    def compare_j(self, bits: float) -> float:
        """One comparison (greater than) of two `bits`-bit integers."""
        return self.comparator.energy_j.at(_width(bits))

    def shift_j(self, bits: float) -> float:
        """One shift of a `bits`-bit word by a variable distance (a fixed shift is wires, and free)."""
        return self.shifter.energy_j.at(_width(bits))

    def xor_j(self, bits: float) -> float:
        """One bitwise operation (and, or, xor) on two `bits`-bit words."""
        return self.xor_gates.energy_j.at(_width(bits))

    def register_j(self, bits: float) -> float:
        """One write of a `bits`-bit register (flip-flops, with their clock pins)."""
        return self.flip_flops.energy_j.at(_width(bits))

    def sram_access_j(self, bits: float, capacity_bits: float) -> float:
        """Energy of an access to `bits` bits of an SRAM that holds `capacity_bits`.

        The energy is proportional to `bits`. Over the capacity it is a power law between the points of the table,
        extrapolated with the end slopes, but at least one register write per bit, because a tiny memory is built of
        registers.
        """
        per_bit = self.sram_bit_access_j.at(_width(capacity_bits, "capacity_bits"))
        return _width(bits) * max(per_bit, self.register_j(1))

    def add_mm2(self, bits: float) -> float:
        """Area of an adder of two `bits`-bit integers."""
        return self.adder.area_mm2.at(_width(bits))

    def multiply_mm2(self, bits_a: float, bits_b: float) -> float:
        """Area of a `bits_a` by `bits_b` multiplier."""
        return self.multiplier.area_mm2.at(_width(bits_a, "bits_a") * _width(bits_b, "bits_b"))

    def compare_mm2(self, bits: float) -> float:
        """Area of a comparator of two `bits`-bit integers."""
        return self.comparator.area_mm2.at(_width(bits))

    def shift_mm2(self, bits: float) -> float:
        """Area of a barrel shifter of a `bits`-bit word."""
        return self.shifter.area_mm2.at(_width(bits))

    def xor_mm2(self, bits: float) -> float:
        """Area of `bits` two-input bitwise gates."""
        return self.xor_gates.area_mm2.at(_width(bits))

    def register_mm2(self, bits: float) -> float:
        """Area of a `bits`-bit register."""
        return self.flip_flops.area_mm2.at(_width(bits))

    def sram_mm2(self, bits: float) -> float:
        """Area of an SRAM of `bits` bits: the area of the cells divided by the cells' share of the array."""
        return self.sram_mm2_per_bit * checked("bits", bits, 0, math.inf, "bit")

    def sram_leakage_w(self, bits: float) -> float:
        """Static power of an SRAM of `bits` bits, including its periphery, whether or not it is accessed."""
        return self.sram_leakage_w_per_bit * checked("bits", bits, 0, math.inf, "bit")

    def sram_macro_mm2(self, macros: int) -> float:
        """Area of `macros` memories in addition to their bits: decoders, control, sense amplifiers, power rings.

        Raises `TechnologyError` for a table without the entry `sram.macro`.
        """
        if self.sram_macro_base_mm2 is None:
            raise self._without("sram.macro", "the constant area of a memory")
        return self.sram_macro_base_mm2 * checked("macros", macros, 0, math.inf, "memories")

    def sram_asleep(self) -> float:
        """Share of its leakage that a sleeping memory keeps while it retains its content.

        Raises `TechnologyError` for a table without the entry `sram.retention`.
        """
        if self.sram_retention_share is None:
            raise self._without("sram.retention", "the leakage of a sleeping memory")
        return self.sram_retention_share

    def _without(self, entry: str, what: str) -> TechnologyError:
        having = ", ".join(name for name in names() if entry in read(f"{name}.yaml").entries)
        return TechnologyError(f"table: {self.name} has no entry {entry} ({what}), allowed: {having or 'none'}")

    def logic_leakage_w(self, area_mm2: float) -> float:
        """Static power of `area_mm2` of logic at this node."""
        return self.logic_leakage_w_per_mm2 * checked("area_mm2", area_mm2, 0, math.inf, "mm2")

    def rows(self) -> list[dict[str, object]]:
        """The numbers of the table at its own node, then the ratios to another node, for reports.

        Each row has `quantity`, `at` (the width or capacity), `value`, `unit`, `source` and `derived` (how the number
        was derived, if its source does not state it; else empty).
        """
        return [row.as_dict() for row in self.table_rows]


def names() -> list[str]:
    """The tables that ship with the package, sorted."""
    return list(_names())


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    from importlib.resources import files

    folder = files("hw_models.technology").iterdir()
    return tuple(sorted(item.name.removesuffix(".yaml") for item in folder if item.name.endswith(".yaml")))


def load(table: str, node_nm: float | None = None) -> Technology:
    """The prices of `table` at `node_nm` (7 to 130), or at the table's own node.

    At another node every energy is multiplied by the Stillmaker-Baas energy ratio, logic area (and the constant
    area of a memory) by their area ratio, SRAM area by the ratio of published cells, and leakage by the rule of
    `scaling.py`. The entries `sram.macro` and `sram.retention` are optional. Raises
    `TechnologyError` for an unknown table or a node out of range.
    """
    if not isinstance(table, str):
        raise TechnologyError(f"table: a {type(table).__name__}, allowed: {', '.join(names())}")
    _check_node(node_nm)
    if table not in names():
        raise unknown("table", table, names())
    return _load(table, node_nm)


def load_text(text: str, where: str, node_nm: float | None = None) -> Technology:
    """The prices of the user's own table, as from `load`; its name is its key `table`, else the name of its file.

    `where` stands for the file in errors. Raises `TechnologyError` with all faults of the table, each with its line.
    """
    for name, value in (("text", text), ("where", where)):
        if not isinstance(value, str):
            raise TechnologyError(f"{name}: a {type(value).__name__}, allowed: text")
    _check_node(node_nm)
    return _load_text(text, where, node_nm)


def _check_node(node_nm: object) -> None:
    """Raise `TechnologyError` for what is no number; its range is checked where it is used."""
    if node_nm is not None and (not isinstance(node_nm, int | float) or isinstance(node_nm, bool)):
        raise TechnologyError(f"node_nm: a {type(node_nm).__name__}, allowed: a number of nanometres, or None")


@lru_cache(maxsize=64)
def _load(table: str, node_nm: float | None) -> Technology:
    return _priced(table, read(f"{table}.yaml"), node_nm)


@lru_cache(maxsize=64)
def _load_text(text: str, where: str, node_nm: float | None) -> Technology:
    from hw_models.technology import own  # only the user's own tables are checked against the required entries

    sheet = own.read_text(text, where)
    return _priced(own.name_of(text, where), sheet, node_nm)


def _priced(table: str, sheet: Sheet, node_nm: float | None) -> Technology:
    """All prices of a sheet at `node_nm`, or at its own node."""
    base_nm = sheet.entries["node"].value("nm")
    node = base_nm if node_nm is None else scaling.check_node(node_nm)
    energy = scaling.energy_ratio(node, base_nm)
    logic = scaling.logic_area_ratio(node, base_nm)
    leakage = scaling.leakage_ratio(node, base_nm)
    entries = sheet.entries
    bit_area = entries["sram.cell"].value("mm2/bit") / entries["sram.array_efficiency"].value("1")
    return Technology(
        name=table,
        node_nm=node,
        base_node_nm=base_nm,
        sources=_sources(sheet, scaled=node != base_nm),
        adder=_line(entries, "add").scaled(energy, logic),
        multiplier=_power_law(entries, "multiply").scaled(energy, logic),
        comparator=_line(entries, "compare").scaled(energy, logic),
        shifter=_line(entries, "shift").scaled(energy, logic),
        xor_gates=_line(entries, "xor").scaled(energy, logic),
        flip_flops=_line(entries, "register").scaled(energy, logic),
        sram_bit_access_j=_sram_bit_access(entries["sram.access"]).scaled(energy),
        sram_mm2_per_bit=bit_area * scaling.sram_area_ratio(node, base_nm),
        sram_leakage_w_per_bit=entries["sram.leakage"].value("W/bit") * leakage,
        logic_leakage_w_per_mm2=entries["logic.leakage"].value("W/mm2") * leakage / logic,
        table_rows=sheet.rows() if node == base_nm else (*sheet.rows(), *scaling.rows(node, base_nm)),
        sram_macro_base_mm2=entries["sram.macro"].value("mm2") * logic if "sram.macro" in entries else None,
        sram_retention_share=entries["sram.retention"].value("1") if "sram.retention" in entries else None,
    )


def _width(bits: float, name: str = "bits") -> float:
    return checked(name, bits, 1, math.inf, "bit")


def _line(entries: dict[str, Entry], kind: str) -> Primitive:
    energy, area = entries[f"{kind}.energy"], entries[f"{kind}.area"]
    return Primitive(Line(energy.points("J", "bits")), Line(area.points("mm2", "bits")))


def _power_law(entries: dict[str, Entry], kind: str) -> Primitive:
    energy, area = entries[f"{kind}.energy"], entries[f"{kind}.area"]
    return Primitive(
        PowerLaw(energy.points("J", "bits_a", "bits_b")), PowerLaw(area.points("mm2", "bits_a", "bits_b"))
    )


def _sram_bit_access(access: Entry) -> PowerLaw:
    """Joules per bit over the capacity in bits."""
    points = access.points("J", "capacity_kib", per="bits")
    return PowerLaw(tuple((kib * BITS_PER_KIB, joules) for kib, joules in points))


def _sources(sheet: Sheet, scaled: bool) -> tuple[str, ...]:
    return (*sheet.sources, *scaling.sheet().sources) if scaled else sheet.sources
