"""Writes records as Markdown: one row per spec for the README, and a section per spec with counts and breakdowns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks import devices, tables
from benchmarks.measuring import machine, speed_text
from benchmarks.records import Record, by_spec
from edgesdt import units
from edgesdt.pricing import phased
from edgesdt.registry import BY_CLASS

HEAD = [
    "chip", "data", "weights", "memory used / budget", "epochs", "direct average %", "direct max %",
    "classifier %", "untrained, direct average or classifier %", "energy/training sample", "energy/inference",
    "latency training / inference", "area", "simulator [samples/s]",
]  # fmt: skip


def mean(values: Sequence[float]) -> float:
    """The mean of at least one value."""
    return sum(values) / len(values)


def percent(values: Sequence[float]) -> str:
    """Mean of fractions in per cent, with half the range if there are several: `95.31 ± 0.09`."""
    middle = f"{100 * mean(values):.2f}"
    return middle if len(values) == 1 else f"{middle} ± {50 * (max(values) - min(values)):.2f}"


def row(seeds: Sequence[Record]) -> list[str]:
    """The cells of one spec, over the records of its seeds."""
    first = seeds[0]
    spec, memory = first["spec"], first["memory"]
    weights, used = spec["chip"]["weights"], units.format_size
    layers = "-".join(str(n) for n in spec["chip"]["layers"])
    energy, latency = means(seeds, "energy_j"), means(seeds, "latency_s")
    return [
        f"{first['name']}, {layers}",
        spec["data"]["set"],
        f"{weights['bits']} bits, {weights['frac_bits']} below the point{_hidden(weights)}",
        f"{used(memory['used_bits'])} / {used(memory['budget_bits'])}",
        str(spec["epochs"]),
        accuracy(seeds, "direct_average"),
        accuracy(seeds, "direct_max"),
        _classifiers(seeds) or "–",
        _untrained(seeds),
        units.format_energy(energy("train_per_sample")),
        units.format_energy(energy("inference_per_sample")),
        f"{units.format_time(latency('train_per_sample'))} / {units.format_time(latency('inference_per_sample'))}",
        units.format_area(first["area_mm2"]["total"]),
        f"{means(seeds, 'speed')('train_samples_per_s'):,.0f}",
    ]


def _hidden(weights: dict[str, Any]) -> str:
    """The bits of a weight that reads do not use."""
    return f", {weights['hidden_bits']} more hidden" if weights.get("hidden_bits") else ""


def _classifiers(seeds: Sequence[Record], before: str = "") -> str:
    """The accuracies of the classifiers that the records have; those of an untrained chip begin with `before`."""
    found = ((name, accuracy(seeds, before + name)) for name in ("linear", *BY_CLASS))
    return " · ".join(f"{percentage} ({name})" for name, percentage in found if percentage != "–")


def _untrained(seeds: Sequence[Record]) -> str:
    """The control: the direct average before learning, or the classifiers where a chip has only those."""
    direct = accuracy(seeds, "untrained_direct_average")
    return direct if direct != "–" else _classifiers(seeds, "untrained_") or "–"


def means(seeds: Sequence[Record], section: str) -> Callable[[str], float]:
    """The means over the seeds of the fields of a section of their records."""
    return lambda name: mean([made[section][name] for made in seeds])


def accuracy(seeds: Sequence[Record], name: str) -> str:
    """An accuracy over the seeds; a dash if the records have none of that name."""
    return percent([made["accuracy"][name] for made in seeds]) if name in seeds[0]["accuracy"] else "–"


def short(made: Sequence[Record]) -> str:
    """The table of README.md."""
    groups = by_spec(made)
    return "\n".join([tables.markdown([HEAD, *(row(seeds) for seeds in groups)]), "", caption(groups)])


def caption(groups: Sequence[Sequence[Record]]) -> str:
    """The explanation of the table's numbers."""
    seeds = sorted({made["seed"] for group in groups for made in group})
    said = f"Seed {seeds[0]}" if len(seeds) == 1 else f"Seeds {', '.join(map(str, seeds))}: mean ± half the range"
    priced = sorted({f"{m['technology']['table']} at {m['technology']['node_nm']:g} nm" for g in groups for m in g})
    return (
        f"{said}. Accuracy on the whole test split; untrained: the "
        f"same chip before learning. Energy, latency and area are estimates for {', '.join(priced)}; the last column "
        "is the speed of the simulator that trained it, not of the chip."
    )


