"""A small twin of a chip: the same formats and constants with layers of a few neurons."""

from __future__ import annotations

from edgesdt.rules.lookup import rule_of
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Targeted

_WIDTH = 12


def twin(spec: Spec) -> Spec:
    """`spec` with layers of a few neurons; nothing else that arrays have their types from is changed.

    Where a rule has no such chip (a field of its own goes with the layers), it is `spec` itself.
    """
    layers = tuple(min(width, _WIDTH) for width in spec.chip.layers)
    chip, learning = spec.chip.model_copy(update={"layers": layers}), spec.learning
    if isinstance(learning, Targeted):
        learning = learning.model_copy(update={"winners": min(learning.winners, max(layers[-1] - 1, 1))})
    small = spec.model_copy(update={"chip": chip, "learning": learning})
    return spec if any(rule_of(spec).disagreements(small)) else small
