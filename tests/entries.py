"""A right call of every public function that takes arrays, or the reason why a caller does not reach it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from edgesdt import report
from edgesdt.chip.simulated import Chip
from edgesdt.datasets import Dataset, idx
from edgesdt.datasets import load as load_data
from edgesdt.datasets.encoders import encode
from edgesdt.kernels.layout import EVENT_KINDS
from edgesdt.ledger import actions as act
from edgesdt.pricing import bill as energy
from edgesdt.readouts import labels, methods
from edgesdt.report.run.receptive_fields import png
from edgesdt.rules.activation.layout import EVENT_KINDS as ACTIVATION_KINDS
from edgesdt.rules.activation.ledger import cell_counts as activation_cell_counts
from edgesdt.rules.activation.ledger import counts as activation_counts
from edgesdt.rules.activity import ASSUMED
from edgesdt.rules.backprop.layout import EVENT_KINDS as BACKPROP_KINDS
from edgesdt.rules.backprop.ledger import cell_counts as backprop_cell_counts
from edgesdt.rules.backprop.ledger import counts as backprop_counts
from edgesdt.rules.eqprop.ledger import cell_counts
from edgesdt.rules.eqprop.ledger import counts as eqprop_counts
from edgesdt.rules.eqprop.rule import EqProp
from edgesdt.rules.lookup import memory_map, rule_of
from edgesdt.rules.similarity.layout import EVENT_KINDS as SIMILARITY_KINDS
from edgesdt.rules.similarity.ledger import cell_counts as similarity_cell_counts
from edgesdt.rules.similarity.ledger import counts as similarity_counts
from edgesdt.rules.softhebb.layout import EVENT_KINDS as SOFTHEBB_KINDS
from edgesdt.rules.softhebb.ledger import cell_counts as softhebb_cell_counts
from edgesdt.rules.softhebb.ledger import counts as softhebb_counts
from edgesdt.runs import record
from edgesdt.runs.samples import load as samples_of
from edgesdt.spec import Spec, load, loads, spec_hash, to_yaml
from edgesdt.synapses.crossbar.crossbar import Crossbar
from hw_models.base import CellModel, Pulse
from hw_models.families import neurosim
from hw_models.families.levels import target_level
from hw_models.families.wrappers.endurance import Endurance
from hw_models.families.wrappers.retention import Retention
from hw_models.families.wrappers.stuck_at import StuckAt
from hw_models.kernels import aligned, portable_arrays, randomness
from hw_models.mapping import Mapping
from hw_models.periphery import cell_costs, dac, ir_drop, passing
from hw_models.sheets import catalog
from hw_models.technology import load as load_table
from hw_models.technology import load_text
from tests.small_chips import spec_of

Make = Callable[[], tuple[Callable[..., Any], dict[str, Any]]]


@dataclass(frozen=True)
class Entry:
    """A function with arguments that are right, made afresh for each call; `wrong` names those to spoil (all if empty).

    `covers` are the dotted names of the public functions that the call goes through.
    """

    name: str
    covers: tuple[str, ...]
    make: Make
    wrong: tuple[str, ...] = ()


KINDS: dict[str, dict[str, Any]] = {
    "digital": {},
    "labels, two layers, 4-bit inputs": {
        "learning.target": "label", "encoder.bits": 4, "learning.homeostasis.reset": "epoch", "epochs": 3,
    },
    "backprop": {"learning.rule": "backprop", "learning.batch": 2},
    "backprop, labels, two layers": {
        "learning.rule": "backprop", "learning.target": "label", "learning.loss": "cross_entropy", "encoder.bits": 4,
    },
    "softhebb, a read-out, two layers": {
        "learning.rule": "softhebb", "learning.target": "label", "learning.normalisation": "running",
    },
    "softhebb": {"learning.rule": "softhebb", "learning.batch": 2},
    "similarity": {"learning.rule": "similarity", "encoder.bits": 4},
    "activation": {
        "learning.rule": "activation", "learning.target": "label", "readout": ["activation"], "learning.frac_bits": 8,
        "learning.label.classes": 4,
    },
    "cells": {"device.model": "ReRamSB", "chip.weights.init_gain": 0.1},
    "written cells": {"device.model": "quantized_4bit", "chip.weights.init_gain": 0.1},
}  # fmt: skip


@cache
def spec_for(kind: str) -> Spec:
    """A small chip of that kind."""
    return spec_of([6, 5, 4] if "two" in kind else [6, 4], KINDS[kind])


def _samples(spec: Spec, count: int = 5) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 1 << spec.encoder.bits, (count, 6)).astype(np.uint8)
    return {"samples": x, "labels": rng.integers(0, 4, count)}


def _chips() -> list[Entry]:
    made = []
    for kind in KINDS:
        spec = spec_for(kind)
        given = _samples(spec)
        both = ("edgesdt.rules.base.StoreLearner", "edgesdt.rules.protocol.Learner")

        def learn(spec: Spec = spec, given: dict[str, Any] = given) -> Any:
            chip = Chip(spec)
            return _told(chip, chip.learn), {"x": given["samples"] * 16, "labels": given["labels"], "epoch": 0}

        def infer(spec: Spec = spec, given: dict[str, Any] = given) -> Any:
            return Chip(spec).infer, {"x": given["samples"], "threads": 1}

        def restore(spec: Spec = spec) -> Any:
            chip = Chip(spec)
            return _told(chip, chip.restore), {"state": Chip(spec).state()}

        def rule_learn(spec: Spec = spec, given: dict[str, Any] = given) -> Any:
            chip = Chip(spec)
            return _told(chip, chip.rule.learn), {**given, "order": np.array([4, 0, 0, 2]), "epoch": 0}

        def rule_infer(spec: Spec = spec, given: dict[str, Any] = given) -> Any:
            return Chip(spec).rule.infer, {"samples": given["samples"], "threads": 2}

        made += [
            Entry(f"Chip.learn, {kind}", ("edgesdt.chip.simulated.Chip.learn",), learn),
            Entry(f"Chip.infer, {kind}", ("edgesdt.chip.simulated.Chip.infer",), infer),
            Entry(
                f"Chip.restore, {kind}",
                ("edgesdt.chip.simulated.Chip.restore", *(f"{b}.restore" for b in both)),
                restore,
            ),
            Entry(f"rule.learn, {kind}", tuple(f"{b}.learn" for b in both), rule_learn),
            Entry(f"rule.infer, {kind}", tuple(f"{b}.infer" for b in both), rule_infer),
            Entry(f"rule.weights, {kind}", (), lambda spec=spec: (Chip(spec).rule.weights, {"layer": 0})),
        ]
        if spec.learning.rule == "similarity":
            made.append(Entry(f"rule.lateral, {kind}", (), lambda spec=spec: (Chip(spec).rule.lateral, {"layer": 1})))
        else:
            made.append(Entry(f"rule.biases, {kind}", (), lambda spec=spec: (Chip(spec).rule.biases, {"layer": 1})))
    return made


def _told(chip: Chip, call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, and then all that the chip holds."""

    def told(**given: Any) -> Any:
        call(**given)
        return chip.state()

    return told


