"""Node scaling: ratios of the costs of a circuit at two nodes; `table.py` applies them.

Energy: W. Stillmaker, B. Baas, "Scaling equations for the accurate prediction of CMOS device performance
from 180 nm to 7 nm", Integration 58 (2017) 74-81: second-order polynomials in the supply, here at one supply
for every node. Area of logic: the area factors of the same paper. Area of SRAM: published bit cells. Between
listed nodes all three are interpolated in log(node), log(value).

Leakage: a transistor leaks a constant off-current per unit of width (the roadmap's target for fast logic at every
node), its width is proportional to the node, and the supply is constant. So the leakage of a circuit is proportional to
the node, and the leakage per area grows as the circuit shrinks.
"""

from __future__ import annotations

from functools import cache

from hw_models.technology.curves import PowerLaw
from hw_models.technology.errors import checked
from hw_models.technology.reading import Entry, Row, Sheet, read

NODE_MIN_NM = 7.0
NODE_MAX_NM = 130.0


def check_node(node_nm: float) -> float:
    """Returns the node in nm. Raises `TechnologyError` outside 7 to 130 nm, the range of the sources."""
    return checked("node_nm", node_nm, NODE_MIN_NM, NODE_MAX_NM, "nm")


def energy_ratio(to_nm: float, from_nm: float) -> float:
    """Switching energy of one circuit at `to_nm` over the same at `from_nm`, both at `supply_v()`."""
    return _energy().at(check_node(to_nm)) / _energy().at(check_node(from_nm))


def logic_area_ratio(to_nm: float, from_nm: float) -> float:
    """Area of one logic circuit at `to_nm` over the same at `from_nm`."""
    return _curve("logic_area").at(check_node(to_nm)) / _curve("logic_area").at(check_node(from_nm))


def sram_area_ratio(to_nm: float, from_nm: float) -> float:
    """Area of one 6T SRAM cell at `to_nm` over one at `from_nm`."""
    return _curve("sram_cell").at(check_node(to_nm)) / _curve("sram_cell").at(check_node(from_nm))


def leakage_ratio(to_nm: float, from_nm: float) -> float:
    """Leakage power of one circuit (not of one mm2) at `to_nm` over the same at `from_nm`."""
    return check_node(to_nm) / check_node(from_nm)


def supply_v() -> float:
    """The supply in volts at which the energy polynomials are evaluated, one for both nodes of a ratio."""
    return sheet().entries["supply"].value("V")


def rows(to_nm: float, from_nm: float) -> tuple[Row, ...]:
    """The four ratios between two nodes, each with the source of the data behind it."""
    span = f"{from_nm:g} to {to_nm:g} nm"
    ratios = (
        ("energy", energy_ratio, "energy.a2", f"second-order polynomial in the supply, at {supply_v():g} V"),
        ("logic_area", logic_area_ratio, "logic_area", "listed nodes, between them log(node), log(area)"),
        ("sram_area", sram_area_ratio, "sram_cell", "published cells, between them log(node), log(area)"),
        ("leakage", leakage_ratio, "off_current", "one off-current per width at every node; width as node"),
    )
    found = []
    for name, ratio, entry, rule in ratios:
        cited = _cited(sheet().entries[entry], to_nm, from_nm)
        found.append(Row(f"scaling.{name}", span, ratio(to_nm, from_nm), "1", "; ".join(cited), rule))
    return tuple(found)


def _cited(entry: Entry, *nodes_nm: float) -> list[str]:
    """The sources of the listed nodes next to `nodes_nm`, each once; all sources if no nodes are listed."""
    listed = [place.get("node_nm") for place in entry.places]
    used: set[float | None] = {None}
    for node in nodes_nm:
        used.add(max((nm for nm in listed if nm and nm <= node), default=None))
        used.add(min((nm for nm in listed if nm and nm >= node), default=None))
    return list(dict.fromkeys(row.source for row, nm in zip(entry.rows, listed, strict=True) if nm in used))


def sheet() -> Sheet:
    """The file of node data, every number with unit and source."""
    return read("nodes/scaling.yaml")


@cache
def _energy() -> PowerLaw:
    entries, supply = sheet().entries, supply_v()
    a2, a1, a0 = (dict(entries[f"energy.{name}"].points("1", "node_nm")) for name in ("a2", "a1", "a0"))
    return PowerLaw(tuple((nm, a2[nm] * supply**2 + a1[nm] * supply + a0[nm]) for nm in sorted(a2)))


@cache
def _curve(name: str) -> PowerLaw:
    entry = sheet().entries[name]
    return PowerLaw(entry.points("mm2/bit" if name == "sram_cell" else "1", "node_nm"))
