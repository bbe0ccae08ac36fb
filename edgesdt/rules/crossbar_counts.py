"""From what happened to a crossbar to what a chip with analog cells pays for: actions, as exact integers."""

from __future__ import annotations

from collections.abc import Sequence

from edgesdt import actions as act
from edgesdt.crossbar import layout
from edgesdt.crossbar.scales import tiles
from edgesdt.rules import eqprop_counts
from edgesdt.rules.eqprop_counts import Events
from edgesdt.spec import Spec


def actions(spec: Spec, events: Events, tally: Sequence[int]) -> dict[str, int]:
    """All of `actions.MEANING` and `actions.CELL_MEANING` for events and the tally of the array (TALLIES)."""
    counts = eqprop_counts.actions(spec, events)
    array, columns = spec.device.array, spec.chip.layers[1]
    row_tiles, column_tiles = tiles(spec)
    pulses = tally[layout.PULSES_UP] + tally[layout.PULSES_DOWN]
    lines = array.tile_rows + array.tile_columns - 2 if array.selector == "half_voltage" else 0
    counts |= {act.MAC: 0, act.WEIGHT_READ: 0, act.WEIGHT_WRITE: 0}
    if array.programming == "coincidence":  # the lines multiply: no synapse needs arithmetic of its own
        moved = counts[act.BIAS_WRITE] if spec.chip.style == "dense" else eqprop_counts.Tally.of(events).bias_moves
        counts |= {act.CONTRAST: 0, act.RATE: 2 * moved}
    return {
        **counts,
        act.ARRAY_READ: tally[layout.READS],
        act.ROW_DRIVE: tally[layout.ROW_DRIVES] * column_tiles,
        act.ADC_CONVERSION: tally[layout.READS] * columns * row_tiles + tally[layout.VERIFY_READS],
        act.CELL_READ_BASE: tally[layout.READ_BASE],
        act.CELL_READ_SHARE: tally[layout.READ_SHARE],
        act.PULSE_UP: tally[layout.PULSES_UP],
        act.PULSE_UP_SHARE: tally[layout.UP_SHARE],
        act.PULSE_DOWN: tally[layout.PULSES_DOWN],
        act.PULSE_DOWN_SHARE: tally[layout.DOWN_SHARE],
        act.PULSE_TIME: tally[layout.PULSE_TIMES],
        act.HALF_SELECTED: pulses * lines,
        act.VERIFY_READ: tally[layout.VERIFY_READS],
        act.VERIFY_SHARE: tally[layout.VERIFY_SHARE],
    }
