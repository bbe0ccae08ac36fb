"""Loads the samples of a spec and checks that they agree with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgesdt import datasets
from edgesdt.errors import DataError, SpecError
from edgesdt.rules.lookup import rule_of
from edgesdt.spec import Spec, named_files
from edgesdt.spec.schema.spec import require_spec
from edgesdt.spec.stages import stages


def load(spec: Spec, *, fetch: bool = True, progress: Callable[[str], None] | None = None) -> datasets.Dataset:
    """The data set that `spec` names, cut to the samples that it uses.

    With `fetch`, a catalogue set that is not on this machine is fetched; `progress` receives messages about it. Raises
    `DataError` for bad data (a missing file, NaN, labels that are text) and `SpecError` if the layers do not fit the
    data.
    """
    require_spec(spec)
    named = file_of(spec.data.set, spec.data.sha256)
    data = datasets.load(named, spec.data.train, spec.data.test, fetch=fetch, progress=progress)
    _match(spec, data)
    return data


def cautions(spec: Spec, data: datasets.Dataset) -> list[str]:
    """What a chip and its read-outs cannot learn from these labels, in sentences: `check` and a run say the same."""
    import numpy as np

    from edgesdt.readouts import labels

    known = data.y_train[labels.known(spec, data.y_train)]
    given = spec.data.labels
    share = f"label_fraction: {spec.label_fraction:g}" if given is None else f"data.labels.count: {given.count}"
    held, shown = np.unique(data.y_train), np.unique(known)
    told = []
    if len(held) == 1:
        told.append(f"data.set: every training sample is of class {held[0]}: no read-out can tell classes apart")
    elif len(shown) == 1:
        told.append(f"{share}: every known label is of class {shown[0]}: no read-out can tell classes apart")
    unknown = np.setdiff1d(np.intersect1d(data.y_test, held), shown)
    for where, without, among in (
        ("data.set", np.setdiff1d(data.y_test, held), "training samples"),
        (share, unknown, "known labels"),
    ):
        if len(without):
            part = 100 * float(np.isin(data.y_test, without).mean())
            named = ", ".join(map(str, without[:_SHOWN])) + (", …" if len(without) > _SHOWN else "")
            what = f"test label{'s' * (len(without) > 1)} {named} ({part:.3g} % of the test samples)"
            told.append(f"{where}: {what} not among the {among}: always answered wrong")
    return told


_SHOWN = 10
"""Classes that a sentence names."""


def file_of(named: str, wanted: str | None) -> str:
    """The name of a data set, or its file: the path in the spec, else the same name in `$EDGESDT_DATA`.

    Raises `DataError` if the file is not the one that the spec was made with: that of SHA-256 `wanted`.
    """
    if wanted is None:
        return named
    own = datasets.places.data_folder()
    places = [Path(named), *([own / Path(named).name] if own else [])]
    here = str(next((place for place in places if place.is_file()), named))
    if named_files.digest(here) not in (None, wanted):
        raise DataError(f"{here}: has changed since this spec was made from it (data.sha256: {wanted[:16]}…)")
    return here


def is_missing(spec: Spec) -> bool:
    """Whether the spec's data set is in the catalogue and has not been fetched yet."""
    return any(entry.name == spec.data.set and entry.where == "not here" for entry in datasets.catalogue())


def _match(spec: Spec, data: datasets.Dataset) -> None:
    """Raises `SpecError` if the layers do not fit the data set."""
    faults = []
    rule, inputs = rule_of(spec), spec.chip.layers[0]
    if inputs != data.features:
        faults.append(f"chip.layers: first layer {inputs}, allowed: {data.features} (the features of {data.name})")
    labelled = [stage.spec for stage in stages(spec) if stage.spec.learning.target == "label"]
    if labelled and rule.classes(labelled[0]) != data.classes:
        field = f"{rule.classes_in}:" if rule.classes_in else "chip.layers: last layer"
        faults.append(f"{field} {rule.classes(labelled[0])}, allowed: {data.classes} (the classes of {data.name})")
    faults += _of_labels(spec, data)
    if faults:
        raise SpecError(faults)
    if len(data.x_train) == 0 or len(data.x_test) == 0:
        raise DataError(f"{data.name}: no samples")


def _of_labels(spec: Spec, data: datasets.Dataset) -> list[str]:
    """Faults of the number of known labels, in the samples that are there."""
    import numpy as np

    given, there = spec.data.labels, len(data.x_train)
    if given is None:
        return []
    held = len(np.unique(data.y_train))
    if given.count > there:
        return [f"data.labels.count: more labels than training samples: {given.count}, allowed: 1..{there}"]
    if given.per_class and given.count < held:
        wanted = f"{held} or more (per_class: true)"
        return [f"data.labels.count: fewer labels than classes: {given.count}, allowed: {wanted}"]
    return []
