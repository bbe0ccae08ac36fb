"""Fetches a known data set: tries `sources` in order, checks each file and stores it gzipped and atomically."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from edgesdt.datasets import idx, places, sources
from edgesdt.datasets.known import IdxFile, KnownSet
from edgesdt.datasets.sources import Progress
from edgesdt.errors import DataError


def fetch_files(
    known: KnownSet, files: Iterable[IdxFile], folder: Path, progress: Progress, looked_at: Iterable[str] = ()
) -> None:
    """Stores each file as `NAME.gz` in `folder`. After a failure the next source is tried.

    Raises DataError if no source supplies a file: the text lists `looked_at` (the places on this machine), each source
    with its reason, and how to place the files by hand.
    """
    places.make_folder(folder)
    missing = list(files)
    tried = list(looked_at)
    for source in known.sources:
        if not missing:
            return
        progress(f"{known.name}: trying {source}")
        try:
            with closing(sources.get(source, list(missing), progress)) as arriving:
                for file, packed in arriving:
                    store(file, packed, folder, progress)
                    missing.remove(file)
        except places.StorageError:
            raise
        except DataError as error:
            tried.append(f"{source}: {error}")
            progress(tried[-1])
    if missing:
        fault = f"data set {known.name!r} is not here and could not be fetched."
        raise DataError(f"{fault}\n{advice(known, tried)}")


def store(file: IdxFile, packed: bytes, folder: Path, progress: Progress) -> None:
    """Checks the file from a source and writes it, gzipped if it is not yet. Raises DataError if it is wrong."""
    idx.check(idx.unpack(packed, file.name, limit=file.size), file, file.name)
    if not packed.startswith(idx.GZIP_MAGIC):
        # No time stamp, so that the same content gives the same file.
        packed = gzip.compress(packed, compresslevel=6, mtime=0)
    path = folder / f"{file.name}.gz"
    places.write_atomically(path, packed)
    progress(f"stored {path} ({len(packed) / 1024:,.0f} KiB, SHA-256 as in the catalogue)")


def advice(known: KnownSet, tried: Iterable[str]) -> str:
    """Text: what was tried, one line each, and how to place the files by hand."""
    names = "\n".join(f"  {file.name}.gz" for file in known.files)
    attempts = "\n".join(f"  {line}" for line in tried)
    return (
        f"Tried:\n{attempts}\n"
        "To place the files by hand, put these, gzipped as named or unpacked and without the .gz,\n"
        f"{names}\n"
        f"into {places.cache_folder() / known.name}\n"
        f"or into DIR/{known.name}, and set {places.DATA_VARIABLE}=DIR. On a machine with a network,\n"
        f"`edgesdt data fetch {known.name} --dir DIR` makes that folder; it may be copied."
    )
