"""Table of all actions that a described chip counts, with the meaning of one count.

Rules count actions (exact integers, those in `_share` signed); `edgesdt.pricing.bill` prices them. The two are
independent.
"""

from __future__ import annotations

from typing import Final

MAC: Final = "mac"
WEIGHT_READ: Final = "weight_read"
WEIGHT_WRITE: Final = "weight_write"
INPUT_READ: Final = "input_read"
INPUT_WRITE: Final = "input_write"
STATE_READ: Final = "state_read"
STATE_WRITE: Final = "state_write"
NEURON_STEP: Final = "neuron_step"
NUDGE: Final = "nudge"
KEY_COMPARE: Final = "key_compare"
HOMEOSTASIS_STEP: Final = "homeostasis_step"
CONTRAST: Final = "contrast"
RATE: Final = "rate"
BIAS_READ: Final = "bias_read"
BIAS_WRITE: Final = "bias_write"
RANDOM_WORD: Final = "random_word"
CONTRAST_ACCESS: Final = "contrast_access"

COLUMN_MAC: Final = "column_mac"

HIDDEN_READ: Final = "hidden_read"
HIDDEN_WRITE: Final = "hidden_write"

ARRAY_READ: Final = "array_read"
ROW_DRIVE: Final = "row_drive"
ADC_CONVERSION: Final = "adc_conversion"
CELL_READ_BASE: Final = "cell_read_base"
CELL_READ_SHARE: Final = "cell_read_share"
PULSE_UP: Final = "pulse_up"
PULSE_UP_SHARE: Final = "pulse_up_share"
PULSE_DOWN: Final = "pulse_down"
PULSE_DOWN_SHARE: Final = "pulse_down_share"
PULSE_TIME: Final = "pulse_time"
HALF_SELECTED: Final = "half_selected"
VERIFY_READ: Final = "verify_read"
VERIFY_SHARE: Final = "verify_share"
COLUMN_SAMPLE: Final = "column_sample"
CODE_ADD: Final = "code_add"
ROW_PULSE_UP: Final = "row_pulse_up"
ROW_PULSE_DOWN: Final = "row_pulse_down"
COLUMN_PULSE: Final = "column_pulse"
ROW_SELECT: Final = "row_select"
COLUMN_SELECT: Final = "column_select"
ARRAY_READ_BACK: Final = "array_read_back"
COLUMN_DRIVE: Final = "column_drive"

MEANING: Final[dict[str, str]] = {
    MAC: "one weight times one event, added to an accumulator (product, sum and accumulator register)",
    WEIGHT_READ: "one weight read from the weight memory",
    WEIGHT_WRITE: "one weight written to the weight memory",
    INPUT_READ: "one input code read from the input buffer",
    INPUT_WRITE: "one input code written to the input buffer",
    STATE_READ: "one neuron state (or target or mask bit beside it) read from the state memory",
    STATE_WRITE: "one neuron state written to the state memory",
    NEURON_STEP: "one step of a neuron's dynamics: drive − state, times dt, added and clamped",
    NUDGE: "the pull of one output neuron in a nudged step: target − state, times beta",
    KEY_COMPARE: "one comparison of a k-WTA key with one of the k best so far",
    HOMEOSTASIS_STEP: "one output's activity and homeostasis read, moved and written back",
    CONTRAST: "one product of a pre- and a post-synaptic code (with its sum) in the contrastive update",
    RATE: "one contrast times the learning-rate register, shifted, rounded and added to a weight or bias",
    BIAS_READ: "one bias read",
    BIAS_WRITE: "one bias written",
    RANDOM_WORD: "one 32-bit word of the random bank (one lane, one step)",
    CONTRAST_ACCESS: "one read and write-back of a mini-batch buffer entry",
}

BANK_MEANING: Final[dict[str, str]] = {
    COLUMN_MAC: "a `mac` that reads its weight across the rows of its memory, so that it opens a separate word",
}
"""Actions for the direction of accesses; counted only if `chip.memory` divides the weight memory into banks."""

HIDDEN_MEANING: Final[dict[str, str]] = {
    HIDDEN_READ: "the hidden bits of one weight read for an update",
    HIDDEN_WRITE: "the hidden bits of one weight written by an update",
}
"""Actions of weights with hidden bits (`chip.weights.hidden_bits`), beside `weight_read` and `weight_write`."""

CELL_MEANING: Final[dict[str, str]] = {
    ARRAY_READ: "one read of all columns of all tiles",
    ROW_DRIVE: "one row of one tile driven by its converter with a code other than 0",
    ADC_CONVERSION: "one conversion of the sum of one column of one tile",
    CELL_READ_BASE: "one input LSB squared at one cell: its V² t at the lowest conductance",
    CELL_READ_SHARE: "one input LSB squared at one share code: the V² t of what a cell conducts above that",
    PULSE_UP: "one programming pulse up: its V² t at the lowest conductance, and the charge of its gate or wire",
    PULSE_UP_SHARE: "one share code of the mean conductance above the lowest, during a pulse up",
    PULSE_DOWN: "as pulse_up, down",
    PULSE_DOWN_SHARE: "as pulse_up_share, down",
    PULSE_TIME: "one pulse slot of a column; the rows of a column are pulsed together, columns one after the other",
    HALF_SELECTED: "one cell that sees half the voltage of a pulse meant for another",
    VERIFY_READ: "one cell read alone, by write-verify: its V² t at the lowest conductance",
    VERIFY_SHARE: "one share code of the conductance above the lowest in such a read",
    COLUMN_SAMPLE: "the current of one column of one tile sampled and held for its conversion",
    CODE_ADD: "one converter code added to a neuron's accumulator (sum and register): row tiles are summed so",
    ROW_PULSE_UP: "one row line of a tile raised for one pulse up",
    ROW_PULSE_DOWN: "one row line of a tile raised for one pulse down",
    COLUMN_PULSE: "one column line of a tile raised for one pulse slot (both columns of a pair)",
    ROW_SELECT: "one row selected by its decoder, for the pulses of a cell or for reading it alone",
    COLUMN_SELECT: "one column selected by its decoder, for the update of a neuron or for reading a cell alone",
}
"""Actions of a chip with weights on analog cells; a chip with a digital memory does not count them.

A share code is the position of a cell in its nominal conductance range, in steps of 2^-share_bits of the range
(`synapses.crossbar.scales`). With sums of share codes, the data-dependent energies V² G t are exact integers times a
constant.
"""

BACK_MEANING: Final[dict[str, str]] = {
    ARRAY_READ_BACK: "one read of all rows of all tiles, the columns driven",
    COLUMN_DRIVE: "one column of one tile driven by its converter (both columns of a pair)",
}
"""Additional actions of an array between two layers of neurons, which is read in both directions."""


def of_layer(action: str, layer: int) -> str:
    """The name of an action of `CELL_MEANING` or `BACK_MEANING` for weight layer `layer`."""
    return action if layer == 0 else f"layer_{layer}.{action}"
