"""What learning did to the cells of several weight layers: all together, and each; what the user should be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar import wear as one_layer
from edgesdt.synapses.crossbar.crossbar import Crossbar
from edgesdt.synapses.crossbar.reading.two_way import TwoWay

_SUMS = ("cells", "writes_total", "pulses_up", "pulses_down")
_NO_CARRIES = (0, 0, 0)


class Worn(NamedTuple):
    """One weight layer on cells and what happened to it: `tally` of reads forward and writes, `back` of reads back."""

    layer: int
    crossbar: Crossbar
    way: TwoWay
    tally: Sequence[int]
    back: Sequence[int]


def conversions(worn: Worn) -> tuple[int, int]:
    """Conversions in training, and those at the end of the converter's range."""
    rows, columns = worn.crossbar.spec.chip.layers
    made = worn.tally[layout.READS] * worn.crossbar.sensing.row_tiles * columns
    made += worn.back[layout.READS] * -(-columns // worn.way.columns) * rows
    return made, worn.tally[layout.CLIPPED] + worn.back[layout.CLIPPED]


def wear(layers: Sequence[Worn], memory: Mapping[str, Any]) -> dict[str, object]:
    """The record's `device`; `memory` is that of the layers in memory, empty where there are none."""
    each: list[dict[str, Any]] = [
        {"layer": worn.layer, **one_layer.wear(worn.crossbar, worn.tally, _NO_CARRIES, 0.0)} for worn in layers
    ]
    for worn, found in zip(layers, each, strict=True):
        made, clipped = conversions(worn)
        found["clipped_conversions"] = clipped / made if made else 0.0
    made, clipped = (sum(parts) for parts in zip(*map(conversions, layers), strict=True))
    models = [found["model"] for found in each] + (["sram"] if memory else [])
    classes = dict.fromkeys(name for found in each for name in found["writes_histogram"])
    total: dict[str, Any] = {name: sum(found[name] for found in each) for name in _SUMS}
    return {
        "model": ", ".join(dict.fromkeys(models)),
        **total,
        "writes_per_cell_max": max(found["writes_per_cell_max"] for found in each),
        "writes_per_cell_mean": total["writes_total"] / total["cells"],
        "writes_histogram": {
            name: sum(found["writes_histogram"].get(name, 0) for found in each)
            for name in sorted(classes, key=lambda name: -1 if name == "never" else int(name.split()[0]))
        },
        "clipped_conversions": clipped / made if made else 0.0,
        "non_idealities": list(dict.fromkeys(name for found in each for name in found["non_idealities"])),
        **({"memory_writes": memory["writes_total"]} if memory else {}),
        "layers": {str(found.pop("layer")): found for found in each},
    }


def warnings(layers: Sequence[Worn]) -> list[str]:
    """What the user should know about the arrays, in sentences that name the weight layer."""
    said = []
    for worn in layers:
        made, clipped = conversions(worn)
        share = clipped / made if made else 0.0
        tally = list(worn.tally)  # the sentence on clipping is about all reads of the layer
        tally[layout.CLIPPED] = round(share * tally[layout.READS] * _converted(worn))
        found = one_layer.warnings(worn.crossbar, tally, _NO_CARRIES, 0.0)
        said += [f"weight layer {worn.layer}: {sentence}" for sentence in found]
    return said


def _converted(worn: Worn) -> int:
    return int(worn.crossbar.sensing.row_tiles * worn.crossbar.spec.chip.layers[1])
