"""What the kernels of SoftHebb work on: the chip's arrays, the plan (its integers), the simulator's workspace.

Layers, offsets and the order of the weights are those of `edgesdt.kernels.layout`; fields that shared kernels use have
the same names there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edgesdt.kernels import layout
from edgesdt.kernels.layout import Codes, Ints, WeightCodes

# Rows of `Workspace.events` behind those of `kernels.layout`, one column per layer
LEARNED = layout.EVENT_KINDS  # column l: samples that weight layer l learned from
ACTIVE = layout.EVENT_KINDS + 1  # column l: states of hidden layer l that were not zero
SWEPT = layout.EVENT_KINDS + 2  # column l: neurons of layer l whose weights were swept
WINDOWED = layout.EVENT_KINDS + 3  # column l: values of layer l that were not zero and added to a window
SEEN = layout.EVENT_KINDS + 4  # column l: samples of a window of layer l
RENEWED = layout.EVENT_KINDS + 5  # column l: windows of layer l that ended
ERRORS = layout.EVENT_KINDS + 6  # column L: errors of the read-out that were not zero
SHARED = layout.EVENT_KINDS + 7  # column l: neurons of layer l with a share of a sample
EVENT_KINDS = layout.EVENT_KINDS + 8


class ChipArrays(NamedTuple):
    """Every array that the described chip holds; N = neurons of layers 1 … L, P = of layers 0 … L − 1, n = layer sizes.

    Arrays that a spec does not need have length 0.
    """

    inputs: npt.NDArray[np.uint8]  # (n_0,) input codes of the present sample
    weights: WeightCodes  # (sum n_l * n_{l+1},)
    accumulators: Codes  # (N,) weighted sums
    drives: Codes  # (N,) accumulators, rounded
    shares: Codes  # (N,) signed shares of the sample
    states: Codes  # (N,) activations of the sample
    norms: Ints  # (N,) squared norm of the weights of each neuron
    offsets: Ints  # (N,) weighted sum of the means
    means: Codes  # (P,) mean of each input of a layer
    sums: Ints  # (P,) sums of the present window
    seen: Ints  # (L,) samples in the present window
    ready: npt.NDArray[np.uint8]  # (L,) 1 once a layer has means; 2 while its offsets must be read from its cells
    largest: Ints  # (L,) running maximum of an update (normalisation: running)
    errors: Codes  # (n_L,) errors of the read-out (target: label)
    label: Codes  # (1,) (target: label)
    activity: Codes  # (0,): this rule has none
    homeostasis: Codes  # (0,): this rule has none
    random: npt.NDArray[np.uint32]  # (lanes,)
    exponentials: npt.NDArray[np.uint16]  # (256,) look-up table
    reciprocals: npt.NDArray[np.uint16]  # (256,) look-up table
    rate_powers: npt.NDArray[np.uint16]  # (640,) look-up table
    state_powers: npt.NDArray[np.uint16]  # (640,) look-up table (power other than 1)
    gathered: Ints  # as weights, neuron by neuron: sum of share times centred input (buffered updates)
    decay: Ints  # (N,) sum of share times drive (buffered updates)


class Plan(NamedTuple):
    """The integers that describe the machine; everything else in the kernels is wiring."""

    sizes: Ints  # (L+1,)
    first: Ints  # (L+1,) offset of layer l in the neuron arrays; first[0] is unused
    first_pre: Ints  # (L+1,) offset of layer l in `means` and `sums`
    first_weight: Ints  # (L,)
    competing: int  # weight layers that compete; one more is a read-out
    head: bool
    input_left: int  # shift from a product of an input and a weight to the accumulator; 0 on a digital chip
    state_left: int  # the same of a state
    offset_left: Ints  # (L,) the same of an offset
    drive_right: Ints  # (L,) shift from accumulator to drive
    drive_limit: int
    mean_multiplier: Ints  # (L,) the register 1 / n_{l+1}
    mean_right: Ints  # (L,)
    triangle: bool
    powered: bool  # whether states are looked up
    state_right: int  # shift from a drive to a state where they are not
    state_half: int  # what is added before that shift
    state_bits: int
    state_limit: int
    place_multiplier: Ints  # (L,) the register that takes a difference of drives to a place in the table
    place_right: Ints  # (L,)
    share_bits: int
    loser: int  # sign of the share of a neuron that does not win: -1, 1, or 0
    root_left: int  # shift of a squared norm before its root is drawn
    step_limit: int  # |step * drive| of a neuron must stay below this
    decay_right: Ints  # (L,) shift from step * drive to the decay of a weight
    pull_right: Ints  # (L,) shift from a product to a weight
    narrow: npt.NDArray[np.bool_]  # (L,) whether a pull fits 32 bits
    coarse: int  # bits of a share code that are lost where a cell is read alone
    read_multiplier: int  # the register that takes the array's codes to weight codes
    read_right: int
    running: bool
    buffered: bool
    maximum: bool
    raw_left: Ints  # (L,) shift that aligns share * input with share * drive * weight
    raw_right: int  # shift from such a product to a buffered update, where it is not divided by the largest
    top_right: int  # shift from such a product to a code of `largest`
    window_bits: int
    centred: bool
    mean_limit: Ints  # (L,) largest mean
    accumulator_limit: int  # largest accumulator code; the lowest is -limit - 1
    weight_limit: int
    stochastic_weights: bool
    nearest_weights: bool
    batch: int
    bias_limit: int  # 0: this rule has no biases, activities and homeostasis
    activity_one: int  # 0
    homeostasis_limit: int  # 0


class Rates(NamedTuple):
    """The registers of an epoch; rows are a `Register` and a flag, as `synapses.digital.register_of` reads them."""

    multiplier: Ints  # (L,) mantissa of the learning rate
    shift: Ints  # (L,)
    learns: Ints  # (L,) 1 where a layer learns in this epoch
    pulls: Ints  # (L, 6) from a product of step and input to a weight, or to pulses
    applied: Ints  # (L, 6) from a buffered update times a step to a weight
    head: Ints  # (6,) from a product of state and error to a weight, the rate in it


class Workspace(NamedTuple):
    """What the simulator keeps for itself: shortcuts and scratch that the chip does not have."""

    mirror: WeightCodes  # weight layers transposed, at the same offsets
    weight_peak: Ints  # (L,) upper bound of |weight code|: proves that no accumulation can saturate
    reach: Ints  # (L+1,) upper bound of |accumulator| in each layer
    event_index: Codes  # (n_0 and room for a whole pass,) non-zero inputs of the sample
    event_value: npt.NDArray[np.uint8]  # as event_index
    rows: npt.NDArray[np.uint8]  # (n_0,) means, as they drive the rows of an array
    column: Codes  # (max n,) weights of a neuron, as they are read from its cells
    centred: Codes  # (max n,) inputs of a layer, less their means
    parts: Codes  # (max n,) exponentials
    steps: Codes  # (max n,) steps of the neurons of a layer
    words: npt.NDArray[np.uint32]  # random words just drawn
    halves: npt.NDArray[np.uint16]  # the same memory as half-words
    octets: npt.NDArray[np.uint8]  # the same memory as bytes
    silence: npt.NDArray[np.uint16]  # (max n,) zeros, in place of half-words where nothing is drawn
    deltas: Codes  # (max n,) weight changes of one sweep
    pending: Codes  # (some max n,) weight changes of the read-out that are still to be written
    named: Codes  # as pending: the pre-synaptic neuron of each
    swept: Ints  # (sweeps + 1, 2) how many sweeps are pending; neuron of each and the end of its changes
    pres: Codes  # (max n,) pre-synaptic neurons
    pre_values: Codes  # (max n,) their codes
    posts: Codes  # (max n,) post-synaptic neurons
    post_values: Codes  # (max n,) their codes
    wear: npt.NDArray[np.uint8]  # as weights, transposed: how often each code was changed, modulo 256
    wear_carry: npt.NDArray[np.uint32]  # as wear: how often that wrapped
    events: Ints  # (EVENT_KINDS, L+1)
