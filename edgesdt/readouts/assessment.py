"""The accuracies of a run, from the chip's own inference on the whole test split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edgesdt import registry, units
from edgesdt.chip.simulated import Chip
from edgesdt.datasets import Dataset
from edgesdt.datasets.encoders import encode
from edgesdt.pricing import bill
from edgesdt.readouts import labels, methods
from edgesdt.readouts.stored_outputs import Codes
from edgesdt.rules.lookup import rule_of
from edgesdt.spec import Spec
from edgesdt.spec.stages import stages

CURVE_SAMPLES = 10_000
"""Number of labelled samples used to associate neurons for a point of the learning curve (the last uses all)."""


class Samples(Protocol):
    """Samples as input codes, with the places `known` of the training samples whose labels are known."""

    @property
    def x(self) -> npt.NDArray[np.uint8]:
        """Training samples (samples, n_0)."""
        ...

    @property
    def x_test(self) -> npt.NDArray[np.uint8]:
        """Test samples (samples, n_0)."""
        ...

    @property
    def known(self) -> npt.NDArray[np.int64]:
        """Places of training samples whose labels are known."""
        ...

    @property
    def data(self) -> Dataset:
        """The data set that they come from."""
        ...


class Assessment:
    """A chip with the samples of its data set as codes, and the labels that its read-outs may use."""

    def __init__(self, spec: Spec, chip: Chip, data: Dataset, threads: int) -> None:
        self.spec, self.chip, self.data, self.threads = spec, chip, data, threads
        self.x, self.x_test = encode(data.x_train, spec.encoder.bits), encode(data.x_test, spec.encoder.bits)
        self.label_seed = labels.seed_of(spec)
        self.known = labels.known(spec, data.y_train)

    def labels_used(self) -> dict[str, int]:
        """Numbers of training labels used by training and by the read-outs, and the seed of their selection."""
        read = any(name not in registry.BY_CLASS for name in self.spec.readout)  # such an output needs no label
        trained = self._has_label()
        return {
            "training": len(self.known) if trained else 0,
            "readout": len(self.known) if read else 0,
            "seed": self.label_seed,
        }

    def _has_label(self) -> bool:
        """Whether a label is the target of some samples."""
        return any(stage.spec.learning.target == "label" for stage in stages(self.spec))

    def infer(self, codes: npt.NDArray[np.uint8]) -> Codes:
        """The chip's outputs for input codes."""
        return self.chip.rule.infer(codes, self.threads)

    def look(self, last: bool) -> dict[str, float]:
        """The accuracies for a point of the curve: the fast read-outs, with fewer labels before the last epoch."""
        cheap = [name for name in self.spec.readout if name != "linear"] or ["direct"]
        return self.read_out(cheap, None if last else CURVE_SAMPLES)

    def read_out(self, names: Sequence[str], most: int | None = None) -> dict[str, float]:
        """Accuracies of the read-outs `names`, from at most `most` labelled samples."""
        return self.read_out_of(self, names, most)

    def read_out_of(self, stream: Samples, names: Sequence[str], most: int | None = None) -> dict[str, float]:
        """Accuracies of the read-outs `names` on the test samples of `stream`, with its own known labels."""
        known = stream.known[:most]
        x, y = stream.x[known], stream.data.y_train[known]
        test = stream.x_test, stream.data.y_test
        found: dict[str, float] = {}
        for name in names:
            if name == "direct":
                found |= methods.direct(self.infer, x, y, *test, stream.data.classes)
            elif name in registry.BY_CLASS:
                found |= methods.output(self.infer, *test, name)
            else:
                bits = self.spec.chip.states.bits
                found |= methods.linear(self.infer, x, y, *test, bits, self.label_seed, self.threads)
        return {name: float(value) for name, value in found.items()}

    def deployed(self, say: Callable[[str], None]) -> list[dict[str, float]]:
        """Accuracies after each time of `deployment.times`; the neurons keep their classes from the end of training."""
        x, y = self.x[self.known], self.data.y_train[self.known]
        known = methods.Association.learn(self.infer, x, y, self.data.classes)
        offered = (*self.spec.readout, *rule_of(self.spec).readouts)
        by_class = next((name for name in offered if name in registry.BY_CLASS), None)
        found = []
        for seconds in self.spec.deployment.times:
            with self.chip.rule.rested(seconds):
                if self._has_label() and by_class:
                    right = methods.output(self.infer, self.x_test, self.data.y_test, by_class)
                else:
                    right = methods.recognised(known, self.infer, self.x_test, self.data.y_test)
                right |= self._calibration()
            found.append({"time_s": seconds, **right})
            say(f"after {units.format_time(seconds)} " + percent(right))
        return found

    def _calibration(self) -> dict[str, float]:
        """The factor of the drift compensation and the cost of its reference read; empty without compensation."""
        if self.chip.rule.calibration is None:
            return {}
        factor, counts = self.chip.rule.calibration
        joules, seconds = bill.reference_read(self.spec, counts, self.chip.memory.plain())
        return {"drift_factor": factor, "calibration_energy_j": joules, "calibration_latency_s": seconds}


def percent(found: dict[str, Any]) -> str:
    """The accuracies in `found` as one line of text."""
    shown = [k for k in found if k.removeprefix("untrained_") in registry.ACCURACIES]
    return "  ".join(f"{key.removeprefix('untrained_')} {100 * found[key]:.2f} %" for key in shown)
