"""Writes BITS.md and its chart from the kept rows, trials and records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import records, tables
from benchmarks.bits import chart, choices, rows, scales, words
from benchmarks.bits.chart import BITS, FRAC, HIDDEN, LEVELS, ROUNDING, base, hiding, one_range, over, plain
from benchmarks.bits.rows import Row, Setting
from edgesdt.report.sweep.statistics.points import Estimate, estimate
from edgesdt.units import format_size

PAGE: Final = Path(__file__).resolve().parents[1] / "BITS.md"
RECIPES: Final = ("mnist_1layer_2bit", "mnist_1layer_3bit", "mnist_1layer_4bit", "mnist_1layer", "mnist_1layer_16bit")
Column = tuple[str, Callable[[Setting], str]]


def shown(value: Estimate) -> str:
    """A mean with its interval [percent]."""
    return f"{value.mean:.2f}" + (f" ± {value.half:.2f}" if value.half is not None else "")


ACCURACY: Final[Column] = ("accuracy [%]", lambda one: shown(one.accuracy))
MEMORY: Final[Column] = ("memory", lambda one: format_size(one.memory_bits))
ENERGY: Final[Column] = ("training sample", lambda one: f"{1e6 * one.energy_j:.2f} µJ")


def of(head: str, field: str) -> Column:
    """A column with the value of a field."""
    return head, lambda one: str(one[field])


WEIGHT: Final = (of("bits read", BITS), of("hidden", HIDDEN), of("levels", LEVELS), of("below the point", FRAC))


def table(found: Sequence[Setting], columns: Sequence[Column]) -> str:
    """A table with a line for each setting."""
    return tables.markdown([[head for head, _ in columns], *([cell(one) for _, cell in columns] for one in found)])


def recipes() -> str:
    """The narrow specs beside the wide ones, from the kept records."""
    made = records.kept()
    lines = [["spec", "read + hidden", "epochs", "accuracy [%]", "seeds", "memory", "training sample", "inference"]]
    for name in RECIPES:
        mine = [one for one in made if one["name"] == name]
        if not mine:
            continue
        first, weights = mine[0], mine[0]["spec"]["chip"]["weights"]
        accuracy = estimate([100 * one["accuracy"]["direct_average"] for one in mine])
        energy = first["energy_j"]
        lines.append([
            f"`{name}`", f"{weights['bits']} + {weights.get('hidden_bits', 0)}", str(first["spec"]["epochs"]),
            shown(accuracy), str(len(mine)), format_size(first["memory"]["used_bits"]),
            f"{1e6 * energy['train_per_sample']:.2f} µJ", f"{1e6 * energy['inference_per_sample']:.2f} µJ",
        ])  # fmt: skip
    return tables.markdown(lines)


def formats(found: Sequence[Row]) -> list[str]:
    """The sections on weights."""
    where: dict[str, Callable[[Setting], bool]] = {
        words.WIDTH: plain,
        words.HIDDEN: hiding,
        words.LEVELS: lambda one: one_range(one) and one[BITS] <= 3 and (one[HIDDEN], one[LEVELS]) in _READ,
        words.STEP: lambda one: one[ROUNDING] == "stochastic" and (one[BITS], one[HIDDEN], one[LEVELS]) in _STEPS,
        words.ROUNDING: lambda one: (one[BITS], one[HIDDEN], one[FRAC]) == (8, 0, 14),
    }
    parts = []
    for text, chosen in where.items():
        columns = [*WEIGHT, *([of("rounding", ROUNDING)] if text is words.ROUNDING else []), ACCURACY, MEMORY, ENERGY]
        parts += [text, table(rows.settings(found, "mnist_bits", chosen), columns)]
    return parts


_READ: Final = ((0, "floor"), (0, "odd"), (4, "floor"), (4, "nearest"), (4, "odd"))
_STEPS: Final = ((8, 0, "floor"),)


def widths(found: Sequence[Row]) -> list[str]:
    """The sections on everything beside weights."""
    schedule = [
        of("learning rate", "learning.learning_rate"), of("schedule", "learning.schedule.kind"),
        of("final", "learning.schedule.final"), ACCURACY, ENERGY,
    ]  # fmt: skip
    rated = rows.settings(found, "mnist_widths", base)
    parts = []
    for text, field in ((words.STATES, "chip.states.bits"), (words.INPUTS, "encoder.bits"),
                        (words.SUMS, "chip.accumulator.bits")):  # fmt: skip
        parts += [text, table(over(found, field), [of("bits", field), ACCURACY, MEMORY, ENERGY])]
    return [*parts, words.RATES, table(rated, schedule)]


def figures(found: Sequence[Row]) -> dict[str, str]:
    """The figures in the sentences: means over the seeds."""

    def weight(bits: int, hidden: int = 0, levels: str = "floor", frac: int = 0, how: str = "stochastic") -> Setting:
        wanted = {BITS: bits, HIDDEN: hidden, LEVELS: levels, FRAC: frac or bits + 6, ROUNDING: how}
        return only("mnist_bits", wanted)

    def width(**changed: Any) -> Setting:
        wanted = {"encoder.bits": 8, "chip.states.bits": 8, "chip.accumulator.bits": 32} | changed
        return only("mnist_widths", {"learning.schedule.kind": "linear", **wanted})

    def only(sweep: str, wanted: Mapping[str, Any]) -> Setting:
        (one,) = rows.settings(found, sweep, lambda one: all(one[field] == value for field, value in wanted.items()))
        return one

    named = {
        "two": weight(2), "three": weight(3), "four": weight(4), "eight": weight(8), "two_odd": weight(2, 0, "odd"),
        "two_one": weight(2, 1, "nearest"), "two_two": weight(2, 2, "nearest"), "two_four": weight(2, 4, "nearest"),
        "two_four_odd": weight(2, 4, "odd"), "two_four_floor": weight(2, 4), "eight_wide": weight(8, frac=12),
        "nearest": weight(8, how="nearest"), "base": width(), "state_4": width(**{"chip.states.bits": 4}),
        "state_6": width(**{"chip.states.bits": 6}), "input_1": width(**{"encoder.bits": 1}),
        "input_4": width(**{"encoder.bits": 4}), "sums_22": width(**{"chip.accumulator.bits": 22}),
        "constant": width(**{"learning.schedule.kind": "constant"}),
    }  # fmt: skip
    told = {name: f"{one.accuracy.mean:.1f}" for name, one in named.items()}
    return told | {f"energy_{name}": f"{1e6 * named[name].energy_j:.2f} µJ" for name in ("two_four", "eight")}


def scales_table() -> str:
    """Cut weights with a shift for the layer and for each neuron."""
    lines = [["bits", "seed", "neurons that prefer another shift", "one shift [%]", "a shift for each neuron [%]"]]
    for bits in scales.BITS:
        for one in scales.kept():
            made = one[str(bits)]
            both = [f"{100 * made[kind]:.2f}" for kind in ("layer", "neuron")]
            lines.append([str(bits), str(one["seed"]), f"{made['others']} of 2000", *both])
    return tables.markdown(lines)


def trials(found: Sequence[choices.Trial]) -> str:
    """Every trial on held-out images."""
    lines = [["images", "epochs", "bits read", "hidden", "levels", "below the point", "rate", "held-out accuracy [%]"]]
    for trial in found:
        fields = trial["fields"]
        lines.append([
            str(trial["train"]), str(fields["epochs"]), str(fields[BITS]), str(fields.get(HIDDEN, 0)),
            str(fields.get(LEVELS, "floor")), str(fields[FRAC]), str(fields["learning.learning_rate"]),
            f"{100 * trial['accuracy']:.2f}",
        ])  # fmt: skip
    return tables.markdown(lines)


def page(found: Sequence[Row], tried: Sequence[choices.Trial]) -> str:
    """BITS.md."""
    parts = [words.HEADING, words.FOUND.format(**figures(found)), words.RECIPES, recipes(), words.METHOD]
    parts += ["![Accuracy over bits of weights, states and inputs](bits/figures/bits.svg)", *formats(found)]
    parts += [*widths(found), words.NOT_BUILT, scales_table(), words.CHOICE, trials(tried)]
    return "\n\n".join(parts) + "\n"


def stale() -> list[str]:
    """The files that were not made from what is kept."""
    found, tried = rows.kept(), choices.kept()
    old = [] if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page(found, tried) else [PAGE.name]
    return old + ([] if chart.is_current(found) else [chart.PATH.name])


def write() -> None:
    """Writes the page and its chart."""
    found = rows.kept()
    PAGE.write_text(page(found, choices.kept()), encoding="utf-8")
    chart.PATH.parent.mkdir(exist_ok=True)
    chart.PATH.write_bytes(chart.draw(found))
