"""`edgesdt suggest`: searches for a spec for a data set, with constants chosen on held-out training samples.

Each field in turn is set to the value that does best in short runs (`trial`). The score is the accuracy of a logistic
regression on the chip's outputs, compared with the same regression on the inputs. Once it comes close, the score also
includes the accuracy of direct association. The test split is not used.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from edgesdt import datasets
from edgesdt.datasets import Dataset
from edgesdt.datasets.encoders import encode
from edgesdt.errors import DataError
from edgesdt.rules.lookup import memory_map
from edgesdt.spec import Spec
from edgesdt.suggest import frac_bits, trial

NEAR: Final = 0.05
"""A suggestion further below logistic regression on the inputs than this gives reasons."""
_MOST_LOST: Final = 0.003
"""Largest share of the variance of the features that the rounding of inputs may lose."""
_FEWEST_BITS = 4  # of an input
_PER_CLASS, _FEWEST, _MOST = 20, 100, 400  # output neurons of a first suggestion
_BY_ITSELF: Final = 0.3
"""Weight of the accuracy of direct association beside that of logistic regression on the outputs."""
_ITERATIONS: Final = 150
_C: Final = 10.0  # weak: outputs are small numbers, and many
_EPOCHS = (3, 30)  # of a suggested run

Say = Callable[[str], None]
Changes = Mapping[str, Any]


@dataclass(frozen=True)
class Suggestion:
    """A spec, with the accuracies of logistic regression on its outputs and on its inputs.

    The accuracies are those of `held_out` training samples.

    `tried`: number of chips tried. `why`: sentences on why it stays below the inputs; empty if it does not.
    """

    spec: Spec
    on_inputs: float
    reached: float
    held_out: int
    tried: int
    why: tuple[str, ...]


def suggest(name: str, say: Say = lambda line: None) -> Suggestion:
    """A spec for the data set `name` (a name, or an .npz file). Raises `DataError`, `SpecError`."""
    data = datasets.load(name, progress=say)
    part = trial.part_of(data)
    if len(np.unique(part.y_train)) < 2:
        raise DataError(f"{data.name}: its training samples have one class, allowed: two or more")
    aim = logistic(part.x_train / 255, part.x_test / 255, part)
    say(f"logistic regression on the inputs: {aim:.1%} of {len(part.x_test)} held-out training samples")
    search = _Search(_first(name, data), part, aim, say)
    for choices in _rounds(search):
        search.take_best(choices)
    if search.reached < aim - NEAR / 2:
        search.take_best([{"chip.layers": [data.features, times * search.neurons]} for times in (2, 4)])
    why = _reasons(search, aim) if search.reached < aim - NEAR else ()
    return Suggestion(_fitted(search.spec), aim, search.reached, len(part.x_test), search.tried, why)


def logistic(x: npt.NDArray[Any], x_test: npt.NDArray[Any], part: Dataset) -> float:
    """Accuracy on the held-out samples of a multinomial logistic regression on `x` (samples, features), in 0 … 1."""
    from sklearn.linear_model import LogisticRegression  # a heavy import that only a suggestion needs
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    with warnings.catch_warnings(), threadpool_limits(1):  # threads slow down work on small arrays
        warnings.simplefilter("ignore")  # its message if it stops before it has converged
        model = LogisticRegression(C=_C, max_iter=_ITERATIONS).fit(x, part.y_train)
    return float((model.predict(x_test) == part.y_test).mean())


class _Search:
    """The search: the best spec so far on one part of the training samples."""

    def __init__(self, spec: Spec, part: Dataset, aim: float, say: Say) -> None:
        self.spec, self.part, self._aim, self._say = spec, part, aim, say
        self.tried = 0
        self.reached, self._merit = self._score(spec)

    @property
    def neurons(self) -> int:
        """Output neurons of the best spec so far."""
        return self.spec.chip.layers[-1]

    def take_best(self, choices: Iterable[Changes]) -> None:
        """Tries each choice, a change of the best spec, and keeps the best one if it improves the score."""
        before = self.spec
        for changes in choices:
            spec = _changed(before, changes)
            if spec != before:
                reached, merit = self._score(spec)
                if merit > self._merit:
                    self.spec, self.reached, self._merit = spec, reached, merit
                told = ", ".join(f"{path}={value}" for path, value in changes.items())
                self._say(f"{told}: {reached:.1%}")

    def reached_by(self, spec: Spec, part: Dataset) -> float:
        """The accuracy of another spec, or of this one on other samples."""
        return self._score(spec, part)[0]

    def _score(self, spec: Spec, part: Dataset | None = None) -> tuple[float, float]:
        """The accuracy of logistic regression on the outputs, and the score to maximise."""
        part = part or self.part
        self.tried += 1
        chip = trial.learned(spec, part)
        one = float(1 << spec.chip.states.bits)
        reached = logistic(chip.infer(chip.x) / one, chip.infer(chip.x_test) / one, part)
        by_itself = chip.read_out(["direct"])["direct_average"]
        return reached, min(reached, self._aim - NEAR / 2) + _BY_ITSELF * by_itself


def _first(name: str, data: Dataset) -> Spec:
    """The spec at which the search starts."""
    neurons = min(max(_PER_CLASS * data.classes, _FEWEST), _MOST)
    fewest, most = _EPOCHS
    plain = {
        "name": _name(name),
        "data": {"set": name},
        "encoder": {"bits": _input_bits(data.x_train[: trial.MOST_LEARNED])},
        "chip": {
            "layers": [data.features, neurons],
            "weights": {"bits": 8, "frac_bits": "auto"},
            "memory_budget": 1 << 50,
        },
        "learning": {
            "winners": max(neurons // 20, 1),
            "learning_rate": 0.003,
            "beta": 0.5,
            "dropout": {"input": 0.1, "output": 0.0},
            "homeostasis": {"gamma": 0.05, "eta": 0.1},
        },
        "readout": ["linear", "direct"],
        "epochs": min(max(trial.passes(trial.part_of(data)), fewest), most),  # the same as in the trials
    }
    return frac_bits.without_data(Spec.from_plain(plain))


def _name(name: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "_-.") else "_" for c in Path(name).stem)
    return kept[:100] or "suggested"


def _input_bits(x: npt.NDArray[np.uint8]) -> int:
    """The smallest input width that loses little of the variance of the features."""
    wide = x.astype(np.float64) - x.mean(axis=0)
    varies = (wide**2).mean(axis=0)
    for bits in range(_FEWEST_BITS, 8):
        coarse = encode(x, bits).astype(np.float64)
        coarse -= coarse.mean(axis=0)
        told = (wide * coarse).mean(axis=0) ** 2 / np.maximum((coarse**2).mean(axis=0), 1e-12)
        if (varies - told).sum() <= _MOST_LOST * varies.sum():
            return bits
    return 8


def _rounds(search: _Search) -> Iterator[list[Changes]]:
    """Tries one field after the other, each starting from the best spec so far."""
    yield [{"learning.winners": max(search.neurons // part, 1)} for part in (60, 10, 5)]
    yield [{"learning.dropout.input": share} for share in (0.0, 0.3)]
    rate = search.spec.learning.learning_rate[0]
    yield [{"learning.learning_rate": round(rate * times, 6)} for times in (0.5, 2.0, 4.0)]
    bits = search.spec.chip.weights.point
    yield [{"chip.weights.frac_bits": bits + more} for more in frac_bits.AROUND if -8 <= bits + more <= 24]


def _changed(spec: Spec, changes: Changes) -> Spec:
    plain = spec.plain()
    for path, value in changes.items():
        *sections, field = path.split(".")
        here: Any = plain
        for section in sections:
            here = here[section]
        here[field] = value
    return Spec.from_plain(plain)


def _fitted(spec: Spec) -> Spec:
    """The spec with the smallest budget, in whole KiB and a power of two of them, that its arrays fit."""
    kib = -(-memory_map(spec).used_bits // 8192)
    return _changed(spec, {"chip.memory_budget": (1 << (kib - 1).bit_length()) * 8192})


def _reasons(search: _Search, aim: float) -> tuple[str, ...]:
    """Sentences on how far the chip stays below the inputs and on which changes would help; each change is tried."""
    part, found = search.part, []
    low, high = part.x_train.min(axis=0), part.x_train.max(axis=0)
    span = np.maximum(high.astype(np.int64) - low, 1)

    def stretched(x: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        made: npt.NDArray[np.uint8] = (np.clip(x.astype(np.int64) - low, 0, span) * 255 // span).astype(np.uint8)
        return made

    other = replace(part, x_train=stretched(part.x_train), x_test=stretched(part.x_test))
    better = search.reached_by(search.spec, other)
    if better > search.reached + trial.sampling_error(search.reached, part):
        found.append(f"With every feature stretched to 0..255 beforehand the same chip reaches {better:.1%}.")
    finer = min(search.spec.chip.weights.point + 8, 24)
    wide = _changed(search.spec, {"chip.weights.bits": 16, "chip.weights.frac_bits": finer})
    exact = search.reached_by(wide, part)
    if exact > search.reached + trial.sampling_error(search.reached, part):
        found.append(f"With weights of 16 bits it reaches {exact:.1%}.")
    if not found:
        found.append(
            "More neurons, wider weights or stretched features do not help: a chip of one layer with a self-defined "
            "target keeps only the information in its winners, and the classes depend on other information here. An "
            "alternative is learning.target: label."
        )
    return tuple(found)

