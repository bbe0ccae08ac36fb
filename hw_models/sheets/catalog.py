"""Finds device models by name: presets of the package, plug-ins, and the user's own files.

`load("ReRamSB", dw_min=0.004)` gives a `CellModel`; `from_file("mine.yaml")` reads a sheet (see `sheet.py`). Plug-ins
are entry points of the group `edgesdt.devices`: a `CellModel` subclass, or a callable that returns a model for given
overrides. A plug-in must pass the laws of `base.py` before it is used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeGuard

from hw_models.base import CellModel, DeviceError, unknown
from hw_models.sheets import building, sheet
from hw_models.sheets.sheet import Sheet

GROUP: Final = "edgesdt.devices"
FAMILIES: Final = {
    "constant_step": "hw_models.families.steps.constant",
    "linear_step": "hw_models.families.steps.linear",
    "soft_bounds": "hw_models.families.steps.soft_bounds",
    "soft_bounds_reference": "hw_models.families.steps.soft_bounds",
    "exponential_step": "hw_models.families.steps.exponential",
    "power_step": "hw_models.families.steps.power",
    "neurosim": "hw_models.families.neurosim",
    "sram": "hw_models.families.sram",
    "quantized": "hw_models.families.levels.quantized",
    "pcm": "hw_models.families.levels.pcm",
    "programmed": "hw_models.families.levels.programmed",
    "lookup": "hw_models.families.lookup",
    "stuck_at": "hw_models.families.wrappers.stuck_at",
    "endurance": "hw_models.families.wrappers.endurance",
    "retention": "hw_models.families.wrappers.retention",
}
"""Family -> the module with its class."""
WRAPPERS: Final = ("stuck_at", "endurance", "retention")
"""From the outside in: a stuck cell neither wears out nor decays, and a worn-out cell still decays."""
_DEEPEST: Final = 5


@dataclass(frozen=True)
class Origin:
    """The origin of a model of the catalog, for display: one line, and the citations of its numbers."""

    name: str
    kind: str
    """`preset`, `plug-in` or `file`."""
    where: str
    """The file of a sheet, or the distribution and object of a plug-in."""
    summary: str
    notes: str
    sources: tuple[str, ...]


def names() -> tuple[str, ...]:
    """Every name that `load` takes, presets first, each group by alphabet."""
    return (*_presets(), *sorted(set(_plugins()) - set(_presets()), key=str.lower))


def plugins() -> dict[str, EntryPoint]:
    """The entry points of all plug-ins, by device name."""
    return dict(_plugins())


def families() -> tuple[str, ...]:
    """Every family that a sheet may name: those of the package, then the classes of plug-ins."""
    known = {kind.family for kind in map(_loaded, _plugins().values()) if _is_family(kind)}
    return (*FAMILIES, *sorted(known - set(FAMILIES)))


def family(name: str) -> type[CellModel]:
    """The class of a family. Raises `DeviceError` for an unknown name."""
    if _text("name", name) in FAMILIES:
        members = vars(import_module(FAMILIES[name])).values()
        return next(kind for kind in members if _is_family(kind) and kind.__dict__.get("family") == name)
    for plugin in _plugins().values():
        kind = _loaded(plugin)
        if _is_family(kind) and kind.family == name:
            return kind
    raise DeviceError(unknown("family", name, families()))


def load(name: str, **overrides: Any) -> CellModel:
    """The model of a preset or plug-in (case is ignored); `overrides` replace parameters by field name.

    A number is in the field's own unit; a text such as `"100 kOhm"` is converted. Keys of a sheet's `drive` (`g_min`,
    `up_voltage`, …) are accepted too. The name of a wrapper with a mapping of its parameters wraps the model, in the
    order of `WRAPPERS`: `load("ReRamSB", stuck_at={...})`. Raises `DeviceError` for an unknown name or key and for a
    value out of range.
    """
    found = resolved(name)
    wrapped = {key: overrides.pop(key) for key in reversed(WRAPPERS) if isinstance(overrides.get(key), Mapping)}
    bare = next((key for key in WRAPPERS if key in overrides and not _has_parameter(found, key)), None)
    if bare is not None:
        inside = ", ".join(parameter.name for parameter in building.parameters(family(bare)))
        raise DeviceError(f"{found}: {bare}: {overrides[bare]!r}, allowed: a mapping of its parameters ({inside})")
    model = _built(preset(found), overrides, 0) if found in _presets() else _plugged(found, overrides)
    for key, given in wrapped.items():
        model = building.wrapped(family(key), model, given)
    return model


def _has_parameter(name: str, key: str) -> bool:
    """Whether a preset's own family has a parameter with the name of a wrapper; plug-ins decide themselves."""
    if name not in _presets():
        return True
    return key in {parameter.name for parameter in building.parameters(family(preset(name).family))}


def resolved(name: str) -> str:
    """`name` in the catalog's spelling. Raises `DeviceError`, with the most similar name, if it is unknown."""
    by_lower_case = {known.lower(): known for known in names()}
    found = by_lower_case.get(str(name).lower())
    if found is None:
        raise DeviceError(unknown("device", name, names()))
    return found


