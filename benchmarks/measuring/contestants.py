"""The contestants of `benchmarks.speed`: the chip and its float reference, with one interface."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.float32 import activation as float_activation
from benchmarks.float32 import backprop as float_backprop
from benchmarks.float32 import eqprop as float_reference
from benchmarks.float32 import similarity as float_similarity
from benchmarks.float32 import softhebb as float_softhebb
from benchmarks.float32.network import FloatNetwork
from edgesdt.chip.simulated import Chip
from edgesdt.datasets.encoders import encode
from edgesdt.rules.protocol import Counts
from edgesdt.spec import Spec

Pixels = npt.NDArray[np.uint8]


class ChipContestant:
    """The chip of `spec`, one sample at a time on one thread, as in `edgesdt run`.

    It uses `pixels` (n, n_0) in order and starts again at the end; the learning rate is that of the first epoch, which
    is the largest.
    """

    def __init__(self, spec: Spec, pixels: Pixels) -> None:
        self.chip = Chip(spec)
        self.codes = encode(pixels, spec.encoder.bits)
        self.trained = 0
        self._labels = np.zeros(len(pixels), np.int64)
        self._shown = 0

    def train(self, n: int) -> None:
        """Learn from the next `n` samples."""
        order = np.arange(self.trained, self.trained + n) % len(self.codes)
        self.chip.rule.learn(self.codes, self._labels, order, 0)
        self.trained += n

    def infer(self, n: int) -> None:
        """Infers the next `n` samples (at most all of them)."""
        start = self._shown if self._shown + n <= len(self.codes) else 0
        self.chip.rule.infer(self.codes[start : start + n], threads=1)
        self._shown = start + n

    def counts(self) -> Counts:
        """Actions of all training so far."""
        return self.chip.counts()

    def inference_counts(self, n: int) -> Counts:
        """Actions of inferring the first `n` samples."""
        self.chip.rule.infer(self.codes[:n], threads=1)
        return self.chip.rule.inference_counts()


def yardstick(spec: Spec, batch: int) -> FloatNetwork:
    """The float32 reference of the rule of `spec`. Raises `ValueError` for a rule or field without a reference."""
    if spec.learning.rule == "eqprop":
        return float_reference.FloatEqProp(float_reference.Settings.of(spec, batch), spec.seed)
    if spec.learning.rule == "backprop":
        return float_backprop.FloatBackprop(float_backprop.Settings.of(spec, batch), spec.seed)
    if spec.learning.rule == "similarity":
        return float_similarity.FloatSimilarity(float_similarity.Settings.of(spec, batch), spec.seed)
    if spec.learning.rule == "activation":
        return float_activation.FloatActivation(float_activation.Settings.of(spec, batch), spec.seed)
    if spec.learning.rule == "softhebb":
        return float_softhebb.FloatSoftHebb(float_softhebb.Settings.of(spec, batch), spec.seed)
    raise ValueError(f"learning.rule: {spec.learning.rule} has no float reference")


class FloatContestant:
    """The float32 reference of `spec` with mini-batches of `batch`, for the same samples."""

    def __init__(self, spec: Spec, pixels: Pixels, batch: int) -> None:
        self.net = yardstick(spec, batch)
        self.samples = (pixels / np.float32(256)).astype(np.float32)
        self.trained = 0
        self._next = 0
        self._shown = 0

    def train(self, n: int) -> None:
        """Learn from the next `n` samples (at most all of them)."""
        start = self._next if self._next + n <= len(self.samples) else 0
        self.net.learn(self.samples[start : start + n])
        self._next = start + n
        self.trained += n

    def infer(self, n: int) -> None:
        """Infers the next `n` samples (at most all of them)."""
        start = self._shown if self._shown + n <= len(self.samples) else 0
        self.net.infer(self.samples[start : start + n])
        self._shown = start + n
