"""All data of one run for the template of the page, as text and pictures."""

from __future__ import annotations

import re
from typing import Any

from edgesdt.pricing import omissions
from edgesdt.report.drawing import wording
from edgesdt.report.files.folders import Run, number
from edgesdt.report.run import completions, curves, memory_map, phases, receptive_fields, summary, wear


def view(run: Run, prefix: str) -> dict[str, Any]:
    """The data for the template; `prefix` makes identifiers unique if the page shows several runs."""
    record = run.record
    technology = run.part("technology")
    made = {
        "kind": "run",
        "id": prefix,
        "label": run.label,
        "name": str(record.get("name") or run.folder.name),
        "facts": summary.facts(run),
        "headline": _headline(run),
        "caveats": omissions.of_prices(record),
        "readouts": summary.readouts(run),
        "test_samples": wording.count(summary.samples_tested(run)),
        "charts": curves.of_run(run, prefix),
        "curve": curves.table(run),
        "phases": phases.table(run),
        "streams": phases.accuracies(run),
        "breakdowns": summary.breakdowns(run),
        "timing": summary.timing(run),
        "actions": summary.actions(run),
        "presented": wording.exact(summary.presented(run)),
        "memory": memory_map.memory(run),
        "fields": receptive_fields.fields(run),
        "completions": completions.completions(run),
        "device": summary.pairs(_without_histogram(run.part("device"))),
        "wear": wear.histogram(run),
        "rests": wear.rests(run),
        "rest_notes": omissions.of_rest(record),
        "technology": summary.pairs(technology, leave_out=("sources", "not_priced", "leakage_breakdown_w")),
        "sources": _sources(technology.get("sources")),
        "spec": spec_text(run.part("spec")),
        "provenance": provenance(run),
    }
    return {**made, "sections": _sections(made)}


def _sections(made: dict[str, Any]) -> list[tuple[str, str]]:
    """Kind and title of the sections with content, in the page's order."""
    parts = made["breakdowns"]
    both = " and ".join(
        name for name in ("latency", "area") if parts[name] or (name == "latency" and made["timing"])
    )
    found = [
        ("accuracy", "Accuracy", made["readouts"] or made["charts"]),
        ("phases", "Phases", made["phases"][1]),
        ("energy", "Energy", parts["energy"]),
        ("actions", "Actions", made["actions"]),
        ("latency", both.capitalize(), both),
        ("memory", "Memory", made["memory"]),
        ("fields", "Receptive fields", made["fields"]),
        ("completions", "Completed images", made["completions"]),
        ("device", "Device", made["device"] or made["rests"][1]),
        ("technology", "Technology", made["technology"] or made["sources"]),
        ("spec", "Spec", made["spec"]),
        ("provenance", "Provenance", made["provenance"]),
    ]
    return [(key, title) for key, title, content in found if content]


def _without_histogram(device: dict[str, Any]) -> dict[str, Any]:
    """The device section without the data that is drawn as bars."""
    return {key: value for key, value in device.items() if key != "writes_histogram"}


def _headline(run: Run) -> dict[str, Any]:
    energy, latency = run.part("energy_j"), run.part("latency_s")
    rows, rest = summary.readouts(run), wear.last_rest(run)
    whole = omissions.whole(run.record, "energy_j")
    return {
        "rest": rest.text if rest else "",
        "readout": rows[0] if rows else None,
        "train_energy": summary.least(wording.energy(energy.get("train_per_sample")), whole),
        "train_total": summary.least(wording.energy(energy.get("train_total")), whole),
        "inference_energy": summary.least(wording.energy(energy.get("inference_per_sample")), whole),
        "ratio": _ratio(energy.get("train_per_sample"), energy.get("inference_per_sample")) if whole else None,
        "train_latency": summary.least(wording.time(latency.get("train_per_sample")), whole),
        "inference_latency": summary.least(wording.time(latency.get("inference_per_sample")), whole),
        "area": summary.least(wording.area(run.part("area_mm2").get("total")), whole),
    }


def _ratio(train: object, inference: object) -> str | None:
    """The cost of one training sample, as a number of inferences."""
    above, below = number(train), number(inference)
    return f"{above / below:.3g}" if above and below else None


def _sources(sources: object) -> list[str]:
    """Sources of the technology table, one text each, from any form in the table."""
    if isinstance(sources, dict):
        return [f"{wording.label(str(key))}: {wording.quantity('', value)}" for key, value in sources.items()]
    if not isinstance(sources, list):
        return [str(sources)] if sources else []
    texts = []
    for entry in sources:
        parts = (
            [wording.quantity(k, v) for k, v in entry.items()] if isinstance(entry, dict) else [str(entry)]
        )
        texts.append(", ".join(parts))
    return texts


def provenance(run: Run) -> list[tuple[str, str]]:
    """The data that a repeated run needs to give the same integers, as far as recorded."""
    record = run.record
    rows = [("spec hash", record.get("spec_hash")), ("seed", record.get("seed"))]
    rows.append(("started", wording.moment(record["started"]) if "started" in record else None))
    rows.append(("duration", wording.time(record["duration_s"]) if "duration_s" in record else None))
    rows += [(name, version) for name, version in run.part("versions").items()]
    rows += [(f"simulated {wording.label(k)}", wording.quantity(k, v)) for k, v in run.part("speed").items()]
    return [(name, str(value)) for name, value in rows if value is not None]


def spec_text(spec: dict[str, Any]) -> Any:
    """The resolved spec as YAML with its keys marked up; None if the record has none."""
    import markupsafe
    import yaml

    if not spec:
        return None
    text = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
    escaped = str(markupsafe.escape(text))
    return markupsafe.Markup(re.sub(r"(?m)^(\s*(?:- )?)([\w.]+)(?=:)", r"\1<b>\2</b>", escaped))
