"""What the comparison of learning rules runs, as data: contestants, budgets, data sets, widths of weights, cells.

A contestant is a shipped spec with its constants. The comparison changes only sizes, budget, data, epochs and seed, and
the width of weights or the kind of cells where it compares these.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks.rules import widths
from edgesdt.spec import Spec, load

SETS: Final = ("mnist", "fashion_mnist")
SEEDS: Final = (0, 1, 2)
BUDGETS: Final = (64, 256, 1024)
"""Memory budgets [KiB]."""
LARGEST: Final = BUDGETS[-1]
FRACTIONS: Final = (0.01, 0.1, 1.0)
"""Shares of the training labels that are known."""
BITS: Final = (3, 4, 6, 8, 16)
CELLS: Final = ("ReRamSB", "EcRam")
PARTS: Final = ("memory", "head", "cells", "bits")
CELL_RANGE: Final = 0.12
"""Weight of the conductance range of a cell: `mnist_insitu` has 0.1, for more neurons with smaller first weights."""
HIDDEN: Final = 200
"""Neurons of a hidden layer where the width of weights, or the kind of cells, is compared."""
FULL = 60_000
"""Training samples of a pass."""
MOST_PASSES: Final = 20
"""Passes of a chip that learns from few labels, and so from few samples."""


@dataclass(frozen=True)
class Contestant:
    """A rule with its constants, those of a shipped spec.

    Below the largest budget the spec `small` takes its place, if there is one, and the fields `few` differ. On analog
    cells `on_cells` differ and `cell_range` is the weight of the conductance range; in the part cells it learns from
    `cell_samples`. `passes` are those of a run at each of `BUDGETS`.
    """

    title: str
    spec: str
    small: str = ""
    few: tuple[str, ...] = ()
    on_cells: tuple[str, ...] = ()
    cell_range: float = CELL_RANGE
    cell_samples: int = FULL
    passes: tuple[int, int, int] = (5, 5, 1)


_FEW = ("learning.winners=3", "learning.dropout={input: 0.1, output: 0}", "learning.homeostasis={gamma: 0.1, eta: 0.1}")
"""Winners, drop-out and homeostasis of `mnist_edge`: with few neurons each of them is needed."""
_CELLS = (
    "learning.winners=3", "learning.learning_rate=0.001", "learning.dropout={input: 0.3, output: 0.2}",
    "learning.homeostasis={gamma: 0.01, eta: 0.05}", "learning.label_smoothing=0.3",
)  # fmt: skip
"""The constants of `mnist_insitu`."""
CONTESTANTS: Final[Mapping[str, Contestant]] = {
    "eqprop": Contestant(
        "equilibrium propagation", "mnist_1layer", "mnist_edge", few=("learning.label_smoothing=0.15",),
        on_cells=(*_CELLS, "learning.beta=0.25", "learning.dt=0.5"),
    ),
    "backprop": Contestant("backpropagation", "mnist_backprop", few=_FEW, on_cells=_CELLS),
    "softhebb": Contestant(
        "SoftHebb", "mnist_softhebb", on_cells=("device.array.adc_range=8",), cell_range=2.0,
    ),
    "similarity": Contestant(
        "similarity matching", "mnist_similarity", on_cells=("device.array.adc_range=4",), cell_range=0.25,
        cell_samples=20_000, passes=(3, 3, 1),
    ),
    "eqprop_label": Contestant("equilibrium propagation", "mnist_supervised", passes=(5, 3, 1)),
    "backprop_label": Contestant("backpropagation", "mnist_backprop_label", passes=(5, 3, 1)),
    "softhebb_label": Contestant("SoftHebb", "mnist_softhebb_label"),
    "activation": Contestant(
        "activation learning", "activation_mnist", passes=(5, 3, 1),
        few=(
            "learning.learning_rate=0.08", "chip.weights.frac_bits=11", "learning.frac_bits=8",
            "learning.label.copies=4",
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One run: a contestant on a data set, at `budget` KiB; in the parts bits and cells at `HIDDEN` neurons instead.

    In the part head, as in memory, but read out by the converged classifier of edgesdt.

    `bits` 0: the width of its spec. `fraction`: of the labels that the chip learns from, where it learns from labels.
    """

    part: str
    contestant: str
    data: str
    budget: int = 256
    bits: int = 0
    device: str = "sram"
    fraction: float = 1.0
    seed: int = 0

    @property
    def name(self) -> str:
        """Unique, for the name of a file."""
        return "-".join(str(value) for value in asdict(self).values())

    @property
    def passes(self) -> int:
        """Passes over the training samples."""
        found = CONTESTANTS[self.contestant].passes[BUDGETS.index(self.budget)]
        if self.part in ("bits", "cells"):
            return 1
        return found if self.fraction == 1.0 else MOST_PASSES

    @property
    def samples(self) -> int:
        """Training samples of a pass at most, where the chip learns without labels."""
        return CONTESTANTS[self.contestant].cell_samples if self.part == "cells" else FULL

    def fields(self) -> tuple[str, list[str]]:
        """Name of the shipped spec, and the fields that differ. Raises `EdgesdtError`."""
        entry = CONTESTANTS[self.contestant]
        name, sets = entry.spec, [f"data.set={self.data}", f"epochs={self.passes}"]
        if self.budget < LARGEST:
            name, sets = entry.small or name, [*sets, *entry.few]
        if self.part in ("memory", "head"):
            hidden = widths.widest(name, sets, f"{self.budget} KiB")
            sets.append(f"chip.memory_budget={self.budget} KiB")
        else:
            hidden = HIDDEN
            sets.append("chip.memory_budget=2 MiB")
        if self.bits:
            sets += [f"chip.weights.bits={self.bits}", "chip.weights.frac_bits=auto"]
        if self.device != "sram":
            sets += [*entry.on_cells, f"device.model={self.device}"]
            sets.append(f"device.array.weight_per_range={entry.cell_range}")
        shape = widths.layers_of(load(name, sets), hidden)
        if self.fraction != 1.0:
            sets.append(f"label_fraction={self.fraction}")
        return name, [*sets, f"chip.layers={shape}", f"seed={self.seed}"]

    def spec(self) -> Spec:
        """The spec of the run. Raises `SpecError` if the rule refuses it."""
        name, sets = self.fields()
        return load(name, sets)

    def plain(self) -> dict[str, Any]:
        """JSON-ready; `Case(**plain)` is the case."""
        return asdict(self)


