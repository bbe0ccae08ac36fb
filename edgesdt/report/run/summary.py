"""One record for the report: facts, headline, bars and tables as text, for `page`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from edgesdt import registry
from edgesdt.pricing import tables
from edgesdt.report.drawing import wording
from edgesdt.report.files.folders import Run, number


@dataclass(frozen=True)
class Bar:
    """A row of a bar table: `width` in per cent of the longest bar, `colour` the number of a page colour."""

    label: str
    value: str
    share: str
    width: float
    colour: int = 1


@dataclass(frozen=True)
class Bars:
    """A breakdown: its title, its sum, and its rows, the largest first."""

    title: str
    total: str
    unit_of: str
    rows: list[Bar]


@dataclass(frozen=True)
class Readout:
    """A read-out and its untrained control: `gain` in points, bar `width` and its `mark` in per cent."""

    key: str
    label: str
    trained: str
    interval: str
    control: str
    gain: str
    width: float
    mark: float | None


def best_key(run: Run) -> str | None:
    """The main read-out of the page: a read-out of the chip itself if there is one, else a library's classifier."""
    accuracy = run.part("accuracy")
    learning = run.part("spec").get("learning")
    labelled = isinstance(learning, Mapping) and learning.get("target") == "label"
    order = ["direct_average", *registry.BY_CLASS, "direct_max", "linear"]
    if labelled:
        order[:0] = registry.BY_CLASS
    keys = [key for key in _trained(accuracy) if number(accuracy[key]) is not None]
    return next((key for key in order if key in keys), keys[0] if keys else None)


def samples_tested(run: Run) -> int | None:
    """Number of test samples, if the record has it."""
    found = number(run.part("accuracy").get("test_samples", run.record.get("test_samples")))
    return int(found) if found else None


def _trained(accuracy: Mapping[str, object]) -> list[str]:
    """The read-outs among the keys, without controls and sample counts."""
    return [key for key in accuracy if not key.startswith("untrained_") and not key.endswith("_samples")]


def readouts(run: Run) -> list[Readout]:
    """Every read-out of the record, the main one first, each with its untrained control."""
    accuracy, n = run.part("accuracy"), samples_tested(run)
    lead = best_key(run)
    rows = []
    for key in sorted(_trained(accuracy), key=lambda k: k != lead):
        trained, control = number(accuracy[key]), number(accuracy.get(f"untrained_{key}"))
        gain = wording.ABSENT
        if trained is not None and control is not None:
            gain = f"{100 * (trained - control):+.1f}".replace("-", "\N{MINUS SIGN}")
        cells = (wording.percent(trained, n), wording.interval(trained, n), wording.percent(control, n))
        mark = None if control is None else round(100 * control, 2)
        rows.append(Readout(key, wording.readout(key), *cells, gain, round(100 * (trained or 0.0), 2), mark))
    return rows


def facts(run: Run) -> list[tuple[str, str]]:
    """One line on the run: layers, weights, rule, data, device, technology, epochs, seed."""
    spec = run.part("spec")

    def dig(path: str) -> Any:
        here: Any = spec
        for step in path.split("."):
            here = here.get(step) if isinstance(here, Mapping) else None
        return here

    layers, data = dig("chip.layers"), dig("data.set")
    found: list[tuple[str, Any]] = [
        ("layers", " \N{EN DASH} ".join(str(n) for n in layers) if isinstance(layers, list) else None),
        ("weights", _weights(dig("chip.weights.bits"), dig("chip.weights.hidden_bits"))),
        ("rule", dig("learning.rule")),
        ("target", _target(run, dig("learning.target"))),
        ("data", data.rpartition("/")[2] if isinstance(data, str) else data),
        ("device", device_name(run)),
        ("technology", tables.name(run.record) or None),
        ("node", _node(run)),
        ("labels", _labels(dig("label_fraction"), dig("data.labels.count"))),
        ("epochs", _epochs(run) or dig("epochs")),
        ("labels used", _labels_used(run)),
        ("seed", run.record.get("seed")),
    ]
    return [(name, str(value)) for name, value in found if value is not None]


