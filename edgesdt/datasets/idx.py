"""The IDX file format of MNIST: unpacking, header, checksum, array. `idx_sets` builds data sets from such files.

An IDX file is two zero bytes, the element type (8: unsigned byte), the number of dimensions, each dimension
as a 32-bit big-endian integer, and the elements, last dimension fastest (http://yann.lecun.com/exdb/mnist/).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from edgesdt.datasets.known import IdxFile
from edgesdt.errors import DataError
from hw_models.files import read_bytes

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

GZIP_MAGIC = b"\x1f\x8b"
UNSIGNED_BYTE = 8
# Protects against a small file that unpacks to more than the memory; all IDX sets in use are much smaller.
MAX_UNPACKED_BYTES = 2**31
# Number of bytes unpacked beyond the announced size, so that the error can say how much too long a file is.
SPARE_BYTES = 2**20


def read(path: Path, limit: int = MAX_UNPACKED_BYTES) -> bytes:
    """The unpacked content of a raw or gzipped file. Raises DataError if it cannot be read or unpacked."""
    try:
        packed = read_bytes(path, MAX_UNPACKED_BYTES)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    return unpack(packed, str(path), limit)


def unpack(packed: bytes, where: str, limit: int = MAX_UNPACKED_BYTES) -> bytes:
    """The content of `packed`, unpacked if it is gzip.

    It returns at most `limit` bytes, and little more than the header announces.

    Raises DataError naming `where`.
    """
    if not packed:
        raise DataError(f"{where}: the file is empty")
    if not packed.startswith(GZIP_MAGIC):
        return packed
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as stream:
            head = stream.read(4)
            head += stream.read(4 * head[3]) if len(head) == 4 and head[:2] == b"\0\0" else b""
            announced = _announced(head)
            room = min(limit, announced + SPARE_BYTES) if announced <= limit else 0
            content = head + stream.read(max(room - len(head), 0))
            if announced > limit or stream.read(1):
                told = f"unpacks to more than the allowed {limit} bytes, or to more than its header says"
                raise DataError(f"{where}: {told}")
    except EOFError as error:
        raise DataError(f"{where}: the gzip file is truncated") from error
    except (OSError, zlib.error) as error:
        raise DataError(f"{where}: the gzip file is damaged: {error}") from error
    return content


def _announced(head: bytes) -> int:
    """Size of an IDX file by its header; a small number if the header is invalid, which `dimensions` reports."""
    if len(head) < 4 or len(head) != 4 + 4 * head[3]:
        return len(head)
    return len(head) + int(math.prod(struct.unpack(f">{head[3]}I", head[4:])))


def dimensions(content: bytes, where: str) -> tuple[int, ...]:
    """The shape in the header, checked against the length. Raises DataError naming `where`."""
    if len(content) < 4 or content[:2] != b"\0\0":
        raise DataError(f"{where}: not an IDX file: starts with {content[:4].hex(' ')}, not with 00 00")
    kind, rank = content[2], content[3]
    if kind != UNSIGNED_BYTE:
        raise DataError(f"{where}: IDX element type {kind:#04x}; allowed: 0x08, unsigned byte")
    start = 4 + 4 * rank
    if len(content) < start:
        raise DataError(f"{where}: truncated in the IDX header: {len(content)} bytes, {start} needed")
    shape = struct.unpack(f">{rank}I", content[4:start])
    expected = start + math.prod(shape)
    if len(content) != expected:
        fault = "truncated" if len(content) < expected else "too long"
        raise DataError(f"{where}: {fault}: shape {shape} needs {expected} bytes, there are {len(content)}")
    return shape


def check(content: bytes, file: IdxFile, where: str) -> None:
    """Compares unpacked content with the catalogue. Raises DataError that says what differs."""
    shape = dimensions(content, where)
    if shape != file.shape:
        raise DataError(f"{where}: holds shape {shape}, {file.name} has {file.shape}")
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise DataError(
            f"{where}: SHA-256 of the unpacked content is {found}, that of {file.name} is {file.sha256}: "
            "the file is damaged or is another data set"
        )


def array(content: bytes, where: str) -> npt.NDArray[np.uint8]:
    """The elements as a writable C-contiguous uint8 array of the header's shape."""
    import numpy as np

    shape = dimensions(content, where)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape).copy()


def encode(elements: npt.NDArray[np.uint8]) -> bytes:
    """The IDX file that holds `elements`: the inverse of `array`."""
    from hw_models.arguments import Arguments

    elements = Arguments(DataError).integers("elements", elements, None, 0, 255, "u1")
    if elements.ndim > 255 or max(elements.shape, default=0) >= 1 << 32:
        raise DataError(f"elements: shape {elements.shape}, allowed: up to 255 axes below 2^32")
    header = struct.pack(f">HBB{elements.ndim}I", 0, UNSIGNED_BYTE, elements.ndim, *elements.shape)
    return header + elements.tobytes()
