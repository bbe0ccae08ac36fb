"""The classifier of the linear read-out against scikit-learn's, its penalty, and sums that no thread count changes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from edgesdt.readouts import softmax_regression as softmax
from edgesdt.readouts.stored_outputs import BLOCK, PIECE, Stored

SCALE = 1 / 256
Given = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a read-out."""
    with threadpool_limits(1, "blas"):
        yield


def drawn(n: int = 300, outputs: int = 12, density: float = 0.6, classes: int = 3, seed: int = 0) -> Given:
    """Outputs of which each class excites others, with overlap; labels."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    means = rng.uniform(10, 120, (classes, outputs))
    x = rng.normal(means[y], 45).clip(0, 255) * (rng.random((n, outputs)) < density)
    return x.astype(np.uint8), y


def stored(x: npt.NDArray[np.uint8], threads: int = 1) -> Stored:
    """The rows of `x`."""
    return Stored.of(lambda rows: x[rows], len(x), threads)


@pytest.mark.parametrize(("n", "outputs", "density"), [(300, 12, 0.6), (300, 40, 0.05), (40, 90, 0.6), (5000, 8, 0.5)])
@pytest.mark.parametrize("penalty", [1e-2, 1e-4])
def test_the_minimum_is_that_of_scikit_learn(n: int, outputs: int, density: float, penalty: float) -> None:
    """Bytes and sparse blocks, more samples than outputs and fewer, one block and two."""
    x, y = drawn(n, outputs, density)
    given = softmax.Regression(stored(x), y, 3, SCALE)
    found = given.solve(penalty, given.start(), np.full(n, 1 / n), 1e-12)
    theirs = LogisticRegression(C=1 / (n * penalty), tol=1e-10, max_iter=10_000).fit(x * SCALE, y)
    ours = found.scores(stored(x), SCALE)
    wanted = theirs.decision_function(x * SCALE)
    ours -= ours.mean(axis=1, keepdims=True)  # what all classes have in common decides nothing
    wanted -= wanted.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(ours, wanted, atol=5e-3 * abs(wanted).max())
    assert (ours.argmax(axis=1) == theirs.predict(x * SCALE)).mean() > 0.995


def test_samples_without_a_share_do_not_count() -> None:
    x, y = drawn()
    half = np.arange(len(y)) % 2 == 0
    whole, part = softmax.Regression(stored(x), y, 3, SCALE), softmax.Regression(stored(x[half]), y[half], 3, SCALE)
    one = whole.solve(1e-3, whole.start(), half / half.sum(), 1e-12).scores(stored(x), SCALE)
    other = part.solve(1e-3, part.start(), np.full(half.sum(), 1 / half.sum()), 1e-12).scores(stored(x), SCALE)
    np.testing.assert_allclose(one, other, atol=2e-2)


def test_turned_axes_give_the_same_scores() -> None:
    x, y = drawn(40, 90)
    given = softmax.Regression(stored(x), y, 3, SCALE)
    turned = given.turned()
    share = np.full(len(y), 1 / len(y))
    assert turned.rows.shape == (40, 40)
    one = given.solve(1e-3, given.start(), share, 1e-12).scores(given.rows, SCALE)
    other = turned.solve(1e-3, turned.start(), share, 1e-12).scores(turned.rows, 1.0)
    np.testing.assert_allclose(one, other, atol=2e-2)


@pytest.mark.parametrize("density", [0.02, 0.6])
def test_copies_lack_a_drawn_fifth_of_the_outputs(density: float) -> None:
    x, _ = drawn(BLOCK + PIECE + 9, 30, density)
    thinned = stored(x).thinned(51, 2, seed=4)
    assert thinned.shape == (2 * len(x), 30)
    first, second = np.split(np.concatenate(pieces(thinned)), 2)
    for copy in (first, second):
        assert ((copy == x) | (copy == 0)).all()
        assert (copy > 0).sum() / (x > 0).sum() == pytest.approx(1 - 51 / 256, abs=0.02)
    assert (first != second).any()
    assert (np.concatenate(pieces(thinned)) == np.concatenate([first, second])).all(), "drawn once and for all"
    assert (np.concatenate(pieces(stored(x).thinned(51, 2, seed=5))) != np.concatenate([first, second])).any()


def test_the_penalty_grows_with_noise_and_with_few_labels() -> None:
    """Chosen on the labelled samples alone: shuffled labels want the strongest, clear ones a weak one."""
    x, y = drawn(800, 20, 1.0)
    clear, _ = softmax.choose(softmax.Regression(stored(x), y, 3, SCALE), 0)
    mixed = np.random.default_rng(3).permutation(y)
    noise, _ = softmax.choose(softmax.Regression(stored(x), mixed, 3, SCALE), 0)
    assert noise == softmax.PENALTIES[0] and clear < noise


def test_folds_hold_every_class_and_every_sample_once() -> None:
    y = np.repeat(np.arange(3), [50, 11, 5])
    folds = softmax.folds(y, 0)
    for c in range(3):
        counts = np.bincount(folds[y == c], minlength=softmax.FOLDS)
        assert counts.max() - counts.min() <= 1
    assert folds.tolist() != softmax.folds(y, 1).tolist()


@pytest.mark.parametrize("y", [[0, 1], [0, 1, 2], [0, 0, 1], [0, 1, 1, 2, 2, 2], [0, 1, 0, 1]])
def test_a_handful_of_labels_is_enough_for_an_answer(y: list[int]) -> None:
    x = (np.eye(3, dtype=np.uint8) * 200)[y]
    found = softmax.fit(stored(x), np.array(y), max(y) + 1, SCALE, 0)
    assert found.scores(stored(x), SCALE).argmax(axis=1).tolist() == y


@pytest.mark.parametrize("density", [0.02, 0.6])
def test_threads_change_no_bit(density: float) -> None:
    x, y = drawn(2 * BLOCK + PIECE + 7, 30, density)
    one, three = (softmax.fit(stored(x, threads), y, 3, SCALE, 0) for threads in (1, 3))
    assert (one.weights == three.weights).all() and (one.offsets == three.offsets).all()


def test_outputs_are_stored_in_few_bytes() -> None:
    x, _ = drawn(BLOCK + 5, 30)
    assert all(part.dtype == np.uint8 for part in stored(x).parts)
    few = stored(np.where(np.random.default_rng(0).random(x.shape) < 0.02, x, np.uint8(0)))
    held = sum(part.data.nbytes + part.indices.nbytes + part.indptr.nbytes for part in few.parts)
    assert held < x.nbytes and few.shape == x.shape


@pytest.mark.parametrize("density", [0.03, 0.6])
def test_stored_outputs_are_the_outputs(density: float) -> None:
    x, _ = drawn(BLOCK + PIECE + 3, 9, density)
    rows = stored(x, threads=2)
    np.testing.assert_allclose(rows.mean(), x.mean(axis=0), rtol=1e-12)
    whole = np.concatenate(pieces(rows))
    assert (whole == x).all()
    assert (rows.some(10**6) == x).all() and len(rows.some(7)) == 7


def pieces(rows: Stored) -> list[npt.NDArray[np.float64]]:
    """Every piece, in order."""
    return list(rows.each(lambda x, _: np.asarray(x if isinstance(x, np.ndarray) else x.toarray(), np.float64)))
