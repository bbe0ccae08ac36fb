"""Reads arrays of .npz files within a size limit, for every compression method.

The header of an array gives its size, and exactly that number of bytes is unpacked. The size is first compared with
three limits: the size in the archive's directory, the limit of the caller, and the largest size that deflate (the
method of numpy) can produce from a file of this length. The reader of `zipfile` limits only deflate: with bzip2 or
LZMA, a few kilobytes become gigabytes in one call.
"""

from __future__ import annotations

import bz2
import io
import lzma
import math
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from edgesdt.errors import EdgesdtError
from hw_models.files import open_whole

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MOST_BYTES: Final = 1 << 33
"""Limit on the unpacked size of all arrays read from one file: 8 GiB."""
DENSEST: Final = 1032
"""Largest expansion of deflate, in bytes per byte (RFC 1951: 258 bytes from 2 bits)."""
_SPARE: Final = 1 << 16
"""Unpacked size that is allowed for any archive, however small."""
MOST_FILE: Final = 1 << 36
"""Limit on the size of the file itself, which is never read as a whole."""
_MOST_HEADER: Final = 10_000
_MOST_WINDOW: Final = 1 << 26
"""Largest LZMA dictionary, which needs memory too: 64 MiB, as for `xz -9`."""
_CHUNK: Final = 1 << 18
_UNREADABLE: Final = (
    EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, KeyError, IndexError, ValueError, TypeError,
    SyntaxError, OverflowError, MemoryError, RuntimeError, AttributeError, tokenize.TokenError,
)  # fmt: skip
"""Exceptions of zipfile and numpy for a damaged file; `OSError` concerns the file itself."""


class ArchiveError(EdgesdtError):
    """An archive cannot be used. The text gives the reason, without the name of the file."""


class NoArchive(ArchiveError):
    """The file is not an archive."""


