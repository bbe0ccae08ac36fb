"""The samples of a spec, loaded and held against it: whatever a run refuses about its data is refused here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgesdt import datasets
from edgesdt.errors import DataError, SpecError
from edgesdt.rules.lookup import rule_of
from edgesdt.spec import Spec, named_files


def load(spec: Spec, *, fetch: bool = True, progress: Callable[[str], None] | None = None) -> datasets.Dataset:
    """The data set that `spec` names, cut to the samples that it uses.

    A catalogue set that is not on this machine is fetched if `fetch`; `progress` gets lines of text about that. Raises
    `DataError` for a fault of the data (a missing file, NaN, labels that are text) and `SpecError` where the layers do
    not fit it.
    """
    data = datasets.load(_file(spec), spec.data.train, spec.data.test, fetch=fetch, progress=progress)
    _match(spec, data)
    return data


def _file(spec: Spec) -> str:
    """The name of the data set, or its file: where the spec says, else in `$EDGESDT_DATA` under the same name.

    Raises `DataError` where the file is not the one that the spec was made with.
    """
    named, wanted = spec.data.set, spec.data.sha256
    if wanted is None:
        return named
    own = datasets.places.data_folder()
    places = [Path(named), *([own / Path(named).name] if own else [])]
    here = str(next((place for place in places if place.is_file()), named))
    if named_files.digest(here) not in (None, wanted):
        raise DataError(f"{here}: has changed since this spec was made of it (data.sha256: {wanted[:16]}…)")
    return here


def is_missing(spec: Spec) -> bool:
    """Whether the spec's data set is one of the catalogue that has not been fetched yet."""
    return any(entry.name == spec.data.set and entry.where == "not here" for entry in datasets.catalogue())


def _match(spec: Spec, data: datasets.Dataset) -> None:
    """Raise `SpecError` where the layers do not fit the data set."""
    faults = []
    inputs, outputs = spec.chip.layers[0], rule_of(spec).outputs(spec)
    if inputs != data.features:
        faults.append(f"chip.layers: first layer {inputs}, allowed: {data.features} (the features of {data.name})")
    if spec.learning.target == "label" and outputs != data.classes:
        own = rule_of(spec).outputs_in
        field = f"{own}:" if own else "chip.layers: last layer"
        faults.append(f"{field} {outputs}, allowed: {data.classes} (the classes of {data.name})")
    if faults:
        raise SpecError(faults)
    if len(data.x_train) == 0 or len(data.x_test) == 0:
        raise DataError(f"{data.name}: no samples")
