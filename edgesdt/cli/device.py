"""`edgesdt device`: lists, shows, pulses and fits device models."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from edgesdt.cli.device_tables import entry_row, parameter_rows, print_table, shown
from edgesdt.errors import EdgesdtError
from edgesdt.files.outputs import STDOUT, refuse_losses
from edgesdt.units import format_energy, format_si
from hw_models.foreign import printable

if TYPE_CHECKING:
    from hw_models.base import CellModel
    from hw_models.response import Response
    from hw_models.sheets.catalog import Origin
    from hw_models.sheets.sheet import Sheet

_LIVE_S, _LINE_S = 0.2, 10.0
"""Seconds between two progress messages, on a terminal and elsewhere."""
_NAME = "a name from 'edgesdt device list' (any case), or a YAML file"


class DeviceFault(EdgesdtError):
    """An unknown device, or a sheet, parameter or measurement from which no device can be built."""


def add_parsers(commands: Any, parser_class: type[argparse.ArgumentParser]) -> None:
    """Adds `device` and its commands to the sub-commands of the command line; imports nothing."""
    about = "list, show, pulse or fit device models"
    device = commands.add_parser("device", help=about).add_subparsers(
        dest="device_command", metavar="COMMAND", parser_class=parser_class
    )
    device.add_parser("list", help="device models, their families, and where their numbers come from")
    show = device.add_parser("show", help="parameters of a device with units and sources, and the effects that it does "
                                          "not model")
    show.add_argument("name", metavar="NAME", help=_NAME)

    pulse = device.add_parser("pulse", help="pulse response: from the lowest state N pulses up, then M down")
    pulse.add_argument("name", metavar="NAME", help=_NAME)
    pulse.add_argument("--up", type=int, default=100, metavar="N", help="pulses up (default: 100)")
    pulse.add_argument("--down", type=int, default=100, metavar="M", help="pulses down (default: 100)")
    pulse.add_argument("--cells", type=int, default=1, metavar="C", help="cells (default: 1)")
    pulse.add_argument("--noise", choices=("on", "off"), default="on", help="off: no noise, no spread (default: on)")
    pulse.add_argument("--csv", type=Path, metavar="FILE", help="write pulse,phase,cell,weight,g_s (-: to stdout)")
    pulse.add_argument("--plot", type=Path, metavar="FILE", help="draw the response (.svg, .png, .pdf)")
    pulse.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the cells and their noise (default: "
                                                                        "0)")

    fit = device.add_parser("fit", help="a device from measured pulses: recommends a family and fits it, or tabulates")
    fit.add_argument("measured", type=Path, metavar="MEASURED.csv", help="pulse number, conductance or current, ...")
    fit.add_argument("--out", type=Path, required=True, metavar="DEVICE.yaml", help="where to write the device")
    fit.add_argument("--family", metavar="NAME", help="fit this family, not the recommended one")
    fit.add_argument("--lookup", action="store_true", help="make a lookup table instead of fitting")
    fit.add_argument("--read-voltage", metavar="V", help="turns currents into conductances, such as '0.1 V'")
    fit.add_argument("--plot", type=Path, metavar="FILE", help="fit over data (default: DEVICE.svg)")


def run(arguments: argparse.Namespace) -> int:
    """Runs one `device` command; returns the exit code. Raises `DeviceFault` for any bad input."""
    from hw_models.base import DeviceError

    commands = {"list": _list, "show": _show, "pulse": _pulse, "fit": _fit}
    try:
        return commands[arguments.device_command](arguments)
    except DeviceError as error:
        raise DeviceFault(str(error)) from error


def _model(name: str) -> tuple[CellModel, Origin, Sheet | None]:
    """Returns the model of a name or a YAML file, its origin, and its sheet (a plug-in has none)."""
    from hw_models.sheets import catalog, sheet

    if name.endswith((".yaml", ".yml")) or "/" in name:
        made = sheet.read(Path(name))
        return catalog.from_sheet(made), catalog.origin_of(made), made
    origin = catalog.origin(name)
    return catalog.load(name), origin, catalog.preset(origin.name) if origin.kind == "preset" else None


# list


def _list(_: argparse.Namespace) -> int:
    from hw_models.base import DeviceError
    from hw_models.sheets import catalog

    rows = [("name", "family", "quantity", "states", "source")]
    for name in catalog.names():
        try:
            model, origin = catalog.load(name), catalog.origin(name)
        except DeviceError as error:  # one bad plug-in must not hide the other devices
            print(printable(f"{name}: {error}"), file=sys.stderr)
            continue
        rows.append((name, model.family, model.quantity, _states(model), origin.sources[0]))
    shown = [[printable(word) for word in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(4)]
    for row in shown:
        print("  ".join([*(word.ljust(width) for word, width in zip(row, widths, strict=False)), row[4]]))
    return 0


def _states(model: Any) -> str:
    """The stated number of levels or states (up/down); else the number of mid-range steps that cross the range."""
    low, high = model.bounds()
    steps = [model.step((low + high) / 2, up) for up in (True, False)]
    counts = [f"{(high - low) / step:.0f}" if step > 0 else "-" for step in steps]
    if hasattr(model, "states_up"):
        counts = [str(model.states_up), str(model.states_down)]
    if hasattr(model, "levels"):
        counts = [str(model.levels)]
    return "/".join(dict.fromkeys(counts))


# show


def _show(arguments: argparse.Namespace) -> int:
    model, origin, made = _model(arguments.name)
    print(printable(f"{model.name}: {origin.summary}" if origin.summary else model.name))
    lines = [
        ("family", f"{model.family} ({origin.kind}: {origin.where})"),
        ("equations", model.citation),
        ("valid range", model.valid_range),
        ("not modelled", model.not_modelled),
        ("quantity", f"{model.quantity}, {_range(model)}"),
        ("non-idealities", ", ".join(model.non_idealities) or "none"),
    ]
    _print_aligned([*lines, ("notes", " ".join(origin.notes.split()))] if origin.notes else lines)
    print("\nparameters")
    print_table(list(parameter_rows(model, made)))
    print("\nelectrical conditions")
    if made is not None and made.drive:
        print_table([entry_row(key, entry, made) for key, entry in made.drive.items()])
    elif model.drive is not None:
        print_table([(name, shown(value), "", "", "") for name, value in vars(model.drive).items()])
    else:
        print("  none stated: its energy and delay are not known")
    print("\nsources")
    for number, source in enumerate(origin.sources, start=1):
        print(f"  [{number}] {printable(source.strip())}")
    return 0


def _range(model: CellModel) -> str:
    low, high = model.bounds()
    siemens = model.quantity == "conductance"
    return f"{format_si(low, 'S')} to {format_si(high, 'S')}" if siemens else f"{low:g} to {high:g}"


def _print_aligned(rows: Sequence[tuple[str, str]], to: TextIO | None = None) -> None:
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        print(f"  {name.ljust(width)}  {printable(text)}", file=to)


# pulse


def _pulse(arguments: argparse.Namespace) -> int:
    from hw_models import response
    from hw_models.base import DeviceError

    model, _, _ = _model(arguments.name)
    if arguments.noise == "off":
        model = response.without_noise(model)
    to_stdout = arguments.csv == STDOUT
    for path in (arguments.csv, arguments.plot):
        if path is not None and path != STDOUT and not path.parent.is_dir():
            raise DeviceFault(f"{path}: there is no folder {path.parent}")
    refuse_losses({"--csv": arguments.csv, "--plot": arguments.plot}, [Path(arguments.name)])
    try:
        made = _measured(model, arguments)
    except DeviceError as error:  # errors name the option whose value is out of range
        option = str(error).partition(":")[0]
        raise DeviceFault(f"--{error}" if option in ("up", "down", "cells", "seed") else str(error)) from error
    if to_stdout:
        sys.stdout.writelines(response.csv_lines(made))
    elif arguments.csv is not None:
        response.write_csv(made, arguments.csv)
    if arguments.plot is not None:
        response.plot(made, arguments.plot)
    count = f"{arguments.cells} cell{'s' if arguments.cells > 1 else ''}"
    stream = sys.stderr if to_stdout else sys.stdout
    print(f"{model.name} ({model.family}), {count}, noise {arguments.noise}, seed {arguments.seed}", file=stream)
    rows = [("range", _range(model)), ("start", _spread(model, made.visible[0]))]
    ends = (("up", made.up, made.up, made.up_energy_j), ("down", made.down, made.up + made.down, made.down_energy_j))
    rows += [(f"after {number} {told}", _spread(model, made.visible[pulse])) for told, number, pulse, _ in ends]
    for told, number, _, energy in ends:
        if energy is not None and number:
            each = format_energy(energy / number)
            rows.append((f"energy {told}", f"{format_energy(energy)} per cell, {each} per pulse"))
    if model.drive is None:
        rows.append(("energy", "not priced: the model states no electrical conditions (drive:)"))
    rows += [("written", str(path)) for path in (arguments.csv, arguments.plot) if path not in (None, STDOUT)]
    _print_aligned(rows, stream)
    return 0


def _measured(model: CellModel, arguments: argparse.Namespace) -> Response:
    """The response. Progress goes to standard error: a live line on a terminal, a line at intervals elsewhere."""
    from edgesdt.runs.compilation import watched
    from hw_models import response

    live, pulses, last = sys.stderr.isatty(), arguments.up + arguments.down, time.monotonic()

    def say(line: str) -> None:
        print(("\r\033[K" if live else "") + line, file=sys.stderr, flush=True)

    def progress(pulse: int) -> None:
        nonlocal last
        if time.monotonic() - last < (_LIVE_S if live else _LINE_S):
            return
        last = time.monotonic()
        told = f"pulse {pulse:,} of {pulses:,}"
        print(f"\r\033[K{told}" if live else told, end="" if live else "\n", file=sys.stderr, flush=True)

    with watched(say) as compilation, compilation.together():
        made = response.measure(model, arguments.up, arguments.down, arguments.cells, arguments.seed, progress)
    if live:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    return made


def _spread(model: CellModel, row: Any) -> str:
    import numpy as np

    mean, deviation = float(row.mean()), float(row.std()) if float(np.ptp(row)) else 0.0
    if model.quantity == "conductance":
        shown = format_si(mean, "S"), format_si(deviation, "S")
    else:
        shown = f"{mean:.6g}", f"{deviation:.3g}"
    return f"{shown[0]} ± {shown[1]}" if len(row) > 1 else shown[0]


# fit


def _fit(arguments: argparse.Namespace) -> int:
    from hw_models.base import DeviceError
    from hw_models.measured import fit_file
    from hw_models.sheets.quantities import quantity

    given, out = arguments.read_voltage, arguments.out
    drawn, details = arguments.plot or out.with_suffix(".svg"), out.with_suffix(".fit.json")
    refuse_losses({"--out": out, "--plot": drawn, "--out (its .fit.json)": details}, [arguments.measured])
    try:
        volts = None if given is None else quantity(given, "V")
    except DeviceError as error:
        raise DeviceFault(f"--read-voltage: {error}, allowed: a voltage such as '0.1 V'") from error
    fit_file(
        arguments.measured,
        out,
        family=arguments.family,
        lookup=arguments.lookup,
        read_voltage_v=volts,
        plot=drawn,
    )
    return 0