def _outputs_of(x: Any) -> Any:
    return x[:, :4].astype(np.uint8)


def _readouts() -> list[Entry]:
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 256, (20, 6)).astype(np.uint8), np.arange(20) % 3
    test = {"x_test": x[:9], "y_test": y[:9]}
    train = {"infer": _outputs_of, "x": x, "y": y}
    known = methods.Association(np.array([0, 1, 2, -1]), 3)
    outputs = {"outputs": rng.integers(0, 256, (7, 4)).astype(np.uint8)}
    own, place = ("x", "y", "x_test", "y_test"), "edgesdt.readouts.methods"
    return [
        Entry(
            "drawn",
            ("edgesdt.readouts.labels.drawn",),
            lambda: (labels.drawn, {"y": train["y"], "fraction": 0.5, "seed": 0}),
        ),
        Entry(
            "chosen",
            ("edgesdt.readouts.labels.chosen",),
            lambda: (labels.chosen, {"y": train["y"], "count": 5, "seed": 0}),
        ),
        Entry("Association", (), lambda: (methods.Association, {"neuron_class": known.neuron_class, "classes": 3})),
        Entry(
            "learn", (f"{place}.Association.learn",),
            lambda: (methods.Association.learn, {**train, "classes": 3}), ("x", "y", "classes"),
        ),
        Entry("average", (f"{place}.Association.average",), lambda: (known.average, outputs)),
        Entry("strongest", (f"{place}.Association.strongest",), lambda: (known.strongest, outputs)),
        Entry("direct", (f"{place}.direct",), lambda: (methods.direct, {**train, **test, "classes": 3}), own),
        Entry(
            "recognised", (f"{place}.recognised",),
            lambda: (methods.recognised, {"found": known, "infer": _outputs_of, **test}), ("x_test", "y_test"),
        ),
        Entry(
            "output", (f"{place}.output",),
            lambda: (methods.output, {"infer": _outputs_of, **test}), ("x_test", "y_test"),
        ),
        Entry(
            "linear", (f"{place}.linear",),
            lambda: (methods.linear, {**train, **test, "state_bits": 8, "seed": 0}), (*own, "state_bits"),
        ),
    ]  # fmt: skip


