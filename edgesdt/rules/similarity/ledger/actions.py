"""The actions that only similarity matching has; those it shares with other rules are in `edgesdt.ledger.actions`."""

from __future__ import annotations

from typing import Final

CENTRE: Final = "centre"
MEAN_READ: Final = "mean_read"
MEAN_WRITE: Final = "mean_write"
MEAN_STEP: Final = "mean_step"
DRIVE: Final = "drive"
LATERAL_MAC: Final = "lateral_mac"
LATERAL_READ: Final = "lateral_read"
LATERAL_WRITE: Final = "lateral_write"
SETTLE_STEP: Final = "settle_step"
OUTER: Final = "outer_product"
STEP: Final = "weight_step"
LATERAL_STEP: Final = "lateral_step"
HALVE: Final = "halve"
GAIN_STEP: Final = "gain_step"
DIVIDE: Final = "divide"
LABEL_READ: Final = "label_read"
LABEL_WRITE: Final = "label_write"
LABEL_STEP: Final = "label_step"

MEANING: Final[dict[str, str]] = {
    CENTRE: "one mean rounded and taken off its code",
    MEAN_READ: "one running mean read",
    MEAN_WRITE: "one running mean written",
    MEAN_STEP: "one running mean moved by a shifted difference to its code",
    DRIVE: "one sum times the ratio of two gains, shifted and rounded; the label's vector is added to it",
    LATERAL_MAC: "one lateral weight times the change of a state, taken off a residual",
    LATERAL_READ: "one lateral weight read",
    LATERAL_WRITE: "one lateral weight written",
    SETTLE_STEP: "one step of a neuron: residual times a factor, shifted, rounded and added to the state, clamped",
    OUTER: "one product of two codes: a centred input and a state, or two states",
    STEP: "one product times the learning-rate register, shifted, rounded and added to a weight",
    LATERAL_STEP: "one product times the learning-rate register, shifted, rounded and added to a lateral weight",
    HALVE: "one weight or lateral weight halved and rounded, when a gain has reached 2",
    GAIN_STEP: "one step of a gain: times its growth, shifted and added; a rate times it",
    DIVIDE: "one division: a ratio of gains, a step over a gain, or the reciprocal of a lateral weight",
    LABEL_READ: "one code of a label's vector read",
    LABEL_WRITE: "one code of a label's vector written",
    LABEL_STEP: "one code of a label's vector moved towards a state",
}