def device_name(run: Run) -> str | None:
    """The name of the device from its sheet; the model of a spec that names a file is only the default."""
    spec = run.part("spec").get("device")
    asked = spec if isinstance(spec, Mapping) else {}
    file = asked.get("file")
    found = run.part("device").get("model") or (PurePath(str(file)).stem if file else asked.get("model"))
    return None if found is None else str(found)


def named_spec(run: Run) -> dict[str, Any]:
    """The spec of a run for display: a device from a file has its own name, not that of the default model."""
    spec = run.part("spec")
    device = spec.get("device")
    if not isinstance(device, Mapping) or not device.get("file"):
        return spec
    return {**spec, "device": {**device, "model": device_name(run)}}


def _weights(bits: Any, hidden: Any) -> str | None:
    """The bits of a weight, and those that reads do not use."""
    if not bits:
        return None
    return f"{bits} bits, {hidden} more hidden" if hidden else f"{bits} bits"


def _node(run: Run) -> str | None:
    asked = run.part("spec").get("technology")
    found = number(run.part("technology").get("node_nm"))
    if found is None and isinstance(asked, Mapping):
        found = number(asked.get("node"))
    return None if found is None else f"{found:g} nm"


def _phases(run: Run) -> list[Mapping[str, Any]]:
    """The phases of a run; none where it has no phases, or its record is older."""
    found = run.record.get("phases")
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def _target(run: Run, target: object) -> str | None:
    """The target of the output; that of a run in phases differs between them."""
    if _phases(run):
        return "of its phases"
    return str(target or "none").replace("_", " ").replace("none", "") or None


def _epochs(run: Run) -> str | None:
    """Epochs of all phases; None for a run without phases."""
    found = sum(number(row.get("epochs")) or 0 for row in _phases(run))
    return f"{found:g}" if found else None


def _labels(share: object, count: object) -> str | None:
    """Number or share of the training samples with a known label."""
    known = number(count)
    if known is not None:
        return f"{known:,.0f}"
    found = number(share)
    return None if found is None else "all" if found >= 1 else f"{100 * found:.3g} %"


def _labels_used(run: Run) -> str | None:
    """Numbers of training labels used in training and in read-outs, if the record has them."""
    used = run.record.get("labels")
    used = used if isinstance(used, Mapping) else {}  # older records do not have it
    training, readout = (number(used.get(name)) for name in ("training", "readout"))
    if training is None or readout is None:
        return None
    return f"{training:,.0f} in training, {readout:,.0f} in read-outs"


def least(text: str, whole: bool) -> str:
    """The text of a figure; marked if parts of it have no price."""
    return text if whole or text == wording.ABSENT else wording.AT_LEAST + text


def bars(
    title: str, breakdown: object, total: object, form: Callable[[object], str], unit_of: str
) -> Bars | None:
    """A breakdown as bars on its own scale; None if there is none. Shares are relative to the sum of rows."""
    if not isinstance(breakdown, Mapping):
        return None
    values = {str(k): v for k, v in ((k, number(v)) for k, v in breakdown.items()) if v is not None}
    if not values:
        return None
    whole, longest = sum(values.values()), max(max(values.values()), 0.0)
    shown = whole if number(total) is None else total
    rows = [
        Bar(
            wording.label(k),
            form(v),
            wording.share(v, whole),
            100 * max(v, 0.0) / longest if longest else 0.0,
        )
        for k, v in sorted(values.items(), key=lambda item: -item[1])
    ]
    return Bars(title, form(shown), unit_of, rows)


def per_sample(run: Run, part: str, phase: str) -> dict[str, float]:
    """A breakdown for one sample, from the recorded breakdown of the whole training."""
    found = run.part(part)
    breakdown = found.get(f"{phase}_breakdown")
    items = breakdown.items() if isinstance(breakdown, Mapping) else ()
    values = {str(k): v for k, v in ((k, number(v)) for k, v in items) if v is not None}
    each, whole = number(found.get(f"{phase}_per_sample")), number(found.get(f"{phase}_total"))
    told = sum(values.values())
    if not each or not whole or not told or abs(told - each) <= abs(told - whole):
        return values
    return {name: value * each / whole for name, value in values.items()}


