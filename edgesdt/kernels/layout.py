"""The data of the kernels: the chip's arrays, the plan (its integers) and the simulator's own workspace.

Layers are numbered 0 (input) to L (output). Arrays of neurons hold layers 1 … L one after the other. Weight layer l
connects layer l to layer l+1 and is stored row by row (pre-synaptic neuron first) after the layers below it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edgesdt.kernels.arithmetic import Register

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
WeightCodes = npt.NDArray[np.int8] | npt.NDArray[np.int16]

# Rows of `Workspace.events`, one column per layer: numbers of events, from which the rule derives the actions of the
# chip.
SAMPLES = 0  # column 0: samples presented
INPUTS = 1  # column 0: inputs that were not zero
STATE_CHANGES = 2  # column l: state codes of layer l that changed in a step
PAIRS = 3  # column l: synapses of weight layer l whose contrast was formed
WEIGHT_WRITES = 4  # column l: weight codes of layer l that changed
WEIGHT_SATURATIONS = 5  # column l: weight updates that hit the end of the range
BIAS_MOVES = 6  # column l: neurons of layer l whose bias update was formed
BIAS_WRITES = 7  # column l: bias codes of layer l that changed
BANK_STEPS = 8  # column 0: steps of the random bank
NUDGED_RUNS = 9  # column 0: nudged phases run
APPLIED = 10  # column 0: mini-batch updates applied (batch > 1)
ACCUMULATOR_SATURATIONS = 11  # column l: accumulations into layer l that hit the end of the range
NUDGED_CHANGES = 12  # column L: output codes that changed in a nudged step
EVENT_KINDS = 13


class ChipArrays(NamedTuple):
    """All arrays of the described chip; in the shapes, N = neurons of layers 1 … L, n = layer sizes.

    Arrays that a spec does not need have length 0. The number of bits of each is in the memory map; the dtypes here
    are the next wider ones.
    """

    inputs: npt.NDArray[np.uint8]  # (n_0,) input codes of the present sample, dropped ones zeroed
    weights: WeightCodes  # (sum n_l * n_{l+1},)
    biases: Codes  # (N,), or (0,) for a chip without biases
    accumulators: Codes  # (N,)
    states: Codes  # (N,) present state codes; of a softmax its shares, and its nudge in a nudged phase
    free_states: Codes  # (N,) state codes at the end of the free phase
    plus_states: Codes  # (N,) end of the +beta phase (symmetric nudging only)
    keep: npt.NDArray[np.uint8]  # (n_L,) 0 where an output is dropped for this sample
    target: npt.NDArray[np.uint8]  # (n_L,) 1 where the target is high
    winners: Codes  # (k,) indices of the winners, best first
    activity: Codes  # (n_L,) running activity codes
    homeostasis: Codes  # (n_L,) homeostasis codes
    random: npt.NDArray[np.uint32]  # (lanes,)
    exponentials: npt.NDArray[np.uint16]  # (256,) look-up table of the softmax (cross_entropy only)
    reciprocals: npt.NDArray[np.uint16]  # (256,) the other one
    weight_contrast: Ints  # as weights (batch > 1 only)
    bias_contrast: Codes  # (N,) (batch > 1 only)
    winner_count: Codes  # (n_L,) (batch > 1 only)
    frozen: npt.NDArray[np.uint8]  # (N,) 1 where a neuron learns no more (consolidation only)


class Plan(NamedTuple):
    """The integers that describe the chip."""

    sizes: Ints  # (L+1,)
    first: Ints  # (L+1,) offset of layer l in the neuron arrays; first[0] is unused
    first_weight: Ints  # (L,)
    input_left: int  # shift that aligns an input product with a state product
    state_left: int  # shift that aligns a state product with an input product
    bias_left: int  # shift that aligns a bias with the accumulator
    drive_right: int  # shift from accumulator to state LSB
    drive_half: int
    drive_limit: int  # |drive| saturates here (state bits + 3)
    accumulator_limit: int  # largest accumulator code; the lowest is -limit - 1
    softmax: bool  # whether the outputs are a softmax of the layer below, and no neurons that settle
    exponent_right: int  # shift from a difference of logits to a place in the table
    state_bits: int
    state_limit: int
    weight_limit: int
    bias_limit: int
    stochastic_states: bool
    stochastic_weights: bool
    stochastic_biases: bool
    learn_biases: bool
    supervised: bool
    nudge_sign: int  # 0: random, 1: always positive, 2: symmetric
    free_steps: int
    nudged_steps: int
    dt: Register
    beta: Register
    target_high: int  # state code that a winner is pulled to
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
    """Arrays of the simulator alone: shortcuts and scratch memory that the chip does not have (listed separately)."""

    read: WeightCodes  # the weights as they are read; (0,) where that is as they are stored
    reading: Ints  # (5,) how a stored code is read (`synapses.levels`), or (0,)
    mirror: WeightCodes  # weight layers 1 … L-1 as they are read, transposed, at the same offsets
    narrow: npt.NDArray[np.int8]  # (2, weights) room for rows of what is read, and of the mirror, as bytes, or (2, 0)
    weight_peak: Ints  # (L,) upper bound of |weight code| that is read: shows that no accumulation can saturate
    reach: Ints  # (L+1,) upper bound of |accumulator| in each layer
    event_index: Codes  # (n_0 and room for a whole pass,) non-zero inputs of the sample
    event_value: npt.NDArray[np.uint8]  # as event_index
    flags: npt.NDArray[np.uint8]  # (max n,) which neurons to list
    movers: Codes  # (N,) neurons that can move, of each layer at its offset
    mover_state: Codes  # (N,) their state codes
    mover_drive: Codes  # (N,) their drive codes
    mover_target: Codes  # (N,) their target codes
    ends: Codes  # (5, drive codes) where a phase of a chip with one layer ends (`one_layer`)
    moves: Codes  # as ends: in how many changes of the state code
    changes: Codes  # (N,) neurons that changed in a step, of each layer at its offset
    change_by: Codes  # (N,) by how much
    counts: Ints  # (3, L+1) movers; changes; 1 where accumulators moved since the movers were listed
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
    pre_plus: Codes  # (max n,) their + codes
    pre_minus: Codes  # (max n,) their - codes
    posts: Codes  # (max n,) post-synaptic neurons of an update
    wear: npt.NDArray[np.uint8]  # as weights, transposed: how often each code was changed, modulo 256
    wear_carry: npt.NDArray[np.uint32]  # as wear: how often that wrapped
    events: Ints  # (EVENT_KINDS, L+1)
