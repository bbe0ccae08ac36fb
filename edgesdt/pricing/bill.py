"""The ledger: action counts × technology table → joules, seconds and mm², with breakdowns by component.

Reads plain data only (a spec, counts, a memory map), so old records are re-priced without running a chip. What an
action is made of is in `recipes`, what each part costs in `hw_models.technology`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgesdt.errors import SpecError
from edgesdt.ledger import actions as act
from edgesdt.pricing import cells, leakage, omissions
from edgesdt.spec import Spec, spec_hash
from edgesdt.spec.named_files import SheetError
from edgesdt.spec.schema.spec import Technology as Prices
from hw_models.technology import Technology, TechnologyError

LEAKAGE = "leakage"
COMPONENT = {
    act.MAC: "synaptic arithmetic",
    act.WEIGHT_READ: "weight memory",
    act.WEIGHT_WRITE: "weight memory",
    act.INPUT_READ: "input",
    act.INPUT_WRITE: "input",
    act.STATE_READ: "neurons",
    act.STATE_WRITE: "neurons",
    act.NEURON_STEP: "neurons",
    act.NUDGE: "neurons",
    act.KEY_COMPARE: "target",
    act.HOMEOSTASIS_STEP: "homeostasis",
    act.CONTRAST: "learning arithmetic",
    act.RATE: "learning arithmetic",
    act.BIAS_READ: "biases",
    act.BIAS_WRITE: "biases",
    act.RANDOM_WORD: "random bank",
    act.CONTRAST_ACCESS: "batch buffers",
    **cells.COMPONENT,
}


def technology(spec: Spec) -> Technology:
    """The technology table that the spec names, at its node. Raises `SpecError`."""
    try:
        return spec.technology.prices()
    except (TechnologyError, SheetError) as error:
        raise SpecError(f"technology: {error}") from error


def bits_of(memory: Mapping[str, Any], *prefixes: str) -> int:
    """Bits of the recorded arrays whose names start with one of `prefixes` (at least 1, as a capacity)."""
    return max(1, sum(int(a["bits"]) for a in memory["arrays"] if a["name"].startswith(prefixes)))


def recipes(spec: Spec, memory: Mapping[str, Any], tech: Technology) -> dict[str, float]:
    """Joules of one of each action: the arithmetic that it needs at the chip's widths, and its memory accesses."""
    chip, home = spec.chip, spec.learning.homeostasis
    weight, state, total, held = chip.weights.bits, chip.states.bits, chip.accumulator.bits, chip.constants.bits
    event = max(spec.encoder.bits, state)
    drive, contrast = state + 4, event + state + 1

    def sram(bits: int, *arrays: str) -> float:
        return tech.sram_access_j(bits, bits_of(memory, *arrays))

    weights = sram(weight, "weights")
    states = sram(state, "states", "free_states", "plus_states")
    settled = sram(home.activity_bits, "activity") + sram(home.bits, "homeostasis")
    return {
        act.MAC: tech.multiply_j(event, weight) + tech.add_j(total) + tech.register_j(total),
        act.WEIGHT_READ: weights,
        act.WEIGHT_WRITE: weights,
        act.INPUT_READ: sram(spec.encoder.bits, "input"),
        act.INPUT_WRITE: sram(spec.encoder.bits, "input"),
        act.STATE_READ: states,
        act.STATE_WRITE: states,
        act.NEURON_STEP: 2 * tech.add_j(drive) + tech.multiply_j(drive, held) + 2 * tech.compare_j(drive),
        act.NUDGE: 2 * tech.add_j(drive) + tech.multiply_j(state + 1, held),
        act.KEY_COMPARE: (tech.add_j(home.bits) + tech.compare_j(home.bits)),
        act.HOMEOSTASIS_STEP: 2 * tech.add_j(home.activity_bits)
        + tech.multiply_j(home.activity_bits, held)
        + 2 * tech.add_j(home.bits)
        + tech.multiply_j(home.bits, held)
        + 2 * settled,
        act.CONTRAST: tech.multiply_j(event, state) + tech.add_j(contrast),
        act.RATE: tech.multiply_j(contrast, held)
        + tech.add_j(contrast + held)
        + tech.shift_j(contrast + held)
        + tech.add_j(weight)
        + tech.compare_j(weight),
        act.BIAS_READ: sram(chip.biases.bits, "biases"),
        act.BIAS_WRITE: sram(chip.biases.bits, "biases"),
        act.RANDOM_WORD: 3 * tech.xor_j(32) + tech.register_j(32),
        act.CONTRAST_ACCESS: 2 * sram(contrast + (spec.learning.batch - 1).bit_length(), "weight_contrast"),
        **({} if spec.device.digital else cells.recipes(cells.Parts.of(spec, tech))),
    }


