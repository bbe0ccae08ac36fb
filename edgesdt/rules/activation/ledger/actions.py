"""The actions that only activation learning has; those it shares with other rules are in `edgesdt.ledger.actions`."""

from __future__ import annotations

from typing import Final

RECONSTRUCTION: Final = "reconstruction_mac"
SQUARE: Final = "square"
INVERSE_ROOT: Final = "inverse_root"
NORMALISE: Final = "normalise"
SUM_COPY: Final = "sum_copy"
OUTPUT: Final = "output"
MEAN: Final = "mean_step"
SIGNAL: Final = "signal"
RUN: Final = "running_step"
ERROR: Final = "error"
ERROR_READ: Final = "error_read"
ERROR_WRITE: Final = "error_write"
COMPARE: Final = "label_compare"
FACTOR: Final = "line_factor"
LINE_STEP: Final = "line_step"
PRODUCT_STEP: Final = "product_step"

MEANING: Final[dict[str, str]] = {
    RECONSTRUCTION: "one weight times one output, added to the sum of a row: what the outputs make of the input",
    SQUARE: "one input, output or difference squared and added to a sum",
    INVERSE_ROOT: "one inverse root: shifted, looked up, one Newton step",
    NORMALISE: "one input times the inverse root of its sum of squares, shifted, rounded and clamped",
    SUM_COPY: "one sum of the image read, for the rows of a label to be added to it",
    OUTPUT: "one weighted sum shifted, rounded and clamped to an output",
    MEAN: "one output's magnitude added to a sum, and the mean or running mean subtracted from it",
    SIGNAL: "one difference times a factor, shifted, rounded and clamped to what the next layer gets",
    RUN: "one running mean and one running variance read, moved and written back",
    ERROR: "one input less its reconstruction, shifted, rounded, and scaled by the share of the update",
    ERROR_READ: "one error read from the error memory",
    ERROR_WRITE: "one error written to the error memory",
    COMPARE: "one label's sum of squares compared with the largest so far",
    FACTOR: "one output or error times a register, rounded with a half-word: the factor of a column or row",
    LINE_STEP: "one factor of a row times one of a column, added to a weight",
    PRODUCT_STEP: "one error times one output times the learning-rate register, rounded and added to a weight",
}
