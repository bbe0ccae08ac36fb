"""Prices a run: action counts × technology table → joules, seconds and mm², with breakdowns by component.

It reads plain data only (a spec, counts, a memory map), so old records are priced again without running a chip. The
learning rule describes its actions by recipes (`edgesdt.ledger.recipes`); the costs of their parts are in
`hw_models.technology`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgesdt.errors import SpecError
from edgesdt.ledger.recipes import KINDS, Access, Action, cycles
from edgesdt.pricing import banks, cells, leakage, omissions, phased, tables
from edgesdt.pricing.arguments import (
    check_counts,
    check_phases,
    check_record,
    check_table,
    check_tables,
)
from edgesdt.rules.lookup import design_of
from edgesdt.spec import Spec, layers, spec_hash
from edgesdt.spec.named_files import SheetError
from edgesdt.spec.schema.spec import Technology as Prices
from edgesdt.spec.schema.spec import require_spec
from edgesdt.spec.stages import stages as stages_of
from hw_models.technology import Technology, TechnologyError

LEAKAGE = "leakage"


def technology(spec: Spec) -> Technology:
    """The technology table that the spec names, at its node. Raises `SpecError`, `ArgumentError` for no spec."""
    require_spec(spec)
    try:
        found = spec.technology.prices()
        if spec.chip.memory.organised:  # needs entries that a table may lack
            found.sram_macro_mm2(1)
        if any(asked and asked.sleep for asked in map(spec.chip.memory.of, KINDS)):
            found.sram_asleep()
        return found
    except (TechnologyError, SheetError) as error:
        raise SpecError(f"technology: {error}") from error


def bits_of(memory: Mapping[str, Any], *prefixes: str) -> int:
    """Bits of the recorded arrays whose names start with one of `prefixes`; at least 1, for use as a capacity."""
    return max(1, sum(int(a["bits"]) for a in memory["arrays"] if a["name"].startswith(prefixes)))


def components(spec: Spec) -> dict[str, str]:
    """The component of the chip that pays for each action."""
    require_spec(spec)
    found = {action.name: action.component for action in design_of(spec).actions}
    return found if spec.device.digital else found | cells.actions(spec)


def recipes(spec: Spec, memory: Mapping[str, Any], tech: Technology) -> dict[str, float]:
    """Joules per count of each action: its arithmetic at the chip's widths, and its memory accesses.

    Accesses to memories in banks are excluded, because their cost depends on the opened words (`banks`).
    """
    require_spec(spec)
    check_tables(memory, tech)
    held = banks.held(spec, memory)
    made = {action.name: _joules(action, memory, tech, held) for action in design_of(spec).actions}
    return made if spec.device.digital else made | cells.priced(spec, tech)


def _joules(action: Action, memory: Mapping[str, Any], tech: Technology, held: banks.Held) -> float:
    total = 0.0
    for part in action.recipe:
        if isinstance(part, Access) and part.memory in held:
            continue
        if isinstance(part, Access):
            each = tech.sram_access_j(part.bits, bits_of(memory, *part.arrays))
        else:
            each = getattr(tech, f"{part.primitive}_j")(*part.bits)
        total += part.times * each
    return total


def areas(spec: Spec, memory: Mapping[str, Any], tech: Technology) -> dict[str, float]:
    """mm² by component: memories by their bits, functional units by their number and parts."""
    require_spec(spec)
    check_tables(memory, tech)
    held = banks.held(spec, memory)
    weights = bits_of(memory, "weights") if layers.in_memory(spec) and "weights" not in held else 0
    others = memory["used_bits"] - weights - sum(own.used_bits for own in held.values())
    found = {} if spec.device.digital else cells.area(spec, tech)
    found |= {"weight memory": tech.sram_mm2(weights) if weights else 0.0, "other memory": tech.sram_mm2(others)}
    found |= banks.areas(held, tech)
    for unit in design_of(spec).units:
        each = sum(part.times * getattr(tech, f"{part.primitive}_mm2")(*part.bits) for part in unit.parts)
        found[unit.component] = found.get(unit.component, 0.0) + unit.count * each
    return found


def static_w(spec: Spec, memory: Mapping[str, Any], tech: Technology) -> float:
    """Static power [W] of the whole chip, array drivers included, every bank awake."""
    require_spec(spec)
    check_tables(memory, tech)
    return leakage.total_w(spec, memory, areas(spec, memory, tech), tech)


def latency_s(spec: Spec, counts: Mapping[str, int], tech: Technology) -> dict[str, float]:
    """Seconds by phase of the rule's schedule, and of the array where weights are cells."""
    require_spec(spec)
    check_counts(spec, counts)
    found = {phase.name: cycles(phase, counts) / spec.chip.clock for phase in design_of(spec).phases}
    return found if spec.device.digital else found | cells.time_s(spec, counts, tech)


