"""What the kernels of activation learning work on: the chip's arrays, the plan (its integers), the workspace.

Weight layer l joins layer l to layer l + 1. The input of layer 0 is image and label, end to end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edgesdt.kernels import layout
from edgesdt.kernels.arithmetic import Register
from edgesdt.kernels.layout import Codes, Ints, WeightCodes

# Rows of `Workspace.events` behind those of `kernels.layout`, one column per layer
LEARNED = layout.EVENT_KINDS  # column 0: samples learned from
LABELS = layout.EVENT_KINDS + 1  # column 0: labels tried, each a pass through all layers
ACTIVE = layout.EVENT_KINDS + 2  # column l: signals of hidden layer l that were not zero, in all passes
UPDATES = layout.EVENT_KINDS + 3  # column l: updates of weight layer l
OUTPUTS = layout.EVENT_KINDS + 4  # column l + 1: outputs that were not zero in the updates of weight layer l
ROWS = layout.EVENT_KINDS + 5  # column l: rows that took part in updates of weight layer l
COLUMNS = layout.EVENT_KINDS + 6  # column l: columns that did
JUDGED = layout.EVENT_KINDS + 7  # column 0: samples of which all labels were tried in training
RELOADS = layout.EVENT_KINDS + 8  # column 0: times that the image was summed anew, after its weights moved
EVENT_KINDS = layout.EVENT_KINDS + 9

Signals = npt.NDArray[np.int16]


class ChipArrays(NamedTuple):
    """Every array that the described chip holds; N = neurons of layers 1 … L, arrays not needed have length 0."""

    inputs: npt.NDArray[np.uint8]  # (n_0,) input codes of the present sample
    weights: WeightCodes  # (sum rows * columns,)
    signals: Signals  # (n_0 + label units + hidden neurons,) what each weight layer is driven with
    outputs: Signals  # (N,) linear outputs y
    image_sums: Codes  # (n_1,) what the image alone adds to layer 1
    accumulators: Codes  # (most rows or columns of a layer,)
    errors: Codes  # (most rows of a layer,)
    columns: npt.NDArray[np.int8]  # (most columns of a layer,) factors of the columns of an update
    activations: Ints  # (classes,) sum of the squares of the last outputs, for each label
    means: Codes  # (hidden neurons,) running mean of |y| (std_abs only)
    variances: Ints  # (hidden neurons,) running variance of |y| (std_abs only)
    squares: Ints  # (L,) sums of the squares of the outputs of each layer (feedback.brake only)
    share_mean: Codes  # (1,) running mean of the shares of updates (feedback.normalise only)
    roots: npt.NDArray[np.uint16]  # (192,) table of inverse roots
    random: npt.NDArray[np.uint32]  # (lanes,)


class Plan(NamedTuple):
    """The integers that describe the machine; everything else in the kernels is wiring."""

    sizes: Ints  # (L+1,) rows of each weight layer, then neurons of layer L
    widths: Ints  # (L,) columns of each weight layer
    first: Ints  # (L+1,) offset of layer l >= 1 in the outputs
    first_signal: Ints  # (L+1,) offset of layer l in the signals
    first_weight: Ints  # (L,)
    image: int  # n_0
    classes: int
    copies: int
    label_code: int  # signal of a label unit that is on
    point: int  # bits below the point of signals and outputs
    state_limit: int  # largest |signal|
    output_right: int  # shift from accumulator to output
    output_half: int  # what is added before that shift
    error_right: int  # shift from an accumulator to an error
    error_limit: int
    accumulator_limit: int
    weight_limit: int
    finer: int  # bits that a signal has fewer below the point than a state of other rules (on cells)
    activation: int  # 0: abs, 1: ln_abs, 2: std_abs
    inverse: Ints  # (L+1,) mantissa of 1/n of a hidden layer
    inverse_right: Ints  # (L+1,) its shift, to 4 bits below an output's LSB
    variance_floor: int  # smallest variance that is divided by
    share: int  # shift of the newest sample's share in a running mean
    activation_right: int  # shift from a sum of squares to an output code of `infer`
    stochastic_weights: bool
    by_lines: bool
    column: Register  # from output code to a column's factor
    line_limit: int
    feedback: bool
    margin: int  # missing lead of activations, in LSB of a sum of squares
    slope_right: int  # shift from missing lead to 1/256 of an update
    unlearning: int  # of 256
    brake: bool  # whether unlearning stops where a norm grows
    normalise: bool  # whether shares are divided by their running mean
    mean_bits: int  # shift of the newest share in it
    most: int  # largest share of an update, of 256


class Workspace(NamedTuple):
    """What the simulator keeps for itself: shortcuts and scratch that the chip does not have."""

    mirror: WeightCodes  # weights transposed, where products are rounded one by one, or a layer is on cells
    weight_peak: Ints  # (L,) upper bound of |weight code|: proves that no accumulation can saturate
    event_index: Codes  # (n_0 and room for a whole pass,) non-zero signals of the image
    event_value: npt.NDArray[np.uint8] | Codes  # as event_index
    signed: Codes  # (most rows and room,) signals that are not 0
    signed_values: Codes
    plus: npt.NDArray[np.uint8] | Codes  # (most rows and room,) of them those above 0
    minus: npt.NDArray[np.uint8] | Codes  # as plus, those below 0
    low: npt.NDArray[np.int8] | Codes  # (most columns and room,) outputs, as far as a byte holds them
    high: npt.NDArray[np.int8] | Codes  # as low, what is left
    label_index: Codes  # (copies and room,) rows of a label
    label_value: npt.NDArray[np.uint8] | Codes
    reach: Ints  # (2,) upper bound of |accumulator|: so far, and of the image alone
    words: npt.NDArray[np.uint32]  # random words just drawn
    halves: npt.NDArray[np.uint16]  # the same memory as half-words
    silence: npt.NDArray[np.uint16]  # (widest,) zeros, in place of half-words where nothing is drawn
    deltas: Codes  # (widest,) weight changes of one sweep
    row_factors: npt.NDArray[np.int8]  # (widest,) factors of the rows of an update
    steps: npt.NDArray[np.int8]  # (3, most columns and room) changes of the weights of a row
    pending: Codes  # weight changes that are still to be written
    named: Codes  # as pending: the row of each
    swept: Ints  # (sweeps + 1, 2) how many sweeps are pending; column of each and the end of its changes
    pres: Codes  # (widest,) rows of an update
    pre_values: Codes
    posts: Codes  # (widest,) columns of an update
    post_values: Codes
    wear: npt.NDArray[np.uint8]  # as weights: how often each code was changed, modulo 256
    wear_carry: npt.NDArray[np.uint32]  # as wear: how often that wrapped
    events: Ints  # (EVENT_KINDS, L+1)
