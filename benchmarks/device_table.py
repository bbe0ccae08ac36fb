"""Accuracy, cost and wear of one chip on many devices: runs the table and writes its page from records.

`python -m benchmarks.device_table run OUT [--outputs N] [--epochs N] [--seeds N ...]` runs what is missing;
`… keep OUT FILE` keeps its records, trimmed; `… page [--check]` writes DEVICES.md from those in `device_records/`.
All devices learn with the constants of the shipped spec `mnist_insitu`, without tuning.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import ablation_table, command
from edgesdt import units
from edgesdt.runs import record
from edgesdt.runs.experiment import run
from edgesdt.spec import Spec, load

DEVICES = (
    "sram", "EcRam", "EcRamMO", "Idealized", "GokmenVlasov", "Capacitor", "ReRamSB", "ReRamES", "ReRamArrayOM",
    "ReRamArrayHfO2", "Ag_aSi", "TaOx_HfOx", "PCMO", "AlOx_HfO2", "GST_PCM", "EpiRAM", "HZO_FeFET", "quantized_4bit",
)  # fmt: skip
HERE = Path(__file__).parent
KEPT, PAGE = HERE / "device_records", HERE / "DEVICES.md"
HEADING = """# One chip, many devices

Made by `python -m benchmarks.device_table page` from the records in `device_records/`. MNIST, unsupervised, trained
in situ by pulses, with every non-ideality of the device on. Mean ± standard deviation over seeds; energy components are
per training sample."""
NOTES = """Every device learns with the same constants (`edgesdt/specs/mnist_insitu.yaml`) and the same weight per
conductance range, 0.1: a device of few, coarse steps would want another range and rate, so this is no ranking of what
each could reach. `sram` is the chip with 8-bit weights in a digital memory, and the same constants. A dash is a
component that the chip does not have, or, for devices whose sources state no voltages, one that cannot be priced."""
RANKED = {"EpiRAM": 92, "GST_PCM": 89, "HZO_FeFET": 88, "TaOx_HfOx": 80, "Ag_aSi": 72, "PCMO": 33, "AlOx_HfO2": 20}
"""Published accuracies in per cent: NeuroSim manual V3.0, Table II; labels and backpropagation."""
WHY_NOT = """AlOx_HfO2 has an on/off ratio of 4.4, which leaves NeuroSim, whose weights go from 0 to 1, no zero; here
a reference is subtracted, so that the ratio costs nothing: a likely reason for its pairs. For the others it was not
looked into."""
DEPLOYMENT = """The trained chip left alone for a time and then used (`deployment.times`); the neurons keep the classes
that training ended with. Both cells of a pair drift alike and their difference keeps its sign; a reference that does
not drift is left behind by all of them."""
WINNERS = {300: 3, 2000: 5}
COMPONENTS = (
    "cell reads", "cell pulses", "pulse drivers", "decoders", "ADC", "DAC and rows", "code adders", "weight memory",
    "synaptic arithmetic", "leakage",
)  # fmt: skip
REST = "neurons and rule"


def spec_of(device: str, outputs: int, epochs: int, seed: int) -> Spec:
    """The spec of the run of one table entry."""
    fields = [f"chip.layers=[784,{outputs}]", f"learning.winners={WINNERS[outputs]}", f"device.model={device}"]
    fields += [f"epochs={epochs}", f"seed={seed}", f"name={device}_{outputs}", "chip.memory_budget=4 MiB"]
    return load("mnist_insitu", fields)


def run_all(out: Path, devices: Sequence[str], outputs: int, epochs: int, seeds: Sequence[int]) -> None:
    """Runs missing entries, seed by seed; finished runs are only read."""
    for seed in seeds:
        for device in devices:
            spec = spec_of(device, outputs, epochs, seed)
            made = run(spec, out / f"{spec.name}-{seed}", threads=1, report=False)
            print(f"{spec.name} seed {seed}: direct_average {made['accuracy']['direct_average']:.4f}", flush=True)


def trimmed(made: dict[str, Any]) -> dict[str, Any]:
    """The parts of a record that the table needs, small enough for the repository."""
    keys = ("schema", "name", "seed", "spec", "spec_hash", "versions", "train_samples", "test_samples", "accuracy")
    kept = {key: made[key] for key in (*keys, "counts", "energy_j", "latency_s", "area_mm2", "device", "speed")}
    return {**kept, "memory": {key: made["memory"][key] for key in ("used_bits", "budget_bits")}}


def kept(folder: Path) -> Iterator[dict[str, Any]]:
    """All records below `folder`: run folders, or one JSON file with a list of trimmed records."""
    if folder.is_file():
        yield from json.loads(folder.read_text(encoding="utf-8"))
        return
    for path in sorted(folder.glob("*/record.json")):
        yield record.read(path)


def table(records: Sequence[dict[str, Any]]) -> str:
    """The table as Markdown: one row per device and size, seeds averaged."""
    groups: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for made in records:
        groups.setdefault((made["spec"]["chip"]["layers"][1], made["device"]["model"]), []).append(made)
    head = ["chip", "device", "seeds", "direct average", "untrained", "per training sample", *COMPONENTS, REST]
    rows = [[*head, "time per sample", "area", "writes of the busiest cell", "epochs"]]
    rows.append(["---"] * len(rows[0]))
    for (outputs, device), found in sorted(groups.items(), key=lambda item: (item[0][0], -_mean(item[1]))):
        rows.append(_row(outputs, device, found))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _mean(found: Sequence[dict[str, Any]]) -> float:
    return statistics.fmean(made["accuracy"]["direct_average"] for made in found)


def _row(outputs: int, device: str, found: Sequence[dict[str, Any]]) -> list[str]:
    def mean(*path: str) -> float:
        values = []
        for made in found:
            place: Any = made
            for key in path:
                place = place.get(key, 0.0)
            values.append(float(place))
        return statistics.fmean(values)

    scores = [100 * made["accuracy"]["direct_average"] for made in found]
    spread = f" ± {statistics.stdev(scores):.2f}" if len(scores) > 1 else ""
    samples = found[0]["train_samples"] * found[0]["spec"]["epochs"]
    parts = [mean("energy_j", "train_breakdown", name) / samples for name in COMPONENTS]
    parts.append(mean("energy_j", "train_per_sample") - sum(parts))
    return [
        f"784-{outputs}",
        device,
        str(len(found)),
        f"{statistics.fmean(scores):.2f}{spread} %",
        f"{100 * mean('accuracy', 'untrained_direct_average'):.1f} %",
        units.format_energy(mean("energy_j", "train_per_sample")),
        *(units.format_energy(part) if part else "–" for part in parts),
        units.format_time(mean("latency_s", "train_per_sample")),
        units.format_area(mean("area_mm2", "total")),
        f"{mean('device', 'writes_per_cell_max'):,.0f}",
        str(found[0]["spec"]["epochs"]),
    ]


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.device_table", description=__doc__.partition("\n")[0])
    actions = parser.add_subparsers(dest="action", required=True)
    runs = actions.add_parser("run", help="run what is missing")
    runs.add_argument("out", type=Path)
    runs.add_argument("--outputs", type=int, choices=list(WINNERS), default=300)
    runs.add_argument("--epochs", type=int, default=4)
    runs.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    runs.add_argument("--device", action="append", choices=list(DEVICES), metavar="NAME")
    shown = actions.add_parser("table", help="the table of records: run folders, or files that `keep` wrote")
    shown.add_argument("folders", type=Path, nargs="+")
    keeps = actions.add_parser("keep", help="write the records of OUT, trimmed, to one JSON file")
    keeps.add_argument("out", type=Path)
    keeps.add_argument("file", type=Path)
    pages = actions.add_parser("page", help="write DEVICES.md from the kept records")
    pages.add_argument("--check", action="store_true", help="only say whether it is up to date")
    options = parser.parse_args(arguments)
    if options.action == "run":
        run_all(options.out, options.device or DEVICES, options.outputs, options.epochs, options.seeds)
    elif options.action == "keep":
        lines = [json.dumps(trimmed(made), sort_keys=True) for made in kept(options.out)]
        options.file.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    elif options.action == "page":
        return _page(options.check)
    else:
        print(table([made for folder in options.folders for made in kept(folder)]))
    return 0


def _page(check: bool) -> int:
    made = page()
    if not check:
        PAGE.write_text(made, encoding="utf-8")
        return 0
    stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != made
    print(
        f"{PAGE.name}: "
        + ("not made from the kept records: run python -m benchmarks.device_table page" if stale else "ok")
    )
    return int(stale)


def ranking(records: Sequence[dict[str, Any]]) -> str:
    """Text that compares NeuroSim's published order of its devices with `records` of one size."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for made in records:
        groups.setdefault(made["device"]["model"], []).append(made)
    pairs = list(itertools.combinations([name for name in RANKED if name in groups], 2))
    turned = [f"{one} over {other}" for one, other in pairs if _mean(groups[one]) < _mean(groups[other])]
    published = ", ".join(f"{name} {score} %" for name, score in RANKED.items())
    return (
        f"NeuroSim's manual (V3.0, Table II) ranks its devices, with labels and backpropagation: {published}. Of the "
        f"{len(pairs)} pairs, {len(pairs) - len(turned)} stand in the same order here at {min(WINNERS)} "
        f"outputs; not so {', '.join(turned) or 'none'}. {' '.join(WHY_NOT.split())}"
    )


