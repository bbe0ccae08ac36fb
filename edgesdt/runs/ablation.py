"""Ablation: measures the cost of each non-ideality by runs with all on, all off, one alone, and all but one.

Each variant is a separate run in a folder below OUT. It is resumed, reported and priced like any other run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgesdt.errors import SpecError
from edgesdt.report.run.ablation import ALL_OFF as ALL_OFF
from edgesdt.report.run.ablation import ALL_ON as ALL_ON
from edgesdt.report.run.ablation import SCHEMA
from edgesdt.report.run.ablation import table as table
from edgesdt.runs import record
from edgesdt.runs.experiment import run
from edgesdt.spec import Spec, layers
from edgesdt.spec.schema.device import ARRAY_SWITCHES


@dataclass(frozen=True)
class Variant:
    """One run of an ablation: its label, the folder below OUT, and the switches that are off."""

    label: str
    folder: str
    off: tuple[str, ...]


def switches(spec: Spec) -> tuple[str, ...]:
    """The active non-idealities of the chip: those of the device model, then those of the array. Raises `SpecError`."""
    if spec.device.digital:
        raise SpecError("device.model: sram has no non-ideality to switch off, allowed: an analog device model")
    found = (_switches_of(layers.alone(spec, layer), layer) for layer in layers.on_cells(spec))
    return tuple(dict.fromkeys(name for names in found for name in names))


def _switches_of(spec: Spec, layer: int) -> tuple[str, ...]:
    """The switches of a `spec` with one weight layer; changes of states are applied exactly at any converter width."""
    array = spec.device.array
    present = {
        "ir_drop": array.has_ir_drop,
        "dac": layer == 0 and array.dac_bits < spec.encoder.bits,
        "adc": True,
        "read_noise": array.read_noise != "none" and array.read_noise_sd > 0,
        "output_noise": array.output_noise > 0,
    }
    own = tuple(name for name in ARRAY_SWITCHES if present[name] and name not in spec.device.off)
    return tuple(dict.fromkeys((*spec.device.cell_model().non_idealities, *own)))


def variants(spec: Spec) -> Iterator[Variant]:
    """All runs of the ablation of `spec`, in the order of the table."""
    names = switches(spec)
    before = tuple(spec.device.off)
    yield Variant(ALL_ON, "all_on", before)
    yield Variant(ALL_OFF, "all_off", before + names)
    for name in names:
        others = tuple(other for other in names if other != name)
        yield Variant(f"only {name}", f"only_{name}", before + others)
    for name in names:
        yield Variant(f"all but {name}", f"without_{name}", (*before, name))


def ablate(spec: Spec, out: Path, say: Callable[[str], None], **options: Any) -> dict[str, Any]:
    """Runs every variant below `out`; returns (and writes to `out/ablation.json`) the accuracies of each, and a page.

    `options` are passed to `experiment.run`. Finished variants are only read, so a second call resumes. Raises
    `EdgesdtError` as a run does.
    """
    return _kept(_of_seed(spec, out, "", say, options), out)


def ablate_seeds(
    spec: Spec, seeds: Sequence[int], out: Path, say: Callable[[str], None], **options: Any
) -> dict[str, Any]:
    """Runs the ablation for several seeds, each in a folder below `out`; `results` holds the result of each seed."""
    results = []
    for seed in seeds:
        seeded = spec.model_copy(update={"seed": seed})
        results.append(_of_seed(seeded, out, f"seed_{seed}/", say, options))
    return _kept({"schema": SCHEMA, **_about(spec), "seeds": list(seeds), "results": results}, out)


def _kept(result: dict[str, Any], out: Path) -> dict[str, Any]:
    """Writes the result and its page."""
    record.write(out / "ablation.json", result)
    from edgesdt.report import write  # imports the charts, which takes a second; only a finished ablation needs them

    write([out], out / "report.html")
    return result


def _of_seed(
    spec: Spec, out: Path, below: str, say: Callable[[str], None], options: Mapping[str, Any]
) -> dict[str, Any]:
    """The result of one seed; its runs are in folders below `out/below`."""
    rows: list[dict[str, Any]] = []
    for variant in variants(spec):
        say(f"ablation: {variant.label}{f', seed {spec.seed}' if below else ''}")
        plain = spec.plain()
        plain["device"]["off"] = list(variant.off)
        folder = f"{below}{variant.folder}"
        made = run(Spec.from_plain(plain), out / folder, say=say, **options)
        accuracy = {k: v for k, v in made["accuracy"].items() if isinstance(v, float)}
        rows.append({"variant": variant.label, "folder": folder, "off": list(variant.off), **accuracy})
    return {"schema": SCHEMA, **_about(spec), "seed": spec.seed, "variants": rows}


def _about(spec: Spec) -> dict[str, Any]:
    devices = [layers.device_of(spec, layer) for layer in range(layers.count(spec))]
    names = [each.cell_model().name if each.file is not None else each.model for each in devices]
    model = ", ".join(dict.fromkeys(names))
    return {"name": spec.name, "model": model, "layers": list(spec.chip.layers), "epochs": spec.epochs}
