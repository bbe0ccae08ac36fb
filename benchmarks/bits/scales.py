"""What a scale for each neuron would give: trained weights cut to few bits, with one shift for all or one a neuron.

It takes a finished run of `mnist_1layer_4bit`, whose weights of 7 bits are cut after training. Of the shifts, each is
the one with the least squared error. Both chips are read out on the last 10,000 training images, by association on the
first 20,000: the difference between the two is what counts, since the run has seen them all.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.bits.choices import SHORT, held_out
from edgesdt.errors import EdgesdtError

KEPT: Final = Path(__file__).parent / "scales.json"
BITS: Final = (2, 3, 4)
SPEC: Final = "mnist_1layer_4bit"
Ints = npt.NDArray[np.int64]


def cut(codes: Ints, bits: int, shift: Ints | int) -> Ints:
    """`codes` (inputs, neurons) rounded to `bits` bits of 2^`shift` codes each, saturated, as codes again."""
    lsb = np.left_shift(1, shift)
    kept = np.clip((codes + lsb // 2) // lsb, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    made: Ints = kept * lsb
    return made


def best_shifts(codes: Ints, bits: int) -> tuple[int, Ints]:
    """The shift with the least squared error for all neurons together, and that for each (neurons,)."""
    shifts = np.arange(9 - bits)
    errors = np.array([((cut(codes, bits, int(shift)) - codes) ** 2).sum(0) for shift in shifts])
    return int(shifts[errors.sum(1).argmin()]), shifts[errors.argmin(0)]


def measured(folder: Path) -> dict[str, Any]:
    """Neurons that prefer another shift than the layer, and both accuracies, by bits. Raises `EdgesdtError`."""
    from edgesdt.chip.simulated import Chip
    from edgesdt.readouts.assessment import Assessment
    from edgesdt.runs import record
    from edgesdt.spec import load

    made = record.read(folder / "record.json")
    if made["name"] != SPEC:
        raise EdgesdtError(f"{folder}: a run of {made['name']}, allowed: one of {SPEC}")
    with np.load(folder / "weights.npz") as arrays:
        codes, biases = arrays["weights_0"].astype(np.int64), arrays["biases_1"]
        same = f"chip.weights.frac_bits={int(arrays['weights_frac_bits'])}"
    chip = Chip(load("mnist_1layer", ["readout=[direct]", same]))
    rule: Any = chip.rule
    read = Assessment(chip.spec, chip, held_out(SHORT), threads=1)
    rule.chip.biases[:] = biases

    def accuracy(weights: Ints) -> float:
        rule.weights(0)[...] = np.clip(weights, -128, 127)
        rule.store.refresh()
        return round(read.read_out(["direct"])["direct_average"], 4)

    found: dict[str, Any] = {"seed": made["seed"], "stored": accuracy(codes)}
    root = np.sqrt((codes**2).mean(0))
    found["norms"] = [round(float(root.min() / root.mean()), 2), round(float(root.max() / root.mean()), 2)]
    for bits in BITS:
        layer, neuron = best_shifts(codes, bits)
        both = accuracy(cut(codes, bits, layer)), accuracy(cut(codes, bits, neuron))
        found[str(bits)] = {"others": int((neuron != layer).sum()), "layer": both[0], "neuron": both[1]}
    return found


def keep(folders: Sequence[Path]) -> None:
    """Measure runs and keep what is found, by seed."""
    found = sorted(map(measured, folders), key=lambda one: int(one["seed"]))
    KEPT.write_text("[\n" + ",\n".join(map(json.dumps, found)) + "\n]\n", encoding="utf-8")


def kept(path: Path = KEPT) -> list[dict[str, Any]]:
    """What is kept. Raises `EdgesdtError` for a file that is none."""
    try:
        found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        [(one["seed"], one["norms"], *(one[str(bits)]["others"] for bits in BITS)) for one in found]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EdgesdtError(f"{path}: no scales of the bit-width study: {error}") from error
    return found
