"""The pulse kernel for affine step laws with noise at every pulse (the usual case): a batch of cells at a time.

It gives the same cells, draw for draw, as `pulsing` one by one. Reading a batch, drawing noise, changing cells and
writing them back are separate loops, so that arithmetic does not wait for memory and most loops are vectorised. The
data of a batch are columns of one array, so that compilers know that no two columns overlap.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hw_models.kernels.jit import njit
from hw_models.kernels.pulsing import fetch, pulse_cells
from hw_models.kernels.randomness import gaussian, high_half, low_half, word
from hw_models.kernels.step_laws import (
    ADDED,
    AFFINE,
    BY_STATE,
    HIGH,
    LOW,
    P0,
    P1,
    PER_WRITE,
    RELATIVE,
    SCALE,
    SCALED,
    WRITE,
)

BATCH = 128
"""Cells of a batch; its columns fit in the first-level cache."""
DRAWS = 2048
"""Maximum total pulses of the cells of a batch."""
_LOWEST, _HIGHEST, _SIZE, _START, _SLOPE, _STATE, _SIGN, _NOISE, _PASSED = (BATCH * column for column in range(9))
_PLACE, _COUNT, _FIRST = (BATCH * column for column in range(3))
_AHEAD = 40  # distance in cells between the present and the prefetched cell: about the latency of memory
_LOW, _HIGH, _SCALE, _P0, _P1 = np.uint64(LOW), np.uint64(HIGH), np.uint64(SCALE), np.uint64(P0), np.uint64(P1)


class Room(NamedTuple):
    """Scratch memory for a batch."""

    numbers: npt.NDArray[np.float64]
    whole: npt.NDArray[np.int64]
    draws: npt.NDArray[np.float64]

    @classmethod
    def make(cls) -> Room:
        """Allocates scratch memory for the largest batch."""
        return cls(np.zeros(9 * BATCH), np.zeros(3 * BATCH, np.int64), np.zeros(DRAWS))


@njit(nogil=True, cache=True)
def pulse_batches(law, state, visible, spread, pulses, random, constants, counts, places, room):  # type: ignore[no-untyped-def]
    """As `pulsing.pulse_cells`, for distinct `places`; it calls `pulsing` for other laws and noises."""
    noisy = constants[RELATIVE] > 0.0 or constants[SCALED] > 0.0 or constants[BY_STATE] > 0.0 or constants[ADDED] > 0.0
    if law != AFFINE or not noisy or constants[PER_WRITE] > 0.0:
        return pulse_cells(law, state, visible, spread, pulses, random, constants, counts, places)
    ups, passed_up, downs, passed_down, a = np.int64(0), 0.0, np.int64(0), 0.0, 0
    while a < counts.shape[0]:
        stop, size, total = _gather(a, state, visible, spread, pulses, counts, places, room)
        if stop == a:  # one cell with more pulses than fit in the scratch memory
            stop, room.whole[0] = a + 1, places[a] if places.shape[0] > 0 else a
            up, up_sum, down, down_sum = pulse_cells(
                law, state, visible, spread, pulses, random, constants, counts[a:stop], room.whole[:1]
            )
        else:
            _draw(random[0], random[1], total, room.draws)
            _move(size, constants, room)
            _show(size, constants[WRITE], random[0], random[1], room)
            up, up_sum, down, down_sum = _scatter(size, state, visible, pulses, room)
            random[1] += np.uint64(total)
        ups, passed_up, downs, passed_down = ups + up, passed_up + up_sum, downs + down, passed_down + down_sum
        a = stop
    return ups, passed_up, downs, passed_down


@njit(nogil=True, cache=True)
def _gather(first, state, visible, spread, pulses, counts, places, room):  # type: ignore[no-untyped-def]
    """Reads cells with pulses from entry `first` on; returns the next entry, the number of cells, and of pulses."""
    numbers, whole = room.numbers, room.whole
    total, i, a, scattered = np.int64(0), 0, first, places.shape[0] > 0
    while a < counts.shape[0] and i < BATCH:
        if scattered and a + _AHEAD < places.shape[0]:
            fetch(state, visible, spread, pulses, np.int64(places[a + _AHEAD]))
        at, count = np.uint64(places[a]) if scattered else np.uint64(a), np.int64(counts[a])
        down, count = np.uint64(count < 0), abs(count)
        if total + count > DRAWS:
            break
        numbers[_LOWEST + i], numbers[_HIGHEST + i] = spread[at, _LOW], spread[at, _HIGH]
        numbers[_SIZE + i], numbers[_STATE + i] = spread[at, _SCALE + down], state[at]
        numbers[_START + i], numbers[_SLOPE + i] = spread[at, _P0 + down], spread[at, _P1 + down]
        numbers[_SIGN + i] = 1.0 - 2.0 * np.float64(down)
        whole[_PLACE + i], whole[_COUNT + i], whole[_FIRST + i] = at, count, total
        total += count
        i += count != 0
        a += 1
    return a, i, total


@njit(nogil=True, cache=True)
def _draw(key, counter, total, draws):  # type: ignore[no-untyped-def]
    """Draws the Gaussians of the pulses: low halves of the words from number `counter` on."""
    for n in range(total):
        draws[n] = gaussian(low_half(word(key, counter + np.uint64(n))))


@njit(inline="always")
def _moved(w, i, noise, constants, numbers):  # type: ignore[no-untyped-def]
    """State of cell i of the batch after one pulse at `w`."""
    step = numbers[_START + i] + numbers[_SLOPE + i] * w
    sigma = constants[RELATIVE] * abs(step) + constants[SCALED] * numbers[_SIZE + i]
    step += (sigma + constants[BY_STATE] * abs(w) + constants[ADDED]) * noise
    new = w + numbers[_SIGN + i] * step
    new = numbers[_LOWEST + i] if new < numbers[_LOWEST + i] else new
    return numbers[_HIGHEST + i] if new > numbers[_HIGHEST + i] else new


@njit(nogil=True, cache=True)
def _move(size, constants, room):  # type: ignore[no-untyped-def]
    """Applies the pulses: the first pulse to all cells at the same time, the others cell by cell."""
    numbers, whole = room.numbers, room.whole
    for i in range(size):
        numbers[_NOISE + i] = room.draws[whole[_FIRST + i]]
    for i in range(size):
        w = numbers[_STATE + i]
        new = _moved(w, i, numbers[_NOISE + i], constants, numbers)
        numbers[_PASSED + i] = 0.5 * w + 0.5 * new
        numbers[_STATE + i] = new
    for i in range(size):
        if whole[_COUNT + i] > 1:
            w, passed, first = numbers[_STATE + i], numbers[_PASSED + i], whole[_FIRST + i]
            for n in range(1, whole[_COUNT + i]):
                new = _moved(w, i, room.draws[first + n], constants, numbers)
                passed, w = passed + (0.5 * w + 0.5 * new), new
            numbers[_PASSED + i], numbers[_STATE + i] = passed, w


@njit(nogil=True, cache=True)
def _show(size, write, key, counter, room):  # type: ignore[no-untyped-def]
    """Computes visible states, in place of the pulses' noise; write noise is the high half of a cell's last word."""
    numbers, whole = room.numbers, room.whole
    for i in range(size):
        numbers[_NOISE + i] = numbers[_STATE + i]
    if write > 0.0:
        for i in range(size):
            last = counter + np.uint64(whole[_FIRST + i] + whole[_COUNT + i] - 1)
            numbers[_NOISE + i] += write * gaussian(high_half(word(key, last)))


@njit(nogil=True, cache=True)
def _scatter(size, state, visible, pulses, room):  # type: ignore[no-untyped-def]
    """Writes the cells back; returns (up pulses, Σ of the mean states, down pulses, Σ likewise)."""
    numbers, whole = room.numbers, room.whole
    ups, passed_up, downs, passed_down = np.int64(0), 0.0, np.int64(0), 0.0
    for i in range(size):
        at, count = np.uint64(whole[_PLACE + i]), whole[_COUNT + i]
        state[at], visible[at] = numbers[_STATE + i], numbers[_NOISE + i]
        pulses[at] += np.uint32(count)
        if numbers[_SIGN + i] < 0.0:
            downs, passed_down = downs + count, passed_down + numbers[_PASSED + i]
        else:
            ups, passed_up = ups + count, passed_up + numbers[_PASSED + i]
    return ups, passed_up, downs, passed_down
