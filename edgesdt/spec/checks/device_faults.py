"""Converts errors of a device model about parameters and switches to faults at the fields of the spec."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from edgesdt.spec.checks.hints import Path
from edgesdt.spec.schema.device import Device
from edgesdt.spec.text.source import Fault

_AROUND: tuple[Path, ...] = (("device", "parameters"), ("device", "off"), ("device", "file"), ("device", "model"))
_SHEET = re.compile(r"presets/\w+\.yaml(:\d+)?: ")
"""A file of the package; users should not search it for their own values."""


def faults_of(error: Exception, device: Device) -> Iterator[Fault]:
    """One fault for each line of an error of `device.cell_model()`."""
    for line in str(error).splitlines():
        path, text = _placed(line, device)
        yield Fault(path, text, blame=(*((path,) if len(path) > 1 else ()), *_AROUND, ("device",)))


def _placed(line: str, device: Device) -> tuple[Path, str]:
    """The field that a line speaks of, and the line without the words that say so.

    A value of the spec is told at its own field, not at the line of the sheet that it replaces.
    """
    text = _SHEET.sub("", line)
    bare = _bare(text, device)
    for key, value in device.parameters.items():
        inner = value if isinstance(value, Mapping) else {}
        names: list[tuple[Path, str]] = [((key, part), rf"\S+\.{re.escape(key)}: {re.escape(part)}") for part in inner]
        for place, words in [*names, ((key,), rf"([^:]+: )?{re.escape(key)}")]:
            if match := re.match(rf"{words}: ", text):
                return ("device", "parameters", *place), text[match.end() :]
    for key in device.parameters:
        if re.search(rf"(?<![\w.]){re.escape(key)}\b", bare):
            return ("device", "parameters", key), bare
    if text.startswith("unknown non-ideality"):
        return ("device", "off"), text
    if device.file is not None and text.startswith(device.file):
        return ("device", "file"), text
    return ("device",), text


def _bare(text: str, device: Device) -> str:
    """A line without the sheet and the key that it starts with: where a family found what is wrong, not what it is."""
    if device.file is not None:
        text = re.sub(rf"^{re.escape(device.file)}(:\d+)?: ", "", text)
    text = re.sub(r"^(parameters|drive)(\.\w+)?: ", "", text)
    return re.sub(r"^\w+: (?=\w+ is )", "", text)
