"""What a learning rule gives: its description as data (`Rule`), and the learner that runs on the chip (`Learner`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edgesdt.ledger.memory import Array
from edgesdt.ledger.recipes import Design
from edgesdt.rules.activity import Activity, Seen, of_inputs
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Learning
from edgesdt.spec.text.source import Fault

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Outputs = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Counts = dict[str, int]
State = Mapping[str, npt.NDArray[np.generic]]
Pictures = Mapping[str, npt.NDArray[np.generic]]


class Learner(Protocol):
    """A rule on one described chip; it owns the chip's arrays."""

    @property
    def calibration(self) -> tuple[float, Counts] | None:
        """Within `rested`: the factor of the drift compensation and the actions of its read; None without one."""
        ...

    def enter(self, stage: int) -> None:
        """Go on with the target, the constants and the rates of that stage of the run (`edgesdt.spec.stages`).

        Everything that was learned stays. A chip starts in stage 0. Raises `ArgumentError` for a stage there is not.
        """
        ...

    def stage_counts(self) -> list[Counts]:
        """`counts` apart for every stage of the run."""
        ...

    def learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        """Learn from `samples[order]` (input codes), one at a time, with the rates of `epoch` (0-based).

        A call with another epoch than the one before starts that epoch. Raises `ArgumentError` for wrong arrays.
        """
        ...

    def infer(self, samples: Pixels, threads: int = 1) -> Outputs:
        """Output codes (samples, outputs) of the chip as it is; changes nothing. The same for any `threads`."""
        ...

    def rested(self, after_s: float) -> AbstractContextManager[None]:
        """Within the context the chip is as it is `after_s` seconds after the last write."""
        ...

    def counts(self) -> Counts:
        """Actions of the described chip for everything learned so far."""
        ...

    def happened(self, inference: bool = False) -> tuple[npt.NDArray[np.int64], tuple[int, ...]]:
        """A copy of the events so far, or of those of the last `infer`, and the tally of the array (empty without)."""
        ...

    def inference_counts(self) -> Counts:
        """Actions of the described chip for the samples of the last `infer`."""
        ...

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything that `restore` needs to go on bit for bit."""
        ...

    def restore(self, state: State) -> None:
        """Restore a state saved by `state()`. Raises `ValueError` if a shape or type differs."""
        ...

    def simulator_arrays(self) -> list[dict[str, object]]:
        """Arrays of the simulator that the chip does not have: name, shape and bytes of each."""
        ...

    def warnings(self) -> list[str]:
        """What the user should know, in sentences."""
        ...

    def wear(self) -> dict[str, object]:
        """The record's `device`: what learning did to the memory or the cells."""
        ...

    def weight_file(self, image_shape: tuple[int, ...]) -> dict[str, npt.NDArray[np.generic]]:
        """Integer codes of all that was learned, with their formats, for `weights.npz`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A learning rule as data: what it is, what it needs on a chip, what it does there and how to run it.

    Every function takes a checked spec. None but `build`, `expected`, `observed` and `cautions` may load a compiler.
    """

    name: str
    summary: str
    source: str
    targets: tuple[str, ...]
    readouts: tuple[str, ...]
    synapses: tuple[str, ...]
    settings: type[Learning]
    """Its section of `learning:`."""
    arrays: Callable[[Spec], tuple[Array, ...]]
    """Every on-chip array, as the memory map lists it."""
    design: Callable[[Spec], Design]
    """Actions with their recipes, functional units and schedule."""
    held: Callable[[Spec], dict[str, tuple[float | list[float], str]]]
    """Dotted path → (value really used, its register in words), for every constant that is rounded."""
    rates: Callable[[Spec, int], list[float]]
    """The learning rates really used in an epoch (0-based), one per weight layer."""
    expected: Callable[[Spec, bool, Activity], Counts]
    """Actions of 1,000 samples before anything is run, learning or not, on a chip so busy."""
    observed: Callable[[Spec, Seen, Seen, str], Activity]
    """How busy the chip was, from what was seen in training and at inference; the text says where that is from."""
    outputs: Callable[[Spec], int] = lambda spec: spec.chip.layers[-1]
    """Number of outputs of `infer`."""
    output_bits: Callable[[Spec], int] = lambda spec: spec.chip.states.bits
    """Width of an output [bits], at most 16."""
    classes: Callable[[Spec], int] = lambda spec: spec.chip.layers[-1]
    """Number of classes of the labels that the chip learns from, if the target is `label`."""
    classes_in: str = ""
    """Dotted path of the field with this number; empty: the last of `chip.layers`."""
    in_words: Callable[[Activity, Sequence[int]], str] = of_inputs
    """What an activity says of a chip of this rule with neuron layers of these sizes, in a sentence."""
    disagreements: Callable[[Spec], Iterable[Fault]] = lambda spec: ()
    """What fields of the rule and of the chip must agree on, beyond what holds for all rules."""
    cautions: Callable[[Spec], list[str]] = lambda spec: []
    """What a user should know before a run, in sentences."""
    hidden_bits: bool = False
    """Whether weights in memory may have low-order bits that reads do not use (`chip.weights.hidden_bits`)."""
    costless: Mapping[str, object] = field(default_factory=dict)
    """Fields of `learning` that change neither arrays nor expected counts, and a value for each."""
    between_phases: tuple[str, ...] = ()
    """Dotted fields of `learning` that may change between the phases of a run. Empty: the rule knows no phases."""
    pictures: Callable[[Learner, Pixels, tuple[int, ...]], Pictures] = lambda learner, samples, image_shape: {}
    """What a run shows of test samples at its end, for `weights.npz`: `pictures` (kinds, images, n_0), their labels."""
    build: Callable[[Spec], Learner]
    """The learner on a freshly made chip. Raises `SpecError` for cells that cannot be."""
