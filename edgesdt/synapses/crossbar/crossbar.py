"""From a device model to the arrays of a crossbar: cells manufactured, weights programmed, converters set up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.spec import Spec
from edgesdt.synapses.crossbar import layout
from edgesdt.synapses.crossbar import slices as slicing
from edgesdt.synapses.crossbar.layout import TALLIES, Bank, Sensing, Upper
from edgesdt.synapses.crossbar.reading.read_noise import find_noise, variances_of
from edgesdt.synapses.crossbar.reading.wires import Lines, lines_of
from edgesdt.synapses.crossbar.scales import mapping_of, share_bits, step_of
from edgesdt.synapses.crossbar.slices import Slice
from hw_models.base import CellModel, Cells
from hw_models.kernels.compiled import law_of
from hw_models.kernels.randomness import key_of
from hw_models.kernels.step_laws import POWER
from hw_models.kernels.straight_pulsing import Room
from hw_models.mapping import Mapping
from hw_models.periphery.dac import requantise

_PROGRAMMING = {"pulses": layout.PULSE_COUNT, "coincidence": layout.COINCIDENCE, "verify": layout.VERIFY}
_READ_NOISE = {"none": layout.NO_NOISE, "additive": layout.ADDITIVE, "proportional": layout.PROPORTIONAL}
_READ_STREAM, _REST_STREAM = 1 << 26, 1 << 27  # far from the streams that a model draws its cells from
_TRAIN_BITS = 16  # width of a probability of a pulse train


@dataclass(frozen=True)
class Crossbar:
    """The cells of a chip with what is known of them; `bank` and `sensing` are what the kernels see.

    With several slices `bank` has the cells of the least significant one, `above` those of the others in order.
    """

    spec: Spec
    model: CellModel
    mapping: Mapping
    cells: Cells
    bank: Bank
    sensing: Sensing
    lines: Lines | None
    """The wires of the tiles; None without IR drop."""
    above: tuple[Slice, ...]

    @classmethod
    def of(cls, spec: Spec, accumulator_frac: int) -> Crossbar:
        """Freshly manufactured cells for the one weight layer of `spec`. Raises `DeviceError`."""
        model, mapping = spec.device.cell_model(), mapping_of(spec)
        n0, n1 = spec.chip.layers
        cells = model.manufacture(mapping.cells_per_weight * n0 * n1, spec.seed, np.float32)
        one = 1 << share_bits(spec)
        sensing, lines = _sensing(spec, one, accumulator_frac), lines_of(spec, model, one)
        own = variances_of(model, one)
        sensing = sensing._replace(wired=lines is not None, own_noise=bool(own.any()))
        bank = _bank(spec, model, mapping, cells, one, n0 * n1 if lines else 0)
        if sensing.own_noise:
            bank = bank._replace(own=own, noise=np.zeros(n0 * n1, np.float32), variances=np.zeros(n1))
        bank = bank._replace(upper=_upper(spec, one, accumulator_frac, len(bank.noise)))
        above = slicing.slices_above(bank, cells, mapping.slices - 1)
        return cls(spec, model, mapping, cells, bank, sensing, lines, above)

    @property
    def stepped(self) -> bool:
        """Whether the cells follow a step law, whose kernel says what each pulse passed through."""
        return self.compiled and not self.bank.law.wrapped and self.bank.law.code <= POWER

    @property
    def compiled(self) -> bool:
        """Whether the cells are pulsed in compiled code."""
        return self.bank.law.code >= 0

    def slices(self, codes: npt.NDArray[np.integer]) -> tuple[Slice, ...]:
        """All slices, where `codes` (n_0 · n_1,) are those of the least significant one."""
        return Slice(self.bank, codes, 0), *self.above

    def program(self, weights: npt.NDArray[np.float64]) -> None:
        """Put the cells at `weights` (n_0, n_1), clipped to what they hold. Raises `ArgumentError`."""
        weights = ARGUMENTS.reals("weights", weights, self.spec.chip.layers).astype(np.float64)
        if self.above:
            slices = self.slices(self.bank.upper.codes[:0])
            slicing.program(slices, self.model, self.cells, self.mapping, weights.T.ravel())
            return
        shares = self.mapping.shares(weights, self.model)[:, 0].transpose(0, 2, 1)
        low, high = self.model.bounds()
        self.model.program(self.cells, low + (high - low) * np.ascontiguousarray(shares).ravel())

    def show(self, codes: npt.NDArray[np.integer], visible: npt.NDArray[np.floating]) -> None:
        """Bring shares, row sums and weight codes in step with `visible` (cells,).

        `codes` (n_0 · n_1,) are those of the least significant slice. Raises `ArgumentError`.
        """
        visible = ARGUMENTS.reals("visible", visible, (len(self.cells.visible),))
        ARGUMENTS.like("codes", codes, np.empty(math.prod(self.spec.chip.layers), np.int16))
        for bank, shown, first in self.slices(codes):
            self._show_slice(bank, shown, visible[first : first + len(bank.state)])

    def _show_slice(self, bank: Bank, codes: npt.NDArray[np.integer], visible: npt.NDArray[np.floating]) -> None:
        n0, n1 = self.spec.chip.layers
        wide = np.floor((visible.astype(np.float64) - bank.low) * (bank.one / bank.span) + 0.5)
        bank.shares[:] = np.clip(wide, -32768, 32767)
        shares = bank.shares.reshape(bank.planes, n1, n0).astype(np.int64)
        bank.row_sums[:] = shares.sum(axis=(0, 1))
        weights = shares[0] - (shares[1] if bank.planes == 2 else bank.reference)
        codes[:] = np.clip(weights, -bank.highest, bank.highest).T.ravel()
        if self.sensing.own_noise:
            find_noise(bank)

    def weights(self, codes: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
        """(n_0 · n_1,) codes of whole weights where `codes` are those of the least significant slice."""
        limits = -self.bank.highest - 1, self.bank.highest
        codes = ARGUMENTS.integers("codes", codes, (math.prod(self.spec.chip.layers),), *limits, np.int16)
        if not self.above:
            return codes
        bits, places = self.mapping.bits_per_cell, [codes, *(each.codes for each in self.above)]
        return np.asarray(sum(shown.astype(np.int32) << (bits * place) for place, shown in enumerate(places)))

    def rested(self, after_s: float) -> npt.NDArray[np.floating]:
        """What the cells show `after_s` seconds after the last write; they stay as they are.

        Read noise that every read of the array draws anew is not in it.
        """
        still = self.model.without(["read_noise"]) if self.sensing.own_noise else self.model
        return still.read(self.cells, after_s, key_of(self.spec.seed, _REST_STREAM) & 0xFFFFFFFF)


class _Conversion(NamedTuple):
    """How the sums of a column become codes, as `Sensing` has it."""

    scale: float
    left: int
    highest: int
    output_sd: float


def _conversion(spec: Spec, one: int, accumulator_frac: int, place: int) -> _Conversion:
    """The conversion of slice `place`; all converters are alike in amperes, `adc_range` is that of the last slice.

    Codes are -h - 1 … h with h = range / step - 1, at least 0: a range below one LSB of the accumulator counts as one.
    """
    array, off, mapping = spec.device.array, spec.device.off, mapping_of(spec)
    converts = "adc" not in off
    finer = mapping.bits_per_cell * (mapping.slices - 1 - place)
    own = array.adc_bits - 1 - round(math.log2(array.adc_range)) + finer  # fractional bits of the converter's step
    frac = min(own, accumulator_frac) if converts else accumulator_frac  # those of the codes that are added
    lost = max(own - frac, 0)  # what the accumulator cannot hold is not converted; the range stays
    highest = max((1 << (array.adc_bits - 1 - lost)) - 1, 0) if lost < array.adc_bits else 0
    lsb = float(mapping.digit_weights[place]) / one / 2.0**spec.encoder.bits
    return _Conversion(
        scale=lsb * 2.0**frac,
        left=accumulator_frac - frac,
        highest=highest if converts else (1 << 62) - 1,
        output_sd=0.0 if "output_noise" in off else array.output_noise * 2.0 ** (frac - own),
    )


def _sensing(spec: Spec, one: int, accumulator_frac: int) -> Sensing:
    array, off = spec.device.array, spec.device.off
    lowest = _conversion(spec, one, accumulator_frac, 0)
    levels = np.arange(1 << spec.encoder.bits)
    dac = np.arange(256, dtype=np.uint8)
    if "dac" not in off:
        dac[: len(levels)] = requantise(levels, spec.encoder.bits, array.dac_bits)
    planes = 2 if array.mapping == "pair" else 1
    additive = array.read_noise == "additive"
    return Sensing(
        dac=dac,
        tile_rows=array.tile_rows,
        row_tiles=-(-spec.chip.layers[0] // array.tile_rows),
        wired=False,
        converts="adc" not in off,
        scale=lowest.scale,
        left=lowest.left,
        highest=lowest.highest,
        limit=(1 << (spec.chip.accumulator.bits - 1)) - 1,
        output_sd=lowest.output_sd,
        read_noise=layout.NO_NOISE
        if "read_noise" in off or array.read_noise_sd == 0
        else _READ_NOISE[array.read_noise],
        own_noise=False,
        read_sd=array.read_noise_sd * (one * math.sqrt(planes) if additive else 1.0),
    )


def _upper(spec: Spec, one: int, accumulator_frac: int, noises: int) -> Upper:
    """What reading needs of the slices above the least significant one; `noises` entries of each with own noise."""
    count, (n0, n1) = spec.device.array.slices - 1, spec.chip.layers
    made = [_conversion(spec, one, accumulator_frac, place) for place in range(1, count + 1)]
    return Upper(
        codes=np.zeros(count * n0 * n1, np.int16),
        row_sums=np.zeros(count * n0, np.int64),
        noise=np.zeros(count * noises, np.float32),
        scale=np.array([each.scale for each in made]),
        left=np.array([each.left for each in made], np.int64),
        highest=np.array([each.highest for each in made], np.int64),
        output_sd=np.array([each.output_sd for each in made]),
    )


def _bank(spec: Spec, model: CellModel, mapping: Mapping, cells: Cells, one: int, wired: int) -> Bank:
    """The arrays of the kernels for the first slice; those of the wires have `wired` entries."""
    array, (n0, n1) = spec.device.array, spec.chip.layers
    low, high = map(float, model.bounds())  # a 0 of a sheet is an integer, for which all kernels were compiled anew
    synapses = n0 * n1
    each = mapping.planes * synapses
    verified = array.programming == "verify" or mapping.slices > 1  # carries are
    return Bank(
        planes=mapping.planes,
        one=one,
        reference=0 if mapping.planes == 2 else round(mapping.reference_of(model) * one),
        low=low,
        span=high - low,
        step=step_of(model, mapping),
        highest=2 * one,
        law=law_of(model, each, cells.spread.shape[1]),
        state=cells.state[:each],
        visible=cells.visible[:each],
        spread=cells.spread[:each],
        pulses=cells.pulses[:each],
        random=cells.random,
        room=Room.make(),
        shares=np.zeros(each, np.int16),
        row_sums=np.zeros(n0, np.int64),
        lost=np.zeros(wired, np.int32),
        seen=np.zeros(wired, np.int16),
        places=np.zeros(each, np.int32),
        rows=np.zeros(each, np.int32),
        spots=np.zeros(each, np.int32),
        counts=np.zeros(each, np.int32),
        wanted=np.zeros(each if verified else 0),
        programming=_PROGRAMMING[array.programming],
        train=array.train_length,
        input_left=_TRAIN_BITS - spec.encoder.bits,
        rounds=array.verify_rounds,
        trains=np.zeros(n0, np.uint32),
        partial=np.zeros(n1, np.int32),
        squares=np.zeros(n1 if array.read_noise == "proportional" else 0),
        own=np.zeros(0),
        noise=np.zeros(0, np.float32),
        variances=np.zeros(0),
        reading=np.array([key_of(spec.seed, _READ_STREAM), 0], dtype=np.uint64),
        tally=np.zeros(TALLIES, np.int64),
        upper=slicing.without_upper(),
    )
