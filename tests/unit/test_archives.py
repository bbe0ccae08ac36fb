"""Archives of arrays: read whole whatever they are compressed with, and never beyond their bound."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt import datasets
from edgesdt.datasets import idx
from edgesdt.errors import DataError
from edgesdt.files import archives
from edgesdt.report.files import folders

METHODS = {"stored": 0, "deflate": 8, "bzip2": 12, "lzma": 14}
ARRAYS: dict[str, Any] = {
    "codes": np.arange(-60, 60, dtype=np.int8).reshape(10, 12),
    "columns": np.asfortranarray(np.linspace(0, 1, 12).reshape(3, 4)),
    "words": np.array('{"é": 1}'),
    "none": np.zeros((0, 3)),
    "one": np.int64(5),
    "flags": np.array([True, False]),
}
MIB = 1 << 20


def packed(path: Path, arrays: dict[str, Any], method: int) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, value in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.asarray(value))
    return path


def bomb(path: Path, method: int, shape: tuple[int, ...], real: int) -> Path:
    """An archive whose array says `shape` (bytes) and unpacks to `real` zeros."""
    with zipfile.ZipFile(path, "w", method) as archive, archive.open("weights_0.npy", "w", force_zip64=True) as member:
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": shape})
        member.write(head.getvalue())
        for _ in range(real // MIB):
            member.write(bytes(MIB))
    return path


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_array_comes_back(method: int, tmp_path: Path) -> None:
    path = packed(tmp_path / "a.npz", ARRAYS, method)
    found = archives.read(path)
    assert list(found) == archives.names(path) == list(ARRAYS)
    for name, value in ARRAYS.items():
        assert found[name].dtype == np.asarray(value).dtype
        np.testing.assert_array_equal(found[name], value)
    assert list(archives.read(path, ["one", "no such"])) == ["one"]


@pytest.mark.parametrize("method", [8, 12, 14], ids=["deflate", "bzip2", "lzma"])
@pytest.mark.parametrize("shape", [(64 * MIB,), (4,), (1 << 40,), (-1, -64 * MIB)], ids=str)
def test_a_small_file_takes_little_memory(method: int, shape: tuple[int, ...], tmp_path: Path) -> None:
    """Whatever it says of itself: the read, the report and the data set stop before it is unpacked."""
    path = bomb(tmp_path / "weights.npz", method, shape, 64 * MIB)
    tracemalloc.start()
    try:
        with pytest.raises(archives.ArchiveError, match="weights_0: "):
            archives.read(path, most=32 * MIB)
        if method == 12:  # what deflate cannot do is refused without any limit of the caller's
            with pytest.raises(archives.ArchiveError, match="weights_0: "):
                archives.read(path)
            with pytest.raises(Exception, match="weights_0"):
                folders.weights(tmp_path)
        with pytest.raises(DataError):
            datasets.load(str(path))
        assert tracemalloc.get_traced_memory()[1] < 24 * MIB
    finally:
        tracemalloc.stop()


def test_a_large_window_of_lzma_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.npz", {"a": np.zeros(1000)}, 14)
    content = bytearray(path.read_bytes())
    at = content.index(b"\x5d\x00\x00\x80\x00")  # lc 3, lp 0, pb 2; a dictionary of 8 MiB
    content[at + 1 : at + 5] = (1 << 31).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(archives.ArchiveError, match="dictionary of 2147483648 bytes, allowed: at most"):
        archives.read(path)


@pytest.fixture(scope="module", params=METHODS.values(), ids=METHODS)
def sound(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packed(tmp_path_factory.mktemp("sound") / "sound.npz", ARRAYS, request.param)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(data=st.data())
def test_a_damaged_archive_is_whole_or_refused(data: st.DataObject, sound: Path) -> None:
    content = bytearray(sound.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = sound.with_name("damaged.npz")
    path.write_bytes(content[: data.draw(st.one_of(st.none(), st.integers(0, len(content))))])
    try:
        found = archives.read(path)
    except archives.ArchiveError as error:
        assert str(error).count("\n") == 0
    else:
        for name in found.keys() & ARRAYS.keys():
            np.testing.assert_array_equal(found[name].ravel(), np.asarray(ARRAYS[name]).ravel())


def test_a_gzip_file_that_inflates_is_stopped_by_its_header() -> None:
    header = idx.encode(np.zeros((2, 3), np.uint8))
    huge = header[:4] + (1 << 31).to_bytes(4, "big") * 2
    contents = [gzip.compress(head + bytes(64 * MIB), mtime=0) for head in (header, huge)]
    tracemalloc.start()
    try:
        for content in contents:
            with pytest.raises(DataError, match="than its header says"):
                idx.unpack(content, "x.gz")
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()