def areas(spec: Spec, memory: Mapping[str, Any], tech: Technology) -> dict[str, float]:
    """mm² by component: memories by their bits, arithmetic units by the stated parallelism."""
    chip, home = spec.chip, spec.learning.homeostasis
    weight, state, total, held = chip.weights.bits, chip.states.bits, chip.accumulator.bits, chip.constants.bits
    event = max(spec.encoder.bits, state)
    drive, contrast = state + 4, event + state + 1
    mac = tech.multiply_mm2(event, weight) + tech.add_mm2(total) + tech.register_mm2(total)
    learner = tech.multiply_mm2(event, state) + tech.multiply_mm2(contrast, held) + tech.shift_mm2(contrast + held)
    learner += tech.add_mm2(contrast) + tech.add_mm2(contrast + held) + tech.add_mm2(weight)
    neuron = tech.multiply_mm2(drive, held) + tech.multiply_mm2(state + 1, held) + 4 * tech.add_mm2(drive)
    settle = tech.multiply_mm2(home.activity_bits, held) + tech.multiply_mm2(home.bits, held)
    settle += 4 * tech.add_mm2(home.bits)
    own = spec.learning.target == "self_defined"
    weights = bits_of(memory, "weights") if spec.device.digital else 0
    others = memory["used_bits"] - weights
    array = {} if spec.device.digital else cells.areas(cells.Parts.of(spec, tech))
    return {
        **array,
        "weight memory": tech.sram_mm2(weights) if weights else 0.0,
        "other memory": tech.sram_mm2(others),
        "synaptic arithmetic": chip.macs_per_cycle * mac if spec.device.digital else 0.0,
        "learning arithmetic": chip.macs_per_cycle * learner,
        "neurons": chip.neurons_per_cycle * (neuron + (settle if own else 0.0)),
        "target": spec.learning.winners * tech.compare_mm2(home.bits) if own else 0.0,
        "random bank": chip.random.lanes * (3 * tech.xor_mm2(32) + tech.register_mm2(32)),
    }


def static_w(spec: Spec, memory: Mapping[str, Any], tech: Technology) -> float:
    """Static power [W] of the whole chip, array drivers included."""
    return leakage.total_w(spec, memory, areas(spec, memory, tech), tech)


def cycles(spec: Spec, counts: Mapping[str, int]) -> dict[str, float]:
    """Clock cycles by phase, each unit busy every cycle: `macs_per_cycle` synapses, `neurons_per_cycle` neurons.

    A bank step takes one cycle and overlaps the update that consumes it; input is loaded `neurons_per_cycle` at a time.
    """
    chip = spec.chip
    synapses = counts[act.CONTRAST_ACCESS] if spec.learning.batch > 1 else counts[act.RATE]
    update = max(synapses / chip.macs_per_cycle, counts[act.RANDOM_WORD] / chip.random.lanes)
    return {
        "input": counts[act.INPUT_WRITE] / chip.neurons_per_cycle,
        "inference and nudge": counts[act.MAC] / chip.macs_per_cycle + counts[act.NEURON_STEP] / chip.neurons_per_cycle,
        "target and homeostasis": (
            counts[act.KEY_COMPARE] / max(spec.learning.winners, 1) + counts[act.HOMEOSTASIS_STEP]
        )
        / chip.neurons_per_cycle,
        "update": update,
    }


@dataclass(frozen=True)
class Bill:
    """What a stretch of samples cost: joules by component (leakage among them) and seconds by phase."""

    energy_j: dict[str, float]
    latency_s: dict[str, float]


