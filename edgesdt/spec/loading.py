"""Loads a checked `Spec` from a file, a shipped name, text or plain data."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from edgesdt.errors import ArgumentError, SpecError
from edgesdt.spec import named_files
from edgesdt.spec.checks import layered
from edgesdt.spec.checks.agreement import completed, disagreements
from edgesdt.spec.checks.faults import Origin, translated
from edgesdt.spec.checks.hints import Path, did_you_mean, printable, shown
from edgesdt.spec.fields import allowed
from edgesdt.spec.schema.learning import DEFAULT_RULE
from edgesdt.spec.schema.spec import Spec
from edgesdt.spec.sets import SetFacts
from edgesdt.spec.text import source
from edgesdt.spec.text.overrides import OverrideError, apply, parsed, rule_named
from edgesdt.spec.text.source import Fault
from edgesdt.spec.types import CANONICAL
from hw_models.files import read_bytes


@dataclass(frozen=True)
class Traced:
    """A checked spec with the plain data from which it was read, and their lines."""

    spec: Spec
    data: Mapping[str, Any]
    origin: Origin
    folder: str = ""
    """The folder for relative paths of its sweep; empty for the current folder."""


def load(name_or_path: str, overrides: Sequence[str] = ()) -> Spec:
    """Loads a YAML file or the shipped spec of that name, and applies `KEY=VALUE` overrides.

    A bare word that names a shipped spec means that one; write `./WORD` for a file. Raises `SpecError` with
    every fault of the file and of the overrides, and `ArgumentError` for arguments that are no text.
    """
    return load_traced(name_or_path, overrides).spec


def load_traced(name_or_path: str, overrides: Sequence[str] = ()) -> Traced:
    """As `load`, with where everything came from."""
    name_or_path = _text("name_or_path", name_or_path, "the name of a shipped spec or the path of a YAML file")
    overrides = _overrides(overrides)
    label = printable(name_or_path) or "''"
    named = _shipped_files().get(name_or_path)
    if named is not None:
        return _traced(named.read_text(encoding="utf-8"), named.name, overrides, os.path.abspath(""))
    try:
        content = read_bytes(FilePath(name_or_path), 4 * source.MOST_CHARACTERS)
    except FileNotFoundError:
        hint = did_you_mean(name_or_path, _shipped_files())
        names = ", ".join(_shipped_files())
        text = f"no such file, and no shipped spec of this name, allowed: {names}{hint}"
        raise SpecError(f"{label}: {text}") from None
    except IsADirectoryError:
        raise SpecError(f"{label}: a folder, allowed: a YAML file or the name of a shipped spec") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise SpecError(f"{label}: cannot be read: {reason}") from None
    folder = os.path.dirname(os.path.abspath(name_or_path))
    return _traced(_decoded(content, label), label, overrides, folder)


def loads(text: str, label: str = "spec", overrides: Sequence[str] = ()) -> Spec:
    """The spec in YAML `text`; `label` stands for the file in faults. Raises `SpecError`.

    Paths in it are relative to the current folder, whenever they are read.
    """
    text, label = _text("text", text, "YAML text"), _text("label", label, "text")
    return _traced(text, label, _overrides(overrides)).spec


def _text(name: str, value: object, allowed: str) -> str:
    """The argument `name` as text; a path is text, too. Raises `ArgumentError`."""
    value = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(value, str):
        raise ArgumentError(f"{name}: {shown(value)}, allowed: {allowed}")
    return value


def _overrides(value: object) -> Sequence[str]:
    """The argument `overrides`, if it is a list of texts. Raises `ArgumentError`."""
    if isinstance(value, str) or not isinstance(value, Sequence) or any(not isinstance(each, str) for each in value):
        raise ArgumentError(f"overrides: {shown(value)}, allowed: a list of 'KEY=VALUE', such as ['epochs=5']")
    return value


def _traced(text: str, label: str, overrides: Sequence[str], folder: str = "") -> Traced:
    if len(text) > source.MOST_CHARACTERS:
        raise SpecError(f"{label}:1: longer than {source.MOST_CHARACTERS} characters, this is not a spec")
    read = source.read(text)
    if not isinstance(read.data, dict):
        if not read.faults:
            what = "empty" if read.data is None else f"wrong type: {shown(read.data)}"
            read.faults = [Fault((), f"{what}, allowed: {allowed(())}", read.lines.get((), 1))]
        raise SpecError(Origin(label).render(read.faults))
    if folder:
        named_files.locate(read.data, folder)
    broken = []
    written: dict[Path, str] = {}
    learning = read.data.get("learning")
    own = learning.get("rule", DEFAULT_RULE) if isinstance(learning, Mapping) else DEFAULT_RULE
    rule = rule_named(overrides, own)
    for override in overrides:
        try:
            path, value = parsed(override, rule)
        except OverrideError as error:
            broken.append(error.text)
            continue
        named_files.forget(read.data, path)
        try:
            apply(read.data, path, _from_here(path, value) if folder else value)
        except OverrideError as error:
            broken.append(error.text)
            continue
        written[path] = ".".join(map(str, path))
    origin = Origin(label, read.lines, written)
    spec, faults = examined(read.data, {})
    faults = read.faults + faults
    if spec is None or faults or broken:
        raise SpecError(origin.render(faults) + broken)
    return Traced(spec, read.data, origin, folder)


def _from_here(path: Path, value: Any) -> Any:
    """The value of a `--set`, with paths relative to the current folder made absolute."""
    if path[:1] == ("phases",):
        return _of_phase_from_here(path, value)
    tree: dict[str, Any] = {}
    apply(tree, path, value)
    named_files.locate(tree, os.path.abspath(""), swept=True)
    for part in path:
        tree = tree[str(part)]
    return tree


def _of_phase_from_here(path: Path, value: Any) -> Any:
    """As `_from_here`, for a field of a phase or of a part of one."""
    last = path[-1]
    if last == "set":
        return named_files.located(named_files.PLACES[0], value, os.path.abspath(""))
    if last in ("phases", "alternate") or isinstance(last, int):
        parts = [value] if isinstance(last, int) else value
        named_files.locate({"phases": parts}, os.path.abspath(""))
    return value


def from_plain(plain: Mapping[str, Any]) -> Spec:
    """The spec for plain data returned by `plain()`, checked like a file. Raises `SpecError`."""
    if not isinstance(plain, Mapping):
        raise SpecError(f"plain spec: wrong type: {shown(plain)}, allowed: {allowed(())}")
    spec, faults = examined(plain, {CANONICAL: True})
    if spec is None or faults:
        raise SpecError(Origin("plain spec").render(faults))
    return spec


def shipped() -> list[tuple[str, str]]:
    """Name and one-line description (the first comment) of each spec that comes with the package, by name."""
    specs = []
    for name, file in _shipped_files().items():
        first = file.read_text(encoding="utf-8").partition("\n")[0]
        specs.append((name, first.lstrip("# ").rstrip()))
    return specs


def shipped_text(name: str) -> str:
    """The YAML text of a spec that comes with the package. Raises `SpecError` for another name."""
    files = _shipped_files()
    if name not in files:
        raise SpecError(f"unknown spec: {printable(name)!r}, allowed: {', '.join(files)}{did_you_mean(name, files)}")
    return files[name].read_text(encoding="utf-8")


def _shipped_files() -> dict[str, Traversable]:
    folder = resources.files("edgesdt") / "specs"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {file.name.removesuffix(".yaml"): file for file in files if file.name.endswith(".yaml")}


def _decoded(content: bytes, label: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"not UTF-8 text: byte 0x{content[error.start]:02x} at offset {error.start}"
        raise SpecError(f"{label}:{line}: {what}") from None


def examined(
    data: Mapping[str, Any], context: dict[str, bool], facts: Mapping[str, SetFacts] | None = None
) -> tuple[Spec | None, list[Fault]]:
    """The spec and all its faults. With faults the spec is None or must not be used.

    `facts` describes, by name, data sets that are not in the schema.
    """
    faults: list[Fault] = []
    try:
        spec = Spec.model_validate(data, context=context)
    except ValidationError as error:
        faults = translated(error, data)
        repaired = _repaired(data, faults)
        try:
            spec = Spec.model_validate(repaired, context=context)
        except ValidationError:
            return None, faults
        data = repaired
    spec = completed(spec, data)
    bad = [_without_index(fault.path) for fault in faults]
    for fault in disagreements(spec, (facts or {}).get(spec.data.set)):
        if not any(_overlap(_without_index(part), path) for part in fault.blame for path in bad):
            faults.append(layered.at_written(fault, data))
    return spec, faults


def _repaired(data: Mapping[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """A copy of `data` without faulty fields and with placeholders for missing ones, to check the rest."""
    copied = copy.deepcopy(dict(data))
    for fault in faults:
        path = _without_index(fault.path)
        here: Any = copied
        for part in path[:-1]:
            here = here.get(part) if isinstance(here, dict) else None
        if isinstance(here, dict) and path:
            here.pop(path[-1], None)
    stand_ins: dict[tuple[str, ...], Any] = {
        ("name",): "x",
        ("data", "set"): "x.npz",
        ("chip", "layers"): [1, 2],
        ("chip", "memory_budget"): 1,
    }
    for path, value in stand_ins.items():
        section = copied.setdefault(path[0], {}) if len(path) > 1 else copied
        if section is None:
            section = copied[path[0]] = {}
        section.setdefault(path[-1], value)
    return copied


def _without_index(path: Path) -> Path:
    cut = next((index for index, part in enumerate(path) if isinstance(part, int)), len(path))
    return path[:cut]


def _overlap(one: Path, other: Path) -> bool:
    """Whether one path is the other or lies inside it."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
