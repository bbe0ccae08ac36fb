"""Base of the float32 references of all rules: weights, masks, winners and homeostasis, with NumPy and BLAS.

It processes one mini-batch at a time and is optimised for speed: BLAS computes products and updates weights in place.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.linalg.blas import sgemm

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class NetworkSettings(Protocol):
    """Settings of a network with a self-defined target; rates apply to the mean of a mini-batch."""

    @property
    def layers(self) -> Sequence[int]:
        """Neurons per layer."""

    @property
    def batch(self) -> int:
        """Samples per update."""

    @property
    def winners(self) -> int:
        """Winning outputs per sample."""

    @property
    def gamma(self) -> float:
        """Step of the homeostasis for a mini-batch."""

    @property
    def gain(self) -> float:
        """Gain of the Xavier-uniform initial weights."""


class FloatNetwork(ABC):
    """A network of float32 weights (n_l, n_{l+1}) that learns from mini-batches of samples in 0 … 1."""

    def __init__(self, settings: NetworkSettings, seed: int = 0) -> None:
        self._common = settings
        self._random = np.random.Generator(np.random.SFC64(seed))
        self.weights: list[Floats] = []
        for rows, columns in pairwise(settings.layers):
            bound = settings.gain * (6.0 / (rows + columns)) ** 0.5
            self.weights.append(self._random.uniform(-bound, bound, (rows, columns)).astype(np.float32))
        self.biases: list[Floats] = [np.zeros(n, np.float32) for n in settings.layers[1:]]
        self.homeostasis: Floats = np.zeros(settings.layers[-1], np.float32)

    def learn(self, samples: Floats) -> None:
        """Learns from `samples` (n, n_0), one mini-batch after the other; an incomplete last one is used too."""
        for start in range(0, len(samples), self._common.batch):
            self._learn_batch(samples[start : start + self._common.batch])

    def infer(self, samples: Floats) -> Floats:
        """Outputs (n, n_L), one mini-batch at a time, without drop-out."""
        outputs = np.empty((len(samples), self._common.layers[-1]), np.float32)
        for start in range(0, len(samples), self._common.batch):
            end = start + self._common.batch
            outputs[start:end] = self._infer_batch(samples[start:end])
        return outputs

    @abstractmethod
    def _learn_batch(self, samples: Floats) -> None:
        """Learn from one mini-batch."""

    @abstractmethod
    def _infer_batch(self, samples: Floats) -> Floats:
        """Outputs of one mini-batch."""

    def keep(self, shape: tuple[int, int], drop: int) -> Mask | None:
        """A new mask, true for kept entries; each entry is dropped with probability `drop` / 256. None keeps all."""
        if drop == 0:
            return None
        octets = np.frombuffer(self._random.bytes(shape[0] * shape[1]), np.uint8)
        return (octets >= drop).reshape(shape)

    def _drive(self, inputs: Floats) -> Floats:
        """The constant part of layer 1's drive during a sample: `x·W_0 + b_1`."""
        drive: Floats = inputs @ self.weights[0]
        drive += self.biases[0]
        return drive

    def _winners(self, outputs: Floats, keep: Mask | None) -> npt.NDArray[np.intp]:
        """Indices (n, k) of the largest kept `output − homeostasis`, in any order; ties are broken arbitrarily."""
        keys = outputs - self.homeostasis
        if keep is not None:
            np.putmask(keys, ~keep, -np.inf)
        k = self._common.winners
        found: npt.NDArray[np.intp] = np.argpartition(keys, -k, axis=1)[:, -k:]
        return found

    def _settle_homeostasis(self, winners: npt.NDArray[np.intp], keep: Mask | None, n: int) -> None:
        """`H ← H + γ·(mean_batch(d) − k / n_L)`; a dropped output never wins, even if too few outputs are kept."""
        outputs = self._common.layers[-1]
        won = winners.ravel() if keep is None else winners[np.take_along_axis(keep, winners, axis=1)]
        excess = np.bincount(won, minlength=outputs) / n - self._common.winners / outputs
        self.homeostasis += (self._common.gamma * excess).astype(np.float32)

    def _add_outer(self, layer: int, rate: float, pre: Floats, post: Floats) -> None:
        """`W += rate·preᵀ post` in place; BLAS sees the row-major weights as their transpose."""
        sgemm(rate, post.T, pre.T, beta=1.0, c=self.weights[layer].T, trans_b=True, overwrite_c=True)

    @staticmethod
    def _clamped(states: Floats, keep: Mask | None) -> Floats:
        """`states` clamped to 0 … 1 in place, and 0 where an output is dropped."""
        np.clip(states, 0.0, 1.0, out=states)
        return states if keep is None else np.multiply(states, keep, out=states)
