"""Creates and checks variants of one spec as if their values were in the file; fast enough for ten thousand variants.

A section is checked once for each combination of its values; the agreement of sections is checked for every variant.
Only a variant with a fault is loaded by `loading`, which formats the fault.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from edgesdt.spec import named_files
from edgesdt.spec.checks.agreement import completed, disagreements
from edgesdt.spec.checks.hints import Path
from edgesdt.spec.loading import examined
from edgesdt.spec.schema.spec import Spec
from edgesdt.spec.sets import SetFacts
from edgesdt.spec.text.source import Fault

Change = tuple[Path, Any]
_STRICT = ConfigDict(strict=True, allow_inf_nan=False)


class Faulty(Exception):
    """A variant cannot be simulated; holds its faults."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(fault.text for fault in faults))
        self.faults = faults


class Variants:
    """Creates variants of `spec`, which was read from `data`; they have no `sweep:` section.

    `facts` holds, by name, shapes and sample counts of data sets that are not in the schema. Relative paths of files
    are relative to `folder`.
    """

    def __init__(
        self, spec: Spec, data: Mapping[str, Any], facts: Mapping[str, SetFacts] | None = None, folder: str = ""
    ) -> None:
        self._data = {key: value for key, value in data.items() if key != "sweep"}
        self._base = spec.model_copy(update={"sweep": None})
        self._facts = facts or {}
        self._folder = folder
        self._adapters: dict[str, TypeAdapter[Any]] = {}
        self._known: dict[tuple[str, str], tuple[Any, Any]] = {}

    def with_values(self, changes: Iterable[Change]) -> Spec:
        """The variant with the given value at each path. Raises `Faulty`."""
        changes = [change for given in changes for change in self._located(*given)]
        by_section: dict[str, list[Change]] = {}
        for path, value in changes:
            by_section.setdefault(str(path[0]), []).append((path[1:], value))
        data, made = dict(self._data), {}
        try:
            for name, inside in by_section.items():
                data[name], made[name] = self._section(name, inside)
            if "chip" in made and "device" in data and "device" not in made:  # its defaults depend on the chip
                made["device"] = self._section("device", [])[1]
        except (ValidationError, _NoPlace):
            raise Faulty(self._faults(changes)) from None
        spec = completed(self._base.model_copy(update=made), data)
        if next(disagreements(spec, self._facts.get(spec.data.set)), None) is not None:
            raise Faulty(self._faults(changes))
        return spec

    def _located(self, path: Path, value: Any) -> Iterator[Change]:
        """A change with absolute paths; digest and text of a replaced file are removed."""
        if named_files.is_place(path):
            for place in named_files.beside(path):
                if _has(self._data, place):
                    yield place, None
        if self._folder:
            value = named_files.located_sweep(value, self._folder, path)
        yield path, value

    def _section(self, name: str, changes: list[Change]) -> tuple[Any, Any]:
        """Plain data and checked model of one section, with `changes` applied."""
        key = name, json.dumps(changes)
        if key not in self._known:
            if len(self._known) > 100_000:
                self._known.clear()
            plain = _replaced(self._data.get(name), changes)
            self._known[key] = plain, self._adapter(name).validate_python(plain, context={})
        return self._known[key]

    def _adapter(self, name: str) -> TypeAdapter[Any]:
        if name not in self._adapters:
            field = Spec.model_fields[name]
            kind: Any = Annotated[field.annotation, field]
            is_model = isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields")
            self._adapters[name] = TypeAdapter(kind, config=None if is_model else _STRICT)
        return self._adapters[name]

    def _faults(self, changes: list[Change]) -> list[Fault]:
        """The faults, with the text of the loader."""
        try:
            data = _replaced(self._data, changes)
        except _NoPlace as error:
            return [Fault(error.path, error.text)]
        spec, faults = examined(data, {}, self._facts)
        assert faults or spec is None, "the quick check and the loader disagree"
        return faults


def _has(data: Any, path: Path) -> bool:
    """Whether plain data have a value at `path`, whose last part may be dotted."""
    for part in ".".join(map(str, path)).split("."):
        found = {str(key): inner for key, inner in data.items()} if isinstance(data, Mapping) else {}
        if part not in found:
            return False
        data = found[part]
    return True


class _NoPlace(Exception):
    def __init__(self, path: Path, text: str) -> None:
        super().__init__(text)
        self.path, self.text = path, text


def _replaced(plain: Any, changes: list[Change]) -> Any:
    """`plain` with the values of `changes`, copied along their paths. Raises `_NoPlace`."""
    for path, value in changes:
        plain = _with(plain, path, value, ())
    return plain


def _with(plain: Any, path: Path, value: Any, above: Path) -> Any:
    if not path:
        return value
    part, here = path[0], (*above, path[0])
    if isinstance(part, int):
        if not isinstance(plain, list | tuple) or part >= len(plain):
            length = f"{len(plain)} items" if isinstance(plain, list | tuple) else "no list"
            raise _NoPlace(here, f"no such item: {part}, allowed: one of a list that the file gives ({length} there)")
        items = list(plain)
        items[part] = _with(items[part], path[1:], value, here)
        return items
    mapping = dict(plain) if isinstance(plain, Mapping) else {}
    mapping[part] = _with(mapping.get(part), path[1:], value, here)
    return mapping
