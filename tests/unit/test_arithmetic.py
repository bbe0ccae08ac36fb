"""Number formats, rounding and registers against an independent fixed-point library and exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from apytypes import APyFixed, OverflowMode, QuantizationMode
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numba import njit

from edgesdt.kernels.arithmetic import register, saturate, scaled, scaled32
from edgesdt.qformat import QFormat, Rounding, Scale, round_shift
from tests.oracle_numbers import constant, loaded, mantissa, rounded

CODES = st.integers(-(2**40), 2**40)
SHIFTS = st.integers(-8, 50)
WORDS = st.integers(0, 2**16 - 1)
MODES = st.sampled_from(list(Rounding))
APY_MODES = {Rounding.NEAREST: QuantizationMode.TIES_POS, Rounding.FLOOR: QuantizationMode.TO_NEG}
quick = settings(max_examples=200, deadline=None, derandomize=True)


@pytest.mark.parametrize("mode", APY_MODES)
@quick
@given(code=st.integers(-(2**30), 2**30 - 1), shift=st.integers(1, 28), bits=st.integers(2, 24))
def test_rounding_and_saturation_agree_with_apytypes(mode: Rounding, code: int, shift: int, bits: int) -> None:
    exact = APyFixed(code, bits=32, int_bits=32 - shift)
    wide = exact.cast(int_bits=34, frac_bits=0, quantization=APY_MODES[mode])
    assert round_shift(code, shift, mode) == float(wide)
    narrow = exact.cast(int_bits=bits, frac_bits=0, quantization=APY_MODES[mode], overflow=OverflowMode.SAT)
    assert QFormat(bits, 0).saturate(round_shift(code, shift, mode)) == float(narrow)


@quick
@given(code=CODES, shift=SHIFTS, mode=MODES, word=WORDS)
@example(code=-5, shift=1, mode=Rounding.NEAREST, word=0)
@example(code=-1, shift=16, mode=Rounding.STOCHASTIC, word=2**16 - 1)
def test_rounding_is_the_defined_one(code: int, shift: int, mode: Rounding, word: int) -> None:
    assert round_shift(code, shift, mode, word) == rounded(code, shift, mode.name.lower(), word)
    if shift <= 0:
        assert round_shift(code, shift, mode, word) == code * 2**-shift


@pytest.mark.parametrize("code", [5, -5, 6, 0, -1, 4097, -12345])
@pytest.mark.parametrize("shift", [1, 3, 12, 16, 20])
def test_stochastic_rounding_is_unbiased(code: int, shift: int) -> None:
    """Over all 65,536 words: only the two neighbours come up, and the mean is exact, or short of it by < 2**-16."""
    results = [round_shift(code, shift, Rounding.STOCHASTIC, word) for word in range(2**16)]
    exact = Fraction(code, 2**shift)
    assert set(results) <= {math.floor(exact), math.ceil(exact)}
    short = exact - Fraction(sum(results), 2**16)
    assert 0 <= short < Fraction(1, 2**16)
    if shift <= 16:
        assert short == 0


FORMATS = st.builds(QFormat, st.integers(2, 24), st.integers(-8, 24), st.booleans())


@quick
@given(format_=FORMATS, value=st.floats(-1e6, 1e6))
@example(format_=QFormat(8, 0), value=-0.5 - 2**-30)
@example(format_=QFormat(8, 0), value=-0.5)
@example(format_=QFormat(8, 0), value=0.49999999999999994)
@example(format_=QFormat(8, 8, signed=False), value=1.0)
def test_encode_takes_the_nearest_code(format_: QFormat, value: float) -> None:
    half_up = math.floor(Fraction(value) * Fraction(2) ** format_.frac_bits + Fraction(1, 2))
    code = format_.encode(value)
    assert code == sorted([format_.lowest, half_up, format_.highest])[1]
    if format_.lowest < half_up < format_.highest:
        assert abs(format_.value(code) - value) <= format_.lsb / 2
    if not format_.signed and value >= 0:
        assert code == loaded(value, format_.frac_bits, format_.highest)


@quick
@given(format_=FORMATS)
def test_a_format_holds_its_codes(format_: QFormat) -> None:
    assert format_.highest - format_.lowest == 2**format_.bits - 1
    for code in (format_.lowest, 0, format_.highest):
        assert format_.saturate(code) == code == format_.encode(format_.value(code))
    assert format_.saturate(format_.highest + 1) == format_.highest
    assert format_.saturate(format_.lowest - 1) == format_.lowest


@quick
@given(value=st.floats(1e-320, 2.0**16), bits=st.integers(2, 12))
@example(value=5e-324, bits=8)
@example(value=2.0**-64, bits=8)
@example(value=2.0**-56, bits=8)
@example(value=1.0, bits=2)
@example(value=255.5 / 256, bits=8)
def test_scale_is_within_its_bound(value: float, bits: int) -> None:
    """The relative error is at most 2**-bits, or the absolute one 2**-64; the mantissa fits and is odd, or all is 0."""
    scale = Scale.nearest(value, bits)
    assert (scale.multiplier, scale.shift) == mantissa(value, bits)
    assert scale.multiplier < 2**bits
    assert scale.multiplier % 2 == 1 or scale == Scale(0, 0)
    held = Fraction(scale.multiplier) / Fraction(2) ** scale.shift
    assert scale.value == held
    bound = Fraction(value) / 2**bits if value >= 2.0 ** (bits - 64) else Fraction(1, 2**64)
    assert abs(held - Fraction(value)) <= bound


def test_scale_of_zero_is_zero() -> None:
    assert Scale.nearest(0.0, 8) == Scale(0, 0)
    assert Scale(0, 0).value == 0.0


@njit
def scale_all(codes: Any, held: Any, words: Any, narrow: bool, out: Any) -> None:
    """Each code times the register, in 64 or in 32 bits."""
    for i in range(codes.shape[0]):
        if narrow:
            out[i] = scaled32(np.int32(codes[i]), held, words[i])
        else:
            out[i] = scaled(codes[i], held, words[i])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(multiplier=st.integers(0, 255), shift=st.integers(-4, 80), mode=MODES, seed=st.integers(0, 2**32))
@example(multiplier=255, shift=62, mode=Rounding.FLOOR, seed=0)
def test_kernels_multiply_and_round_alike(multiplier: int, shift: int, mode: Rounding, seed: int) -> None:
    """The jitted `scaled`, and `scaled32` where 32 bits are enough, are the defined rounding."""
    rng, held = np.random.default_rng(seed), register(multiplier, shift, mode)
    codes = rng.integers(-(2**18), 2**18, 50)
    words = rng.integers(0, 2**16 if mode is Rounding.STOCHASTIC else 1, 50).astype(np.uint16)
    defined = constant(multiplier, shift, mode.name.lower())
    expected = [defined.times(c, w) for c, w in zip(codes.tolist(), words.tolist(), strict=True)]
    for narrow in (False, True) if shift <= 29 else (False,):
        out = np.zeros(50, np.int64)
        scale_all(codes, held, words, narrow, out)
        assert out.tolist() == expected


@pytest.mark.parametrize(("code", "kept"), [(-9, -8), (-8, -8), (0, 0), (7, 7), (8, 7)])
def test_kernels_saturate(code: int, kept: int) -> None:
    assert saturate(code, -8, 7) == kept == QFormat(4, 0).saturate(code)
