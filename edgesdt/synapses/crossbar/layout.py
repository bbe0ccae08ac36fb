"""The arrays and numbers with which a crossbar takes part in the kernels; `kernels.layout` has those of the chip."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hw_models.kernels.compiled import Law
from hw_models.kernels.straight_pulsing import Room

# Entries of `Bank.tally`: what happened to the array since the tally was last emptied.
READS = 0  # samples whose column sums were formed
ROW_DRIVES = 1  # rows driven with a voltage other than 0
READ_BASE = 2  # Σ x² over the driven rows, times the cells of a row
READ_SHARE = 3  # Σ x² · (sum of the share codes of the row)
CLIPPED = 4  # conversions at the end of the converter's range
PULSES_UP = 5
UP_SHARE = 6  # Σ of the mean share code of the cell during each up pulse
PULSES_DOWN = 7
DOWN_SHARE = 8
PULSE_TIMES = 9  # pulse slots in which a column was programmed, one after the other
CELL_WRITES = 10  # cells that got at least one pulse, per update
VERIFY_READS = 11  # reads of single cells
VERIFY_SHARE = 12  # Σ of the share codes read
SWEPT = 13  # neurons whose column was updated
TALLIES = 14

PULSE_COUNT, COINCIDENCE, VERIFY = 0, 1, 2
NO_NOISE, ADDITIVE, PROPORTIONAL = 0, 1, 2
LONGEST_TRAIN = 32  # pulses; a row's train is one word
MOST_PULSES = 1 << 15  # that one update gives a cell


class Sensing(NamedTuple):
    """How a column sum becomes a number in the chip's accumulator."""

    dac: npt.NDArray[np.uint8]  # (256,) what a code becomes on its line, in input LSBs
    tile_rows: int
    row_tiles: int
    wired: bool  # whether wires take something from the sums
    converts: bool  # without a converter the sum is only rounded to the accumulator's LSB
    scale: float  # from (share code LSB · input LSB) to converter steps
    left: int  # shift from converter step to accumulator LSB
    highest: int  # largest converter code; the lowest is -highest - 1
    limit: int  # largest accumulator code; the lowest is -limit - 1
    output_sd: float  # noise at the converter, in steps of its codes
    read_noise: int  # NO_NOISE, ADDITIVE or PROPORTIONAL
    own_noise: bool  # whether single reads of the cells themselves differ
    read_sd: float  # additive: in share codes, of both cells of a pair together; proportional: a share


class Upper(NamedTuple):
    """The slices of the weights above the least significant one as reading sees them, one after the other.

    All arrays are empty with one cell for a weight (or one pair).
    """

    codes: npt.NDArray[np.int16]  # (slices · n_0 · n_1,) weight codes as they are read
    row_sums: npt.NDArray[np.int64]  # (slices · n_0,)
    noise: npt.NDArray[np.float32]  # (slices · n_0 · n_1,) as `Bank.noise`; empty without own noise
    scale: npt.NDArray[np.float64]  # (slices,) as the numbers of `Sensing`
    left: npt.NDArray[np.int64]  # (slices,)
    highest: npt.NDArray[np.int64]  # (slices,)
    output_sd: npt.NDArray[np.float64]  # (slices,)


class Bank(NamedTuple):
    """The cells of one slice of a layer of weights, neuron by neuron (`post · n_0 + pre`), + cells before - cells.

    Learning pulses the least significant slice: its bank is the one that kernels are given.
    """

    planes: int  # 1: cells against a reference; 2: differential pairs
    one: int  # share code of a share of 1
    reference: int  # share code of weight 0 (one plane)
    low: float  # state at share 0
    span: float  # states from share 0 to share 1
    step: float  # nominal state change of one pulse at weight 0
    highest: int  # weight codes are within ±highest
    law: Law  # of the pulses; of code `UNKNOWN` for a model that is not pulsed in compiled code
    state: npt.NDArray[np.float32]  # (cells,) as `hw_models.base.Cells`
    visible: npt.NDArray[np.float32]  # (cells,)
    spread: npt.NDArray[np.float32]  # (cells, k)
    pulses: npt.NDArray[np.uint32]  # (cells,)
    random: npt.NDArray[np.uint64]  # (2,)
    room: Room  # for a batch of cells that are pulsed
    shares: npt.NDArray[np.int16]  # (cells,) share codes of what is visible
    row_sums: npt.NDArray[np.int64]  # (n_0,) sums of the share codes of a row
    lost: npt.NDArray[np.int32]  # (n_0 · n_1,) weight codes that the wires take; empty without IR drop
    seen: npt.NDArray[np.int16]  # (n_0 · n_1,) weight codes less those; empty without IR drop
    places: npt.NDArray[np.int32]  # cells to be pulsed
    rows: npt.NDArray[np.int32]  # the row of each
    spots: npt.NDArray[np.int32]  # where the weight of each lies in the chip's weights
    counts: npt.NDArray[np.int32]  # pulses for each, > 0 up
    wanted: npt.NDArray[np.float64]  # states wanted of them (verify)
    programming: int  # PULSE_COUNT, COINCIDENCE or VERIFY
    train: int  # pulses of a train (coincidence)
    input_left: int  # shift from an input code to a probability of 2^16 (coincidence)
    rounds: int  # corrections at most (verify)
    trains: npt.NDArray[np.uint32]  # (n_0,) pulse trains of the rows
    partial: npt.NDArray[np.int32]  # (n_1,) column sums of one tile
    squares: npt.NDArray[np.float64]  # (n_1,) Σ x² · code² of one tile (proportional noise)
    own: npt.NDArray[np.float64]  # (4096,) variance of a read by share code, see `own_noise`
    noise: npt.NDArray[np.float32]  # (n_0 · n_1,) that of each weight's cells, in share codes²; empty without own noise
    variances: npt.NDArray[np.float64]  # (n_1,) Σ x² · that of one tile (own noise)
    reading: npt.NDArray[np.uint64]  # (2,) key and counter of the noise of reads
    tally: npt.NDArray[np.int64]  # (TALLIES,), of all slices together
    upper: Upper
