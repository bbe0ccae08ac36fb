"""Phase-change memory for inference: programming noise, conductance drift and 1/f noise of a written cell.

Source: S. R. Nandakumar et al., "Phase-change memory models for deep learning training and inference", IEEE ICECS
2019, in the parametrisation of aihwkit 1.2.0 (inference noise model of PCM). With r = g_target/g_max:
programming  g = max(g_target + s(r) xi, 0),  s = (.26348 + 1.965 r - 1.1731 r^2) uS x g_max/25 uS
drift        g (t/t0)^-nu, nu = |m(r) + d(r) xi|, m = clip(.0244 - .0155 ln r, .049, .1),
             d = clip(-.0059 - .0125 ln r, .008, .045), t = t0 + time after writing, t0 = 20 s
1/f          g (1 + Q sqrt(ln((t + t_read)/(2 t_read))) xi), Q = min(.2, .0088/(g/g_max)^.65), t_read = 250 ns
Fitted range: 0 to 25 uS, 20 s to about a day, room temperature. Not modelled: the pulse-by-pulse crystallisation (a
write is a complete write-verify), temperature, threshold switching, cells that fail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from hw_models.arguments import ARGUMENTS
from hw_models.base import Cells, DeviceError, Drive, Ints, Quantity, Reals, check_read, states
from hw_models.families.levels.target_level import (
    Written,
    check_levels,
    check_off,
    checked,
    drawn,
    read_normals,
    tuples,
)
from hw_models.kernels.portable_arrays import exponentials, logarithm, logarithms, powers

SWITCHES = ("programming_noise", "drift", "device_to_device", "flicker_noise")
G_REFERENCE_S = 25e-6
"""The g_max at which the programming noise was fitted (Nandakumar 2019)."""
LEAST_RATIO = 1e-7
"""Keeps ln r finite for cells written to 0, where the drift exponent is clipped."""


@dataclass(frozen=True)
class PhaseChange(Written):
    """One cell between 0 and `g_max_s`; `levels` sets the change of the target by a requested pulse.

    `spread` has one column: the cell's standard normal for the drift exponent, which never changes. With
    `device_to_device` off, every cell drifts with the mean exponent of its level.
    """

    family: ClassVar[str] = "pcm"
    citation: ClassVar[str] = "Nandakumar et al., IEEE ICECS 2019, as parametrised in aihwkit 1.2.0"
    valid_range: ClassVar[str] = "0 to 25 uS (others scaled by g_max), 20 s to about a day after writing"
    not_modelled: ClassVar[str] = "crystallisation pulse by pulse, temperature, threshold switching, failing cells"
    quantity: ClassVar[Quantity] = "conductance"

    name: str = "pcm"
    drive: Drive | None = None
    g_max_s: float = field(default=25e-6, metadata={"unit": "S", "doc": "highest target", "low": 0})
    programming_us: tuple[float, ...] = field(
        default=(0.26348, 1.965, -1.1731),
        metadata={"unit": "uS", "doc": "polynomial in r of the programming noise, at g_max 25 uS"},
    )
    drift_t0_s: float = field(default=20.0, metadata={"unit": "s", "doc": "when the first read is made", "low": 0})
    read_s: float = field(default=250e-9, metadata={"unit": "s", "doc": "duration of a read", "low": 0})
    programming_scale: float = field(default=1.0, metadata={"unit": "1", "doc": "times programming noise", "low": 0})
    drift_scale: float = field(default=1.0, metadata={"unit": "1", "doc": "times the drift exponent", "low": 0})
    flicker_scale: float = field(default=1.0, metadata={"unit": "1", "doc": "times the 1/f noise", "low": 0})
    levels: int = field(default=256, metadata={"unit": "levels", "doc": "levels of the programming circuit", "low": 2})
    off: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in ("g_max_s", "drift_t0_s", "read_s"):
            checked(self, name, 0, strict=True)
        for name in ("programming_scale", "drift_scale", "flicker_scale"):
            checked(self, name, 0)
        check_levels(self)
        object.__setattr__(self, "programming_us", tuples(self.programming_us))
        if not self.programming_us or not all(math.isfinite(c) for c in self.programming_us):
            raise DeviceError(f"{self.name}: programming_us is {self.programming_us!r}; it must be finite numbers")
        check_off(self, SWITCHES)

    @property
    def non_idealities(self) -> tuple[str, ...]:  # type: ignore[override]
        """The switches that are on and have a scale that is not 0."""
        scale = {
            "programming_noise": self.programming_scale,
            "drift": self.drift_scale,
            "device_to_device": self.drift_scale,
            "flicker_noise": self.flicker_scale,
        }
        return tuple(name for name in SWITCHES if scale[name] > 0 and name not in self.off)

    def bounds(self) -> tuple[float, float]:
        """0 and `g_max_s`."""
        return 0.0, self.g_max_s

    def programming_sigma_s(self, target: Reals) -> Reals:
        """Standard deviation, in siemens, of the result of a write to `target` (siemens)."""
        target = states(target, "target")
        scale = 1e-6 * self.g_max_s / G_REFERENCE_S * self.programming_scale
        sigma = np.polynomial.polynomial.polyval(target / self.g_max_s, self.programming_us)
        return np.asarray(np.maximum(sigma, 0.0) * scale)

    def drift_exponents(self, target: Reals, normals: Reals) -> Reals:
        """nu of cells written to `target` (siemens), from the cells' standard normals."""
        target = ARGUMENTS.reals("target", target, ("cells",))
        normals = ARGUMENTS.reals("normals", normals, target.shape)
        log_ratio = logarithms(np.maximum(target / self.g_max_s, LEAST_RATIO))
        mean = np.clip(0.0244 - 0.0155 * log_ratio, 0.049, 0.1)
        deviation = np.clip(-0.0059 - 0.0125 * log_ratio, 0.008, 0.045)
        return np.asarray(np.abs(mean + deviation * normals) * self.drift_scale)

    def flicker_sigma(self, visible: Reals, after_s: float) -> Reals:
        """Relative standard deviation of a read `after_s` seconds after a write with the result `visible`."""
        visible = ARGUMENTS.reals("visible", visible, ("cells",)).astype(np.float64)
        after_s = ARGUMENTS.number("after_s", after_s, 0.0)
        ratio = np.maximum(powers(np.abs(visible) / self.g_max_s, 0.65), 1e-3)  # finite for a cell at 0
        since = self.drift_t0_s + after_s
        spread = math.sqrt(max(logarithm((since + self.read_s) / (2 * self.read_s)), 0.0))
        return np.asarray(np.minimum(0.0088 / ratio, 0.2) * spread * self.flicker_scale)

    def read(self, cells: Cells, after_s: float = 0.0, seed: int = 0) -> Reals:
        """Conductances in siemens `after_s` seconds after the first read at `drift_t0_s`; 1/f noise from `seed`."""
        after_s = check_read(cells, after_s, seed)
        seen = cells.visible.astype(np.float64)
        if self._has("drift") and after_s > 0:
            normals = cells.spread[:, 0] if self._has("device_to_device") else np.zeros(len(seen))
            exponents = self.drift_exponents(cells.state.astype(np.float64), normals)
            seen = seen * exponentials(-exponents * logarithm(1 + after_s / self.drift_t0_s))
        if self._has("flicker_noise"):
            sigma = self.flicker_sigma(cells.visible.astype(np.float64), after_s)
            seen = np.maximum(seen * (1 + sigma * read_normals(cells, seed, "flicker_noise")), 0.0)
        return seen.astype(cells.visible.dtype)

    def write_law(self) -> npt.NDArray[np.float64]:
        """Constants of the compiled write (`level_writing`)."""
        from hw_models.kernels import level_writing as kernel

        scale = 1e-6 * self.g_max_s / G_REFERENCE_S * self.programming_scale
        noisy = (kernel.POLYNOMIAL, scale) if self._has("programming_noise") else (kernel.NO_NOISE, 0.0)
        curve = self.g_max_s, True, self.programming_us
        return kernel.law(self.spacing(), self.bounds(), noise=noisy, curve=curve)

    def _spread_names(self) -> tuple[str, ...]:
        return ("device_to_device",)

    def _settled(self, cells: Cells, state: Reals, places: Ints) -> Reals:
        if not self._has("programming_noise"):
            return state
        noise = self.programming_sigma_s(state) * drawn(cells, len(state))
        return np.maximum(state + noise, 0.0).astype(state.dtype)