def _data() -> list[Entry]:
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 256, (6, 4)).astype(np.uint8), np.arange(6) % 2
    whole = {"name": "own", "x_train": x, "y_train": y, "x_test": x, "y_test": y, "shape": (2, 2), "classes": 2}
    arrays = ("x_train", "y_train", "x_test", "y_test", "shape", "classes")
    tables = {"events": np.ones((EVENT_KINDS, 2), np.int64)}
    return [
        Entry("Dataset", (), lambda: (Dataset, whole), arrays),
        Entry("Dataset.first", (), lambda: (Dataset(**whole).first, {"train": 2, "test": 3})),
        Entry("encode", ("edgesdt.datasets.encoders.encode",), lambda: (encode, {"pixels": x, "bits": 4})),
        Entry("idx.encode", ("edgesdt.datasets.idx.encode",), lambda: (idx.encode, {"elements": x})),
        Entry("png", ("edgesdt.report.run.receptive_fields.png",), lambda: (png, {"shades": x % 60})),
        Entry("Tally.of", ("edgesdt.rules.eqprop.ledger.counts.Tally.of",), lambda: (eqprop_counts.Tally.of, tables)),
        Entry(
            "actions", ("edgesdt.rules.eqprop.ledger.counts.actions",),
            lambda: (eqprop_counts.actions, {"spec": spec_for("digital"), **tables}), ("events",),
        ),
        Entry(
            "activation Tally.of", ("edgesdt.rules.activation.ledger.counts.Tally.of",),
            lambda: (activation_counts.Tally.of, {"events": np.ones((ACTIVATION_KINDS, 2), np.int64)}),
        ),
        Entry(
            "activation actions", ("edgesdt.rules.activation.ledger.counts.actions",),
            lambda: (activation_counts.actions,
                     {"spec": spec_for("activation"), "events": np.ones((ACTIVATION_KINDS, 2), np.int64)}), ("events",),
        ),
        Entry(
            "backprop Tally.of", ("edgesdt.rules.backprop.ledger.counts.Tally.of",),
            lambda: (backprop_counts.Tally.of, {"events": np.ones((BACKPROP_KINDS, 2), np.int64)}),
        ),
        Entry(
            "backprop actions", ("edgesdt.rules.backprop.ledger.counts.actions",),
            lambda: (backprop_counts.actions,
                     {"spec": spec_for("backprop"), "events": np.ones((BACKPROP_KINDS, 2), np.int64)}), ("events",),
        ),
        Entry(
            "softhebb Tally.of", ("edgesdt.rules.softhebb.ledger.counts.Tally.of",),
            lambda: (softhebb_counts.Tally.of, {"events": np.ones((SOFTHEBB_KINDS, 2), np.int64)}),
        ),
        Entry(
            "softhebb actions", ("edgesdt.rules.softhebb.ledger.counts.actions",),
            lambda: (softhebb_counts.actions,
                     {"spec": spec_for("softhebb"), "events": np.ones((SOFTHEBB_KINDS, 2), np.int64)}), ("events",),
        ),
        Entry(
            "similarity Tally.of", ("edgesdt.rules.similarity.ledger.counts.Tally.of",),
            lambda: (similarity_counts.Tally.of, {"events": np.ones((SIMILARITY_KINDS, 2), np.int64)}),
        ),
        Entry(
            "similarity actions", ("edgesdt.rules.similarity.ledger.counts.actions",),
            lambda: (similarity_counts.actions,
                     {"spec": spec_for("similarity"), "events": np.ones((SIMILARITY_KINDS, 2), np.int64)}),
            ("events",),
        ),
        Entry(
            "cell actions", ("edgesdt.rules.eqprop.ledger.cell_counts.actions",),
            lambda: (cell_counts.actions, {"spec": spec_for("cells"), **tables, "tallies": [([1] * 14, [0] * 14)]}),
            ("events", "tallies"),
        ),
        Entry(
            "backprop cell actions", ("edgesdt.rules.backprop.ledger.cell_counts.actions",),
            lambda: (backprop_cell_counts.actions,
                     {"spec": spec_of([6, 4], {**KINDS["cells"], "learning.rule": "backprop"}),
                      "events": np.ones((BACKPROP_KINDS, 2), np.int64), "tallies": [([1] * 14, [0] * 14)]}),
            ("events", "tallies"),
        ),
        Entry(
            "activation cell actions", ("edgesdt.rules.activation.ledger.cell_counts.actions",),
            lambda: (activation_cell_counts.actions,
                     {"spec": spec_of([6, 4], {**KINDS["cells"], **KINDS["activation"]}),
                      "events": np.ones((ACTIVATION_KINDS, 2), np.int64), "tallies": [([1] * 14, [0] * 14)]}),
            ("events", "tallies"),
        ),
        Entry(
            "softhebb cell actions", ("edgesdt.rules.softhebb.ledger.cell_counts.actions",),
            lambda: (softhebb_cell_counts.actions,
                     {"spec": spec_of([6, 4], {**KINDS["cells"], "learning.rule": "softhebb"}),
                      "events": np.ones((SOFTHEBB_KINDS, 2), np.int64), "tallies": [([1] * 14, [0] * 14)]}),
            ("events", "tallies"),
        ),
        Entry(
            "similarity cell actions", ("edgesdt.rules.similarity.ledger.cell_counts.actions",),
            lambda: (similarity_cell_counts.actions,
                     {"spec": spec_of([6, 4], {**KINDS["cells"], "learning.rule": "similarity"}),
                      "events": np.ones((SIMILARITY_KINDS, 2), np.int64), "tallies": [([1] * 14, [0] * 14)]}),
            ("events", "tallies"),
        ),
    ]  # fmt: skip


