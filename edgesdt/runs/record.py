"""The record of a run: assembles it from plain data, writes and reads it as JSON, and summarises it as text."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from edgesdt import __version__, registry, units
from edgesdt.errors import ArgumentError, EdgesdtError, RunError
from edgesdt.files import documents, record_shape
from edgesdt.pricing import omissions, tables
from hw_models.foreign import printable, printable_lines

SCHEMA = 1


def versions() -> dict[str, str]:
    """Versions of the software that determines the integers and the read-outs."""
    found = {"edgesdt": __version__, "python": platform.python_version()}
    for package in ("numpy", "scipy", "numba", "scikit-learn"):
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def write_atomically(path: Path, data: bytes) -> None:
    """Writes `data` to `path` atomically: after a crash the file is either the old or the new one.

    Raises `RunError`.
    """
    # not tempfile, whose files only the user can read: a run folder may be shared
    draft = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        try:
            with draft.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"{path}: could not be written: {error.strerror or error}") from error


def write(path: Path, record: Mapping[str, Any]) -> None:
    """Writes a record as JSON, atomically. Raises `RunError`."""
    write_atomically(path, (json.dumps(record, indent=1, allow_nan=False) + "\n").encode())


def read(path: Path) -> dict[str, Any]:
    """Reads a record. Raises `EdgesdtError` if it is missing, damaged or of another schema."""
    try:
        record: Any = documents.read(path)
    except (OSError, documents.DocumentError) as error:
        told = getattr(error, "strerror", None) or printable(str(error))
        raise EdgesdtError(f"{path}: no readable record: {told}") from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise EdgesdtError(f"{path}: not a record of schema {SCHEMA}")
    if wrong := record_shape.fault(record):
        raise EdgesdtError(f"{path}: damaged: {printable(wrong)}")
    return record


_READOUTS = registry.ACCURACIES | {"direct_max": "direct association, max", "output": "output neuron"}


def _cells(record: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Rows for the effects of learning on analog cells, and for the accuracy after each time at rest."""
    device = record["device"]
    if "cells" in device:
        yield "cells", device["model"], f"{units.format_count(device['cells'])} cells"
        most = units.format_count(device["writes_per_cell_max"])
        yield "  pulses per cell", f"{device['writes_per_cell_mean']:.4g}", f"{most} at most"
        if "carries" in device:
            share = f"{100 * device['carried_digits']:.2g} % of those looked at"
            yield "  digits carried", units.format_count(device["carries"]), share
        if "wire_loss" in device:
            yield "  lost on wires", f"{100 * device['wire_loss']:.1f} %", "of the current"
    for place, point in enumerate(record.get("deployment", ())):
        key = next((name for name in _READOUTS if name in point), None)
        if key is None:
            continue
        if place == 0:
            yield "accuracy at rest", _READOUTS[key], ""
        taken = ""
        if "drift_factor" in point:
            joules, seconds = point["calibration_energy_j"], point["calibration_latency_s"]
            taken = f"times {point['drift_factor']:.3f}, {units.format_energy(joules)}, {units.format_time(seconds)}"
        yield f"  after {units.format_time(point['time_s'])}", f"{100 * point[key]:.2f} %", taken


def summary(record: Mapping[str, Any]) -> str:
    """The run in a few aligned lines, with units, for a terminal. Raises `ArgumentError` for what is no record."""
    if not isinstance(record, Mapping) or (wrong := record_shape.fault(record)):
        what = wrong if isinstance(record, Mapping) else f"a {type(record).__name__}"
        raise ArgumentError(f"record: {what}, allowed: a record of a run, as record.json holds it")
    accuracy, energy, latency = record["accuracy"], record["energy_j"], record["latency_s"]
    memory, speed = record["memory"], record["speed"]
    rows = [("accuracy", "trained", "untrained")]
    rows += [
        (f"  {words}", f"{100 * accuracy[key]:.2f} %", f"{100 * accuracy[f'untrained_{key}']:.2f} %")
        for key, words in _READOUTS.items()
        if key in accuracy
    ]
    if "labels" in record:
        used = record["labels"]
        rows += [("labels", "training", "read-outs"), ("  used", f"{used['training']:,}", f"{used['readout']:,}")]
    rows += [
        ("cost on the chip", "training", "inference"),
        *(
            (f"  {name}", show(part["train_per_sample"]), show(part["inference_per_sample"]))
            for name, part, show in (
                ("energy per sample", energy, units.format_energy),
                ("time per sample", latency, units.format_time),
            )
        ),
        ("  energy, whole training", units.format_energy(energy["train_total"]), ""),
        ("chip", "", ""),
        ("  area", units.format_area(record["area_mm2"]["total"]), ""),
        (
            "  memory",
            units.format_size(memory["used_bits"]),
            f"of {units.format_size(memory['budget_bits'])}",
        ),
        ("simulator", f"{speed['train_samples_per_s']:,.0f} samples/s", f"{record['duration_s']:.1f} s"),
    ]
    rows += list(_cells(record))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    head = f"{record['name']} · seed {record['seed']} · {tables.at_node(record)}"
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
    told = [*(f"  {sentence}" for sentence in omissions.of_rest(record)), *omissions.of_prices(record)]
    return "\n".join(printable_lines(" ".join(line.rstrip().splitlines())) for line in (head, *lines, *told))
