"""The random bank: published sequences, its full period, its order, and the words that never come."""

from __future__ import annotations

import numpy as np
import pytest

from edgesdt.kernels.drive import drop
from edgesdt.kernels.random_bank import draw, seeded, steps_for
from tests.oracle_numbers import Bank

MULTIPLIER, OFFSET = 0xD1342543DE82EF95, 0x632BE59BD9B4E019
GOLDEN = 0x9E3779B97F4A7C15
WIDE = 2**64


def words_of(bank: list[int], steps: int) -> list[int]:
    """The words of `steps` steps of a bank in this state."""
    words = np.zeros(steps * len(bank), np.uint32)
    draw(np.array(bank, np.uint32), words, steps)
    return [int(word) for word in words]


def seed_for(counter: int) -> int:
    """The seed (of 64 bits) whose lane 0 is made from this SplitMix64 counter."""
    return (counter - GOLDEN - OFFSET) * pow(MULTIPLIER, -1, WIDE) % WIDE


def test_a_lane_is_marsaglias_generator() -> None:
    """The start of the sequence that his paper's example state, 2463534242, gives."""
    assert words_of([2463534242], 4) == [723471715, 2497366906, 2064144800, 2008045182]


def test_lanes_are_seeded_by_splitmix64() -> None:
    """The upper halves of its published outputs for the state 1234567."""
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert seeded(seed_for(1234567 + GOLDEN), 4).tolist() == [output >> 32 for output in published]


def unshifted(z: int, shift: int) -> int:
    """The inverse of z ^ (z >> shift) on 64 bits."""
    restored = z
    for _ in range(64 // shift):
        restored = z ^ restored >> shift
    return restored


def test_no_lane_is_ever_zero() -> None:
    """A SplitMix64 output whose upper half is 0 gives a lane of 1: a lane of 0 would stay 0 for ever."""
    z = unshifted(12345, 31) * pow(0x94D049BB133111EB, -1, WIDE) % WIDE
    z = unshifted(z, 27) * pow(0xBF58476D1CE4E5B9, -1, WIDE) % WIDE
    assert seeded(seed_for(unshifted(z, 30)), 1).tolist() == [1]


def test_the_period_is_full() -> None:
    """The step is linear over GF(2), and its order is 2**32 - 1: it divides that, and none of its proper divisors."""
    columns = [words_of([1 << bit], 1)[0] for bit in range(32)]

    def times(matrix: list[int], other: list[int]) -> list[int]:
        return [image(matrix, column) for column in other]

    def image(matrix: list[int], vector: int) -> int:
        result = 0
        for bit in range(32):
            if vector >> bit & 1:
                result ^= matrix[bit]
        return result

    def power(exponent: int) -> list[int]:
        result, base = [1 << bit for bit in range(32)], columns
        while exponent:
            if exponent & 1:
                result = times(base, result)
            base, exponent = times(base, base), exponent >> 1
        return result

    identity, whole = [1 << bit for bit in range(32)], 2**32 - 1
    assert power(whole) == identity
    assert whole == 3 * 5 * 17 * 257 * 65537
    for factor in (3, 5, 17, 257, 65537):
        assert power(whole // factor) != identity


@pytest.mark.parametrize("lanes", [1, 2, 32, 64])
def test_words_come_step_by_step_lane_by_lane(lanes: int) -> None:
    bank, oracle = seeded(7, lanes), Bank(7, lanes)
    assert bank.tolist() == oracle.lanes
    words = np.zeros(5 * lanes, np.uint32)
    draw(bank, words, 5)
    assert words.tolist() == [word for _ in range(5) for word in oracle.step()]
    assert bank.tolist() == oracle.lanes == words[-lanes:].tolist()


@pytest.mark.parametrize(("view", "bits"), [(np.uint16, 16), (np.uint8, 8)])
def test_parts_of_a_word_come_low_part_first(view: type, bits: int) -> None:
    words = np.zeros(8, np.uint32)
    draw(seeded(3, 4), words, 2)
    count = 8 * 32 // bits
    assert words.view(view).tolist() == Bank(3, 4).parts(count, bits)
    assert [int(words[0]) >> low & 2**bits - 1 for low in range(0, 32, bits)] == words.view(view)[: 32 // bits].tolist()


def test_no_step_no_word() -> None:
    bank = seeded(0, 4)
    words = np.full(8, 9, np.uint32)
    draw(bank, words, 0)
    assert bank.tolist() == seeded(0, 4).tolist()
    assert words.tolist() == [9] * 8


@pytest.mark.parametrize(("count", "steps"), [(0, 0), (1, 1), (64, 1), (65, 2), (128, 2)])
def test_steps_for_half_words(count: int, steps: int) -> None:
    assert steps_for(count, 2 * 32) == steps


def test_seeds_and_lanes_differ() -> None:
    """A thousand seeds by 32 lanes: fewer collisions than twice what chance gives among 32-bit states."""
    states = [state for seed in range(1000) for state in seeded(seed, 32).tolist()]
    assert len(states) - len(set(states)) <= 2 * len(states) ** 2 / 2**33 + 1
    assert len({tuple(seeded(seed, 4).tolist()) for seed in range(1000)}) == 1000


@pytest.mark.parametrize("byte", [1, 77, 128, 255])
def test_drop_out_has_the_asked_rate(byte: int) -> None:
    """Within five standard deviations over 100,000 draws; a byte of 1 drops one in 256."""
    n, lanes = 100_000, 32
    kept, words = np.ones(n, np.uint8), np.zeros(n + lanes, np.uint32)
    drop(kept, byte, seeded(5, lanes), words, words.view(np.uint8))
    rate = byte / 256
    assert abs((kept == 0).mean() - rate) < 5 * (rate * (1 - rate) / n) ** 0.5
