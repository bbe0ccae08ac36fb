"""One chip of two weight layers with both, one or none of them on cells: every run, and the page from the records.

`python -m benchmarks.layer_table run OUT [--epochs N] [--seeds N ...]` runs what is missing; `… keep OUT` keeps the
records, trimmed; `… page [--check]` writes LAYERS.md from those in `device_records/layers.json`.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import command
from benchmarks.device_table import HERE, KEPT, kept, trimmed
from edgesdt import units
from edgesdt.runs.experiment import run
from edgesdt.spec import Spec, load

SPEC = "mnist_insitu_labels"
CHIPS: dict[str, tuple[str, list[str]]] = {
    SPEC: ("both layers on EcRam", []),
    "mixed": ("layer 0 on EcRam, layer 1 in memory", ["device.layers.1=sram"]),
    "digital": ("both layers in memory", ["device.layers={}", "chip.memory_budget=1 MiB"]),
}
"""Name of a chip, what it is, and what its spec differs in from the shipped one."""
RECORDS, PAGE = KEPT / "layers.json", HERE / "LAYERS.md"
HEADING = """# Two layers of weights, on cells or in memory

Made by `python -m benchmarks.layer_table page` from the records in `device_records/layers.json`. MNIST with labels,
784-300-10, the constants of `edgesdt/specs/mnist_insitu_labels.yaml`, all non-idealities of the device on, the whole
test split. Mean ± standard deviation over seeds; energy and latency are per sample, the parts are of training."""
COMPONENTS = (
    "ADC", "DAC and rows", "DAC and columns", "code adders", "cell reads", "cell pulses", "pulse drivers",
    "weight memory", "synaptic arithmetic", "learning arithmetic", "leakage",
)  # fmt: skip


def spec_of(chip: str, epochs: int, seed: int) -> Spec:
    """The run of one place of the table."""
    return load(SPEC, [*CHIPS[chip][1], f"name={chip}", f"epochs={epochs}", f"seed={seed}"])


def run_all(out: Path, epochs: int, seeds: Sequence[int]) -> None:
    """Run what is missing, seed by seed; finished runs are only read."""
    for seed in seeds:
        for chip in CHIPS:
            made = run(spec_of(chip, epochs, seed), out / f"{chip}-{seed}", threads=1, report=False)
            print(f"{chip} seed {seed}: output {made['accuracy']['output']:.4f}", flush=True)


def table(records: Sequence[Mapping[str, Any]]) -> str:
    """The table as Markdown, a column for each chip."""
    columns = {chip: [made for made in records if made["name"] == chip] for chip in CHIPS}
    columns = {chip: found for chip, found in columns.items() if found}
    rows = [["", *(CHIPS[chip][0] for chip in columns)], ["---"] * (1 + len(columns))]
    made = [_column(found) for found in columns.values()]
    rows += [[name, *(column[name] for column in made)] for name in made[0]]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _column(found: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    def mean(*path: str) -> float:
        return statistics.fmean(_at(made, path) for made in found)

    def accuracy(name: str) -> str:
        scores = [100 * made["accuracy"][name] for made in found]
        spread = f" ± {statistics.stdev(scores):.2f}" if len(scores) > 1 else ""
        return f"{statistics.fmean(scores):.2f}{spread} %"

    first = found[0]
    samples = first["train_samples"] * first["spec"]["epochs"]
    parts = {name: mean("energy_j", "train_breakdown", name) / samples for name in COMPONENTS}
    energy = mean("energy_j", "train_per_sample")
    return {
        "seeds, epochs": f"{', '.join(str(made['seed']) for made in found)}; {first['spec']['epochs']}",
        "output neuron": accuracy("output"),
        "direct association, average": accuracy("direct_average"),
        "untrained, output neuron": accuracy("untrained_output"),
        "energy of training": units.format_energy(energy),
        **{f"- {name}": units.format_energy(part) if part else "–" for name, part in parts.items()},
        "- all else": units.format_energy(energy - sum(parts.values())),
        "energy of inference": units.format_energy(mean("energy_j", "inference_per_sample")),
        "latency of training": units.format_time(mean("latency_s", "train_per_sample")),
        "latency of inference": units.format_time(mean("latency_s", "inference_per_sample")),
        "area": units.format_area(mean("area_mm2", "total")),
        "memory": f"{first['memory']['used_bits'] / 8192:.4g} KiB",
        "writes of the busiest cell": f"{mean('device', 'writes_per_cell_max'):,.0f}",
    }


def _at(made: Mapping[str, Any], path: Sequence[str]) -> float:
    place: Any = made
    for key in path:
        place = place.get(key, 0.0)
    return float(place)


def page() -> str:
    """LAYERS.md."""
    return f"{HEADING}\n\n{table(list(kept(RECORDS)))}\n"


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layer_table", description=__doc__.partition("\n")[0])
    actions = parser.add_subparsers(dest="action", required=True)
    runs = actions.add_parser("run", help="run what is missing")
    runs.add_argument("out", type=Path)
    runs.add_argument("--epochs", type=int, default=4)
    runs.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    actions.add_parser("keep", help="keep the records of OUT, trimmed").add_argument("out", type=Path)
    pages = actions.add_parser("page", help="write LAYERS.md from the kept records")
    pages.add_argument("--check", action="store_true", help="only say whether it is up to date")
    options = parser.parse_args(arguments)
    if options.action == "run":
        run_all(options.out, options.epochs, options.seeds)
    elif options.action == "keep":
        lines = [json.dumps(trimmed(made), sort_keys=True) for made in kept(options.out)]
        RECORDS.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    elif options.check:
        stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page()
        print(f"{PAGE.name}: {'not made from the kept records' if stale else 'ok'}")
        return int(stale)
    else:
        PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    command.finish(main)
