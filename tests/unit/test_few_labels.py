"""The classifier from few labels: its association, its weights on the outputs themselves, and what it gains."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from threadpoolctl import threadpool_limits

from edgesdt.readouts import few_labels, methods
from edgesdt.readouts import softmax_regression as softmax
from edgesdt.readouts.stored_outputs import Stored

SCALE = 1 / 256
CLASSES = 3


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a read-out."""
    with threadpool_limits(1, "blas"):
        yield


def drawn(n: int, outputs: int = 120, seed: int = 0) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Sparse outputs, each of which responds to samples of its own class mostly; labels."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, CLASSES, n)
    own = np.arange(outputs) % CLASSES == y[:, None]
    on = rng.random((n, outputs)) < np.where(own, 0.12, 0.03)
    return (on * rng.integers(40, 200, (n, outputs))).astype(np.uint8), y


def stored(x: npt.NDArray[np.uint8]) -> Stored:
    """The rows of `x`."""
    return Stored.of(lambda rows: x[rows], len(x))


def right(found: softmax.Classifier, seed: int = 9) -> float:
    """Accuracy on samples of their own."""
    x, y = drawn(3_000, seed=seed)
    return float((found.scores(stored(x), SCALE).argmax(axis=1) == y).mean())


def test_the_association_is_that_of_direct_read_outs() -> None:
    x, y = drawn(60)
    along = few_labels.association(x * np.float32(SCALE), y, CLASSES)
    direct = methods.Association.learn(lambda codes: codes, x, y, CLASSES)
    assert (along.argmax(axis=1)[along.any(axis=1)] == direct.neuron_class[along.any(axis=1)]).all()
    np.testing.assert_allclose(along.sum(axis=0), 1.0)
    shown, _ = drawn(200, seed=5)
    assert ((shown @ along).argmax(axis=1) == direct.average(shown)).mean() > 0.99


def test_leaning_on_the_association_helps_with_few_labels() -> None:
    x, y = drawn(60, seed=1)
    assert few_labels.applies(len(y), x.shape[1])
    leaning = right(few_labels.fit(stored(x), y, CLASSES, SCALE, 0))
    assert leaning > right(softmax.fit(stored(x), y, CLASSES, SCALE, 0)) + 0.02


def test_without_gain_it_is_softmax_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_labels, "GAINS", (0.0,))
    x, y = drawn(60)
    _, penalty = few_labels._choose(x * np.float32(SCALE), y, CLASSES, 0)
    plain = softmax.Regression(stored(x), y, CLASSES, SCALE)
    share = np.full(len(y), 1 / len(y))
    one = plain.solve(penalty, plain.start(), share, softmax.FINE).scores(stored(x), SCALE)
    other = few_labels.fit(stored(x), y, CLASSES, SCALE, 0).scores(stored(x), SCALE)
    np.testing.assert_allclose(one, other, atol=2e-2)


def test_a_large_gain_moves_the_outputs_of_a_class_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_labels, "_choose", lambda *given: (1e3, 1.0))
    x, y = drawn(60)
    found = few_labels.fit(stored(x), y, CLASSES, SCALE, 0)
    along = few_labels.association(x * np.float32(SCALE), y, CLASSES)
    for c in range(CLASSES):
        own = found.weights[along[:, c] > 0]
        assert (own.std(axis=0) < 0.05 * abs(own).max()).all()


def test_labels_that_say_nothing_get_a_strong_penalty() -> None:
    x, y = drawn(90)
    _, clear = few_labels._choose(x * np.float32(SCALE), y, CLASSES, 0)
    _, mixed = few_labels._choose(x * np.float32(SCALE), np.random.default_rng(3).permutation(y), CLASSES, 0)
    assert mixed == softmax.PENALTIES[0] >= clear


@pytest.mark.parametrize("y", [[0, 1], [0, 1, 2], [0, 0, 1], [0, 1, 1, 2, 2, 2]])
def test_a_handful_of_labels_is_enough_for_an_answer(y: list[int]) -> None:
    x = np.repeat(np.eye(3, dtype=np.uint8) * 200, 4, axis=1)[y]
    found = few_labels.fit(stored(x), np.array(y), max(y) + 1, SCALE, 0)
    assert found.weights.shape == (12, max(y) + 1)
    assert found.scores(stored(x), SCALE).argmax(axis=1).tolist() == y


def test_as_many_labels_as_outputs_are_not_few() -> None:
    assert not few_labels.applies(120, 120)
    assert not few_labels.applies(softmax.ALL_FOLDS, 10**6)