@dataclass(frozen=True)
class Bill:
    """The cost of a number of samples: joules by component (including leakage) and seconds by phase.

    `awake` is the share of the time that the banks of each kind of array are awake, empty without banks.
    """

    energy_j: dict[str, float]
    latency_s: dict[str, float]
    awake: dict[str, float] = field(default_factory=dict)


def reference_read(spec: Spec, counts: Mapping[str, int], memory: Mapping[str, Any]) -> tuple[float, float]:
    """Joules and seconds of the reference read of drift compensation; `counts` has the actions of the array alone.

    Raises `ArgumentError` for counts of another chip than that of `spec`, or an invalid map.
    """
    require_spec(spec)
    own = dict.fromkeys((action.name for action in design_of(spec).actions), 0)
    made = bill(spec, {**own, **counts} if isinstance(counts, Mapping) else counts, memory, technology(spec))
    return sum(made.energy_j.values()), sum(made.latency_s.values())


def bill(
    spec: Spec, counts: Mapping[str, int], memory: Mapping[str, Any], tech: Technology, built: Spec | None = None
) -> Bill:
    """Prices `counts`: energy by component and latency by phase, including static leakage over that time.

    `built` is the whole run of which `spec` is one stage: the chip is made for it, and all of it leaks. Raises
    `ArgumentError` for counts of another chip than that of `spec`, or an invalid map.
    """
    require_spec(spec)
    check_counts(spec, counts)
    check_tables(memory, tech)
    prices, paid_by = recipes(spec, memory, tech), components(spec)
    energy: dict[str, float] = {}
    for action, count in counts.items():
        energy[paid_by[action]] = energy.get(paid_by[action], 0.0) + count * prices[action]
    latency = latency_s(spec, counts, tech)
    seconds, held = sum(latency.values()), banks.held(spec, memory)
    for component, joules in banks.energy_j(spec, counts, held, tech).items():
        energy[component] = energy.get(component, 0.0) + joules
    shares = banks.awake(spec, counts, seconds, held)
    whole = built or spec
    if held:
        watts = sum(leakage.by_component(whole, memory, areas(whole, memory, tech), tech, shares).values())
    else:
        watts = static_w(whole, memory, tech)
    energy[LEAKAGE] = watts * seconds
    return Bill({name: joules for name, joules in energy.items() if joules}, latency, shares)


def of_stages(
    spec: Spec, counts: Sequence[Mapping[str, int]], memory: Mapping[str, Any], tech: Technology
) -> Bill:
    """Prices the counts of each stage of a run by the stage's own design, and adds them up. Raises as `bill`.

    Counts of a run as a whole, where it has several stages, are priced as those of the last one.
    """
    every = stages_of(spec)
    every = every if len(counts) == len(every) else every[-1:]
    bills = [bill(stage.spec, each, memory, tech, spec) for stage, each in zip(every, counts, strict=True)]
    return bills[0] if len(bills) == 1 else _sum(bills)


def _sum(bills: Sequence[Bill]) -> Bill:
    """Several bills of one chip as one: banks are awake for the mean share of the time."""
    energy: dict[str, float] = {}
    latency: dict[str, float] = {}
    for each in bills:
        for name, joules in each.energy_j.items():
            energy[name] = energy.get(name, 0.0) + joules
        for name, seconds in each.latency_s.items():
            latency[name] = latency.get(name, 0.0) + seconds
    times = [sum(each.latency_s.values()) for each in bills]
    whole = sum(times) or 1.0
    kinds = dict.fromkeys(kind for each in bills for kind in each.awake)
    awake = {k: sum(each.awake.get(k, 0.0) * t for each, t in zip(bills, times, strict=True)) / whole for k in kinds}
    return Bill(energy, latency, awake)


def price(
    spec: Spec,
    counts: Mapping[str, Mapping[str, int]],
    samples: Mapping[str, int],
    memory: Mapping[str, Any],
    stages: Sequence[Mapping[str, int]] | None = None,
) -> dict[str, Any]:
    """The record's `energy_j`, `latency_s`, `area_mm2` and `technology` for `counts` {train, inference}.

    `samples` {train, inference} are the samples that the counts cover. `train_breakdown` sums to `train_total`,
    `inference_breakdown` to `inference_per_sample`, and the leakage of each has its own breakdown. With phases,
    `stages` holds the counts of each stage of the run, which are priced by the stage's own design.
    """
    check_phases(counts, samples)
    tech = technology(spec)
    train = of_stages(spec, [counts["train"]] if stages is None else stages, memory, tech)
    shown = bill(stages_of(spec)[-1].spec, counts["inference"], memory, tech, spec)
    area = {name: mm2 for name, mm2 in areas(spec, memory, tech).items() if mm2}
    leaks = leakage.by_component(spec, memory, area, tech)
    while_at_it = [leakage.by_component(spec, memory, area, tech, made.awake or None) for made in (train, shown)]
    seconds = {
        f"{phase}_breakdown": {name: s / samples[phase] for name, s in made.latency_s.items() if s}
        for phase, made in (("train", train), ("inference", shown))
    }
    return {
        "energy_j": _energy(train, shown, samples, while_at_it),
        "latency_s": {
            "train_per_sample": sum(seconds["train_breakdown"].values()),
            "inference_per_sample": sum(seconds["inference_breakdown"].values()),
            **seconds,
        },
        "area_mm2": {"total": sum(area.values()), "breakdown": area},
        "technology": {
            "table": tech.name,
            **tables.own(spec.technology.file, spec.technology.sha256),
            "node_nm": tech.node_nm,
            "leakage_w": static_w(spec, memory, tech),
            "leakage_breakdown_w": leaks,
            **_asleep(spec, memory, area, tech),
            "sources": list(tech.sources),
            **left_out(spec),
        },
    }


