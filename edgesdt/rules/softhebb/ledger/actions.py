"""The actions that only SoftHebb has; those it shares with other rules are in `edgesdt.ledger.actions`."""

from __future__ import annotations

from typing import Final

DRIVE: Final = "drive"
ACTIVATION: Final = "activation"
SOFTMAX: Final = "softmax"
RECIPROCAL: Final = "reciprocal"
NORM_RATE: Final = "norm_rate"
CENTRE: Final = "centre"
PULL: Final = "pull"
NORM_STEP: Final = "norm_step"
LARGEST: Final = "largest"
WINDOW: Final = "window_access"
MEAN: Final = "mean_step"
OFFSET: Final = "offset_mac"
ERROR: Final = "error"
HEAD: Final = "head_step"
GRADIENT_ACCESS: Final = "gradient_access"
NORMALISED: Final = "normalised_step"

MEANING: Final[dict[str, str]] = {
    DRIVE: "one accumulator started at the offset of its neuron and, at the end, shifted, rounded and stored",
    ACTIVATION: "one drive added to the mean of its layer, compared with it, shifted or looked up, and stored",
    SOFTMAX: "one neuron: difference to the largest drive, exponential looked up and added, times the reciprocal",
    RECIPROCAL: "one look-up of the reciprocal of a sum of exponentials",
    NORM_RATE: "one neuron's step: root of its squared norm, power looked up, products with share, rate and drive",
    CENTRE: "one input less its mean",
    PULL: "one weight pulled: two products, their difference rounded and added",
    NORM_STEP: "one changed weight squared into the norm of its neuron and multiplied into its offset",
    LARGEST: "one entry of an update formed and compared with the largest so far",
    WINDOW: "one input added to the sum of its window",
    MEAN: "one sum of a window turned into a mean",
    OFFSET: "one weight times the new mean of its input, added to the offset of its neuron",
    ERROR: "one error of the read-out: target less output",
    HEAD: "one product of a state and an error times the rate, shifted, rounded and added to a weight of the read-out",
    GRADIENT_ACCESS: "one read and write-back of a buffered update",
    NORMALISED: "one buffered update over the largest, times the step of its neuron, rounded and added to its weight",
}
