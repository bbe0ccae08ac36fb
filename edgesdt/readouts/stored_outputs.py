"""Stores the outputs of a chip for many samples compactly and sums over them in a fixed order.

A block of `BLOCK` samples is stored as bytes, or as a sparse matrix if few outputs are nonzero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Reals = npt.NDArray[np.float64]
Work = Callable[[Any, slice], Reals]

BLOCK = 4096
"""Samples in a block."""
PIECE = 512
"""Samples of a block of bytes to convert to floating point at a time: 4 MB for 2,000 outputs fit the cache."""
SPARSE = 1 / 12
"""Share of nonzero outputs below which a block is sparse: a number and its index take 12 bytes."""


def blocks(n: int, size: int = BLOCK) -> Iterator[slice]:
    """Slices of at most `size` that cover 0 … n."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


@dataclass(frozen=True)
class Thinned:
    """A block with random drop-out.

    `masks` says which outputs of each piece are kept, eight in a byte: to draw them takes longer than to use them.
    """

    kept: Any
    masks: tuple[npt.NDArray[np.uint8], ...]

    @classmethod
    def drawn(cls, kept: Any, dropped: int, seed: tuple[int, ...]) -> Thinned:
        """Every output is dropped with probability `dropped`/256; `seed` and the place of a piece decide which."""
        if isinstance(kept, np.ndarray):
            sizes = {rows.start: kept[rows].size for rows in blocks(len(kept), PIECE)}
        else:
            sizes = {0: kept.data.size}
        drawn = (np.random.RandomState([*seed, start]).bytes(size) for start, size in sizes.items())
        return cls(kept, tuple(np.packbits(np.frombuffer(each, np.uint8) >= dropped) for each in drawn))

    @property
    def shape(self) -> tuple[int, int]:
        """Samples, outputs."""
        shape: tuple[int, int] = self.kept.shape
        return shape

    def mask(self, place: int, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
        """1 for each output that is kept, of piece `place`."""
        return np.unpackbits(self.masks[place], count=int(np.prod(shape))).reshape(shape)


@dataclass(frozen=True)
class Stored:
    """The outputs (n, n_L) of n samples in blocks. The number of `threads` does not change any sum."""

    parts: tuple[Any, ...]
    threads: int = 1

    @classmethod
    def of(cls, infer: Callable[[slice], Codes], n: int, threads: int = 1) -> Stored:
        """The outputs of n ≥ 1 samples; `infer` returns the outputs of a slice of at most `BLOCK` samples."""
        return cls(tuple(_kept(infer(rows)) for rows in blocks(n)), threads)

    @property
    def shape(self) -> tuple[int, int]:
        """Samples, outputs."""
        return sum(part.shape[0] for part in self.parts), self.parts[0].shape[1]

    def each(self, work: Work) -> Iterator[Reals]:
        """Calls `work(x, rows)` on every piece: its outputs (an array or sparse matrix) and its slice of samples."""
        for found in self._of_blocks(lambda part, rows: [work(x, place) for x, place in _pieces(part, rows)]):
            yield from found

    def total(self, work: Work) -> Reals:
        """The sum of `work(x, rows)` over all pieces, in their order."""

        def of_block(part: Any, rows: slice) -> Reals:
            found: Reals = sum((work(x, place) for x, place in _pieces(part, rows)), np.zeros(()))
            return found

        total: Reals = sum(self._of_blocks(of_block), np.zeros(()))
        return total

    def thinned(self, dropped: int, copies: int, seed: int) -> Stored:
        """Concatenates `copies` copies in which each output is dropped with probability `dropped`/256."""
        every = [(copy, place, part) for copy in range(copies) for place, part in enumerate(self.parts)]
        made = (Thinned.drawn(part, dropped, (seed, copy, place)) for copy, place, part in every)
        return Stored(tuple(made), self.threads)

    def mean(self) -> Reals:
        """The mean output (n_L,)."""
        sums = self.total(lambda x, rows: np.asarray(x.sum(axis=0, dtype=np.float64)).ravel())
        return sums / self.shape[0]

    def some(self, most: int) -> npt.NDArray[np.float32]:
        """The outputs of at most `most` samples, evenly spaced."""
        n = self.shape[0]
        chosen = np.unique(np.linspace(0, n - 1, min(most, n)).round().astype(np.int64))

        def work(x: Any, rows: slice) -> Reals:
            picked = x[chosen[(chosen >= rows.start) & (chosen < rows.stop)] - rows.start]
            found: Reals = picked if isinstance(picked, np.ndarray) else picked.toarray()
            return found

        return np.concatenate([found.astype(np.float32) for found in self.each(work)])

    def _of_blocks(self, work: Callable[[Any, slice], Any]) -> Iterator[Any]:
        """Calls `work` on every block; results are in the order of blocks."""
        ends = np.cumsum([part.shape[0] for part in self.parts]).tolist()
        rows = [slice(end - part.shape[0], end) for end, part in zip(ends, self.parts, strict=True)]
        if self.threads == 1 or len(rows) == 1:
            yield from map(work, self.parts, rows)
            return
        with ThreadPoolExecutor(self.threads) as pool:
            yield from pool.map(work, self.parts, rows)


def _kept(outputs: npt.NDArray[Any]) -> Any:
    """A block as bytes or as a sparse matrix, whichever is smaller."""
    from scipy.sparse import csr_matrix  # a run without a classifier does not need SciPy

    if np.count_nonzero(outputs) >= SPARSE * outputs.size:
        return outputs.copy()
    return csr_matrix(outputs).astype(np.float64)


def _pieces(part: Any, rows: slice) -> Iterator[tuple[Any, slice]]:
    """A sparse block as a whole, a dense block in floating-point pieces."""
    kept = part.kept if isinstance(part, Thinned) else part
    if not isinstance(kept, np.ndarray):
        if isinstance(part, Thinned):
            kept = kept.copy()
            kept.data *= part.mask(0, kept.data.shape)
        yield kept, rows
        return
    for place, inside in enumerate(blocks(len(kept), PIECE)):
        codes = kept[inside]
        if isinstance(part, Thinned):
            codes = codes * part.mask(place, codes.shape)
        x = codes.astype(np.float32)
        yield x, slice(rows.start + inside.start, rows.start + inside.stop)
