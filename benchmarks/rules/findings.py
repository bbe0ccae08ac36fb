"""What the records of the comparison say: accuracies over seeds, gains over the untrained control, states at an energy.

A record holds `case` (a `grid.Case`), `spec` (name of the shipped spec and the fields that differ), `layers`,
`weights` [bits, fractional bits], `memory_bits` [used, budget], `samples` of a pass, `passes`; `untrained`, `first` and
`last`: the accuracies before, after the first pass and after all, by share of known labels; `curve`: [samples learned,
energy so far [J], accuracy]; `energy_j` and `latency_s`: [of a training sample, of an inference]. Where a rule refused
the chip it holds `case` and `refused`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.rules.grid import CONTESTANTS, Case
from edgesdt.errors import EdgesdtError
from edgesdt.report.sweep.statistics.points import Estimate, estimate

Record = dict[str, Any]
RECORDS: Final = Path(__file__).parent / "records.json"
FEW_SEEDS: Final = 2
"""Up to so many seeds an interval over seeds says nothing; the sampling error of the test samples takes its place."""


def kept(path: Path = RECORDS) -> list[Record]:
    """The kept records. Raises `EdgesdtError` for a file that is none."""
    try:
        found: list[Record] = json.loads(path.read_text(encoding="utf-8"))
        for made in found:
            Case(**made["case"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EdgesdtError(f"{path}: no records of the comparison: {error}") from error
    return found


def text_of(records: Sequence[Record]) -> str:
    """The file of kept records: one a line, in the order of their names."""
    lines = [json.dumps(made, sort_keys=True) for made in sorted(records, key=lambda made: Case(**made["case"]).name)]
    return "[\n" + ",\n".join(lines) + "\n]\n"


class Group:
    """The records of one case, over its seeds."""

    def __init__(self, seeds: Sequence[Record]) -> None:
        self.seeds = sorted(seeds, key=lambda made: int(made["case"]["seed"]))
        self.first = self.seeds[0]
        self.case = Case(**self.first["case"])

    @property
    def title(self) -> str:
        """The name of the rule."""
        return CONTESTANTS[self.case.contestant].title

    @property
    def own(self) -> bool:
        """Whether the chip itself tells the classes, so that no read-out needs labels."""
        return list(self.first["untrained"]) == ["1"]

    def has(self, labels: float) -> bool:
        """Whether there is an accuracy with that share of the labels."""
        return f"{labels:g}" in self.first["untrained"]

    def of(self, stage: str, labels: float) -> list[float]:
        """The accuracy of each seed at `stage` (untrained, first, last), read out with that share of the labels."""
        return [made[stage][f"{labels:g}"] for made in self.seeds]

    def accuracy(self, stage: str, labels: float) -> Estimate:
        """The accuracy over the seeds, with an interval if they are more than `FEW_SEEDS`."""
        found = estimate(self.of(stage, labels))
        return found if found.n > FEW_SEEDS else Estimate(found.mean, None, found.n)

    def gain(self, stage: str, labels: float) -> Estimate:
        """What learning adds to the untrained control, seed by seed, with half an interval that is always known."""
        pairs = zip(self.of(stage, labels), self.of("untrained", labels), strict=True)
        found = estimate([one - control for one, control in pairs])
        if found.n > FEW_SEEDS:
            return found
        shares = (self.accuracy(stage, labels).mean, self.accuracy("untrained", labels).mean)
        error = sum(p * (1 - p) for p in shares) / (self.first["tested"] * found.n)
        return Estimate(found.mean, 1.96 * error**0.5, found.n)

    def at(self, joules: float) -> tuple[float, str]:
        """Mean accuracy once so much energy [J] is spent on training, and the state: untrained, learning or over."""
        points = [[p for p in made["curve"] if p[1] <= joules][-1] for made in self.seeds]
        over = all(point == made["curve"][-1] for point, made in zip(points, self.seeds, strict=True))
        state = "over" if over else "untrained" if all(point[0] == 0 for point in points) else "learning"
        return sum(point[2] for point in points) / len(points), state

    def mean(self, name: str, place: int) -> float:
        """Mean of a figure over the seeds, such as `energy_j` of a training sample (place 0)."""
        return float(sum(made[name][place] for made in self.seeds) / len(self.seeds))


def groups(records: Sequence[Record], **wanted: object) -> list[Group]:
    """The cases with these fields that ran, in the order of the contestants; seeds together."""
    found: dict[str, list[Record]] = {}
    for made in records:
        case = made["case"]
        if "refused" not in made and all(case[name] == value for name, value in wanted.items()):
            found.setdefault(Case(**{**case, "seed": 0}).name, []).append(made)
    order = list(CONTESTANTS)

    def place(group: Group) -> tuple[object, ...]:
        case = group.case
        return order.index(case.contestant), case.data, case.budget, case.bits, case.fraction

    return sorted((Group(seeds) for seeds in found.values()), key=place)


def refused(records: Sequence[Record]) -> Mapping[str, str]:
    """Title of a rule -> why it refused a chip, for every rule that did."""
    return {CONTESTANTS[made["case"]["contestant"]].title: made["refused"] for made in records if "refused" in made}