def _ledger() -> list[Entry]:
    made = []
    for kind in ("digital", "cells"):
        spec = spec_for(kind)
        memory = Chip(spec).memory.plain()
        names = [*act.MEANING, *(act.CELL_MEANING if kind == "cells" else ())]
        counts, tech = dict.fromkeys(names, 7), energy.technology(spec)

        def bill(spec: Spec = spec, memory: Any = memory, counts: Any = counts, tech: Any = tech) -> Any:
            given = {"spec": spec, "counts": dict(counts), "memory": dict(memory), "tech": tech}
            return _plain(energy.bill), given

        def price(spec: Spec = spec, memory: Any = memory, counts: Any = counts) -> Any:
            both, samples = {"train": dict(counts), "inference": dict(counts)}, {"train": 3, "inference": 3}
            return energy.price, {"spec": spec, "counts": both, "samples": samples, "memory": dict(memory)}

        made.append(Entry(f"bill, {kind}", (), bill, ("counts", "memory")))
        made.append(Entry(f"price, {kind}", (), price, ("counts", "samples", "memory")))
    return made


def _plain(call: Callable[..., Any]) -> Callable[..., Any]:
    return lambda **given: vars(call(**given))


def _models() -> dict[str, CellModel]:
    names = ("sram", "Idealized", "ReRamES", "EcRamMO", "PCMO", "HZO_FeFET", "PCM_Joshi", "PCM_inference", "PCM",
             "quantized_4bit", "RRAM_Wan", "SONOS", "ENODe_lookup")  # fmt: skip
    found = {name: catalog.load(name) for name in names}
    inner = found["ReRamES"]
    found["endurance"] = Endurance(inner=inner, limit_pulses=20.0)
    found["stuck"] = StuckAt(inner=found["quantized_4bit"], lrs_fraction=0.2, hrs_fraction=0.2)
    found["retention"] = Retention(inner=found["PCMO"], time_constant_s=10.0)
    return found


