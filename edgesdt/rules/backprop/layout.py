"""What the kernels of backpropagation work on: the chip's arrays, the plan (its integers), the simulator's workspace.

Layers, offsets and the order of the weights are those of `edgesdt.kernels.layout`; fields that shared kernels use have
the same names there.
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
ACTIVE = layout.EVENT_KINDS + 1  # column l: states of hidden layer l that were not zero
ERRORS = layout.EVENT_KINDS + 2  # column l: errors of layer l that were not zero
EVENT_KINDS = layout.EVENT_KINDS + 3


class ChipArrays(NamedTuple):
    """Every array that the described chip holds; shapes with N = neurons of layers 1 … L, n = layer sizes.

    Arrays that a spec does not need have length 0.
    """

    inputs: npt.NDArray[np.uint8]  # (n_0,) input codes of the present sample, dropped ones zeroed
    weights: WeightCodes  # (sum n_l * n_{l+1},)
    biases: Codes  # (N,), or (0,) for a chip without biases
    accumulators: Codes  # (N,) weighted sums forwards, then those of errors backwards
    states: Codes  # (N,) activations of the sample
    errors: Codes  # (N,) errors of the sample
    keep: npt.NDArray[np.uint8]  # (n_L,) 0 where an output is dropped for this sample
    target: npt.NDArray[np.uint8]  # (n_L,) 1 where the target is high
    winners: Codes  # (k,) indices of the winners, best first; or the label
    activity: Codes  # (n_L,) running activity codes
    homeostasis: Codes  # (n_L,) homeostasis codes
    random: npt.NDArray[np.uint32]  # (lanes,)
    exponentials: npt.NDArray[np.uint16]  # (256,) look-up table of the softmax (cross_entropy only)
    reciprocals: npt.NDArray[np.uint16]  # (256,) the other one
    weight_gradient: Ints  # as weights (batch > 1 only)
    bias_gradient: Codes  # (N,) (batch > 1 only)
    winner_count: Codes  # (n_L,) (batch > 1 only)
    frozen: npt.NDArray[np.uint8]  # (N,) 1 where a neuron learns no more (consolidation only)


class Plan(NamedTuple):
    """The integers that describe the machine; everything else in the kernels is wiring."""

    sizes: Ints  # (L+1,)
    first: Ints  # (L+1,) offset of layer l in the neuron arrays; first[0] is unused
    first_weight: Ints  # (L,)
    input_left: int  # shift that aligns an input product with a state product
    state_left: int  # shift that aligns a state product with an input product
    bias_left: int  # shift that aligns a bias with the accumulator
    drive_right: Ints  # (L+1,) shift from accumulator to state LSB, the slope of the activation in it
    drive_half: Ints  # (L+1,) what is added before that shift
    drive_offset: Ints  # (L+1,) what is added behind it: the activation of a sum of 0
    drive_limit: int  # |logit| saturates here (state bits + 3)
    error_right: Ints  # (L+1,) shift from state LSB (layer L) or from the sum of errors to an error, slope in it
    error_limit: int  # largest error code; the lowest is -limit - 1
    exponent_right: int  # shift from a difference of logits to a place in the table
    inward: bool  # whether errors that pull a neuron back from an end of its range pass it
    softmax: bool
    accumulator_limit: int  # largest accumulator code; the lowest is -limit - 1
    state_bits: int
    state_limit: int
    weight_limit: int
    bias_limit: int
    stochastic_weights: bool
    stochastic_biases: bool
    learn_biases: bool
    supervised: bool
    target_high: int  # state code of a winner's target
    target_low: int
    input_drop: int  # of 256
    output_drop: int  # of 256
    key_left: int  # shift of a state code in the k-WTA key, whose LSB is that of homeostasis
    eta: Register
    gamma: Register  # from activity LSB to homeostasis LSB
    activity_one: int  # activity code of 1.0 (saturated)
    activity_aim: int  # target activity k / n_L
    homeostasis_limit: int
    batch: int


class Workspace(NamedTuple):
    """What the simulator keeps for itself: shortcuts and scratch that the chip does not have."""

    read: WeightCodes  # the weights as they are read; (0,) where that is as they are stored
    reading: Ints  # (5,) how a stored code is read (`synapses.levels`), or (0,)
    mirror: WeightCodes  # weight layers 1 … L-1 as they are read, transposed, at the same offsets
    weight_peak: Ints  # (L,) upper bound of |weight code|: proves that no accumulation can saturate
    reach: Ints  # (L+1,) upper bound of |accumulator| in each layer
    event_index: Codes  # (n_0 and room for a whole pass,) non-zero inputs of the sample
    event_value: npt.NDArray[np.uint8]  # as event_index
    keys: Codes  # (n_L,) k-WTA keys
    tops: Codes  # (blocks of n_L,) the largest key of each block
    words: npt.NDArray[np.uint32]  # random words just drawn
    halves: npt.NDArray[np.uint16]  # the same memory as half-words
    octets: npt.NDArray[np.uint8]  # the same memory as bytes
    silence: npt.NDArray[np.uint16]  # (max n,) zeros, in place of half-words where nothing is drawn
    deltas: Codes  # (max n,) weight changes of one sweep
    pending: Codes  # (some max n,) weight changes that are still to be written
    named: Codes  # as pending: the pre-synaptic neuron of each
    swept: Ints  # (sweeps + 1, 2) how many sweeps are pending; neuron of each and the end of its changes
    pres: Codes  # (max n,) pre-synaptic neurons of an update
    pre_values: Codes  # (max n,) their codes
    posts: Codes  # (max n,) post-synaptic neurons of an update
    post_values: Codes  # (max n,) their codes
    wear: npt.NDArray[np.uint8]  # as weights, transposed: how often each code was changed, modulo 256
    wear_carry: npt.NDArray[np.uint32]  # as wear: how often that wrapped
    events: Ints  # (EVENT_KINDS, L+1)