def bill(spec: Spec, counts: Mapping[str, int], memory: Mapping[str, Any], tech: Technology) -> Bill:
    """Price `counts`: energy by component and latency by phase, static leakage over that time included."""
    prices = recipes(spec, memory, tech)
    energy: dict[str, float] = {}
    for action, count in counts.items():
        energy[COMPONENT[action]] = energy.get(COMPONENT[action], 0.0) + count * prices[action]
    latency = {phase: n / spec.chip.clock for phase, n in cycles(spec, counts).items()}
    if not spec.device.digital:
        latency |= cells.seconds(cells.Parts.of(spec, tech), counts)
    energy[LEAKAGE] = static_w(spec, memory, tech) * sum(latency.values())
    return Bill({name: joules for name, joules in energy.items() if joules}, latency)


def price(
    spec: Spec, counts: Mapping[str, Mapping[str, int]], samples: Mapping[str, int], memory: Mapping[str, Any]
) -> dict[str, Any]:
    """The record's `energy_j`, `latency_s`, `area_mm2` and `technology` for `counts` {train, inference}.

    `samples` {train, inference} are the samples that the counts cover. `train_breakdown` sums to `train_total`,
    `inference_breakdown` to `inference_per_sample`, and the leakage of each is broken down once more.
    """
    tech = technology(spec)
    train, shown = (bill(spec, counts[phase], memory, tech) for phase in ("train", "inference"))
    area = {name: mm2 for name, mm2 in areas(spec, memory, tech).items() if mm2}
    leaks = leakage.by_component(spec, memory, area, tech)
    seconds = {
        f"{phase}_breakdown": {name: s / samples[phase] for name, s in made.latency_s.items() if s}
        for phase, made in (("train", train), ("inference", shown))
    }
    return {
        "energy_j": _energy(train, shown, samples, leaks),
        "latency_s": {
            "train_per_sample": sum(seconds["train_breakdown"].values()),
            "inference_per_sample": sum(seconds["inference_breakdown"].values()),
            **seconds,
        },
        "area_mm2": {"total": sum(area.values()), "breakdown": area},
        "technology": {
            "table": tech.name,
            "node_nm": tech.node_nm,
            "leakage_w": static_w(spec, memory, tech),
            "leakage_breakdown_w": leaks,
            "sources": list(tech.sources),
            **_left_out(spec),
        },
    }


def _energy(train: Bill, shown: Bill, samples: Mapping[str, int], leaks: Mapping[str, float]) -> dict[str, Any]:
    """The record's `energy_j`; `leaks` is the static power by component."""
    total = sum(train.energy_j.values())
    inference = {name: joules / samples["inference"] for name, joules in shown.energy_j.items()}
    seconds = sum(train.latency_s.values()), sum(shown.latency_s.values()) / samples["inference"]
    return {
        "train_total": total,
        "train_per_sample": total / samples["train"],
        "inference_per_sample": sum(inference.values()),
        "train_breakdown": train.energy_j,
        "inference_breakdown": inference,
        "train_leakage": {name: watts * seconds[0] for name, watts in leaks.items()},
        "inference_leakage": {name: watts * seconds[1] for name, watts in leaks.items()},
    }


def _left_out(spec: Spec) -> dict[str, list[str]]:
    """`not_priced`, of cells whose model states no electrical conditions; empty where all has a price."""
    known = spec.device.digital or spec.device.cell_model().drive is not None
    return {} if known else {"not_priced": list(omissions.UNPRICED)}


def reprice(record: Mapping[str, Any], table: str, node: float | None = None) -> dict[str, Any]:
    """A copy of `record` priced with another technology table at `node` [nm; None: the table's own], nothing re-run.

    `table` is a name or the path of a table of one's own (`./my28.yaml`). Raises `SpecError`.
    """
    plain = copy.deepcopy(dict(record["spec"]))
    try:
        plain["technology"] = Prices.named(table, node)
    except SheetError as error:
        raise SpecError(f"technology.file: {error}") from error
    spec = Spec.from_plain(plain)
    samples = {
        "train": record["train_samples"] * plain["epochs"],
        "inference": record["test_samples"],
    }
    priced = price(spec, record["counts"], samples, record["memory"])
    tech = technology(spec)
    curve = [
        {**point, "energy_j": sum(bill(spec, point["counts"], record["memory"], tech).energy_j.values())}
        for point in record["curve"]
    ]
    return {**record, **priced, "spec": plain, "spec_hash": spec_hash(plain), "curve": curve}
