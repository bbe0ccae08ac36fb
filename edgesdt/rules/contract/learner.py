"""What a rule does on a chip: it counts, repeats, goes on where it was, and infers without a trace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from edgesdt.ledger import actions as act
from edgesdt.rules.activity import Activity, Seen
from edgesdt.rules.contract.broken import check_counts, refuse, require
from edgesdt.rules.mapped import range_of
from edgesdt.rules.protocol import Learner, Rule
from edgesdt.spec import Spec

_SAMPLES: Final = 12
_MANY: Final = 600
"""Samples of a thorough check of inference: more than one thread takes at a time."""

Codes = npt.NDArray[np.uint8]
State = dict[str, npt.NDArray[np.generic]]


def _data(rule: Rule, spec: Spec, count: int) -> tuple[Codes, npt.NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 1 << spec.encoder.bits, (count, spec.chip.layers[0]), np.uint8, endpoint=False)
    return codes, np.arange(count, dtype=np.int64) % rule.classes(spec)


def _taught(rule: Rule, spec: Spec, *pieces: tuple[int, int], on: Learner | None = None) -> Learner:
    """A learner that has learned the samples first … last of every piece, in a fixed order."""
    learner = rule.build(spec) if on is None else on
    codes, labels = _data(rule, spec, _SAMPLES)
    order = np.arange(_SAMPLES)[::-1].copy()
    for first, last in pieces:
        learner.learn(codes, labels, order[first:last], 0)
    return learner


def _same_states(one: Mapping[str, Any], two: Mapping[str, Any], told: str) -> None:
    require(set(one) == set(two), f"{told}: other names: {', '.join(sorted(set(one) ^ set(two)))}")
    for name, array in one.items():
        require(np.array_equal(array, two[name]) and array.dtype == two[name].dtype, f"{told}: {name} differs")


def _copied(state: Mapping[str, Any]) -> State:
    for name, array in state.items():
        kept = isinstance(array, np.ndarray) and array.dtype.kind in "iufbU"
        require(kept, f"state() has {name} as a {type(array).__name__}, must be an array of numbers or text")
    return {name: array.copy() for name, array in state.items()}


def _counts_every_action(rule: Rule, spec: Spec) -> None:
    learner = rule.build(spec)
    check_counts(rule, spec, learner.counts(), "counts() of a new chip")
    for name, count in learner.counts().items():
        require(count == 0, f"counts() of a new chip has {count!r} of {name}, must be 0")
    _taught(rule, spec, (0, _SAMPLES), on=learner)
    before = dict(learner.counts())
    check_counts(rule, spec, before, "counts()")
    require(any(before.values()), f"counts() is all 0 after {_SAMPLES} samples")
    learner.infer(_data(rule, spec, 3)[0])
    check_counts(rule, spec, learner.inference_counts(), "inference_counts()")
    require(any(learner.inference_counts().values()), "inference_counts() is all 0 after 3 samples")
    require(dict(learner.counts()) == before, "counts() changes by inference")


def _foresees_what_it_saw(rule: Rule, spec: Spec) -> None:
    learner = _taught(rule, spec, (0, _SAMPLES))
    learner.infer(_data(rule, spec, 3)[0])
    seen = []
    for samples, inference in ((_SAMPLES, False), (3, True)):
        events, cells = learner.happened(inference)
        require(isinstance(events, np.ndarray) and events.dtype == np.int64, "happened() gives no array of int64")
        require(isinstance(cells, tuple), f"happened() gives {cells!r}, must be a tuple, empty without cells")
        seen.append(Seen(samples, events, cells))
    found = rule.observed(spec, seen[0], seen[1], "measured:")
    require(isinstance(found, Activity), f"observed() is a {type(found).__name__}, must be an Activity")
    require(found.source == "measured:", f"observed(): source is {found.source!r}, must be the text that was given")
    for learning in (True, False):
        check_counts(rule, spec, rule.expected(spec, learning, found), f"expected(spec, {learning}, observed)")


def _repeats(rule: Rule, spec: Spec) -> None:
    one, two = (_taught(rule, spec, (0, _SAMPLES)) for _ in range(2))
    _same_states(_copied(one.state()), two.state(), "two chips of one seed that learned the same")


def _learns_in_pieces(rule: Rule, spec: Spec) -> None:
    cut = spec.learning.batch if spec.learning.batch < _SAMPLES else _SAMPLES
    one, two = _taught(rule, spec, (0, _SAMPLES)), _taught(rule, spec, (0, cut), (cut, cut), (cut, _SAMPLES))
    _same_states(one.state(), two.state(), f"learning {cut} samples, none, and the others is not learning all at once")
    require(one.counts() == two.counts(), "learning in two calls counts other actions than in one")


def _goes_on(rule: Rule, spec: Spec) -> None:
    cut = spec.learning.batch if spec.learning.batch < _SAMPLES else _SAMPLES
    first = _taught(rule, spec, (0, cut))
    kept = _copied(first.state())
    given = first.state()
    _taught(rule, spec, (cut, _SAMPLES), on=first)
    _same_states(kept, given, "state() gives arrays that change as the chip goes on learning, not copies")
    second = rule.build(spec)
    second.restore(kept)
    _same_states(kept, second.state(), "state() after restore() is not what was restored")
    _taught(rule, spec, (cut, _SAMPLES), on=second)
    _same_states(
        first.state(), second.state(), "a chip that was saved and restored goes on otherwise: state() lacks something"
    )
    require(first.counts() == second.counts(), "a restored chip counts other actions: state() lacks something")
    codes, _ = _data(rule, spec, _SAMPLES)
    same = np.array_equal(first.infer(codes), second.infer(codes))
    require(same, "a restored chip infers otherwise: state() lacks something")


def _refuses_other_states(rule: Rule, spec: Spec) -> None:
    learner = _taught(rule, spec, (0, _SAMPLES))
    kept = _copied(learner.state())
    largest = max(kept, key=lambda name: kept[name].size)
    wrong = {
        f"a state without {largest}": {name: array for name, array in kept.items() if name != largest},
        f"a state with {largest} of another shape": {**kept, largest: np.zeros((1, 2, 3), kept[largest].dtype)},
    }
    for what, state in wrong.items():
        try:
            learner.restore(state)
        except ValueError:
            _same_states(kept, learner.state(), f"restore() refuses {what} but has changed the chip")
            continue
        refuse(f"restore() takes {what}, must raise a ValueError")


def _infers(rule: Rule, spec: Spec) -> None:
    _infers_on(rule, spec, _SAMPLES)


def _infers_on_many(rule: Rule, spec: Spec) -> None:
    _infers_on(rule, spec, _MANY)


def _infers_on(rule: Rule, spec: Spec, count: int) -> None:
    learner = _taught(rule, spec, (0, _SAMPLES))
    before = _copied(learner.state())
    codes, _ = _data(rule, spec, count)
    one = learner.infer(codes).copy()
    counted = dict(learner.inference_counts())
    _same_states(before, learner.state(), "inference changes the chip")
    bits, wide = rule.output_bits(spec), rule.outputs(spec)
    most = (1 << bits) - 1
    right = one.shape == (count, wide) and one.dtype in (np.uint8, np.uint16) and int(one.max()) <= most
    wanted = f"uint8 or uint16 of shape {(count, wide)}, 0 to {most} ({bits} bits)"
    require(right, f"outputs are {one.dtype} of shape {one.shape}, up to {one.max()}; must be {wanted}")
    for threads in (1, 3):
        again = learner.infer(codes, threads)
        require(np.array_equal(one, again), f"inference on {threads} threads gives other outputs than before on one")
        require(dict(learner.inference_counts()) == counted, f"inference on {threads} threads counts other actions")
    with learner.rested(1.0):
        require(learner.infer(codes[:1]).shape[0] == 1, "no inference while rested")


def _writes_weights(rule: Rule, spec: Spec) -> None:
    learner = rule.build(spec)
    new = _copied(learner.weight_file((spec.chip.layers[0],)))
    _taught(rule, spec, (0, _SAMPLES), on=learner)
    file = learner.weight_file((spec.chip.layers[0],))
    _copied(file)
    weights = [name for name in file if name.startswith("weights_")]
    moved = [name for name in weights if not np.array_equal(file[name], new[name])]
    written = learner.counts().get(act.WEIGHT_WRITE, 1) or not spec.device.digital
    require(not moved or bool(written), f"{', '.join(moved)} changed, but no {act.WEIGHT_WRITE} is counted")
    first = file.get("weights_0")
    shape = next((array.shape for array in rule.arrays(spec) if array.name == "weights_0"), spec.chip.layers[:2])
    right = first is not None and first.dtype.kind in "iu" and first.shape == shape
    require(right or not spec.device.digital, f"weight_file() lacks weights_0 as integers of shape {shape}")
    for array in rule.arrays(spec):
        codes = file.get(array.name)
        if codes is None or codes.dtype.kind not in "iu" or not codes.size:
            continue
        require(
            codes.shape == array.shape, f"{array.name} has the shape {codes.shape}, the memory map says {array.shape}"
        )
        low, high = range_of(array)
        fits = low <= int(codes.min()) and int(codes.max()) <= high
        told = f"holds {codes.min()} to {codes.max()}, the memory map gives it {array.bits_each} bits ({array.format})"
        require(fits, f"{array.name} {told}")


def _tells_its_wear(rule: Rule, spec: Spec) -> None:
    learner = _taught(rule, spec, (0, _SAMPLES))
    for name, made in (("wear", learner.wear()), ("simulator_arrays", learner.simulator_arrays())):
        try:
            json.dumps(made, allow_nan=False)
        except (TypeError, ValueError) as error:
            refuse(f"{name}() cannot be written as JSON: {error}")
    worn = learner.wear()
    for key, kind in (("model", str), ("writes_total", int), ("writes_per_cell_max", int)):
        require(isinstance(worn.get(key), kind), f"wear() has {key} {worn.get(key)!r}, must be a {kind.__name__}")
    told = learner.warnings()
    require(
        isinstance(told, list) and all(isinstance(line, str) for line in told),
        f"warnings() is {told!r}, must be a list",
    )
    require(learner.calibration is None, "calibration is not None before a rest")


LAWS: Final = {
    "every action is counted": _counts_every_action,
    "what was seen is expected": _foresees_what_it_saw,
    "the same seed gives the same integers": _repeats,
    "learning in two calls is learning in one": _learns_in_pieces,
    "a restored chip goes on bit for bit": _goes_on,
    "restore refuses what is no state of this chip": _refuses_other_states,
    "inference changes nothing": _infers,
    "the weight file holds what the memory map says": _writes_weights,
    "a chip tells what learning did to its memory": _tells_its_wear,
}
LAWS_ON_MANY: Final = {"inference changes nothing and does not depend on threads": _infers_on_many}
