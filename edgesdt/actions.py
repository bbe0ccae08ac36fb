"""What can cost: every action that a described chip is counted for, in one table with what one count means.

Rules count actions (exact integers); `edgesdt.energy` prices them. Neither knows the other.
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