def read(
    path: Path, wanted: Collection[str] | None = None, most: int = MOST_BYTES
) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays of an .npz file by name: those of `wanted` that exist (None: all), with at most `most` bytes together.

    Nothing is unpickled. Raises `ArchiveError` for a damaged, too large or non-numeric array, and `OSError` if the file
    cannot be read.
    """
    with open_whole(path, MOST_FILE) as stream:
        entries = _entries(stream)
        most = min(most, DENSEST * stream.seek(0, io.SEEK_END) + _SPARE)
        found: dict[str, npt.NDArray[np.generic]] = {}
        for name, entry in entries.items():
            if wanted is None or name in wanted:
                found[name] = _array(stream, entry, most)
                most -= found[name].nbytes
    return found


def names(path: Path) -> list[str]:
    """Names of the arrays of an .npz file. Raises as `read`."""
    with open_whole(path, MOST_FILE) as stream:
        return list(_entries(stream))


def _entries(stream: BinaryIO) -> dict[str, zipfile.ZipInfo]:
    if stream.read(4) not in (b"PK\x03\x04", b"PK\x05\x06"):
        raise NoArchive("not an .npz file (or empty): write it with numpy.savez")
    try:
        with zipfile.ZipFile(stream) as archive:
            return {e.filename[:-4]: e for e in archive.infolist() if e.filename.endswith(".npy")}
    except (*_UNREADABLE, OSError) as error:
        raise ArchiveError(f"damaged or truncated ({_why(error)})") from error


def _array(stream: BinaryIO, entry: zipfile.ZipInfo, most: int) -> npt.NDArray[np.generic]:
    name = entry.filename[:-4]
    try:
        return _filled(_Member(stream, entry), entry, most)
    except ArchiveError as error:
        raise ArchiveError(f"{name}: {error}") from error
    except (*_UNREADABLE, OSError) as error:  # bzip2 reports a damaged stream as an OSError
        raise ArchiveError(f"{name}: damaged or truncated ({_why(error)})") from error


def _why(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _filled(member: _Member, entry: zipfile.ZipInfo, most: int) -> npt.NDArray[np.generic]:
    """Reads the array of a member; checks its size before unpacking."""
    import numpy as np

    shape, in_columns, dtype, header = _header(member)
    size = math.prod(shape) * dtype.itemsize
    if dtype.hasobject:
        raise ArchiveError("holds Python objects, allowed: plain numbers or texts (nothing is unpickled)")
    if any(length < 0 for length in shape) or header + size != entry.file_size:
        raise ArchiveError(f"damaged: shape {shape} of {dtype} does not make {entry.file_size - header} bytes")
    if size > most:
        raise ArchiveError(f"unpacks to {size} bytes, allowed: {most} more for a file of this size")
    made = np.empty(math.prod(shape), dtype)
    if size:
        member.fill(made.view(np.uint8).data)
    member.finish()
    return made.reshape(shape, order="F" if in_columns else "C")


def _header(member: _Member) -> tuple[tuple[int, ...], bool, Any, int]:
    """Parses the .npy header: shape, whether columns come first, type, and bytes of the header."""
    from numpy.lib import format as npy

    start = member.exactly(8)
    version = npy.read_magic(io.BytesIO(start))
    if version not in ((1, 0), (2, 0)):
        raise ArchiveError(f"is of .npy version {'.'.join(map(str, version))}, allowed: 1.0 and 2.0")
    width = 2 if version == (1, 0) else 4
    packed = member.exactly(width)
    length = int.from_bytes(packed, "little")
    if length > _MOST_HEADER:
        raise ArchiveError(f"damaged: a header of {length} bytes, allowed: at most {_MOST_HEADER}")
    text = io.BytesIO(packed + member.exactly(length))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy warns about headers from Python 2, which are fine
        found = npy.read_array_header_1_0(text) if width == 2 else npy.read_array_header_2_0(text)
    return *found, 8 + width + length


class _Member:
    """One member of a zip file as a stream, unpacked in pieces; length and checksum are compared with the directory."""

    def __init__(self, stream: BinaryIO, entry: zipfile.ZipInfo) -> None:
        if entry.flag_bits & 0x1:
            raise ArchiveError("is encrypted, allowed: arrays as numpy.savez writes them")
        if entry.header_offset < 0:
            raise ArchiveError("damaged: no header where the directory says")
        stream.seek(entry.header_offset)
        head = stream.read(30)
        if len(head) < 30 or head[:4] != b"PK\x03\x04":
            raise ArchiveError("damaged: no header where the directory says")
        stream.seek(sum(struct.unpack("<HH", head[26:])), io.SEEK_CUR)
        self._stream, self._entry, self._left = stream, entry, entry.compress_size
        self._unpacker = _unpacker(entry.compress_type, self)
        self._crc = self._count = 0

    def packed(self, most: int = _CHUNK) -> bytes:
        """Up to `most` compressed bytes; empty at the end."""
        part = self._stream.read(min(most, self._left))
        self._left -= len(part)
        return part

    def exactly(self, count: int) -> bytes:
        """`count` unpacked bytes."""
        made = bytearray(count)
        self.fill(memoryview(made))
        return bytes(made)

    def fill(self, into: memoryview) -> None:
        """Fills `into` with unpacked bytes. Raises `EOFError` if there are too few."""
        at = 0
        while at < len(into):
            part = self._take(min(len(into) - at, _CHUNK))
            if not part:
                raise EOFError(f"ends after {self._count} of {self._entry.file_size} bytes")
            into[at : at + len(part)] = part
            at += len(part)

    def finish(self) -> None:
        """Raises `ArchiveError` unless this is the end and the checksum matches the directory."""
        if self._take(1):
            raise ArchiveError(f"damaged: holds more than {self._entry.file_size} bytes")
        if self._crc != self._entry.CRC:
            raise ArchiveError("damaged: its checksum is wrong")

    def _take(self, most: int) -> bytes:
        """Up to `most` bytes, at least one unless this is the end."""
        part = b""
        while not part and not self._unpacker.eof:
            fresh = self.packed() if self._unpacker.needs_input else b""
            part = self._unpacker.decompress(fresh, most)
            if not part and not fresh and self._unpacker.needs_input:
                break
        self._crc = zlib.crc32(part, self._crc)
        self._count += len(part)
        return part


class _Deflate:
    """zlib's decompressor with the interface of those of bz2 and lzma."""

    def __init__(self) -> None:
        self._one = zlib.decompressobj(-15)

    @property
    def eof(self) -> bool:
        """Whether the end of the stream has been reached."""
        return self._one.eof

    @property
    def needs_input(self) -> bool:
        """Whether all input has been consumed."""
        return not self._one.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Returns up to `max_length` further bytes."""
        return self._one.decompress(self._one.unconsumed_tail + data, max_length)


class _Stored:
    """Uncompressed data, with the same interface."""

    eof = False

    def __init__(self) -> None:
        self._kept = b""

    @property
    def needs_input(self) -> bool:
        """Whether all input has been consumed."""
        return not self._kept

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Returns up to `max_length` further bytes."""
        whole = self._kept + data
        self._kept = whole[max_length:]
        return whole[:max_length]


def _unpacker(method: int, member: _Member) -> Any:
    """The decompressor of a member; LZMA members begin with the properties of their filter (APPNOTE 5.8.8)."""
    if method == zipfile.ZIP_LZMA:
        _, length = struct.unpack("<HH", member.packed(4))
        properties = member.packed(length)
        if length != 5 or properties[0] >= 9 * 5 * 5:
            raise ArchiveError("damaged: no properties of an LZMA stream")
        window = int.from_bytes(properties[1:], "little")
        if window > _MOST_WINDOW:
            raise ArchiveError(f"an LZMA dictionary of {window} bytes, allowed: at most {_MOST_WINDOW}")
        rest, lc = divmod(properties[0], 9)
        pb, lp = divmod(rest, 5)
        chain = [{"id": lzma.FILTER_LZMA1, "dict_size": max(window, 4096), "lc": lc, "lp": lp, "pb": pb}]
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain)
    known = {zipfile.ZIP_STORED: _Stored, zipfile.ZIP_DEFLATED: _Deflate, zipfile.ZIP_BZIP2: bz2.BZ2Decompressor}
    if method not in known:
        raise ArchiveError(f"compressed by method {method}, allowed: 0, 8, 12 or 14 (stored, deflate, bzip2, LZMA)")
    return known[method]()
