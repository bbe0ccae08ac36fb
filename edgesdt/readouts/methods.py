"""Read-outs: predict classes from the outputs of a chip that learned without labels.

Direct association (Liu et al. 2024, §2): each output neuron belongs to the class with its largest mean response over
labelled samples; predict the class whose neurons respond most (`average`), or that of the neuron that responds most
(`max`). The linear classifier is in `softmax_regression`. All read-outs use the chip's own integer outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.readouts.labels import Labels
from edgesdt.readouts.stored_outputs import BLOCK, Codes, Stored, blocks

Infer = Callable[[npt.NDArray[np.uint8]], Codes]

CHUNK = BLOCK
"""Samples processed at a time, so that the outputs of a whole data set need not be in memory."""

MOST_CLASSES = 65_536
UNASSIGNED = -1


def _samples(x: object, y: object, classes: int | None, names: str = "x y") -> tuple[npt.NDArray[np.uint8], Labels]:
    """Samples (n, n_0), at least one, and their labels (n,), below `classes` where that is known. Raises in words."""
    x_name, y_name = names.split()
    codes = ARGUMENTS.integers(x_name, x, ("samples", "features"), 0, 65535, None)
    if not codes.size:
        ARGUMENTS.refuse(x_name, f"shape {codes.shape}: no labelled samples", "at least one, of one feature or more")
    most = 2**62 if classes is None else classes - 1
    return codes, ARGUMENTS.integers(y_name, y, (len(codes),), 0, most)


def _answers(infer: Infer, x: npt.NDArray[np.uint8], outputs: int | None = None) -> Codes:
    """What `infer` says of samples `x`: integer codes (samples, outputs). Raises in words: a rule may be anybody's."""
    made: object = infer(x)
    codes = ARGUMENTS.integers("outputs of infer", made, (len(x), outputs or "outputs"), 0, 65535, None)
    if not codes.shape[1]:
        ARGUMENTS.refuse("outputs of infer", f"shape {codes.shape}", "one output or more")
    return codes


def _in_parts(infer: Infer, x: npt.NDArray[np.uint8], outputs: int | None = None) -> Callable[[slice], Codes]:
    """`_answers` for slices of `x`, as many outputs for every slice as for the first."""
    width = outputs

    def of(part: slice) -> Codes:
        nonlocal width
        codes = _answers(infer, x[part], width)
        width = codes.shape[1]
        return codes

    return of


@dataclass(frozen=True)
class Association:
    """The class of each output neuron (n_L,), `UNASSIGNED` where it never responded to a labelled sample."""

    neuron_class: Labels
    classes: int

    def __post_init__(self) -> None:
        """Raises `ArgumentError` for an invalid class of a neuron."""
        classes = ARGUMENTS.whole("classes", self.classes, 1, MOST_CLASSES)
        found = ARGUMENTS.integers("neuron_class", self.neuron_class, ("neurons",), UNASSIGNED, classes - 1)
        object.__setattr__(self, "neuron_class", found)

    def _outputs(self, outputs: object) -> Codes:
        return ARGUMENTS.integers("outputs", outputs, ("samples", len(self.neuron_class)), 0, 65535, None)

    @classmethod
    def learn(cls, infer: Infer, x: npt.NDArray[np.uint8], y: Labels, classes: int) -> Association:
        """Associate from labelled samples `x` (n, n_0), `y` (n,). Ties go to the lowest class."""
        classes = ARGUMENTS.whole("classes", classes, 1, MOST_CLASSES)
        x, y = _samples(x, y, classes)
        sums: npt.NDArray[np.int64] | None = None
        for part in blocks(len(x)):
            outputs = _answers(infer, x[part], None if sums is None else sums.shape[1])
            found = np.zeros((classes, outputs.shape[1]), np.int64)
            for c in range(classes):
                found[c] = outputs[y[part] == c].sum(axis=0, dtype=np.int64)
            sums = found if sums is None else sums + found
        assert sums is not None
        shown = np.maximum(np.bincount(y, minlength=classes), 1)
        means = sums / shown[:, None]
        return cls(np.where(sums.any(axis=0), means.argmax(axis=0), UNASSIGNED), classes)

    def average(self, outputs: Codes) -> Labels:
        """Predicted classes (n,): the class whose neurons have the largest mean output; ties go to the lowest class."""
        outputs = self._outputs(outputs)
        owned = (self.neuron_class[:, None] == np.arange(self.classes)).astype(np.int64)
        count = owned.sum(axis=0)
        means = (outputs.astype(np.float64) @ owned) / np.maximum(count, 1)
        found: Labels = np.where(count > 0, means, -1.0).argmax(axis=1)
        return found

    def strongest(self, outputs: Codes) -> Labels:
        """Predicted classes (n,): the class of the assigned neuron with the largest output; ties: lowest index."""
        outputs = self._outputs(outputs)
        allowed = np.where(self.neuron_class == UNASSIGNED, -1, outputs.astype(np.int64))
        found: Labels = self.neuron_class[allowed.argmax(axis=1)]
        return found


