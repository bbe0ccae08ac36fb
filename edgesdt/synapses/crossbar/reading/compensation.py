"""Drift compensation: one factor for all cells from a reference read, and what such a read takes.

V. Joshi et al., "Accurate deep neural network inference using computational phase-change memory", Nat. Commun. 11,
2473 (2020), global drift compensation: all cells are read right after programming and again before use, and what the
sum of currents lost is made good by one factor. Here the factor scales what conversions are held against, the reference
of weight 0 and that of the converter, so that a code is what it would be of cells that conduct that much more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgesdt.ledger import actions as act
from edgesdt.synapses.crossbar.scales import mapping_of, share_bits, tiles

if TYPE_CHECKING:
    from edgesdt.spec import Spec
    from hw_models.base import CellModel

Shown = npt.NDArray[np.floating]


def factor(model: CellModel, written: Shown, rested: Shown) -> float:
    """What the currents of all cells have to be multiplied by to add up to what they did after the last write.

    `written` and `rested` (cells,) are what cells show. 1 where nothing conducts any more.
    """
    before, now = (float(_siemens(model, shown).sum()) for shown in (written, rested))
    return before / now if now > 0 < before else 1.0


def scaled(model: CellModel, shown: Shown, times: float) -> Shown:
    """What cells would show that conduct `times` as much."""
    low, high = model.bounds()
    ends = _siemens(model, np.array([low, high]))
    slope = (ends[1] - ends[0]) / (high - low)
    return np.asarray(low + (_siemens(model, shown) * times - ends[0]) / slope)


def _siemens(model: CellModel, shown: Shown) -> npt.NDArray[np.float64]:
    """Conductances; of a model that has none, the distance from its lowest state."""
    wide = shown.astype(np.float64)
    if model.quantity == "weight" and model.drive is None:
        return np.asarray(wide - model.bounds()[0])
    return np.asarray(model.conductance_s(wide))


def read_counts(spec: Spec, shares: int) -> dict[str, int]:
    """Actions of one reference read of cells whose share codes sum to `shares`.

    One row of every row tile is driven at a time, by the largest code, one plane after the other; codes are added up.
    Actions of the rule itself are not among them: there are none (`bill.reference_read` prices the read).
    """
    mapping, (rows, columns) = mapping_of(spec), spec.chip.layers
    row_tiles, column_tiles = tiles(spec)
    reads = min(spec.device.array.tile_rows, rows) * mapping.planes
    codes, square = reads * columns * row_tiles * mapping.slices, ((1 << spec.encoder.bits) - 1) ** 2
    return dict.fromkeys(act.CELL_MEANING, 0) | {
        act.ARRAY_READ: reads,
        act.ROW_DRIVE: rows * column_tiles * mapping.planes,
        act.COLUMN_SAMPLE: codes,
        act.ADC_CONVERSION: codes,
        act.CODE_ADD: codes,
        act.CELL_READ_BASE: square * rows * columns * mapping.cells_per_weight,
        act.CELL_READ_SHARE: square * shares,
    }


def assumed_counts(spec: Spec) -> dict[str, int]:
    """As `read_counts` for cells in the middle of their range, before anything is run."""
    rows, columns = spec.chip.layers
    cells = rows * columns * mapping_of(spec).cells_per_weight
    return read_counts(spec, cells * (1 << share_bits(spec)) // 2)