def _asleep(spec: Spec, memory: Mapping[str, Any], area: Mapping[str, float], tech: Technology) -> dict[str, float]:
    """The record's `leakage_asleep_w`: static power with all banks asleep; empty if no bank can sleep."""
    held = banks.held(spec, memory)
    if not any(own.sleep for own in held.values()):
        return {}
    asleep = {kind: 0.0 if own.sleep else 1.0 for kind, own in held.items()}
    return {"leakage_asleep_w": sum(leakage.by_component(spec, memory, area, tech, asleep).values())}


def _energy(
    train: Bill, shown: Bill, samples: Mapping[str, int], leaks: Sequence[Mapping[str, float]]
) -> dict[str, Any]:
    """The record's `energy_j`; `leaks` is the static power by component, in training and in inference."""
    total = sum(train.energy_j.values())
    inference = {name: joules / samples["inference"] for name, joules in shown.energy_j.items()}
    seconds = sum(train.latency_s.values()), sum(shown.latency_s.values()) / samples["inference"]
    return {
        "train_total": total,
        "train_per_sample": total / samples["train"],
        "inference_per_sample": sum(inference.values()),
        "train_breakdown": train.energy_j,
        "inference_breakdown": inference,
        "train_leakage": {name: watts * seconds[0] for name, watts in leaks[0].items()},
        "inference_leakage": {name: watts * seconds[1] for name, watts in leaks[1].items()},
    }


def left_out(spec: Spec) -> dict[str, list[str]]:
    """`not_priced`, of cells whose model states no electrical conditions; empty where all has a price."""
    require_spec(spec)
    models = [layers.device_of(spec, layer).cell_model() for layer in layers.on_cells(spec)]
    return {} if all(model.drive is not None for model in models) else {"not_priced": list(omissions.UNPRICED)}


def reprice(record: Mapping[str, Any], table: str, node: float | None = None) -> dict[str, Any]:
    """A copy of `record`, priced with another technology table at `node` [nm; None: the table's own] without a new run.

    `table` is a name or the path of a table of one's own (`./my28.yaml`). Raises `SpecError`, and `ArgumentError`
    for what is no record, no table or no node.
    """
    check_record(record)
    check_table(table, node)
    plain = copy.deepcopy(dict(record["spec"]))
    try:
        plain["technology"] = Prices.named(table, node)
    except SheetError as error:
        raise SpecError(f"technology.file: {error}") from error
    spec = Spec.from_plain(plain)
    samples = {"train": phased.samples_learned(record), "inference": record["test_samples"]}
    stages = phased.stage_counts(record, len(stages_of(spec)))
    priced = price(spec, record["counts"], samples, record["memory"], stages)
    tech = technology(spec)

    def joules(counts: Sequence[Mapping[str, int]]) -> float:
        return sum(of_stages(spec, counts, record["memory"], tech).energy_j.values())

    curve = [{**point, "energy_j": joules(phased.of_point(point, stages))} for point in record["curve"]]
    phases = {"phases": [_phase(spec, each, record["memory"], tech) for each in record.get("phases", ())]}
    made = {**record, **priced, "spec": plain, "spec_hash": spec_hash(plain), "curve": curve}
    return made | (phases if phases["phases"] else {})


def _phase(spec: Spec, phase: Mapping[str, Any], memory: Mapping[str, Any], tech: Technology) -> dict[str, Any]:
    """A phase of a record with the prices of `tech`."""
    parts = []
    for part in phase["parts"]:
        made = bill(stages_of(spec)[part["stage"]].spec, part["counts"], memory, tech, spec)
        cost = {"energy_j": sum(made.energy_j.values()), "latency_s": sum(made.latency_s.values())}
        parts.append({**part, **cost})
    whole = {name: sum(part[name] for part in parts) for name in ("energy_j", "latency_s")}
    each = whole["energy_j"] / max(phase["samples"], 1)
    return {**phase, **whole, "energy_per_sample_j": each, "parts": parts}
