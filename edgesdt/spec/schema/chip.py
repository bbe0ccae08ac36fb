"""The `chip:` section of a spec: layers, number formats, memory and speed, with ranges and defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edgesdt.errors import SpecError
from edgesdt.spec.schema.memory import Memory
from edgesdt.spec.types import Allowed, Flag, FracBits, Frequency, Lanes, Section, Size

RoundingName = Literal["nearest", "floor", "stochastic"]
LevelsName = Literal["floor", "nearest", "odd"]


class Weights(Section):
    """Format of the weights: code c stands for c * 2**-frac_bits."""

    bits: int = Field(default=8, ge=2, le=16, description="Width of a weight, sign included [bits]")
    frac_bits: FracBits = Field(
        default=9,
        description="Fractional bits; the range is +-2**(bits - 1 - frac_bits). auto: from the initial weights and a "
                    "short training on held-out training samples [bits]",
    )
    hidden_bits: int = Field(
        default=0, ge=0, le=14, description="Low-order bits that a synapse stores and updates, and that reads do not "
                                            "use; bits and hidden_bits are 16 at most together [bits]"
    )
    levels: LevelsName = Field(
        default="floor",
        description="What a read makes of a stored code: floor, the bits without the hidden ones; nearest, rounded; "
                    "odd, the midpoint of the codes with these bits: an odd multiple of half an LSB",
    )
    rounding: RoundingName = Field(
        default="stochastic", description="How an update is rounded to whole codes"
    )
    init_gain: float = Field(
        default=0.5, ge=0, le=8, description="Gain of the Xavier-uniform initial weights; 0: all zero"
    )

    @property
    def point(self) -> int:
        """Fractional bits. Raises `SpecError` if they are still `auto`."""
        if self.frac_bits == "auto":
            raise SpecError(
                "chip.weights.frac_bits: auto, allowed here: -8..24 ('edgesdt check SPEC --resolved' shows the number "
                "for the data, edgesdt.suggest.frac_bits.chosen returns it)"
            )
        return self.frac_bits


class Biases(Section):
    """Format of the biases, one per neuron above the input."""

    enabled: Flag = Field(default=True, description="Whether neurons have a bias")
    bits: int = Field(default=16, ge=2, le=16, description="Width of a bias, sign included [bits]")
    frac_bits: int = Field(default=12, ge=-8, le=24, description="Fractional bits [bits]")
    rounding: RoundingName = Field(
        default="stochastic", description="How an update is rounded to whole codes"
    )


class States(Section):
    """Format of the neuron states, unsigned, 0 to 1."""

    bits: int = Field(default=8, ge=4, le=16, description="Width of a neuron state [bits]")
    rounding: RoundingName = Field(default="nearest", description="How a step of the dynamics is rounded")


class Accumulator(Section):
    """The register that sums products."""

    bits: int = Field(
        default=32, ge=8, le=32, description="Width of an accumulator, sign included; it saturates [bits]"
    )


class Constants(Section):
    """The registers of the learning constants (rate, beta, dt, gamma, eta)."""

    bits: int = Field(
        default=8,
        ge=2,
        le=10,
        description="Width of a constant's mantissa; a programmable shift gives its scale [bits]",
    )


class Random(Section):
    """The random number generator on the chip; its state is part of the chip."""

    generator: Literal["xorshift32"] = Field(
        default="xorshift32", description="Generator of every random word"
    )
    lanes: Lanes = Field(default=32, description="Generators that step in parallel")


class Chip(Section):
    """The chip: layers, number formats, memory and speed."""

    layers: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...],
        Allowed("a list of 2 or more integers, each 1..1000000"),
    ] = Field(strict=False, min_length=2, description="Neurons per layer, input first")
    style: Literal["dense", "event_driven"] = Field(
        default="event_driven",
        description="dense: every MAC costs energy; event_driven: only MACs of active inputs and states",
    )
    weights: Weights = Field(default_factory=Weights)
    biases: Biases = Field(default_factory=Biases)
    states: States = Field(default_factory=States)
    accumulator: Accumulator = Field(default_factory=Accumulator)
    constants: Constants = Field(default_factory=Constants)
    random: Random = Field(default_factory=Random)
    memory_budget: Size = Field(description="On-chip memory that all arrays must fit in [bits]")
    memory: Memory = Field(default_factory=Memory)
    replay: Literal["stream", "buffer"] = Field(
        default="stream",
        description="Labelled samples that a run learns again come from outside (stream) or are kept on the chip "
                    "(buffer)",
    )
    macs_per_cycle: int = Field(
        default=64, ge=1, le=1_000_000, description="Multiply-accumulates per clock cycle"
    )
    neurons_per_cycle: int = Field(
        default=16, ge=1, le=1_000_000, description="Neuron updates per clock cycle"
    )
    clock: Frequency = Field(default=1e8, description="Clock of the chip [Hz]")
