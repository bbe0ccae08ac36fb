"""From a sample to signals of unit norm, from sums to outputs, and from outputs to the signals of the next layer."""

from __future__ import annotations

import numpy as np

from edgesdt.kernels.arithmetic import saturate
from edgesdt.kernels.inverse_root import inverse_root
from edgesdt.kernels.jit import inlined, kernel
from edgesdt.rules.activation.settings import MEAN_BITS, RUNNING_BITS, SCORE_BITS

SCORE_POINT = SCORE_BITS // 2
"""Bits below the point of a standardised magnitude."""
SCORE_LIMIT = (1 << (SCORE_BITS - 1)) - 1
"""It saturates to ± this, and one less."""


@inlined
def nearest(code, right):  # type: ignore[no-untyped-def]
    """`code · 2^-right` to the nearest integer, ties up; exact where `right` is 0 or less."""
    return (code + (np.int64(1) << (right - 1))) >> right if right > 0 else code << -right


@kernel
def normalise(inputs, signals, point, limit, table, index, value):  # type: ignore[no-untyped-def]
    """Signals `x_i = v_i / |v|` of the inputs v, saturating; lists those that are not 0. Returns how many."""
    square = np.int64(0)
    for i in range(inputs.shape[0]):
        square += np.int64(inputs[i]) * np.int64(inputs[i])
    z, k, _ = inverse_root(square, table)
    right, count = 23 + k - point, 0
    for i in range(inputs.shape[0]):
        code = min(nearest(np.int64(inputs[i]) * z, right), limit)
        signals[i] = code
        index[count], value[count] = i, code
        count += code != 0
    return count


@kernel
def put_out(sums, outputs, right, half, limit):  # type: ignore[no-untyped-def]
    """`y_j` from the sums of a layer, saturating to ±`limit`. Returns Σ y²."""
    square = np.int64(0)
    for j in range(outputs.shape[0]):
        code = saturate((np.int64(sums[j]) + half) >> right, -limit, limit)
        outputs[j] = code
        square += code * code
    return square


@kernel
def centre(outputs, apart, inverse, right):  # type: ignore[no-untyped-def]
    """`|y_j| − mean|y|` with `MEAN_BITS` more bits, to `apart`."""
    total = np.int64(0)
    for j in range(outputs.shape[0]):
        total += abs(np.int64(outputs[j]))
    mean = nearest(total * inverse, right)
    for j in range(outputs.shape[0]):
        apart[j] = (abs(np.int64(outputs[j])) << MEAN_BITS) - mean


@kernel
def standardise(outputs, apart, means, variances, floor, table):  # type: ignore[no-untyped-def]
    """`(|y_j| − m_j) / √v_j` by the running mean and variance, to `apart`, with `SCORE_POINT` bits below the point."""
    for j in range(outputs.shape[0]):
        z, k, _ = inverse_root(max(variances[j], floor), table)
        off = (abs(np.int64(outputs[j])) << RUNNING_BITS) - np.int64(means[j])
        # v has twice the bits of an output below the point, and RUNNING_BITS more
        code = nearest(off * z, 23 + k + RUNNING_BITS // 2 - SCORE_POINT)
        apart[j] = saturate(code, -SCORE_LIMIT - 1, SCORE_LIMIT)


@kernel
def run_on(outputs, means, variances, share):  # type: ignore[no-untyped-def]
    """The running mean and variance of |y| go a share 2^-`share` of the way to the present ones, mean first."""
    for j in range(outputs.shape[0]):
        size = abs(np.int64(outputs[j])) << RUNNING_BITS
        mean = np.int64(means[j]) + nearest(size - np.int64(means[j]), share)
        means[j] = mean
        square = ((size - mean) * (size - mean)) >> RUNNING_BITS
        variances[j] += nearest(square - variances[j], share)


@kernel
def rescale(apart, signals, square, limit, table):  # type: ignore[no-untyped-def]
    """Signals along `apart` with the norm of the outputs, whose sum of squares is `square`, saturating."""
    own = np.int64(0)
    for j in range(apart.shape[0]):
        own += np.int64(apart[j]) * np.int64(apart[j])
    z, k, _ = inverse_root(own, table)
    over, up, mantissa = inverse_root(square, table)
    root = min((mantissa * over) >> 15, (1 << 16) - 1)
    factor, right = (root * z) >> 16, 15 + k - up
    for j in range(apart.shape[0]):
        signals[j] = saturate(nearest(np.int64(apart[j]) * factor, right), -limit, limit)


@kernel
def take_sizes(outputs, signals):  # type: ignore[no-untyped-def]
    """Signals |y|."""
    for j in range(outputs.shape[0]):
        signals[j] = abs(outputs[j])