def from_labels(contestant: str) -> bool:
    """Whether the chip itself learns from labels."""
    return load(CONTESTANTS[contestant].spec).learning.target == "label"


def cases(
    seeds: Sequence[int] = SEEDS, data: Sequence[str] = SETS, budgets: Sequence[int] = BUDGETS
) -> Iterator[Case]:
    """Every run, what tells most first; the largest budget, cells and bits: first data set and seed only."""
    first, small = seeds[0], [budget for budget in reversed(budgets) if budget < LARGEST]
    of_labels = [name for name in CONTESTANTS if from_labels(name)]
    others = [name for name in CONTESTANTS if name not in of_labels]
    yield from _memory(small, data, [first])
    yield from _memory([budget for budget in budgets if budget == LARGEST], data[:1], [first])
    for name in of_labels:
        yield from (Case("memory", name, data[0], fraction=share, seed=first) for share in FRACTIONS[:-1])
    for name in others:
        yield from (Case("cells", name, data[0], device=device, seed=first) for device in ("sram", *CELLS))
    wide = [Case("bits", name, data[0], bits=bits, seed=first) for bits in BITS for name in CONTESTANTS]
    yield from (case for case in wide if case.bits < BITS[-1] or case.contestant in others)
    yield from _memory(small[1:], data[:1], seeds[1:])
    yield from (Case("head", name, data[0], budget, seed=first) for budget in small[:1] for name in others)
    yield from _memory(small[:1], data[:1], seeds[1:])
    for one, name, share in itertools.product(data[1:], of_labels, FRACTIONS[:-1]):
        yield Case("memory", name, one, fraction=share, seed=first)
    yield from (case for case in wide if case.bits == BITS[-1] and case.contestant in of_labels)
    yield from (Case("head", name, data[0], budget, seed=first) for budget in small[1:] for name in others)
    yield from _memory(small, data[1:], seeds[1:])


def _memory(budgets: Sequence[int], data: Sequence[str], seeds: Sequence[int]) -> Iterator[Case]:
    for budget, one, seed in itertools.product(budgets, data, seeds):
        yield from (Case("memory", name, one, budget, seed=seed) for name in CONTESTANTS)
