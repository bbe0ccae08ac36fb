"""Writes a suggested spec as YAML to edit, with comments on its fields and the accuracy that it reached."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator
from typing import Final

from edgesdt.spec.checks.hints import printable
from edgesdt.spec.text.writing import to_yaml
from edgesdt.suggest.search import Suggestion

_WIDTH = 100
_SHOWN: Final = {
    "name": (),
    "data": ("set",),
    "encoder": ("bits",),
    "chip": ("layers", "weights", "memory_budget"),
    "learning": ("target", "winners", "learning_rate", "beta", "dropout", "homeostasis"),
    "readout": (),
    "epochs": (),
    "seed": (),
}
_FEWER: Final = {"weights": ("bits", "frac_bits"), "homeostasis": ("gamma", "eta")}
_NOTES: Final = {
    "encoder.bits": "the fewest bits that keep the features distinct",
    "chip.layers": "inputs, output neurons: more output neurons can raise the accuracy, and cost more",
    "chip.weights.frac_bits": "the range is ±2^(bits - 1 - frac_bits); auto chooses it again",
    "chip.memory_budget": "the size of its arrays, rounded up",
    "learning.winners": "neurons that respond to a sample",
    "learning.learning_rate": "falls linearly over the epochs",
    "readout": "linear: logistic regression on the outputs; direct: neurons stand for classes",
}


def written(found: Suggestion, folder: str = ".") -> str:
    """The suggestion as YAML for `edgesdt check` and `edgesdt run`, for a file in `folder`.

    The path of a data file is relative to that folder, as in every spec.
    """
    plain = _plain(found)
    place = found.spec.data.set
    if place.lower().endswith(".npz"):
        plain["data"] = {"set": os.path.relpath(place, folder)}
    return "\n".join([*_head(found), to_yaml(plain, _NOTES)])


def _head(found: Suggestion) -> Iterator[str]:
    yield f"# Suggested by edgesdt for {printable(found.spec.data.set)}; edit it, then: edgesdt check, edgesdt run"
    text = (
        f"Chosen among {found.tried} chips by short trainings on a part of the training samples. On {found.held_out} "
        f"held-out ones, logistic regression reaches {found.reached:.1%} on the outputs of this chip and "
        f"{found.on_inputs:.1%} on the inputs themselves. No test sample was looked at."
    )
    yield from _commented(text)
    if found.why:
        short = 100 * (found.on_inputs - found.reached)
        yield from _commented(" ".join([f"It falls {short:.1f} points short.", *found.why]))


def _commented(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH)]


def _plain(found: Suggestion) -> dict[str, object]:
    """The fields that a user may want to change; all others have their defaults."""
    whole = found.spec.plain()
    plain: dict[str, object] = {}
    for section, names in _SHOWN.items():
        plain[section] = {name: _some(name, whole[section][name]) for name in names} if names else whole[section]
    return plain


def _some(name: str, value: object) -> object:
    if name in _FEWER and isinstance(value, dict):
        return {key: value[key] for key in _FEWER[name]}
    if name == "learning_rate" and isinstance(value, list):
        return value[0]
    return value
