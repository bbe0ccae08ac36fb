"""One matplotlib figure as an SVG element of the page: the page's colours and font, tooltips and links on points.

Colours are drawn as placeholders and replaced by `var(--…)` of `page.css`, so a drawing suits a light and a dark page.
Text stays text. Identifiers are prefixed with the chart's key, so a page may hold many charts. The same numbers give
the same bytes.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SERIES = 8  # number of colours before they repeat
INK, MUTED, GRID = "#010101", "#020202", "#030303"
_VARIABLES = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--line)"}
_VARIABLES |= {f"#0404{i:02x}": f"var(--c{i})" for i in range(SERIES + 1)}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "edgesdt",
    "font.family": "DejaVu Sans",  # part of matplotlib, so the layout is the same everywhere
    "font.size": 8.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "grid.color": GRID,
    "path.simplify": False,
}


@dataclass(frozen=True)
class Marks:
    """Tooltips and links of the points of one drawn group (empty: no link).

    `group` is the group's matplotlib gid. Points with `reachable` links are stops of the Tab key.
    """

    group: str
    tips: Sequence[str]
    links: Sequence[str] = ()
    reachable: bool = True


def colour(series: int) -> str:
    """The placeholder of the page colour `series`, 0 (faded) or 1..8."""
    return f"#0404{series:02x}"


def element(
    key: str, title: str, inches: tuple[float, float], draw: Callable[[Axes], None], marks: Sequence[Marks]
) -> str:
    """The drawing of `draw` on one pair of axes as an `<svg>` of the page; `key` is unique on the page."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=inches, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        return _inline(_saved(figure), key, title, marks)


def _saved(figure: Figure) -> str:
    target = io.StringIO()
    figure.savefig(target, format="svg", metadata={"Date": None})
    return target.getvalue()


def _inline(document: str, key: str, title: str, marks: Sequence[Marks]) -> str:
    """A standalone SVG as an element of the page: no name spaces, CSS colours, own identifiers, tooltips, links."""
    root = ET.fromstring(document)
    for node in root.iter():
        node.tag = node.tag.rpartition("}")[2]
        for name in [name for name in node.attrib if "}" in name]:
            node.set(name.rpartition("}")[2], node.attrib.pop(name))
    for extra in root.findall("metadata"):
        root.remove(extra)
    for definitions in root.findall("defs"):
        for rules in definitions.findall("style"):  # they would apply to the whole page
            definitions.remove(rules)
    for group in marks:
        _mark(root, group)
    _restyle(root, key)
    linked = any(link for group in marks for link in group.links)
    # the parts of an image cannot be focused, so a chart with links has the role of a group
    role = "group" if linked else "img"
    root.attrib = {"viewBox": root.attrib["viewBox"], "class": "chart", "role": role, "aria-label": title}
    return ET.tostring(root, encoding="unicode")


def _mark(root: ET.Element, marks: Marks) -> None:
    """Adds tooltips to the points of a group, and wraps points with a link in an anchor."""
    group = root.find(f".//g[@id='{marks.group}']")
    points = [(holder, use) for holder in (group.iter() if group is not None else ()) for use in holder.findall("use")]
    for i, ((holder, use), tip) in enumerate(zip(points, marks.tips, strict=False)):
        ET.SubElement(use, "title").text = tip
        link = marks.links[i] if i < len(marks.links) else ""
        if link:
            attributes = {"href": link, "aria-label": tip} | ({} if marks.reachable else {"tabindex": "-1"})
            anchor = ET.Element("a", attributes)
            holder[list(holder).index(use)] = anchor
            anchor.append(use)
            anchor.tail, use.tail = use.tail, None


def _restyle(root: ET.Element, key: str) -> None:
    text = ET.tostring(root, encoding="unicode")
    used = set(re.findall(r'url\(#([^)]+)\)|<use[^>]* href="#([^"]+)"', text))
    kept = {name for pair in used for name in pair if name}
    for node in root.iter():
        if node.get("id") in kept:
            node.set("id", f"{key}-{node.get('id')}")
        else:
            node.attrib.pop("id", None)
        for name, value in node.attrib.items():
            if name == "aria-label" or (name == "href" and node.tag == "a"):
                continue
            value = re.sub(r"url\(#", f"url(#{key}-", value)
            value = f"#{key}-{value[1:]}" if name == "href" and value.startswith("#") else value
            value = re.sub(
                r"#0[1-4]0[1-4]0[0-9]", lambda found: _VARIABLES.get(found.group(), found.group()), value
            )
            value = re.sub(r"font: ([\d.]+px) [^;]+", r"font-size: \1", value)
            node.set(name, re.sub(r" ?font-family: [^;]+;", "", value))