def long(made: Sequence[Record]) -> str:
    """The results of benchmarks/README.md: the table, then a section per spec."""
    return "\n\n".join([short(made), *(details(seeds) for seeds in by_spec(made))])


def details(seeds: Sequence[Record]) -> str:
    """One spec: every seed's accuracies, then counts, energy and memory of the first seed."""
    first = seeds[0]
    spec = first["spec"]
    layers = "-".join(str(n) for n in spec["chip"]["layers"])
    parts = [
        f"### {first['name']}: {layers} on {spec['data']['set']}",
        f"Spec hash `{first['spec_hash']}`, epochs: {spec['epochs']}, of {first['train_samples']:,} samples each, "
        f"{first['test_samples']:,} test samples.",
        tables.markdown(seed_rows(seeds)),
        f"Actions per sample (seed {first['seed']}):",
        tables.markdown(count_rows(first)),
        f"Energy per sample by component (seed {first['seed']}):",
        tables.markdown(energy_rows(first)),
        f"Memory map: {units.format_size(first['memory']['used_bits'])} of "
        f"{units.format_size(first['memory']['budget_bits'])}",
        tables.markdown(memory_rows(first)),
    ]
    return "\n\n".join(parts)


def seed_rows(seeds: Sequence[Record]) -> list[list[str]]:
    """Accuracies, trained and untrained, a row per seed."""
    names = [name for name in seeds[0]["accuracy"] if not name.endswith("_samples")]
    rows = [["seed", *(f"{name.replace('_', ' ')} %" for name in names), "training energy", "versions"]]
    for made in seeds:
        known = ", ".join(f"{name} {number}" for name, number in made["versions"].items())
        figures = [f"{100 * made['accuracy'][name]:.2f}" for name in names]
        rows.append([str(made["seed"]), *figures, units.format_energy(made["energy_j"]["train_total"]), known])
    return rows


def count_rows(made: Record) -> list[list[str]]:
    """Actions of the described chip per training sample and per inference."""
    trained, shown = phased.samples_learned(made), made["test_samples"]
    rows = [["action", "training", "inference"]]
    for name, count in made["counts"]["train"].items():
        if count or made["counts"]["inference"][name]:
            rows.append([name, f"{count / trained:,.2f}", f"{made['counts']['inference'][name] / shown:,.2f}"])
    return rows


def energy_rows(made: Record) -> list[list[str]]:
    """Energy per sample and share, by component."""
    energy, trained = made["energy_j"], phased.samples_learned(made)
    train = {name: joules / trained for name, joules in energy["train_breakdown"].items()}
    shown: Mapping[str, float] = energy["inference_breakdown"]
    rows = [["component", "training", "share", "inference", "share"]]
    for name in [*train, *(name for name in shown if name not in train)]:
        cells = []
        for part in (train, shown):
            joules = part.get(name, 0.0)
            cells += [units.format_energy(joules), f"{100 * joules / sum(part.values()):.1f} %"]
        rows.append([name, *cells])
    return rows


def memory_rows(made: Record) -> list[list[str]]:
    """The memory map, the largest array first."""
    rows = [["array", "shape", "format", "size"]]
    for array in sorted(made["memory"]["arrays"], key=lambda array: -int(array["bits"])):
        shape = " × ".join(str(n) for n in array["shape"])
        rows.append([array["name"], shape, array["format"], units.format_size(array["bits"])])
    return rows


def speed_section(result: Mapping[str, Any]) -> str:
    """The kept speed measurement: machine, method, and both tables."""
    return "\n\n".join(
        [
            machine.in_words(result["machine"]).replace("\n", "; "),
            speed_text.method(result).replace("\n", " "),
            tables.markdown(speed_text.speed_rows(result)),
            *speed_text.in_situ_lines(result),
            speed_text.roof_method().replace("\n", " "),
            tables.markdown(speed_text.roof_rows(result)),
            *(_arrays(result["arrays"]) if "arrays" in result else ()),
        ]
    )


def _arrays(result: Mapping[str, Any]) -> tuple[str, ...]:
    """The device models alone: method and both tables."""
    method = devices.method(result).replace("\n", " ")
    return f"Device models alone. {method}", *(
        tables.markdown(rows(result)) for rows in (devices.rows, devices.update_rows)
    )