def page() -> str:
    """DEVICES.md: the table of every kept size, then every kept ablation, then accuracies after deployment."""
    every = [made for path in sorted(KEPT.glob("table_*.json")) for made in kept(path)]
    small = [made for made in every if made["spec"]["chip"]["layers"][1] == min(WINNERS)]
    parts = [HEADING, table(every), NOTES, ranking(small)]
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(KEPT.glob("ablation_*.json"))]
    for _, seeds in itertools.groupby(found, lambda result: result["model"]):
        parts += ablation_table.section(list(seeds))
    for path in sorted(KEPT.glob("deployment_*.json")):
        parts += _deployment(json.loads(path.read_text(encoding="utf-8")))
    return "\n\n".join(parts) + "\n"


def _deployment(made: dict[str, Any]) -> list[str]:
    rows = [["after training", "direct average", "direct max"], ["---"] * 3]
    for point in made["deployment"]:
        scores = (f"{100 * point[name]:.2f} %" for name in ("direct_average", "direct_max"))
        rows.append([units.format_time(point["time_s"]), *scores])
    lines = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    mapping = made["spec"]["device"]["array"]["mapping"]
    held = {"pair": "pairs of cells", "offset": "cells against a fixed reference"}[mapping]
    return [f"## Deployment: {made['device']['model']}, {held}", DEPLOYMENT, lines]


if __name__ == "__main__":
    command.finish(main)
