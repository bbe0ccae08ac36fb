"""Read-outs: what the outputs of a chip that learned without labels tell about the class.

Direct association (Liu et al. 2024, §2): each output neuron belongs to the class with its largest mean response over
labelled samples; predict the class whose neurons respond most (`average`), or that of the neuron that responds most
(`max`). The linear classifier is scikit-learn's. All inputs are the chip's own integer inference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS

Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Labels = npt.NDArray[np.int64]
Infer = Callable[[npt.NDArray[np.uint8]], Codes]

CHUNK = 4096
"""Samples held at a time: a read-out never needs the outputs of a whole data set at once."""

UNASSIGNED = -1
LINEAR_EPOCHS = 5


def chunks(n: int) -> Iterator[slice]:
    """Slices of at most `CHUNK` that cover 0 … n."""
    return (slice(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK))


def labelled(n: int, fraction: float, seed: int) -> Labels:
    """Ascending indices of the `fraction` of `n` training samples whose labels a read-out may use (at least one)."""
    n, seed = ARGUMENTS.whole("n", n, 1, 10**9), ARGUMENTS.whole("seed", seed, 0, 2**32 - 1)
    kept = max(1, round(n * ARGUMENTS.number("fraction", fraction, 0.0, 1.0)))
    return np.sort(np.random.RandomState(seed).permutation(n)[:kept])


def _samples(x: object, y: object, classes: int | None, names: str = "x y") -> tuple[npt.NDArray[np.uint8], Labels]:
    """Samples (n, n_0), at least one, and their labels (n,), below `classes` where that is known. Raises in words."""
    x_name, y_name = names.split()
    codes = ARGUMENTS.integers(x_name, x, ("samples", "features"), 0, 65535, None)
    if not len(codes):
        ARGUMENTS.refuse(x_name, "no labelled samples", "at least one")
    most = 2**62 if classes is None else ARGUMENTS.whole("classes", classes, 1) - 1
    return codes, ARGUMENTS.integers(y_name, y, (len(codes),), 0, most)


@dataclass(frozen=True)
class Association:
    """The class of each output neuron (n_L,), `UNASSIGNED` where it never responded to a labelled sample."""

    neuron_class: Labels
    classes: int

    def __post_init__(self) -> None:
        """Raise `ArgumentError` for what is no class of a neuron."""
        classes = ARGUMENTS.whole("classes", self.classes, 1)
        found = ARGUMENTS.integers("neuron_class", self.neuron_class, ("neurons",), UNASSIGNED, classes - 1)
        object.__setattr__(self, "neuron_class", found)

    def _outputs(self, outputs: object) -> Codes:
        return ARGUMENTS.integers("outputs", outputs, ("samples", len(self.neuron_class)), 0, 65535, None)

    @classmethod
    def learn(cls, infer: Infer, x: npt.NDArray[np.uint8], y: Labels, classes: int) -> Association:
        """Associate from labelled samples `x` (n, n_0), `y` (n,). Ties go to the lowest class."""
        x, y = _samples(x, y, classes)
        sums: npt.NDArray[np.int64] | None = None
        for part in chunks(len(x)):
            outputs = infer(x[part])
            found = np.zeros((classes, outputs.shape[1]), np.int64)
            for c in range(classes):
                found[c] = outputs[y[part] == c].sum(axis=0, dtype=np.int64)
            sums = found if sums is None else sums + found
        assert sums is not None
        shown = np.maximum(np.bincount(y, minlength=classes), 1)
        means = sums / shown[:, None]
        return cls(np.where(sums.any(axis=0), means.argmax(axis=0), UNASSIGNED), classes)

    def average(self, outputs: Codes) -> Labels:
        """Predicted classes (n,): the largest mean output over a class's neurons; ties go to the lowest class."""
        outputs = self._outputs(outputs)
        owned = (self.neuron_class[:, None] == np.arange(self.classes)).astype(np.int64)
        count = owned.sum(axis=0)
        means = (outputs.astype(np.float64) @ owned) / np.maximum(count, 1)
        found: Labels = np.where(count > 0, means, -1.0).argmax(axis=1)
        return found

    def strongest(self, outputs: Codes) -> Labels:
        """Predicted classes (n,): that of the assigned neuron with the largest output; ties: lowest index."""
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
    """Accuracies `direct_average` and `direct_max` on the test split with neurons associated before."""
    x_test, y_test = _samples(x_test, y_test, None, "x_test y_test")
    right = np.zeros(2, np.int64)
    for part in chunks(len(x_test)):
        outputs = infer(x_test[part])
        right += [(rule(outputs) == y_test[part]).sum() for rule in (found.average, found.strongest)]
    return {"direct_average": right[0] / len(x_test), "direct_max": right[1] / len(x_test)}


def output(infer: Infer, x_test: npt.NDArray[np.uint8], y_test: Labels) -> dict[str, float]:
    """Accuracy of the output neuron with the largest state, for a chip trained on labels; ties: lowest index."""
    x_test, y_test = _samples(x_test, y_test, None, "x_test y_test")
    right = sum(int((infer(x_test[p]).argmax(axis=1) == y_test[p]).sum()) for p in chunks(len(x_test)))
    return {"output": right / len(x_test)}


def _stored(infer: Infer, x: npt.NDArray[np.uint8]) -> Codes:
    """All outputs for `x`, written in place chunk by chunk: there is never a second copy of them."""
    first = infer(x[:1])
    stored = np.empty((len(x), first.shape[1]), first.dtype)
    for part in chunks(len(x)):
        stored[part] = infer(x[part])
    return stored


def linear(
    infer: Infer,
    x: npt.NDArray[np.uint8],
    y: Labels,
    x_test: npt.NDArray[np.uint8],
    y_test: Labels,
    state_bits: int,
    seed: int,
) -> dict[str, float]:
    """Accuracy of a linear classifier (log loss, averaged SGD, one against the rest) on outputs in 0 … 1.

    The classifier is off-chip and floating point: scikit-learn's `SGDClassifier`, `LINEAR_EPOCHS` passes over the
    chip's stored outputs (n bytes each), seen in an order drawn from `seed`.
    """
    from sklearn.linear_model import SGDClassifier

    x, y = _samples(x, y, None)
    x_test, y_test = _samples(x_test, y_test, None, "x_test y_test")
    state_bits, seed = ARGUMENTS.whole("state_bits", state_bits, 1, 16), ARGUMENTS.whole("seed", seed, 0, 2**32 - 1)
    classes = np.unique(y)
    if len(classes) == 1:  # scikit-learn wants two; a small label fraction may show one, and it is all that can be told
        return {"linear": float((y_test == classes[0]).mean())}
    stored = _stored(infer, x)
    scale = 2.0**-state_bits
    model = SGDClassifier(loss="log_loss", alpha=1e-6, average=True, random_state=seed)
    order = np.random.RandomState(seed)
    for _ in range(LINEAR_EPOCHS):
        shuffled = order.permutation(len(x))
        for part in chunks(len(x)):
            model.partial_fit(stored[shuffled[part]] * scale, y[shuffled[part]], classes=classes)
    right = sum(int((model.predict(infer(x_test[p]) * scale) == y_test[p]).sum()) for p in chunks(len(x_test)))
    return {"linear": right / len(x_test)}
