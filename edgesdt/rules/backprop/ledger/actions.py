"""The actions that only backpropagation has; those it shares with other rules are in `edgesdt.ledger.actions`."""

from __future__ import annotations

from typing import Final

from edgesdt.rules import softmax

BACK_MAC: Final = "back_mac"
ACTIVATION: Final = "activation"
ERROR: Final = "error"
ERROR_READ: Final = "error_read"
ERROR_WRITE: Final = "error_write"
OUTER: Final = "outer_product"
STEP: Final = "weight_step"
GRADIENT_ACCESS: Final = "gradient_access"

MEANING: Final[dict[str, str]] = {
    BACK_MAC: "one weight times one error of the layer above, added to an accumulator: the transposed pass",
    ACTIVATION: "one weighted sum shifted, rounded and clamped to a state",
    **softmax.MEANING,
    ERROR: "one error: target less state, or a sum from above, shifted, rounded and gated by the activation",
    ERROR_READ: "one error read from the error memory",
    ERROR_WRITE: "one error written to the error memory",
    OUTER: "one product of an activation and an error",
    STEP: "one product times the learning-rate register, shifted, rounded and added to a weight or bias",
    GRADIENT_ACCESS: "one read and write-back of a mini-batch buffer entry",
}
