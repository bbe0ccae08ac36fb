"""From what happened to arrays to the actions that a chip pays for, as exact integers."""

from __future__ import annotations

from collections.abc import Sequence

from edgesdt.arguments import ARGUMENTS
from edgesdt.ledger import actions as act
from edgesdt.spec import Spec, layers
from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar.scales import mapping_of, reference_code, tiles

Tallies = Sequence[tuple[Sequence[int], Sequence[int]]]
"""Of each layer on cells, from the input up: its reads forward and its writes, and its reads back."""


def checked(spec: Spec, tallies: object) -> list[tuple[list[int], list[int]]]:
    """The tallies of the chip of `spec` as whole numbers. Raises `ArgumentError`."""
    wanted = len(layers.on_cells(spec))
    if not isinstance(tallies, Sequence) or len(tallies) != wanted:
        ARGUMENTS.refuse("tallies", f"a {type(tallies).__name__}", f"{wanted}, one for each layer on cells")
    named = [(f"tallies[{at}]", both) for at, both in enumerate(tallies)]
    return [(_numbers(name, both, 0), _numbers(name, both, 1)) for name, both in named]


def _numbers(name: str, both: object, side: int) -> list[int]:
    if not isinstance(both, Sequence) or len(both) != 2:
        ARGUMENTS.refuse(name, f"a {type(both).__name__}", "two tallies: reads forward and writes, and reads back")
    tally, name = both[side], f"{name}[{side}]"
    if not isinstance(tally, Sequence) or len(tally) != layout.TALLIES:
        ARGUMENTS.refuse(name, f"a {type(tally).__name__}", f"{layout.TALLIES} whole numbers, as `layout` has them")
    return [ARGUMENTS.whole(f"{name}[{place}]", number, -(1 << 400)) for place, number in enumerate(tally)]


def in_pairs(
    spec: Spec, expected: Sequence[float], ratios: Sequence[float] = ()
) -> list[tuple[Sequence[int], Sequence[int]]]:
    """The tallies of a chip from those expected, in a row as `Seen.cells` has them.

    `ratios`, where a profile has found them: what happened over what was expected, entry by entry.
    """
    one = layout.TALLIES
    found = [n * ratio for n, ratio in zip(expected, ratios, strict=True)] if ratios else expected
    tally = [int(n) for n in found]
    if layers.one_way(spec):
        return [(tally, [0] * one)]
    return [(tally[k : k + one], tally[k + one : k + 2 * one]) for k in range(0, len(tally), 2 * one)]


def of_chip(spec: Spec, tallies: Tallies) -> dict[str, int]:
    """Actions of all arrays of a chip; those above the input are named with their layer (`actions.of_layer`)."""
    if layers.one_way(spec):
        return of_array(spec, tallies[0][0])
    made: dict[str, int] = {}
    for layer, (tally, back) in zip(layers.on_cells(spec), tallies, strict=True):
        alone = layers.alone(spec, layer)
        found = of_array(alone, tally)
        if layers.both_ways(spec, layer):
            found = both_ways(alone, found, back)
        made |= {act.of_layer(name, layer): count for name, count in found.items()}
    return made


def of_array(spec: Spec, tally: Sequence[int]) -> dict[str, int]:
    """Actions of the array of the one weight layer of `spec` (`spec.layers.alone`), read forward."""
    array, columns = spec.device.array, spec.chip.layers[1]
    row_tiles, column_tiles = tiles(spec)
    mapping, verified = mapping_of(spec), tally[layout.VERIFY_READS]
    planes = mapping.planes
    pulses = tally[layout.PULSES_UP] + tally[layout.PULSES_DOWN]
    rows = min(array.tile_rows, spec.chip.layers[0])
    others = rows + min(array.tile_columns, columns * planes) - 2  # on the two lines of a cell
    lines = others if array.selector == "half_voltage" else 0
    read = tally[layout.READS] * columns * row_tiles * mapping.slices
    squares = tally[layout.READ_BASE] // (columns * mapping.cells_per_weight)
    references = squares * column_tiles if planes == 1 else 0  # the rows drive a column of these in every tile
    # a read selects the cell that it looks at (for a carry, too), and the pulses that it finds lacking go where it is
    selected = verified + (0 if array.programming == "verify" else tally[layout.CELL_WRITES])
    return {
        act.ARRAY_READ: tally[layout.READS],
        act.ROW_DRIVE: tally[layout.ROW_DRIVES] * column_tiles + verified,
        act.COLUMN_SAMPLE: read + verified,
        act.ADC_CONVERSION: read + verified,
        act.CODE_ADD: read,
        act.CELL_READ_BASE: tally[layout.READ_BASE] + references,
        act.CELL_READ_SHARE: tally[layout.READ_SHARE] + references * reference_code(spec),
        act.PULSE_UP: tally[layout.PULSES_UP],
        act.PULSE_UP_SHARE: tally[layout.UP_SHARE],
        act.PULSE_DOWN: tally[layout.PULSES_DOWN],
        act.PULSE_DOWN_SHARE: tally[layout.DOWN_SHARE],
        act.PULSE_TIME: tally[layout.PULSE_TIMES],
        act.HALF_SELECTED: pulses * lines,
        act.VERIFY_READ: verified,
        act.VERIFY_SHARE: tally[layout.VERIFY_SHARE],
        act.ROW_PULSE_UP: tally[layout.PULSES_UP],
        act.ROW_PULSE_DOWN: tally[layout.PULSES_DOWN],
        act.COLUMN_PULSE: tally[layout.PULSE_TIMES] * planes,
        act.ROW_SELECT: selected,
        act.COLUMN_SELECT: tally[layout.SWEPT] * planes + verified,
    }


def both_ways(spec: Spec, found: dict[str, int], back: Sequence[int]) -> dict[str, int]:
    """The actions `found` of an array read forward, with those of its reads back."""
    rows, columns = spec.chip.layers
    mapping, row_tiles = mapping_of(spec), tiles(spec)[0]
    column_tiles = -(-columns // max(spec.device.array.tile_columns // mapping.planes, 1))
    converted = back[layout.READS] * rows * column_tiles
    squares = back[layout.READ_BASE] // (rows * mapping.planes)
    references = squares * row_tiles if mapping.planes == 1 else 0  # the columns drive a row of these in every tile
    more = {
        act.COLUMN_SAMPLE: converted,
        act.ADC_CONVERSION: converted,
        act.CODE_ADD: converted,
        act.CELL_READ_BASE: back[layout.READ_BASE] + references,
        act.CELL_READ_SHARE: back[layout.READ_SHARE] + references * reference_code(spec),
        act.ARRAY_READ_BACK: back[layout.READS],
        act.COLUMN_DRIVE: back[layout.ROW_DRIVES] * row_tiles,
    }
    return found | {name: found.get(name, 0) + count for name, count in more.items()}
