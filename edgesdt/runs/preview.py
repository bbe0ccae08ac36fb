"""Previews a spec without a run: memory map, layers, predicted cost, and the values in use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgesdt import units
from edgesdt.errors import SpecError
from edgesdt.ledger.memory import MemoryMap
from edgesdt.pricing import bill, omissions, tables
from edgesdt.rules.activity import ASSUMED, Activity
from edgesdt.rules.course import added
from edgesdt.rules.lookup import held, memory_map, resolve, rule_of
from edgesdt.runs import phase_costs
from edgesdt.spec import Spec, layers, to_yaml
from edgesdt.spec.stages import epochs_of, is_phased
from edgesdt.synapses.crossbar.reading import compensation
from edgesdt.synapses.crossbar.scales import tiles

_SHOWN = 3
"""Number of leakage components that a preview names."""


def enforce(spec: Spec) -> None:
    """Raises `BudgetError` if the chip does not fit, `SpecError` if its technology table is unknown."""
    bill.technology(spec)
    memory_map(spec).enforce()


def resolved(spec: Spec) -> str:
    """The whole spec as YAML that loads to the same chip; constants have their rounded values, with their registers."""
    # phases are written on one line, which has no room for notes of their own
    notes = {path: f"held as {register}" for path, (_, register) in held(spec).items() if not path.startswith("phases")}
    return to_yaml(resolve(spec).plain(), notes)


def predicted(spec: Spec, fitted: MemoryMap, activity: Activity = ASSUMED) -> dict[str, Any]:
    """`energy_j`, `latency_s`, `area_mm2` and `technology` as in a record, for 1,000 samples and inferences."""
    stages = phase_costs.expected(spec, activity)
    counts = {"train": added(stages), "inference": phase_costs.expected_inference(spec, activity)}
    try:
        return bill.price(spec, counts, {"train": 1000, "inference": 1000}, fitted.plain(), stages)
    except ZeroDivisionError as error:  # pragma: no cover - the schema keeps every divisor above 0
        raise SpecError(f"chip: cannot be priced: {error}") from error


def preview(spec: Spec, activity: Activity = ASSUMED) -> str:
    """Memory map against the budget, layers and predicted energy, latency and area, for a chip of this `activity`.

    Raises as `enforce`.
    """
    enforce(spec)
    spec = resolve(spec)  # the same as in a run
    fitted = memory_map(spec)
    priced = predicted(spec, fitted, activity)
    sizes = " - ".join(str(n) for n in spec.chip.layers)
    states = spec.chip.states
    expected = (
        "exact for a dense chip, but for its random words"
        if spec.chip.style == "dense"
        else rule_of(spec).in_words(activity, spec.chip.layers[1:])
    )
    energy_j, latency, tech = priced["energy_j"], priced["latency_s"], priced["technology"]
    plan = [_named(spec, layer) + _array(spec, layer) for layer in layers.on_cells(spec)]
    lines = [
        f"{spec.name}: {sizes}, {spec.chip.style}, {_rule(spec)}",
        f"{_weights(spec)}, states {states.bits} bits, "
        f"accumulators {spec.chip.accumulator.bits} bits, {epochs_of(spec)} epochs of {Path(spec.data.set).name}",
        *plan,
        "",
        "memory map",
        fitted.table(),
        "",
        f"predicted cost at {tables.name(priced)}, {tech['node_nm']:g} nm ({expected})",
        f"  energy   {units.format_energy(energy_j['train_per_sample'])} per training sample, "
        f"{units.format_energy(energy_j['inference_per_sample'])} per inference",
        f"  latency  {units.format_time(latency['train_per_sample'])} per training sample, "
        f"{units.format_time(latency['inference_per_sample'])} per inference "
        f"({spec.chip.macs_per_cycle} MACs per cycle at {units.format_frequency(spec.chip.clock)})",
        *_calibration(spec, fitted),
        f"  area     {units.format_area(priced['area_mm2']['total'])}",
        f"  leakage  {units.format_si(tech['leakage_w'], 'W')}{_largest(tech['leakage_breakdown_w'])}",
        *_asleep(tech),
        *(f"  {sentence}" for sentence in omissions.of_prices(priced)),
        *phase_costs.lines(spec, fitted, activity),
    ]
    return "\n".join(lines)


def _rule(spec: Spec) -> str:
    """Text for the rule and its target, if it has one."""
    target = "of its phases" if is_phased(spec) else spec.learning.target
    return spec.learning.rule if target == "none" else f"{spec.learning.rule}, target {target}"


def _largest(watts: dict[str, float]) -> str:
    """Text for the components with the largest leakage."""
    first = sorted(watts.items(), key=lambda item: -item[1])[:_SHOWN]
    told = ", ".join(f"{name} {units.format_si(each, 'W')}" for name, each in first)
    return f" ({told}{', …' if len(watts) > _SHOWN else ''})" if told else ""


def _asleep(tech: dict[str, Any]) -> list[str]:
    """Text for the static power with all banks asleep; empty if no bank can sleep."""
    watts = tech.get("leakage_asleep_w")
    return [] if watts is None else [f"           {units.format_si(watts, 'W')} with all banks asleep"]


def _calibration(spec: Spec, fitted: MemoryMap) -> list[str]:
    """Text for the cost of the reference read that a chip with drift compensation makes after a rest."""
    if spec.device.digital or spec.device.drift_compensation == "none":
        return []
    joules, seconds = bill.reference_read(spec, compensation.assumed_counts(spec), fitted.plain())
    told = f"{units.format_energy(joules)} and {units.format_time(seconds)}"
    return [f"  drift    {told} for a reference read after a rest"]


def _array(whole: Spec, layer: int) -> str:
    """Text for the tiles and converters of the crossbar; two-way crossbars have converters on rows too."""
    spec, two_way = layers.alone(whole, layer), layers.both_ways(whole, layer)
    array, (rows, columns) = spec.device.array, spec.chip.layers
    down, across = tiles(spec)
    beside = columns * (2 if array.mapping == "pair" else 1)
    converters = down * array.slices * -(-columns // array.columns_per_adc)
    rows_too = f" and {across * -(-rows // array.columns_per_adc)} for its rows" if two_way else ""
    wires = f", lines of {units.format_si(array.wire_resistance, 'Ω')} per cell" if array.wire_resistance else ""
    return (
        f"array of {down} x {across} tiles of up to {min(array.tile_rows, rows)} x "
        f"{min(array.tile_columns, beside)} cells, {converters} converters of {array.adc_bits} bits for "
        f"{array.columns_per_adc} columns each{rows_too}{wires}"
    )


def _named(spec: Spec, layer: int) -> str:
    """The name of a weight layer, if there are several."""
    return f"layer {layer}: " if layers.count(spec) > 1 else ""


def _weights(spec: Spec) -> str:
    """Text for the storage of the weights; by layer if any layer is on cells."""
    if spec.device.digital or layers.count(spec) == 1:
        return _weights_of(spec)
    each = (_named(spec, k) + _weights_of(layers.alone(spec, k)) for k in range(layers.count(spec)))
    return "; ".join(each)


def _weights_of(spec: Spec) -> str:
    weights, array = spec.chip.weights, spec.device.array
    if spec.device.digital:
        hidden = f", {weights.hidden_bits} more hidden" if weights.hidden_bits else ""
        return f"weights {weights.bits} bits ({weights.frac_bits} fractional){hidden}"
    how = "pairs of cells" if array.mapping == "pair" else "cells against a reference"
    if array.slices > 1:
        how += (
            f" in {array.slices} slices of base {1 << array.bits_per_cell}, carried every "
            f"{units.format_count(array.carry_every)} samples"
        )
    model = spec.device.model
    if spec.device.file is not None:
        model = f"{spec.device.cell_model().name} ({Path(spec.device.file).name})"
    return f"weights on {model}, {how}, {array.weight_per_range or 0:g} per conductance range, {array.programming}"
