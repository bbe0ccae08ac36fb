"""The pulse kernel: applies programming pulses to cells one by one, with the noise and the bounds of each cell.

One kernel for all step laws (`step_laws` has the layout), on flat arrays, callable from another compiled function;
`straight_pulsing` is the fast path for the usual case and calls this one for everything else.
All arithmetic is in float64 for any type of array, without contraction, so that every machine gives the same cells.

Per pulse: `w ← clip(w ± (step(w) + sigma·xi), low, high)`. Per write of n pulses: `w ← clip(w + PER_WRITE·√n·xi)`, then
`visible = w + WRITE·xi`. A pulse uses the low half of one random word, the visible noise the high half of the last
word.
"""

from __future__ import annotations

import numpy as np

from hw_models.kernels.jit import njit
from hw_models.kernels.portable_math import exp, power
from hw_models.kernels.prefetch import prefetch
from hw_models.kernels.randomness import gaussian, high_half, low_half, word
from hw_models.kernels.step_laws import (
    A_UP,
    ADDED,
    AFFINE,
    BY_STATE,
    EQUAL,
    EXPONENTIAL,
    GAMMA_UP,
    HIGH,
    LOW,
    OFFSET,
    P0,
    P1,
    PER_WRITE,
    RELATIVE,
    SCALE,
    SCALED,
    SLOPE,
    WRITE,
)

AHEAD = 16
"""Distance in cells between the pulsed and the prefetched cell: about the latency of memory."""
_NEXT = np.uint64(1)
_LOW, _HIGH, _SCALE, _P0, _P1 = np.uint64(LOW), np.uint64(HIGH), np.uint64(SCALE), np.uint64(P0), np.uint64(P1)


@njit(inline="always")
def curved_step(law, row, constants, w, down):  # type: ignore[no-untyped-def]
    """Step of the exponential or the power law at `w`; `down` is 0 or 1. A cell without range does not move."""
    span = row[HIGH] - row[LOW]
    if span <= 0.0:
        return 0.0
    scale = np.float64(row[SCALE + down])
    if law == EXPONENTIAL:
        z = 2.0 * constants[SLOPE] * w / span + constants[OFFSET]
        sign = 1.0 - 2.0 * down
        return scale * max(1.0 - constants[A_UP + down] * exp(sign * constants[GAMMA_UP + down] * z), 0.0)
    left = (w - row[LOW]) if down else (row[HIGH] - w)
    return scale * power(max(left / span, 0.0), np.float64(row[P0 + down]))


@njit(inline="always")
def step_of(law, row, constants, w, down):  # type: ignore[no-untyped-def]
    """Step of one pulse of the cell with `row` at state `w` (float64), before noise and clipping."""
    if law == AFFINE:
        return np.float64(row[P0 + down]) + np.float64(row[P1 + down]) * w
    if constants[EQUAL] != 0.0:
        return 0.5 * (curved_step(law, row, constants, w, 0) + curved_step(law, row, constants, w, 1))
    return curved_step(law, row, constants, w, down)


@njit(nogil=True, cache=True)
def step_sizes(law, row, constants, states, down):  # type: ignore[no-untyped-def]
    """(n,) steps of one cell at `states` (n,), in direction `down` (0 or 1), before noise and clipping."""
    out = np.empty(states.shape[0])
    for i in range(states.shape[0]):
        out[i] = step_of(law, row, constants, np.float64(states[i]), down)
    return out


@njit(inline="always")
def clipped(w, low, high):  # type: ignore[no-untyped-def]
    """`w` clipped to [low, high]; NaN stays NaN, so that it is noticed."""
    w = low if w < low else w
    return high if w > high else w


@njit(inline="always")
def fetch(state, visible, spread, pulses, at):  # type: ignore[no-untyped-def]
    """Prefetches the memory of cell `at`."""
    prefetch(state, at)  # type: ignore[call-arg]
    prefetch(visible, at)
    prefetch(pulses, at)
    prefetch(spread, at * spread.shape[1])


