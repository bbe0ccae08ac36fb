"""Which non-ideality costs how much: the same run with all on, all off, each alone, and all but one.

Each variant is a run of its own in a folder below OUT, so that it is resumed, reported and priced like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgesdt.errors import SpecError
from edgesdt.runs import record
from edgesdt.runs.experiment import run
from edgesdt.spec import Spec
from edgesdt.spec.schema.device import ARRAY_SWITCHES

ALL_ON, ALL_OFF = "all on", "all off"
SCHEMA = 1


@dataclass(frozen=True)
class Variant:
    """One run of an ablation: its label, the folder below OUT, and the switches that are off."""

    label: str
    folder: str
    off: tuple[str, ...]


def switches(spec: Spec) -> tuple[str, ...]:
    """The non-idealities of the chip that are on: those of the model, then those of the array. Raises `SpecError`."""
    if spec.device.digital:
        raise SpecError("device.model: sram has no non-ideality to switch off, allowed: an analog device model")
    array = spec.device.array
    present = {
        "ir_drop": array.has_ir_drop,
        "dac": array.dac_bits < spec.encoder.bits,
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
    """Run every variant below `out`; returns (and writes to `out/ablation.json`) the accuracies of each.

    `options` go to `experiment.run`. Finished variants are only read, so that a second call goes on. Raises
    `EdgesdtError` as a run does.
    """
    rows: list[dict[str, Any]] = []
    for variant in variants(spec):
        say(f"ablation: {variant.label}")
        plain = spec.plain()
        plain["device"]["off"] = list(variant.off)
        made = run(Spec.from_plain(plain), out / variant.folder, say=say, **options)
        accuracy = {k: v for k, v in made["accuracy"].items() if isinstance(v, float)}
        rows.append({"variant": variant.label, "folder": variant.folder, "off": list(variant.off), **accuracy})
    about = {"name": spec.name, "seed": spec.seed, "model": spec.device.model}
    about |= {"layers": list(spec.chip.layers), "epochs": spec.epochs}
    result = {"schema": SCHEMA, **about, "variants": rows}
    record.write(out / "ablation.json", result)
    return result


def table(result: dict[str, Any]) -> str:
    """Accuracy of each variant, and its difference to all on and to all off, in percentage points."""
    rows = result["variants"]
    by_label = {row["variant"]: row["direct_average"] if "direct_average" in row else row["output"] for row in rows}
    width = max(len(label) for label in by_label)
    lines = [f"{'':{width}}  accuracy  to all on  to all off"]
    for label, value in by_label.items():
        on, off = (100 * (value - by_label[name]) for name in (ALL_ON, ALL_OFF))
        lines.append(f"{label:{width}}  {100 * value:6.2f} %  {on:+9.2f}  {off:+10.2f}")
    return "\n".join(lines)
