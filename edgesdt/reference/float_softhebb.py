"""SoftHebb in float64 numpy: the algorithm of `edgesdt.rules.softhebb.kernels.sample` without a single rounding.

With `floor` at 1e-10 and `normalisation: maximum` it is the published rule (Journé et al., ICLR 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgesdt.rules.schedule import factor
from edgesdt.rules.softhebb import registers
from edgesdt.rules.softhebb.settings import buffered, competing, learning_layers, settings, sharpness
from edgesdt.spec import Spec

Reals = npt.NDArray[np.float64]
PUBLISHED_FLOOR = 1e-10
"""What the published code adds to the distance of a norm from 1."""
_SIGNS = {"anti_hebbian": -1.0, "hebbian": 1.0, "still": 0.0}
__all__ = ["PUBLISHED_FLOOR", "Constants", "FloatSoftHebb", "Reals"]


@dataclass(frozen=True)
class Constants:
    """The learning constants as real numbers; `floor` is the least distance of a norm from 1, `least` a least share."""

    rates: tuple[float, ...]
    sharpness: tuple[float, ...]
    floor: float
    least: float

    @classmethod
    def asked(cls, spec: Spec, epoch: int = 0) -> Constants:
        """What the spec says, as it says it; nothing is too small to count."""
        layers = range(len(spec.chip.layers) - 1)
        rates = tuple(rate * factor(spec, epoch) for rate in spec.learning.learning_rate)
        return cls(rates, tuple(sharpness(spec, k) for k in layers), PUBLISHED_FLOOR, 0.0)

    @classmethod
    def held(cls, spec: Spec, epoch: int = 0) -> Constants:
        """What the chip's registers really hold, and its LSBs."""
        layers = range(len(spec.chip.layers) - 1)
        rates = tuple(registers.rate(spec, k, epoch).value for k in layers)
        sharp = tuple(registers.sharp(spec, k).value for k in layers)
        least = 2.0 ** -(settings(spec).competition.share_bits + 1)
        return cls(rates, sharp, 2.0**-registers.RADIUS_BITS, least)


class FloatSoftHebb:
    """A chip of real numbers.

    `weights[l]` (n_l, n_{l+1}) joins layers l and l + 1; `means[l]` (n_l,) is subtracted from what drives it. After a
    sample, `drives`, `states`, `shares` and `steps` hold those of each weight layer.
    """

    def __init__(self, spec: Spec, weights: list[Reals], constants: Constants, epoch: int = 0) -> None:
        self.spec, self.constants = spec, constants
        self.weights = [np.array(layer, np.float64) for layer in weights]
        self.means: list[Reals] = [np.zeros(len(layer)) for layer in self.weights]
        self.learns = learning_layers(spec, epoch)
        self.largest = [0.0] * len(weights)
        self.full: Reals = np.zeros(0)
        """The steps that whole shares would have had, of the last layer that learned."""
        nothing: list[Reals] = [np.zeros(layer.shape[1]) for layer in self.weights]
        self.drives, self.states, self.shares, self.steps = (list(nothing) for _ in range(4))

    def softmax(self, drives: Reals, layer: int) -> Reals:
        """The shares of a sample (n,)."""
        raised = np.exp((drives - drives.max()) * self.constants.sharpness[layer])
        found: Reals = raised / raised.sum()
        return found

    def activate(self, drives: Reals) -> Reals:
        """The states of a layer that competes, a state of 1 as 1."""
        act = settings(self.spec).activation
        above = np.maximum(drives - (drives.mean() if act.kind == "triangle" else 0.0), 0.0)
        found: Reals = above**act.power * 2.0**-act.range_bits
        return found

    def infer(self, x: Reals) -> Reals:
        """Output states (n_L,) for an input (n_0,) of values in 0 … 1."""
        below = x
        for layer, weights in enumerate(self.weights):
            head = layer == competing(self.spec)
            drives = below @ weights - (0.0 if head else self.means[layer] @ weights)
            self.drives[layer] = drives
            below = self.softmax(drives, layer) if head else np.minimum(self.activate(drives), 1.0)
            self.states[layer] = below
        return below

    def learn(self, x: Reals, label: int = 0) -> None:
        """Learn one sample, with the means as they are. Raises `ValueError` where updates are gathered."""
        if buffered(self.spec):
            raise ValueError("updates of this spec are gathered: `learn_batch`")
        self.infer(x)
        many = competing(self.spec)
        if many < len(self.weights) and many in self.learns:
            error = -self.states[many]
            error[label] += 1.0
            self.weights[many] += self.constants.rates[many] * np.outer(self.states[many - 1], error)
        for layer in range(many):
            if layer in self.learns:
                self._learn_layer(layer, x if layer == 0 else self.states[layer - 1])

    def signed_shares(self, layer: int) -> Reals:
        """The shares of the last sample, those of losers with their sign; what is too small is 0."""
        drives = self.drives[layer]
        shares = self.softmax(drives, layer)
        sign = np.full(len(shares), _SIGNS[settings(self.spec).losers])
        sign[int(np.argmax(drives))] = 1.0
        found: Reals = np.where(shares >= self.constants.least, sign * shares, 0.0)
        return found

    def rates_of(self, layer: int) -> Reals:
        """The rate of each neuron by the norm of its weights."""
        apart = np.abs(np.linalg.norm(self.weights[layer], axis=0) - 1.0)
        floor = self.constants.floor
        distance = apart + floor if floor == PUBLISHED_FLOOR else np.maximum(apart, floor)
        found: Reals = self.constants.rates[layer] * distance ** settings(self.spec).rate_power
        return found

    def _learn_layer(self, layer: int, below: Reals) -> None:
        weights, centred = self.weights[layer], below - self.means[layer]
        shares, drives = self.signed_shares(layer), self.drives[layer]
        self.full = self.rates_of(layer) / self._running(layer, shares, centred)
        steps = shares * self.full
        for j in range(len(steps)):  # no weight decays by more than half
            while abs(steps[j] * drives[j]) >= 0.5:
                steps[j] /= 2.0
        self.shares[layer], self.steps[layer] = shares, steps
        self.weights[layer] = weights + steps * (centred[:, None] - drives * weights)

    def _running(self, layer: int, shares: Reals, centred: Reals) -> float:
        """The running maximum of an update, as a power of two; 1 without."""
        if settings(self.spec).normalisation != "running":
            return 1.0
        top = np.abs(shares * (centred[:, None] - self.drives[layer] * self.weights[layer])).max()
        self.largest[layer] = float(max(top, self.largest[layer] * (1 - 2.0**-10)))
        return float(2.0 ** np.ceil(np.log2(self.largest[layer]))) if self.largest[layer] else 1.0

    def learn_batch(self, samples: Reals) -> Reals:
        """Learn a mini-batch (samples, n_0) in the one layer of this chip; returns the update before any division."""
        (weights,) = self.weights
        update = np.zeros_like(weights)
        for x in samples:
            self.infer(x)
            shares = self.signed_shares(0)
            update += shares * ((x - self.means[0])[:, None] - self.drives[0] * weights)
        top = np.abs(update).max() if settings(self.spec).normalisation == "maximum" else 1.0
        self.weights = [weights + self.rates_of(0) * update / max(top, 1e-30)]
        return update