def from_mapping(tree: Mapping[str, Any], where: str, **overrides: Any) -> CellModel:
    """The model of a sheet given as a plain mapping; `where` names it in errors. Raises `DeviceError`."""
    return _built(sheet.from_mapping(tree, _text("where", where)), overrides, 0)


def _text(name: str, value: object) -> str:
    """The argument `name` as text. Raises `DeviceError`."""
    if not isinstance(value, str):
        raise DeviceError(f"{name}: a {type(value).__name__}, allowed: text")
    return value


def from_file(path: str | os.PathLike[str], **overrides: Any) -> CellModel:
    """The model of a YAML sheet. Raises `DeviceError` with every fault of the file, each with file and line."""
    return _built(sheet.read(Path(path if isinstance(path, os.PathLike) else _text("path", path))), overrides, 0)


def from_sheet(made: Sheet, **overrides: Any) -> CellModel:
    """The model of a sheet. Raises `DeviceError`."""
    return _built(made, overrides, 0)


@cache
def preset(name: str) -> Sheet:
    """The sheet of a preset, with the unit and source of every number. Raises `DeviceError` for an unknown name."""
    if name not in _presets():
        raise DeviceError(unknown("preset", name, tuple(_presets())))
    return sheet.parse(_presets()[name], f"presets/{name}.yaml")


def origin(name: str) -> Origin:
    """The origin of the model `name`. Raises `DeviceError` for an unknown name or a plug-in that cannot load."""
    found = resolved(name)
    if found in _presets():
        return origin_of(preset(found), "preset")
    plugin = _plugins()[found]
    model = _plugged(found, {})
    distribution = plugin.dist.name if plugin.dist else "an unknown package"
    first = (type(model).__doc__ or "").strip().partition("\n")[0]
    return Origin(found, "plug-in", f"{plugin.value} of {distribution}", first, "", (model.citation,))


def origin_of(made: Sheet, kind: str = "file") -> Origin:
    """The origin of a sheet, for `kind` `preset` or `file`."""
    return Origin(made.name, kind, made.where, made.summary, made.notes, tuple(made.sources.values()))


def _built(made: Sheet, overrides: Mapping[str, Any], depth: int) -> CellModel:
    if depth > _DEEPEST:
        raise DeviceError(f"{made.place('over')}: more than {_DEEPEST} devices inside one another")
    try:
        kind = family(made.family)
    except DeviceError as error:
        raise DeviceError(f"{made.place('family')}: {error}") from None
    if building.inner_field(kind) is None:
        if made.over is not None:
            raise DeviceError(f"{made.place('over')}: only {', '.join(WRAPPERS)} have a device inside")
        return building.build(kind, made, overrides)
    if isinstance(made.over, Mapping):
        inner = _built(sheet.from_mapping(made.over, made.place("over")), {}, depth + 1)
    elif isinstance(made.over, str):
        inner = _inside(made, made.over)
    else:
        raise DeviceError(f"{made.place('over')}: {made.over!r}: the name or the sheet of the device inside")
    return building.build(kind, made, overrides, inner)


def _inside(made: Sheet, name: str) -> CellModel:
    if name == made.name:
        raise DeviceError(f"{made.place('over')}: {name!r} is this device itself")
    try:
        return load(name)
    except DeviceError as error:
        raise DeviceError(f"{made.place('over')}: {error}") from None


@cache
def _presets() -> dict[str, str]:
    """Name -> text of every sheet of the package, sorted by name."""
    folder = files("hw_models").joinpath("presets")
    found = {
        item.name.removesuffix(".yaml"): item.read_text(encoding="utf-8")
        for item in folder.iterdir()
        if item.name.endswith(".yaml")
    }
    return {name: found[name] for name in sorted(found, key=str.lower)}


@cache
def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _loaded(plugin: EntryPoint) -> Any:
    """Loads the object of an entry point. Raises `DeviceError` if the import fails for any reason."""
    try:
        return plugin.load()
    except Exception as error:  # errors in code of a plug-in must be distinguished from errors of this package
        raise DeviceError(f"plug-in {plugin.name} ({plugin.value}): {type(error).__name__}: {error}") from error


def _is_family(kind: Any) -> TypeGuard[type[CellModel]]:
    return isinstance(kind, type) and issubclass(kind, CellModel)


def _plugged(name: str, overrides: Mapping[str, Any]) -> CellModel:
    """The model of a plug-in, checked against the laws of `base.py`."""
    from hw_models.laws import check_laws

    plugin = _plugins()[name]
    told = f"plug-in {name} ({plugin.value})"
    maker = _loaded(plugin)
    try:
        if _is_family(maker) and building.is_dataclass(maker):
            model: Any = building.build(maker, Sheet(name=name, family=maker.family, where=told), overrides)
        else:
            model = maker(**overrides)
    except DeviceError:
        raise
    except Exception as error:
        raise DeviceError(f"{told}: {type(error).__name__}: {error}") from error
    if not isinstance(model, CellModel):
        raise DeviceError(f"{told}: makes a {type(model).__name__}, not a hw_models.base.CellModel")
    try:
        check_laws(model)
    except DeviceError as error:
        raise DeviceError(f"{told}: {error}") from error
    return model