def leakages(run: Run) -> list[Bars]:
    """Leakage by component, per sample of training and inference; the record has that of the whole training."""
    energy, tables = run.part("energy_j"), []
    each, whole = number(energy.get("train_per_sample")), number(energy.get("train_total"))
    scales = {"train": each / whole if each and whole else None, "inference": 1.0}
    for phase, title in (("train", "Leakage in training"), ("inference", "Leakage in inference")):
        found, scale = energy.get(f"{phase}_leakage"), scales[phase]
        if isinstance(found, Mapping) and scale:
            values = {key: value * scale for key, v in found.items() if (value := number(v)) is not None}
            table = bars(title, values, None, wording.energy, "per sample")
            tables += [table] if table else []
    return tables


def breakdowns(run: Run) -> dict[str, list[Bars]]:
    """The bar tables of the energy, latency and area sections."""
    space = run.part("area_mm2")
    tables: dict[str, list[Bars]] = {"energy": [], "latency": [], "area": []}
    for phase, title in (("train", "Training"), ("inference", "Inference")):
        for part, name, form in (("energy_j", "energy", wording.energy), ("latency_s", "latency", wording.time)):
            each = run.part(part).get(f"{phase}_per_sample")
            table = bars(title, per_sample(run, part, phase), each, form, "per sample")
            tables[name] += [table] if table else []
    tables["energy"] += leakages(run)
    table = bars("Area", space.get("breakdown"), space.get("total"), wording.area, "in all")
    tables["area"] += [table] if table else []
    return tables


def presented(run: Run) -> int | None:
    """Training samples presented over all epochs, calculated as total energy divided by energy per sample."""
    energy = run.part("energy_j")
    total, each = number(energy.get("train_total")), number(energy.get("train_per_sample"))
    return round(total / each) if total and each else None


def actions(run: Run) -> list[tuple[str, str, str, str]]:
    """Rows of the action table: action, total in training, per training sample, and inference as recorded."""
    counts, n = run.part("counts"), presented(run)
    train, inference = counts.get("train") or {}, counts.get("inference") or {}
    rows = []
    for name in dict.fromkeys([*train, *inference]):
        total = number(train.get(name))
        each = wording.ABSENT if total is None or not n else wording.count(total / n)
        rows.append(
            (wording.label(name), wording.exact(train.get(name)), each, wording.exact(inference.get(name)))
        )
    return rows


def timing(run: Run) -> list[tuple[str, str, str]]:
    """Latency per sample, and the resulting rate and mean power, for training and inference."""
    energy, latency = run.part("energy_j"), run.part("latency_s")
    columns = []
    for key in ("train_per_sample", "inference_per_sample"):
        seconds, joules = number(latency.get(key)), number(energy.get(key))
        rate = 1 / seconds if seconds else None
        power = joules / seconds if seconds and joules is not None else None
        rate_and_power = wording.quantity("rate_per_s", rate), wording.quantity("power_w", power)
        columns.append((wording.time(seconds), *rate_and_power))
    titles = ("latency per sample", "samples per second", "mean power")
    rows = list(zip(titles, *columns, strict=True))
    return [row for row in rows if row[1:] != (wording.ABSENT, wording.ABSENT)]


def pairs(part: Mapping[str, Any], leave_out: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Key and value of a section, each value with its unit; a nested mapping becomes `outer: inner` rows."""
    rows: list[tuple[str, str]] = []
    for key, value in part.items():
        if isinstance(value, Mapping) and value and key not in leave_out:
            rows += [(f"{wording.label(key)}: {name}", text) for name, text in pairs(value)]
        elif key not in leave_out:
            rows.append((wording.label(key), wording.quantity(key, value)))
    return rows
