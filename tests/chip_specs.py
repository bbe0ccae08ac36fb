"""A Hypothesis strategy for small chips of every kind: the fields of a spec, for `tests.small_chips.spec_of`."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

LAYERS = ([5, 4], [3, 9], [6, 5, 3], [4, 3, 3, 2])
ROUNDINGS = ("nearest", "floor", "stochastic")


@st.composite
def specs(draw: st.DrawFn, narrow: bool) -> tuple[list[int], dict[str, Any]]:
    """Layers and fields of a chip; `narrow` accumulators saturate in the middle of a sample."""

    def pick(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    layers, own = list(pick(*LAYERS)), draw(st.booleans())
    states, weights = pick(4, 6, 8, 12, 16), pick(2, 3, 4, 8, 9, 12, 16)
    fields: dict[str, Any] = {
        "seed": draw(st.integers(0, 2**32 - 1)),
        "epochs": pick(1, 3),
        "encoder.bits": pick(1, 4, 8),
        "chip.weights.bits": weights,
        "chip.weights.frac_bits": draw(st.integers(-2, 12)),
        "chip.weights.rounding": pick(*ROUNDINGS),
        "chip.biases.enabled": draw(st.booleans()),
        "chip.biases.bits": pick(4, 8, 16),
        "chip.biases.frac_bits": pick(3, 8, 12),
        "chip.biases.rounding": pick(*ROUNDINGS),
        "chip.states.bits": states,
        "chip.states.rounding": pick(*ROUNDINGS),
        "chip.accumulator.bits": pick(8, 10, 12, 16) if narrow else pick(24, 32),
        "chip.constants.bits": pick(2, 5, 8, 10),
        "chip.random.lanes": pick(1, 2, 4, 32),
        "learning.target": "self_defined" if own else "label",
        "learning.loss": pick("mse", "mse", "cross_entropy"),
        "learning.winners": draw(st.integers(1, layers[-1] - 1)),
        "learning.learning_rate": [pick(0.01, 0.2, 1.0) for _ in layers[1:]],
        "learning.schedule.final": pick(0.0, 0.3),
        "learning.beta": pick(0.1, 0.25, 1.0, 2.0),
        "learning.beta_sign": pick("random", "positive", "symmetric"),
        "learning.dt": pick(0.1, 0.2, 0.5, 1.0),
        "learning.free_steps": pick(1, 5, 12),
        "learning.nudged_steps": pick(1, 3, 6),
        "learning.label_smoothing": pick(0.0, 0.3, 0.8),
        "learning.dropout.input": pick(0.0, 0.3, 0.9),
        "learning.dropout.output": pick(0.0, 0.2, 0.9) if own else 0.0,
        "learning.homeostasis.gamma": pick(0.0, 0.01, 0.5, 8.0),
        "learning.homeostasis.eta": pick(0.05, 0.5, 1.0),
        "learning.homeostasis.activity_bits": pick(8, 16, 24),
        "learning.homeostasis.bits": pick(8, 24, 28),
        "learning.homeostasis.frac_bits": draw(st.integers(states, 24)),
        "learning.batch": pick(1, 1, 3),
    }
    return layers, fields