@njit(nogil=True, cache=True)
def pulse_cells(law, state, visible, spread, pulses, random, constants, counts, places):  # type: ignore[no-untyped-def]
    """Applies `counts[a]` pulses (> 0 up, < 0 down) to cell `places[a]`, in that order; `places` empty: to cell a.

    state, visible (n,), spread (n, 8), pulses (n,) and random (2,), all contiguous, are changed in place; constants
    (13,); counts and places (m,) integers, places inside 0..n-1 (not checked). Returns (up pulses, Σ of the mean hidden
    state of each, down pulses, Σ likewise): for the data-dependent energy V²·G_avg·t of the writes. Fastest if
    consecutive places are close in memory.
    """
    key, counter, end = random[0], random[1], counts.shape[0]
    relative, scaled = constants[RELATIVE], constants[SCALED]
    by_state, added = constants[BY_STATE], constants[ADDED]
    once, write = constants[PER_WRITE], constants[WRITE]
    noisy = relative > 0.0 or scaled > 0.0 or by_state > 0.0 or added > 0.0
    draw_once = once > 0.0 or (write > 0.0 and not noisy)
    scattered = places.shape[0] > 0
    ups, downs, bits = np.int64(0), np.int64(0), np.uint64(0)
    passed_up, passed_down = 0.0, 0.0  # not an array, which would be allocated at every call
    for a in range(end):
        if scattered and a + AHEAD < end:
            fetch(state, visible, spread, pulses, np.int64(places[a + AHEAD]))
        count = np.int64(counts[a])
        if count == 0:
            continue
        at = np.uint64(places[a]) if scattered else np.uint64(a)
        down, sign, count = np.uint64(count < 0), 1.0 - 2.0 * np.float64(count < 0), abs(count)
        low, high = np.float64(spread[at, _LOW]), np.float64(spread[at, _HIGH])
        scale, start = np.float64(spread[at, _SCALE + down]), np.float64(spread[at, _P0 + down])
        slope, w, passed = np.float64(spread[at, _P1 + down]), np.float64(state[at]), 0.0
        for _ in range(count):
            step = start + slope * w if law == AFFINE else step_of(law, spread[at], constants, w, np.int64(down))
            if noisy:
                bits = word(key, counter)
                counter += _NEXT
                sigma = relative * abs(step) + scaled * scale + by_state * abs(w) + added
                step += sigma * gaussian(low_half(bits))
            new = clipped(w + sign * step, low, high)
            passed, w = passed + (0.5 * w + 0.5 * new), new
        if draw_once:
            bits = word(key, counter)
            counter += _NEXT
            w = clipped(w + once * np.sqrt(np.float64(count)) * gaussian(low_half(bits)), low, high)
        state[at] = w
        visible[at] = w + write * gaussian(high_half(bits)) if write > 0.0 else w
        pulses[at] += np.uint32(count)
        if down:
            downs, passed_down = downs + count, passed_down + passed
        else:
            ups, passed_up = ups + count, passed_up + passed
    random[1] = counter
    return ups, passed_up, downs, passed_down


@njit(nogil=True, cache=True)
def set_cells(state, visible, spread, random, constants, targets, places):  # type: ignore[no-untyped-def]
    """Sets cell `places[a]` (cell a if empty) to `targets[a]`, clipped to its bounds, with write noise."""
    key, counter, write = random[0], random[1], constants[WRITE]
    scattered = places.shape[0] > 0
    for a in range(targets.shape[0]):
        at = np.int64(places[a]) if scattered else np.int64(a)
        w = clipped(np.float64(targets[a]), np.float64(spread[at, LOW]), np.float64(spread[at, HIGH]))
        state[at] = w
        visible[at] = w
        if write > 0.0:
            visible[at] = w + write * gaussian(high_half(word(key, counter)))
            counter += _NEXT
    random[1] = counter
