"""What the kernels of similarity matching work on: the chip's arrays, the plan, the simulator's workspace.

Layers and neuron offsets are those of `edgesdt.kernels.layout`. Weights in memory are stored neuron by neuron
(post-synaptic first), since every sweep of the rule goes along the inputs of a neuron; codes that cells show lie row by
row. The lateral weights of a layer are symmetric; the triangle i ≤ j is stored, row j behind row j − 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edgesdt.kernels import layout
from edgesdt.kernels.layout import Codes, Ints, WeightCodes

LateralCodes = npt.NDArray[np.uint16]

# Rows of `Workspace.events` behind those of `kernels.layout`, one column per layer
LEARNED = layout.EVENT_KINDS  # column l + 1: samples that weight layer l learned from
SETTLED = layout.EVENT_KINDS + 1  # column l: samples that layer l settled for
CENTRED = layout.EVENT_KINDS + 2  # column l: codes of layer l that were not zero when their mean was taken off
ACTIVE = layout.EVENT_KINDS + 3  # column l: states of layer l that were not zero at the end of a learned sample
SWEEPS = layout.EVENT_KINDS + 4  # column l: steps of layer l up to the first that changed nothing
MEAN_WRITES = layout.EVENT_KINDS + 5  # column l: means of layer l that changed
LATERAL_PAIRS = layout.EVENT_KINDS + 6  # column l: lateral weights of layer l whose product was formed
LATERAL_WRITES = layout.EVENT_KINDS + 7  # column l: lateral codes of layer l that an update changed
LATERAL_SATURATIONS = layout.EVENT_KINDS + 8  # column l: lateral updates that hit the end of the range
HALVINGS = layout.EVENT_KINDS + 9  # column l + 1: halvings of weight layer l
LATERAL_HALVINGS = layout.EVENT_KINDS + 10  # column l: halvings of the lateral weights of layer l
HALVING_WRITES = layout.EVENT_KINDS + 11  # column l + 1: weight codes of layer l that a halving changed
LATERAL_HALVING_WRITES = layout.EVENT_KINDS + 12  # column l: lateral codes of layer l that a halving changed
LABEL_WRITES = layout.EVENT_KINDS + 13  # column l: codes of label vectors of layer l that changed
EVENT_KINDS = layout.EVENT_KINDS + 14

# Columns of a row of the rates
FEED, FEED_RIGHT, FEED_GROWTH, FEED_GROWTH_RIGHT = 0, 1, 2, 3
LATERAL, LATERAL_RIGHT, LATERAL_GROWTH, LATERAL_GROWTH_RIGHT = 4, 5, 6, 7
LABEL, LABEL_RIGHT = 8, 9
HALF, HALF_RIGHT = 10, 11  # pulses that halve a weight on cells, per LSB
RATE_COLUMNS = 12

NEAREST, FLOOR, STOCHASTIC = 0, 1, 2


class ChipArrays(NamedTuple):
    """Every array that the described chip holds; N = neurons of layers 1 … L, n = layer sizes.

    Arrays that a spec does not need have length 0.
    """

    inputs: npt.NDArray[np.uint8]  # (n_0,) input codes of the present sample
    weights: WeightCodes  # (sum n_{l+1} · n_l,) over the gain, neuron by neuron
    lateral: LateralCodes  # (sum n (n + 1) / 2,) over the gain, triangles of layers 1 … L
    mean: Codes  # (n_0 + … + n_{L-1},) running means of the codes of layers 0 … L-1
    seen: Codes  # (L,) samples in the means of a layer, at most 2^shift
    labels: Codes  # (sum classes · n,) label vectors of layers 1 … L
    label: Codes  # (1,) label of the present sample, -1: none
    accumulators: Codes  # (N,) residuals b − M y, in the LSB of a lateral product
    states: Codes  # (N,)
    reciprocals: Codes  # (N,) mantissas of 1 / M_jj
    gains: Ints  # (2 L,) of the weight layers, then of the lateral weights
    random: npt.NDArray[np.uint32]  # (lanes,)


class Plan(NamedTuple):
    """The integers that describe the machine; everything else in the kernels is wiring."""

    sizes: Ints  # (L+1,)
    first: Ints  # (L+1,) offset of layer l in the neuron arrays; first[0] is unused
    first_input: Ints  # (L,) offset of layer l in the means
    first_weight: Ints  # (L,)
    first_triangle: Ints  # (L,) offset of layer l + 1 in the lateral weights
    strides: Ints  # (L,) neurons of layer l + 1, rounded up to whole sixteens
    first_stride: Ints  # (L,) offset of layer l + 1 in arrays of so many
    first_square: Ints  # (L,) offset of layer l + 1 in the mirror of its lateral weights
    first_label: Ints  # (L,) offset of layer l + 1 in the label vectors
    mean_right: Ints  # (L,) bits of a mean below the LSB of its code
    mean_shift: int  # the longest shift of the step of a mean
    centred: bool
    drive_right: Ints  # (L,) shift from a sum times the ratio of gains to a residual; negative: left
    label_left: int  # shift that aligns a label vector with a residual
    accumulator_limit: int  # largest accumulator code; the lowest is -limit - 1
    state_limit: int
    weight_limit: int
    lateral_limit: int
    weight_rounding: int  # NEAREST, FLOOR or STOCHASTIC
    lateral_rounding: int
    state_nearest: bool
    damped: bool
    steps: int
    dt: int  # mantissa of the damped step
    dt_right: int  # its shift, down to the LSB of a state, of a mantissa over the gain
    supervised: bool
    narrow: Ints  # (L,) bits of a product of a centred code and a state, sign left out
    unbound: npt.NDArray[np.bool_]  # (L,) whether sums can saturate with weights of this width at all
    classes: int


class Neurons(NamedTuple):
    """What a layer of neurons divides its residuals by; nothing but sixteens of `above` and `below` if it does not."""

    reciprocals: Codes  # (n,) mantissas of 1 / M_jj
    shifts: Codes  # (n,)
    above: Codes  # (stride,) as in a workspace
    below: Codes  # (stride,)


class Workspace(NamedTuple):
    """What the simulator keeps for itself: shortcuts and scratch that the chip does not have."""

    mirror: LateralCodes  # (sum n · stride,) lateral weights, both triangles
    shifts: Codes  # (N,) shifts of the reciprocals
    above: Codes  # (sum stride,) the largest residual that does not move a neuron up
    below: Codes  # (sum stride,) the smallest residual that does not move a neuron down
    residuals: Codes  # (max stride,) residuals of the layer that settles
    states: Codes  # (max stride,) its states
    weight_peak: Ints  # (L,) upper bound of |weight code|: proves that no accumulation can saturate
    lateral_peak: Ints  # (L,) upper bound of a lateral code
    codes: npt.NDArray[np.int16]  # (max n,) centred codes of a layer
    deltas: Codes  # (max n,) changes of states in a damped step, of weights in a sweep
    minus: Codes  # (max n,) sums of the codes below 0, of a layer on cells
    driven: npt.NDArray[np.uint8]  # (max n,) magnitudes that drive the rows of an array
    event_index: Codes  # (n_0 and room,) rows that are driven
    event_value: npt.NDArray[np.uint8]  # as event_index
    pres: Codes  # (max n,) rows of a sweep of cells
    posts: Codes  # (max n,) neurons of a layer that are active
    words: npt.NDArray[np.uint32]  # random words just drawn
    halves: npt.NDArray[np.uint16]  # the same memory as half-words
    octets: npt.NDArray[np.uint8]  # the same memory as bytes
    steady: npt.NDArray[np.uint16]  # (max n,) half-words where none is drawn: 2^15 rounds to nearest, 0 down
    wear: npt.NDArray[np.uint8]  # as weights: how often each code was changed since the last flush
    wear_carry: npt.NDArray[np.uint32]  # as wear: how often before
    unflushed: Ints  # (1,) how many sweeps a weight may have seen since the last flush
    events: Ints  # (EVENT_KINDS, L+1)
