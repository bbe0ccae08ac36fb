"""What the learners of rules have in common, whatever holds the weights: inference, state, wear and the weight file.

A rule derives from `StoreLearner`, names what builds its three tuples (the chip's arrays, the plan, the simulator's
workspace) and gives the few steps that are its own; its kernels are written against `edgesdt.synapses.store`. The
tuples are the rule's; fields named here are the same in all of them. A rule whose kernels know a digital memory alone
derives from `DigitalLearner`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from edgesdt.arguments import ARGUMENTS
from edgesdt.kernels.layout import ACCUMULATOR_SATURATIONS, BANK_STEPS, SAMPLES, Codes
from edgesdt.kernels.random_bank import draw
from edgesdt.rules import arguments, consolidation
from edgesdt.rules.course import BEFORE, Course, Machine, added
from edgesdt.rules.fixed_point import accumulator_frac
from edgesdt.rules.lookup import rule_of
from edgesdt.rules.protocol import Counts, Labels, Outputs, Pixels
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import Targeted
from edgesdt.synapses.substrate import Substrate, Tallies, substrate_of

Found = TypeVar("Found")
Events = npt.NDArray[np.int64]
MOST_ACCUMULATOR_BITS = 32
"""The widest accumulator that a spec can have."""
INFERENCE_CHUNK = 512
"""Samples that one thread takes at a time."""


class StoreLearner(ABC):
    """A rule on the chip that `spec` describes, with freshly drawn weights.

    `machine` makes named tuples of the rule; `chip`, `plan` and `work` are those of the stage that the run is in. They
    have the fields of `kernels.layout` that are used here: `weights`, `biases`, `random`, `activity`, `homeostasis`;
    `first`, `first_weight`, `weight_limit`; `mirror`, `weight_peak`, `wear`, `wear_carry`, `words`, `events`. `store`
    holds the weights. Raises `SpecError` for cells that cannot be.
    """

    tables: ClassVar[tuple[str, ...]] = ()
    """Names of the chip's look-up tables, which follow from the spec: no state has others."""

    def __init__(self, spec: Spec, machine: Machine) -> None:
        self._course = Course(spec, machine, self._tables)
        self._take(0)
        self.store: Substrate = self._substrate(self._aligned(self.work))
        self._inference_events: Events = np.zeros_like(self.work.events)
        self._registers: tuple[tuple[int, int], Any] = ((0, BEFORE), None)
        self.store.draw(self._random_words)

    def _take(self, stage: int) -> None:
        """Make the spec, plan, arrays and workspace of a stage those of the chip."""
        self._stage = stage
        self.spec, self.plan, self.chip, self.work = self._course.of(stage)

    def _tables(self, work: Any, spec: Spec) -> Any:
        """`work` for another stage of the run; a rule whose workspace holds constants of a stage has them replaced."""
        return work

    def enter(self, stage: int) -> None:
        """Go on with the target, the constants and the rates of that stage of the run. Raises `ArgumentError`."""
        stage = ARGUMENTS.whole("stage", stage, 0, len(self._course.stages) - 1)
        if stage != self._stage:
            self._course.leave(self._stage, self.store.tallies())
            self._take(stage)

    @abstractmethod
    def _learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        """Learn from `samples[order]`, one at a time, with the learning-rate registers of `epoch` (0-based)."""

    @abstractmethod
    def _infer_on(self, chip: Any, work: Any, store: Any, samples: Pixels, first: int, outputs: Outputs) -> None:
        """Write the output codes of `samples` to `outputs`, on the neurons of `chip`; `first` is the first's place."""

    @abstractmethod
    def _priced(self, spec: Spec, events: Events, tallies: Tallies) -> Counts:
        """Actions of the chip in the stage of `spec` for an event table of this rule, and what its arrays did."""

    @abstractmethod
    def _own_workspace(self) -> Any:
        """A workspace for a second set of neurons that shares what goes with the weights."""

    @abstractmethod
    def _ranges(self) -> dict[str, tuple[int, int]]:
        """Lowest and highest code of each array of the chip (`arguments.ranges_of` knows those of many rules)."""

    def _substrate(self, aligned: Codes) -> Substrate:
        """What holds the weights; a rule whose weights lie otherwise has one of its own. Raises `SpecError`."""
        return substrate_of(self.spec, self.plan, self.chip, self.work, aligned, accumulator_frac(self.spec))

    def _aligned(self, work: Any) -> Codes:
        """Room (max n,) for codes aligned with the accumulators, which nothing else uses while weights are read."""
        return np.zeros(max(self.spec.chip.layers), np.int32)

    def _in_order(self) -> bool:
        """Whether samples must be inferred one after the other: a word of the random bank is drawn in inference."""
        return False

    @property
    def calibration(self) -> tuple[float, Counts] | None:
        """While the cells have rested and are compensated: the factor, and the actions of its reference read."""
        return self.store.calibration

    def learn(self, samples: Pixels, labels: Labels, order: Labels, epoch: int) -> None:
        """Learn from `samples[order]` (input codes), one at a time, in `epoch` (0-based, below `spec.epochs`).

        Another epoch than that of the call before starts anew what the spec starts every epoch with; it also chooses
        the registers of the learning rate. Raises `ArgumentError`.
        """
        samples, labels, order, epoch = arguments.to_learn(self.spec, samples, labels, order, epoch)
        if len(order) and epoch != self._course.epochs[self._stage]:
            self._start(epoch)
        self._learn(samples, labels, order, epoch)

    def _of_epoch(self, registers: Callable[[Spec, int], Found], epoch: int) -> Found:
        """The `registers` of `epoch`, made once for all calls of that epoch."""
        if self._registers[0] != (self._stage, epoch):
            self._registers = (self._stage, epoch), registers(self.spec, epoch)
        made: Found = self._registers[1]
        return made

    def _start(self, epoch: int) -> None:
        """What the spec asks for at the start of every epoch: homeostasis back to zero, or nothing."""
        self._course.epochs[self._stage] = epoch
        learning = self.spec.learning
        if isinstance(learning, Targeted) and learning.homeostasis.reset == "epoch":
            self.chip.homeostasis[:] = 0
            self.chip.activity[:] = 0
        if epoch == 0 and self._course.freezes(self._stage):
            self._freeze()

    def _freeze(self) -> None:
        """Choose the neurons that learn no more, from here on; words of the bank are drawn where any may be chosen."""
        frozen = consolidation.chosen(self.spec, self.weights, self._random_words)
        for layer, bits in frozen.items():
            start = int(self.plan.first[layer])
            self.chip.frozen[start : start + len(bits)] = bits
        self.work.events[BANK_STEPS, 0] += consolidation.bank_steps(self.spec)

    def infer(self, samples: Pixels, threads: int = 1) -> Outputs:
        """Output codes (samples, outputs); weights and all other learned state stay as they are.

        Chunks of samples run on copies of the neurons that share the weights, so the result does not depend on
        `threads` (1 to 1024). Where words are drawn (`_in_order`), they come from the chip's bank in sample order, on a
        copy. Raises `ArgumentError`.
        """
        samples, threads = arguments.to_infer(self.spec, samples, threads)
        rule = rule_of(self.spec)
        kind = np.uint8 if rule.output_bits(self.spec) <= 8 else np.uint16
        outputs = np.empty((len(samples), rule.outputs(self.spec)), kind)
        size = max(len(samples), 1) if self._in_order() else INFERENCE_CHUNK
        self._infer(samples, outputs, size, threads)
        return outputs

    def _infer(self, samples: Pixels, outputs: Outputs, size: int, threads: int) -> None:
        """Fill `outputs`, `size` samples at a time."""
        made = self.store.reader()

        def run(start: int) -> tuple[Events, Any]:
            own = {name: array.copy() for name, array in self.chip._asdict().items() if name != "weights"}
            chip, work, stop = self.chip._replace(**own), self._own_workspace(), start + size
            store = made(self._aligned(work))
            self._infer_on(chip, work, store, samples[start:stop], start, outputs[start:stop])
            return work.events, store

        found = each(run, range(0, len(samples), size), threads)
        self._inference_events = sum((events for events, _ in found), np.zeros_like(self.work.events))
        self.store.collect([store for _, store in found])

    def _learned(self) -> int:
        """Samples learned so far."""
        return int(self._course.happened()[SAMPLES, 0])

    @contextmanager
    def rested(self, after_s: float) -> Iterator[None]:
        """Within the context the chip is as it is `after_s` seconds after the last write."""
        with self.store.rested(after_s):
            yield

    def counts(self) -> Counts:
        """Actions of the described chip for everything learned so far."""
        return added(self.stage_counts())

    def stage_counts(self) -> list[Counts]:
        """`counts` apart for every stage of the run."""
        tallies = self._course.tallies(self._stage, self.store.tallies())
        each = zip(self._course.stages, self._course.events, tallies, strict=True)
        found = [self._priced(stage.spec, events, done) for stage, events, done in each]
        return [consolidation.beside(counts, *self._course.frozen(at)) for at, counts in enumerate(found)]

    def inference_counts(self) -> Counts:
        """Actions of the described chip for the samples of the last `infer`."""
        return self._priced(self.spec, self._inference_events, self.store.tallies(inference=True))

    def happened(self, inference: bool = False) -> tuple[Events, tuple[int, ...]]:
        """A copy of the events so far, or of those of the last `infer`, and the tallies of the arrays in a row.

        Of every layer on cells from the input up: that of its reads forward and writes, then, where the chip has other
        layers, that of its reads back. Empty without cells.
        """
        events: Events = self._inference_events.copy() if inference else self._course.happened()
        return events, self.store.tally(inference)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Copies of every on-chip array, of the cells and of the events so far, and the epoch under way (-1: none)."""
        state: dict[str, npt.NDArray[np.generic]] = {
            f"chip_{name}": array.copy() for name, array in self._course.chip._asdict().items()
        }
        return {**state, **self._course.state(self._stage), **self.store.state()}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Restore a state saved by `state()`: all of it, or nothing where any of it does not fit.

        Raises `ArgumentError` for a name, shape or type that is not this chip's, for a code that is not one of its
        format, and for look-up tables that are not its own.
        """
        arguments.check_state(state, self.state(), (*self.store.free(), *self._course.free()))
        ranges = self._ranges()
        arguments.check_codes(state, {f"chip_{name}": ranges[name] for name in self.chip._fields})
        arguments.check_codes(state, self._course.ranges())
        arguments.check_tables(state, {f"chip_{name}": getattr(self._course.chip, name) for name in self.tables})
        self.store.check(state)
        stage = self._course.restore(state, self.store.tallies())
        for name, array in self._course.chip._asdict().items():
            array[...] = state[f"chip_{name}"]
        self._take(stage)
        self.store.restore(state)
        self._reflect()

    def _reflect(self) -> None:  # noqa: B027
        """Bring what the simulator keeps beside the chip's arrays in step with them; most rules keep nothing."""

    def weights(self, layer: int) -> npt.NDArray[np.integer]:
        """Weight codes of weight layer `layer` (a view, but of cells in slices).

        Their shape is (n_l, n_{l+1}), with more rows where a rule has other inputs beside the neurons. Raises
        `ArgumentError` where there is no such layer.
        """
        return self.store.weights(ARGUMENTS.whole("layer", layer, 0, len(self.spec.chip.layers) - 2))

    def biases(self, layer: int) -> npt.NDArray[np.integer]:
        """Bias codes (n_l,) of layer `layer` >= 1 (a view). Raises `ArgumentError` where there are none."""
        layer = ARGUMENTS.whole("layer", layer, 1, len(self.spec.chip.layers) - 1)
        start = int(self.plan.first[layer])
        codes: npt.NDArray[np.integer] = self.chip.biases[start : start + self.spec.chip.layers[layer]]
        return codes

    def simulator_arrays(self) -> list[dict[str, object]]:
        """What the simulator keeps for itself, apart from the chip: name, shape and bytes of each array."""
        return [
            {"name": name, "shape": list(array.shape), "bytes": array.nbytes}
            for name, array in self.work._asdict().items()
            if name not in ("halves", "octets")  # views of `words`
        ]

    def warnings(self) -> list[str]:
        """What the user should know about sums that saturated in training, and about the weights, in sentences."""
        return [*self._saturated(), *self.store.warnings()]

    def _saturated(self) -> list[str]:
        """A sentence where accumulators have saturated: such sums are wrong."""
        hits, bits = int(self._course.happened()[ACCUMULATOR_SATURATIONS].sum()), self.spec.chip.accumulator.bits
        if not hits:
            return []
        allowed = f"{bits + 1}..{MOST_ACCUMULATOR_BITS}" if bits < MOST_ACCUMULATOR_BITS else "smaller weights"
        return [
            f"chip.accumulator.bits: {bits}: {hits:,} additions of {self._learned():,} training samples saturated, so "
            f"that their sums are wrong; allowed: {allowed}"
        ]

    def wear(self) -> dict[str, object]:
        """The record's `device`: what learning did to the memory or the cells."""
        return self.store.wear(self.counts(), self._course.happened())

    def weight_file(self, image_shape: tuple[int, ...]) -> dict[str, npt.NDArray[np.generic]]:
        """Integer codes of all that was learned, with their formats and the state of cells, for `weights.npz`."""
        chip, depth = self.spec.chip, len(self.spec.chip.layers) - 1
        arrays: dict[str, npt.NDArray[np.generic]] = {f"weights_{k}": self.weights(k) for k in range(depth)}
        if chip.biases.enabled:
            arrays |= {f"biases_{k}": self.biases(k) for k in range(1, depth + 1)}
        whole = self._course.chip
        if whole.activity.size:
            arrays |= {"activity": whole.activity, "homeostasis": whole.homeostasis}
        formats = {"weights_frac_bits": chip.weights.point, "biases_frac_bits": chip.biases.frac_bits}
        arrays |= {name: np.array(bits) for name, bits in formats.items()}
        arrays |= {"image_shape": np.array(image_shape), "random_bank": self.chip.random}
        return self.store.weight_file(arrays)

    def _random_words(self, count: int) -> npt.NDArray[np.uint32]:
        """The next `count` words of the chip's random bank, from a fresh step on."""
        lanes = len(self.chip.random)
        steps = -(-count // lanes)
        words = np.empty(steps * lanes, np.uint32)
        draw(self.chip.random, words, steps)
        return words[:count]


class DigitalLearner(StoreLearner):
    """A rule whose kernels know a digital memory alone."""

    @abstractmethod
    def _infer_part(self, chip: Any, work: Any, samples: Pixels, outputs: Outputs) -> None:
        """Write the output codes of `samples` to `outputs`, on the neurons of `chip`."""

    @abstractmethod
    def _actions(self, spec: Spec, events: Events) -> Counts:
        """Actions of the chip in the stage of `spec` for an event table of this rule."""

    def _infer_on(self, chip: Any, work: Any, store: Any, samples: Pixels, first: int, outputs: Outputs) -> None:
        self._infer_part(chip, work, samples, outputs)

    def _priced(self, spec: Spec, events: Events, tallies: Tallies) -> Counts:
        return self._actions(spec, events)


def each(run: Callable[[int], Found], starts: Iterable[int], threads: int) -> list[Found]:
    """`run` of every start, in order; one thread is this one: a pool starts none before it has work."""
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list((pool.map if threads > 1 else map)(run, starts))
