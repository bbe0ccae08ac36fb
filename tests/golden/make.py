"""Golden traces: what small chips compute, sample by sample, kept as JSON. `python -m tests.golden.make` remakes them.

A trace is complete: spec, samples, starting weights, and every array of the chip after every sample, so that it also
serves as a test vector for an RTL. Remake it only after a change of arithmetic that is meant, and say so. Names after
the command remake those only.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from edgesdt import __version__
from edgesdt.chip.simulated import Chip
from edgesdt.rules.base import StoreLearner
from edgesdt.rules.lookup import rule_of
from edgesdt.spec import Spec
from tests.small_chips import random_samples, spec_of
from tests.witnesses import WITNESSES

FOLDER = Path(__file__).parent
SAMPLES = 6
CHIPS: dict[str, tuple[list[int], dict[str, Any]]] = {
    "self_defined": ([8, 6], {"learning.winners": 2, "learning.learning_rate": 0.1}),
    "two_layers_symmetric": (
        [7, 5, 4],
        {
            "chip.states.rounding": "stochastic", "chip.states.bits": 10, "chip.random.lanes": 4,
            "chip.weights.bits": 12, "chip.weights.frac_bits": 9, "chip.accumulator.bits": 18,
            "learning.beta_sign": "symmetric", "learning.learning_rate": [0.1, 0.2],
        },
    ),
    "softmax": (
        [7, 6, 4],
        {
            "learning.loss": "cross_entropy", "learning.winners": 1, "learning.dropout.output": 0.0,
            "learning.learning_rate": [0.3, 0.1], "learning.beta": 0.5, "learning.dt": 0.5, "learning.free_steps": 8,
            "learning.nudged_steps": 4, "chip.states.bits": 10, "chip.weights.init_gain": 2,
        },
    ),
    "label_in_batches": (
        [6, 5, 3],
        {
            "learning.target": "label", "learning.batch": 4, "learning.learning_rate": 0.3,
            "chip.weights.rounding": "nearest", "chip.biases.rounding": "floor", "learning.free_steps": 12,
        },
    ),
    "hidden_bits": (
        [7, 5, 4],
        {
            "chip.weights.bits": 2, "chip.weights.hidden_bits": 4, "chip.weights.levels": "nearest",
            "chip.weights.frac_bits": 2, "learning.winners": 2, "learning.learning_rate": [0.1, 0.2],
        },
    ),
    "backprop_self_defined": (
        [8, 7, 6],
        {
            "learning.rule": "backprop", "learning.winners": 2, "learning.learning_rate": [0.2, 0.1],
            "learning.activation.hidden": "hard_sigmoid", "learning.activation.derivative": "inward",
            "learning.errors.frac_bits": 9, "learning.errors.bits": 9,
        },
    ),
    "backprop_softmax": (
        [7, 6, 5, 4],
        {
            "learning.rule": "backprop", "learning.target": "label", "learning.loss": "cross_entropy",
            "learning.learning_rate": 0.2, "chip.weights.bits": 12, "chip.states.bits": 10, "chip.random.lanes": 4,
            "chip.states.rounding": "floor", "chip.biases.rounding": "nearest",
        },
    ),
    "backprop_in_batches": (
        [6, 5],
        {
            "learning.rule": "backprop", "learning.winners": 2, "learning.learning_rate": 0.5, "learning.batch": 4,
            "chip.weights.rounding": "floor",
        },
    ),
    "insitu_backprop": (
        [7, 5, 3],
        {
            "learning.rule": "backprop", "learning.target": "label", "learning.learning_rate": [0.1, 0.2],
            "learning.activation.derivative": "inward", "chip.states.bits": 10,
            "device.layers": {
                "0": {"model": "EcRam", "array": {"tile_rows": 4, "output_noise": 0.5}},
                "1": {
                    "model": "EcRam",
                    "array": {
                        "mapping": "pair", "weight_per_range": 0.8, "tile_rows": 3, "tile_columns": 4,
                        "read_noise": "additive", "read_noise_sd": 0.02,
                    },
                },
            },
        },
    ),
    "insitu_softhebb": (
        [8, 6],
        {
            "learning.rule": "softhebb", "chip.weights.init_gain": 2, "learning.centre.window_bits": 1,
            "learning.learning_rate": 0.2, "device.model": "EcRam", "device.array.mapping": "pair",
            "device.array.tile_rows": 5, "device.array.output_noise": 0.5,
        },
    ),
    "softhebb": (
        [8, 6, 5],
        {
            "learning.rule": "softhebb", "chip.weights.init_gain": 2, "learning.centre.window_bits": 1,
            "learning.normalisation": "running", "learning.activation.range_bits": -3,
        },
    ),
    "softhebb_read_out": (
        [7, 6, 3],
        {
            "learning.rule": "softhebb", "learning.target": "label", "learning.centre.window_bits": 0,
            "learning.learning_rate": [0.1, 0.5], "learning.activation.power": 1, "learning.activation.range_bits": 0,
            "learning.activation.kind": "repu", "chip.weights.rounding": "nearest", "chip.weights.init_gain": 1,
        },
    ),
    "softhebb_in_batches": (
        [6, 5],
        {
            "learning.rule": "softhebb", "learning.batch": 3, "learning.normalisation": "maximum",
            "learning.centre.enabled": False, "learning.sharpness": 2, "learning.rate_power": 1,
            "chip.weights.rounding": "floor", "learning.activation.range_bits": 1,
        },
    ),
    "similarity": (
        [8, 6],
        {
            "learning.rule": "similarity", "learning.learning_rate": 0.06, "learning.integer_bits": 2,
            "learning.settling.steps": 9, "learning.lateral.bits": 8, "learning.lateral.frac_bits": 6,
        },
    ),
    "similarity_stacked_labels": (
        [7, 6, 5],
        {
            "learning.rule": "similarity", "learning.target": "label", "learning.learning_rate": [0.06, 0.1],
            "learning.settling.solver": "damped", "learning.settling.dt": 0.3, "learning.settling.steps": 12,
            "chip.weights.bits": 12, "chip.states.bits": 10, "chip.random.lanes": 4, "chip.weights.rounding": "nearest",
            "chip.states.rounding": "floor", "learning.lateral.bits": 10, "learning.labels.classes": 5,
            "learning.centring.bits": 12, "learning.centring.shift": 2, "learning.tau": 0.7,
            "chip.weights.init_gain": 4.0, "learning.integer_bits": 1,
        },
    ),
    "insitu_similarity": (
        [8, 6],
        {
            "learning.rule": "similarity", "learning.target": "label", "learning.learning_rate": 0.1,
            "learning.settling.steps": 9, "learning.labels.classes": 5, "device.model": "EcRam",
            "device.array.mapping": "pair", "device.array.tile_rows": 5, "device.array.output_noise": 0.5,
        },
    ),
    "activation_lines": (
        [8, 7, 6],
        {
            "learning.rule": "activation", "learning.target": "label", "readout": ["activation"],
            "learning.label.classes": 3, "learning.label.copies": 3, "learning.frac_bits": 8,
            "learning.column_bits": 4, "learning.learning_rate": [0.3, 0.2], "chip.weights.frac_bits": 8,
        },
    ),
    "activation_feedback": (
        [7, 6, 5, 4],
        {
            "learning.rule": "activation", "learning.target": "label", "readout": ["activation"],
            "learning.label.classes": 2, "learning.label.copies": 3, "learning.frac_bits": 8,
            "learning.column_bits": 4, "learning.learning_rate": 0.3, "learning.activation": "std_abs",
            "learning.draws": "weights", "learning.feedback.enabled": True, "chip.weights.bits": 12,
            "chip.states.rounding": "floor", "chip.random.lanes": 4, "learning.feedback.margin": 0.5,
            "learning.feedback.normalise": True, "learning.feedback.brake": True,
        },
    ),
    "insitu_pairs": (
        [8, 6],
        {
            "learning.winners": 2, "learning.learning_rate": 0.05, "device.model": "EcRam",
            "device.array.mapping": "pair", "device.array.tile_rows": 5, "device.array.output_noise": 0.5,
            "device.array.read_noise": "additive", "device.array.read_noise_sd": 0.02,
        },
    ),
    "insitu_verified": (
        [6, 3],
        {
            "learning.target": "label", "learning.learning_rate": 0.05, "device.model": "PCM_Joshi",
            "device.array.programming": "verify", "device.array.dac_bits": 4, "device.array.adc_bits": 7,
        },
    ),
    "insitu_sliced": (
        [6, 4],
        {
            "learning.winners": 1, "learning.learning_rate": 0.3, "device.model": "EcRam",
            "device.array.slices": 3, "device.array.bits_per_cell": 1, "device.array.carry_every": 2,
            "device.array.mapping": "pair", "device.array.tile_rows": 4, "device.array.read_noise": "additive",
            "device.array.read_noise_sd": 0.02,
        },
    ),
    "insitu_layers": (
        [7, 5, 3],
        {
            "learning.target": "label", "learning.learning_rate": [0.05, 0.1], "learning.beta_sign": "symmetric",
            "chip.states.bits": 10,
            "device.layers": {
                "0": {"model": "EcRam", "array": {"tile_rows": 4, "output_noise": 0.5}},
                "1": {
                    "model": "EcRam",
                    "array": {
                        "mapping": "pair", "weight_per_range": 0.8, "tile_rows": 3, "tile_columns": 4,
                        "read_noise": "additive", "read_noise_sd": 0.02,
                    },
                },
            },
        },
    ),
    "insitu_activation": (
        [7, 6, 5],
        {
            "learning.rule": "activation", "learning.target": "label", "readout": ["activation"],
            "learning.label.classes": 3, "learning.label.copies": 2, "learning.frac_bits": 8,
            "learning.learning_rate": [0.3, 0.2], "chip.weights.frac_bits": 10,
            "device.layers": {
                "0": {"model": "EcRam", "array": {"tile_rows": 4, "output_noise": 0.5}},
                "1": {
                    "model": "EcRam",
                    "array": {
                        "mapping": "pair", "weight_per_range": 0.9, "tile_rows": 3, "tile_columns": 4,
                        "read_noise": "additive", "read_noise_sd": 0.02,
                    },
                },
            },
        },
    ),
}  # fmt: skip
FIXED = ("spread", "tally", "tally_back")
"""Parts of the cells that are not kept after every sample."""


def arrays_of(rule: StoreLearner) -> dict[str, list[int]]:
    """Every array of the chip that is not empty, and its cells where it has any."""
    arrays = {name: array.tolist() for name, array in rule.chip._asdict().items() if array.size}
    kept = {name: array.tolist() for name, array in rule.state().items() if name.startswith("cells_")}
    return arrays | {name: numbers for name, numbers in kept.items() if not name.endswith(FIXED)}


def trace_of(spec: Spec, samples: list[list[int]], labels: list[int]) -> dict[str, Any]:
    """Start, then the chip after each stream: single samples, or mini-batches of which the last may not be full."""
    rule = Chip(spec).rule
    start, after = arrays_of(rule), []
    codes, given = np.array(samples, np.uint8), np.array(labels, np.int64)
    for first in range(0, len(samples), spec.learning.batch):
        order = np.arange(first, min(first + spec.learning.batch, len(samples)))
        rule.learn(codes, given, order, epoch=0)
        after.append(arrays_of(rule))
    events, kept = WITNESSES[spec.learning.rule].events_of(rule.work.events), rule.state()
    trace = {"start": start, "after": after, "events": events, "inference": rule.infer(codes).tolist()}
    if spec.device.layers:
        parts = {name.removeprefix("cells_"): array for name, array in kept.items() if name.endswith(FIXED)}
        trace["cells"] = {
            name: array.tolist() if name.endswith("spread") else [int(n) for n in array]
            for name, array in parts.items()
        }
    elif not spec.device.digital:
        trace["cells"] = {"spread": kept["cells_spread"].tolist(), "tally": [int(n) for n in kept["cells_tally"]]}
    return trace


def made_with() -> dict[str, str]:
    """Versions of all that has a part in a trace, and the commit where there is one."""
    made = {"edgesdt": __version__, "python": platform.python_version()}
    made |= {package: version(package) for package in ("numpy", "numba")}
    git = ["git", "-C", str(FOLDER), "describe", "--always", "--dirty"]
    found = subprocess.run(git, capture_output=True, text=True, check=False)
    return made | ({"commit": found.stdout.strip()} if found.returncode == 0 else {})


def text_of(golden: dict[str, Any]) -> str:
    """JSON with one line for each array, so that a difference can be read."""

    def laid_out(value: Any, indent: str) -> str:
        inner = indent + " "
        if isinstance(value, dict):
            parts = [f"{json.dumps(key)}: {laid_out(item, inner)}" for key, item in value.items()]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            parts = [laid_out(item, inner) for item in value]
        else:
            return json.dumps(value)
        first, last = "{}" if isinstance(value, dict) else "[]"
        return f"{first}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{last}"

    return laid_out(golden, "") + "\n"


def main(names: list[str]) -> None:
    """Remake the traces of these names; of none: every trace."""
    for name in names or list(CHIPS):
        layers, fields = CHIPS[name]
        spec = spec_of(layers, {"name": name, **fields})
        samples, labels = random_samples(spec, 0, SAMPLES)
        labels %= rule_of(spec).classes(spec)
        golden: dict[str, Any] = {"made_with": made_with(), "spec": spec.plain()}
        golden |= {"samples": samples.tolist(), "labels": labels.tolist()}
        golden |= trace_of(spec, golden["samples"], golden["labels"])
        (FOLDER / f"{name}.json").write_text(text_of(golden), encoding="utf-8")
        print(f"{name}.json")


if __name__ == "__main__":
    main(sys.argv[1:])