def direct(
    infer: Infer, x: npt.NDArray[np.uint8], y: Labels, x_test: npt.NDArray[np.uint8], y_test: Labels, classes: int
) -> dict[str, float]:
    """Accuracies `direct_average` and `direct_max` on the test split after associating on `x`, `y`."""
    return recognised(Association.learn(infer, x, y, classes), infer, x_test, y_test)


def recognised(found: Association, infer: Infer, x_test: npt.NDArray[np.uint8], y_test: Labels) -> dict[str, float]:
    """Accuracies `direct_average` and `direct_max` on the test split, with neurons already associated."""
    x_test, y_test = _samples(x_test, y_test, None, "x_test y_test")
    right = np.zeros(2, np.int64)
    for part in blocks(len(x_test)):
        outputs = _answers(infer, x_test[part], len(found.neuron_class))
        right += [(rule(outputs) == y_test[part]).sum() for rule in (found.average, found.strongest)]
    return {"direct_average": right[0] / len(x_test), "direct_max": right[1] / len(x_test)}


def output(infer: Infer, x_test: npt.NDArray[np.uint8], y_test: Labels, name: str = "output") -> dict[str, float]:
    """Accuracy `name` of the largest output, of a chip that gives one for each class; ties: lowest index."""
    x_test, y_test = _samples(x_test, y_test, None, "x_test y_test")
    right = sum(int((_answers(infer, x_test[p]).argmax(axis=1) == y_test[p]).sum()) for p in blocks(len(x_test)))
    return {name: right / len(x_test)}


def linear(
    infer: Infer,
    x: npt.NDArray[np.uint8],
    y: Labels,
    x_test: npt.NDArray[np.uint8],
    y_test: Labels,
    state_bits: int,
    seed: int,
    threads: int = 1,
) -> dict[str, float]:
    """Accuracy of a converged multinomial logistic regression on outputs in 0 … 1, fitted on `x`, `y` alone.

    The classifier is off-chip and floating point (`softmax_regression`). `seed` assigns the samples to the folds of its
    cross-validation; `threads` does not change the result.
    """
    # with several threads, a linear-algebra library sums in a different order
    from threadpoolctl import threadpool_limits

    from edgesdt.readouts import few_labels, softmax_regression

    x, y = _samples(x, y, None)
    x_test, y_test = _samples(x_test, y_test, None, "x_test y_test")
    state_bits, seed = ARGUMENTS.whole("state_bits", state_bits, 1, 16), ARGUMENTS.whole("seed", seed, 0, 2**32 - 1)
    shown, known = np.unique(y, return_inverse=True)
    if len(shown) == 1:  # a small label fraction may contain a single class, which is then always predicted
        return {"linear": float((y_test == shown[0]).mean())}
    scale = 2.0**-state_bits
    with threadpool_limits(1, "blas"):
        rows = Stored.of(_in_parts(infer, x), len(x), threads)
        fit = few_labels.fit if few_labels.applies(*rows.shape) else softmax_regression.fit
        found = fit(rows, known, len(shown), scale, seed)
        tested = Stored.of(_in_parts(infer, x_test, rows.shape[1]), len(x_test), threads)
        right = shown[found.scores(tested, scale).argmax(axis=1)] == y_test
    return {"linear": float(right.mean())}