MODELS = _models()
DEVICE = {"pulse": ("cells", "counts", "places"), "program": ("cells", "target", "places")}
_OWNERS = ("base.CellModel", "steps.stepped.Stepped", "steps.pulsed_device.PulsedDevice", "levels.target_level.Written",
           "levels.pcm.PhaseChange", "levels.programmed.Programmed", "levels.quantized.Quantized", "lookup.Lookup",
           "neurosim.NeuroSim", "wrappers.wrapper.Wrapper", "wrappers.endurance.Endurance", "wrappers.stuck_at.StuckAt",
           "wrappers.retention.Retention")  # fmt: skip


def _devices() -> list[Entry]:
    made = []
    for name, model in MODELS.items():
        for method in ("pulse", "program", "read", "read_sd", "conductance_s", "manufacture"):
            if method == "conductance_s" and model.quantity == "weight" and model.drive is None:
                continue
            covers = tuple(f"{_package(owner)}.{method}" for owner in _OWNERS)
            made.append(Entry(f"{name}.{method}", covers, lambda m=model, k=method: _device_call(m, k)))
    return [*made, *_more_of_devices()]


def _device_call(model: CellModel, method: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    cells, (low, high) = model.manufacture(5, 1), model.bounds()
    states, places = np.linspace(low, high, 3), np.array([4, 0, 2])
    given: dict[str, dict[str, Any]] = {
        "pulse": {"cells": cells, "counts": np.array([2, -1, 0]), "places": places},
        "program": {"cells": cells, "target": states, "places": places},
        "read": {"cells": cells, "after_s": 3.0, "seed": 1},
        "read_sd": {"state": states},
        "conductance_s": {"state": states},
        "manufacture": {"count": 3, "seed": 1, "dtype": np.float64},
    }
    call = getattr(model, method)

    def told(**wanted: Any) -> Any:
        found = call(**wanted)
        return vars(found if method == "manufacture" else cells) if found is None or method == "manufacture" else found

    return told, given[method]


def _more_of_devices() -> list[Entry]:
    def worked(name: str, method: str, **given: Any) -> Make:
        def make() -> Any:
            model: Any = MODELS[name]
            cells = model.manufacture(5, 1)
            call = getattr(model, method)

            def told(**wanted: Any) -> Any:
                return [call(**wanted), *(vars(cells).values() if wanted.get("cells") is cells else ())]

            return told, given | ({"cells": cells} if "cells" in given else {})

        return make

    ends, some = np.array([1e-6, 2e-6]), np.array([4, 0])
    counts = {"counts": np.array([1, -1]), "places": some}
    found = {
        "steps.stepped.Stepped.pulse_and_tally": worked("ReRamES", "pulse_and_tally", cells=0, **counts),
        "steps.pulsed_device.PulsedDevice.leak": worked("ReRamES", "leak", cells=0, periods=2.0),
        "steps.pulsed_device.PulsedDevice.refresh": worked("ReRamES", "refresh", cells=0, places=some),
        "wrappers.endurance.Endurance.worn_out": worked("endurance", "worn_out", cells=0),
        "wrappers.retention.Retention.elapse": worked("retention", "elapse", cells=0, seconds=2.0),
        "lookup.Lookup.request": worked("ENODe_lookup", "request", cells=0, wanted=np.zeros(2), places=some),
        "neurosim.NeuroSim.pulses_for": worked("PCMO", "pulses_for", change_s=np.array([1e-9, -1e-9])),
        "neurosim.NeuroSim.conductance_at": worked("PCMO", "conductance_at", state_s=ends, voltage_v=0.5, write_v=2.0),
        "levels.programmed.Programmed.sigma_s": worked("RRAM_Wan", "sigma_s", conductance=ends, after_s=1.0),
        "levels.programmed.Programmed.shifted_s": worked("SONOS", "shifted_s", target=ends, after_s=1.0),
        "levels.pcm.PhaseChange.programming_sigma_s": worked("PCM_inference", "programming_sigma_s", target=ends),
        "levels.pcm.PhaseChange.drift_exponents": worked(
            "PCM_inference", "drift_exponents", target=ends, normals=np.zeros(2)
        ),
        "levels.pcm.PhaseChange.flicker_sigma": worked("PCM_inference", "flicker_sigma", visible=ends, after_s=1.0),
    }
    return [Entry(name, (_package(name),), make) for name, make in found.items()]


def _package(name: str) -> str:
    """The dotted name of something of `hw_models.base` or of a family."""
    return f"hw_models.{name}" if name.startswith("base.") else f"hw_models.families.{name}"


def _arrays() -> list[Entry]:
    return [
        Entry("chip's crossbar", ("edgesdt.synapses.crossbar.crossbar.Crossbar.program",), _chip_crossbar("program")),
        Entry("chip's show", ("edgesdt.synapses.crossbar.crossbar.Crossbar.show",), _chip_crossbar("show")),
        Entry("chip's weights", ("edgesdt.synapses.crossbar.crossbar.Crossbar.weights",), _chip_crossbar("weights")),
    ]  # fmt: skip


def _chip_crossbar(method: str) -> Make:
    def make() -> Any:
        rule = Chip(spec_for("cells")).rule
        assert isinstance(rule, EqProp)
        crossbar: Crossbar = rule.store.crossbar
        codes = rule.chip.weights.copy()
        given = {
            "program": {"weights": np.zeros((6, 4))},
            "show": {"codes": codes, "visible": crossbar.cells.visible.copy()},
            "weights": {"codes": codes},
        }[method]

        def told(**wanted: Any) -> Any:
            return [getattr(crossbar, method)(**wanted), codes, *vars(crossbar.cells).values()]

        return told, given

    return make


def _physics() -> list[Entry]:
    rng = np.random.default_rng(6)
    g, v = rng.uniform(1e-6, 1e-4, (4, 3)), rng.uniform(0, 0.5, 4)
    ohms = {"row_ohm": 2.0, "column_ohm": 3.0}
    codes = rng.integers(-999, 999, (4, 3)).astype(np.int16)
    model, pair = MODELS["PCMO"], Mapping("pair", 0.1)
    around, drive = "hw_models.periphery", model.drive
    assert drive is not None
    some = np.array([0.5, 1.5])
    joules = {"g_before_s": g[0], "g_after_s": g[1], "count": np.array([1, 2, 3])}
    return [
        Entry(
            "requantise", (f"{around}.dac.requantise",),
            lambda: (dac.requantise, {"codes": codes, "bits_in": 12, "bits": 4}),
        ),
        Entry("network", (f"{around}.ir_drop.network",), lambda: (_plain(ir_drop.network), {"g": g, **ohms})),
        Entry(
            "currents", (f"{around}.ir_drop.Network.currents",),
            lambda: (ir_drop.network(g, **ohms).currents, {"v": v, "tolerance": 1e-6}),
        ),
        Entry(
            "fast currents", (f"{around}.ir_drop.fast_currents",),
            lambda: (ir_drop.fast_currents, {"g": g, "v": v, **ohms}),
        ),
        Entry(
            "exact currents", (f"{around}.ir_drop.exact_currents",),
            lambda: (ir_drop.exact_currents, {"g": g, "v": v, **ohms}),
        ),
        Entry(
            "effective", (f"{around}.ir_drop.effective_conductances",),
            lambda: (ir_drop.effective_conductances, {"g": g, **ohms}),
        ),
        Entry("passed", (f"{around}.passing.passed_shares",), lambda: (passing.passed_shares, {"g": g, **ohms})),
        Entry(
            "shares", ("hw_models.mapping.Mapping.shares",),
            lambda: (pair.shares, {"weights": v[:, None] - 0.2, "model": model}), ("weights",),
        ),
        *(
            Entry(
                name, (f"hw_models.mapping.Mapping.{name}",),
                lambda name=name: (getattr(pair, name), {"shares": np.full((2, 1, 4, 3), 0.25), "model": model}),
                ("shares",),
            )
            for name in ("weights", "digits")
        ),
        Entry(
            "pulse_energy_j", ("hw_models.periphery.cell_costs.pulse_energy_j",),
            lambda: (cell_costs.pulse_energy_j, {"voltage_v": 2.0, "width_s": 1e-8, **joules}),
        ),
        Entry(
            "write_energy_j", ("hw_models.periphery.cell_costs.write_energy_j",),
            lambda: (cell_costs.write_energy_j, {"drive": drive, "pulse": Pulse(1.0, 1e-8), **joules}), tuple(joules),
        ),
        Entry(
            "array_read_energy_j", ("hw_models.periphery.cell_costs.array_read_energy_j",),
            lambda: (cell_costs.array_read_energy_j, {"voltages_v": v, "g_s": g, "read_s": 1e-8}),
        ),
        Entry(
            "curvatures", ("hw_models.families.neurosim.curvatures",), lambda: (neurosim.curvatures, {"labels": some})
        ),
        Entry(
            "exponentials", ("hw_models.kernels.portable_arrays.exponentials",),
            lambda: (portable_arrays.exponentials, {"values": some}),
        ),
        Entry(
            "logarithms", ("hw_models.kernels.portable_arrays.logarithms",),
            lambda: (portable_arrays.logarithms, {"values": some}),
        ),
        Entry(
            "powers", ("hw_models.kernels.portable_arrays.powers",),
            lambda: (portable_arrays.powers, {"values": some, "exponent": 0.5}),
        ),
        Entry(
            "on_cache_lines", ("hw_models.kernels.aligned.on_cache_lines",),
            lambda: (aligned.on_cache_lines, {"values": some, "dtype": np.float32}), ("values",),
        ),
        Entry(
            "take", ("hw_models.kernels.randomness.take",),
            lambda: (randomness.take, {"random": randomness.start(1), "count": 3}),
        ),
        Entry("gaussians", (), lambda: (randomness.gaussians, {"key": 1, "count": 3, "first": 2})),
        Entry("key_of", (), lambda: (randomness.key_of, {"seed": 1, "stream": 2})),
        Entry(
            "has_repeats", ("hw_models.families.levels.target_level.has_repeats",),
            lambda: (target_level.has_repeats, {"places": np.array([3, 1, 3])}),
        ),
        Entry(
            "rounds", ("hw_models.families.levels.target_level.rounds",),
            lambda: (lambda places: list(target_level.rounds(places)), {"places": np.array([3, 1, 3])}),
        ),
        Entry(
            "written.pulsed", ("hw_models.families.levels.target_level.pulsed",),
            lambda: (lambda **k: list(target_level.pulsed(**k)),
                     {"cells": model.manufacture(3, 1), "counts": np.array([1, 2]), "places": np.array([2, 0])}),
        ),
    ]  # fmt: skip


ENTRIES = [*_chips(), *_readouts(), *_data(), *_ledger(), *_devices(), *_arrays(), *_physics()]

INSIDE = {
    "edgesdt.readouts.labels.known": "as `drawn` and `chosen`, by the same checks",
    "edgesdt.datasets.transforms": "a step of a run, on a data set, which is checked when it is made",
    "edgesdt.chip.simulated.Chip.keep": "as `learn`; the buffer checks how many there are",
    "edgesdt.chip.simulated.Chip.replayed": "as `learn`, by the same checks",
    "edgesdt.chip.replay": "a part of a chip, which checks what it is given",
    "edgesdt.rules.consolidation": "a step of a rule, on its own arrays",
    "edgesdt.runs.phases": "a step of a run, on samples that it loaded itself",
    "edgesdt.readouts.assessment.Assessment.infer": "hands codes on to the rule, which checks them",
    "edgesdt.synapses.crossbar.crossbar.Crossbar.slices": "names the parts of arrays that a rule holds, reads none",
    "edgesdt.synapses.cell_layer": "a step of a substrate, on its own arrays",
    "edgesdt.synapses.cells": "what holds the weights of a learner, which checks what it is given",
    "edgesdt.synapses.levels": "a step of a substrate, on its own weights",
    "edgesdt.synapses.memory": "what holds the weights of a learner, which checks what it is given",
    "edgesdt.rules.similarity.store": "what holds the weights of a learner, which checks what it is given",
    "edgesdt.synapses.stores.memory": "names arrays that a rule holds, reads none",
    "edgesdt.synapses.substrate": "what holds the weights of a learner, which checks what it is given",
    "edgesdt.synapses.tallies": "a step of a substrate, on its own tallies",
    "edgesdt.rules.mapped": "what rules of other people are made from; `edgesdt.rules.contract` tries them",
    "edgesdt.readouts.softmax_regression": "a step of `methods.linear`, on outputs that it stored itself",
    "edgesdt.readouts.few_labels": "a step of `methods.linear`, on outputs that it stored itself",
    "edgesdt.readouts.stored_outputs": "a step of `methods.linear`, on what the chip infers",
    "edgesdt.suggest.search.logistic": "a step of `suggest`, on samples that it loaded itself",
    "edgesdt.synapses.crossbar.writing.carry": "a step of a rule, on its own arrays",
    "edgesdt.synapses.crossbar.reading.compensation": "a step of a rule, on its own arrays",
    "edgesdt.synapses.crossbar.slices": "a step of a rule, on its own arrays",
    "edgesdt.synapses.crossbar.reading.wires": "a step of a rule, on its own arrays",
    "edgesdt.report.run.receptive_fields.image_shape": "checks the array itself, which was read from a file",
    "edgesdt.rules.activation.rule.ActivationLearning.pictures": "what a run shows of its own test samples",
    "edgesdt.rules.activation.rule.ActivationLearning.completed": "as `infer`, by the same checks",
    "edgesdt.reference": "for tests, benchmarks and docs, which compare with it",
    "edgesdt.rules.arguments": "the checks themselves",
    "edgesdt.runs.folder": "writes arrays of any kind to a file, as numpy does",
    "edgesdt.sweep": "steps of a search, on arrays that it made itself",
    "hw_models.arguments": "the checks themselves",
    "hw_models.families.lookup_table": "a step of a model, on its own table",
    "hw_models.measured": "steps of a fit, on what `measured.tables.reading` read and checked",
    "hw_models.families.levels.target_level.drawn": "a step of a model, on cells that its `pulse` or `program` checked",
    "hw_models.families.levels.target_level.read_normals": "a step of a model, on cells that its `read` has checked",
}
"""Public functions that no caller needs to reach, by name or by the module that they are in, with the reason."""


def _plain_entries() -> list[Entry]:
    """Functions that take no array: every argument may be of a wrong kind."""
    spec = spec_of([4, 3])
    memory, table = memory_map(spec).plain(), energy.technology(spec)
    counts = rule_of(spec).expected(spec, True, ASSUMED)
    both, samples = {"train": counts, "inference": counts}, {"train": 1, "inference": 1}
    priced = {"spec": spec, "memory": memory, "tech": table}
    plain = spec.plain()
    finished = {
        "spec": plain, "counts": both, "memory": memory, "curve": [], "train_samples": 1, "test_samples": 1,
    }  # fmt: skip
    text = "name: x\ndata: {set: digits}\nchip: {layers: [64, 9], memory_budget: 8 KiB}\n"
    sheet = {
        "name": "mine", "family": "constant_step", "sources": {"ours": "measured"},
        "parameters": {"dw_min": {"value": 0.01, "unit": "1", "source": "ours"}},
    }  # fmt: skip
    calls: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (Chip, {"spec": spec}), (memory_map, {"spec": spec}), (rule_of, {"spec": spec}),
        (load, {"name_or_path": "quickstart", "overrides": ["epochs=2"]}),
        (loads, {"text": text, "label": "spec", "overrides": ["epochs=2"]}),
        (Spec.from_plain, {"plain": plain}), (spec_hash, {"plain": plain}), (to_yaml, {"plain": plain}),
        (energy.price, {"spec": spec, "counts": both, "samples": samples, "memory": memory}),
        (energy.bill, {**priced, "counts": counts}), (energy.recipes, priced), (energy.areas, priced),
        (energy.reference_read, {"spec": spec, "counts": counts, "memory": memory}), (energy.static_w, priced),
        (energy.latency_s, {"spec": spec, "counts": counts, "tech": table}),
        (energy.technology, {"spec": spec}), (energy.components, {"spec": spec}), (energy.left_out, {"spec": spec}),
        (energy.reprice, {"record": finished, "table": "cmos_45nm", "node": 45.0}),
        (load_data, {"name_or_path": "digits", "train": 10, "test": 10}),
        (labels.drawn, {"y": np.array([0, 1, 2]), "fraction": 0.5, "seed": 0}),
        (catalog.load, {"name": "EcRam"}), (catalog.family, {"name": "constant_step"}),
        (catalog.from_mapping, {"tree": sheet, "where": "here"}), (catalog.from_file, {"path": "absent.yaml"}),
        (load_table, {"table": "cmos_45nm", "node_nm": 45.0}), (load_text, {"text": "table: x", "where": "here"}),
        (report.write, {"given": ["absent"], "out": None, "table": None}), (samples_of, {"spec": spec}),
        (record.summary, {"record": finished}),
    ]  # fmt: skip
    return [Entry(call.__qualname__, (), lambda call=call, given=given: (call, given)) for call, given in calls]


PLAIN_ENTRIES = _plain_entries()
