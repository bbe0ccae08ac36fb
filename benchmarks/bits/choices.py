"""Trials of formats on held-out training images: what chose the constants of the narrow specs.

A trial is `mnist_1layer` with a few fields changed. It learns from the first 50,000 training images of MNIST (or fewer)
and is read out by direct association on the last 10,000 of them. No test image is seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from edgesdt import datasets
from edgesdt.datasets import Dataset
from edgesdt.errors import EdgesdtError

KEPT: Final = Path(__file__).parent / "choices.json"
HELD_OUT: Final = 10_000
SHORT: Final = 20_000
"""Images of a short trial, eight times."""
SHORT_EPOCHS: Final = 8
RATES: Final = (0.0005, 0.001, 0.002, 0.004)
Trial = dict[str, Any]


def weights(
    bits: int, frac: int, hidden: int = 0, levels: str = "floor", rate: float = 0.002, **more: Any
) -> dict[str, Any]:
    """The fields of a trial."""
    made: dict[str, Any] = {"chip.weights.bits": bits, "chip.weights.frac_bits": frac, "learning.learning_rate": rate}
    made |= {"chip.weights.hidden_bits": hidden, "chip.weights.levels": levels} if hidden or levels != "floor" else {}
    return made | more


def trials() -> Iterator[Trial]:
    """Every trial: its images, and the fields that differ from `mnist_1layer`."""
    for bits, fracs in ((2, (7, 8, 9)), (3, (8, 9, 10)), (4, (9, 10, 11))):
        for frac in fracs:
            yield from (_short(weights(bits, frac, rate=rate)) for rate in RATES)
    for levels in ("floor", "odd"):
        yield from (_short(weights(2, frac, 4, levels)) for frac in (7, 8))
    yield _short(weights(2, 7, 4, "nearest"))
    yield from (_short(weights(2, frac, 0, "odd")) for frac in (7, 8))
    for hidden in (2, 4, 6):
        yield from (_short(weights(2, 8, hidden, "nearest", rate)) for rate in (0.002, 0.004))
    yield from (_short(weights(2, 9, hidden, "nearest")) for hidden in (4, 6))
    yield _short(weights(2, 7, 6, "nearest"))
    yield from (_short(weights(3, 9, 2, "nearest", rate)) for rate in (0.002, 0.004))
    yield from (_long(5, weights(8, frac)) for frac in (12, 13, 14))
    yield from (_long(epochs, fields) for epochs, all_of in LONG.items() for fields in all_of)


LONG: Final = {
    15: (
        weights(2, 8, 3, "nearest"), weights(3, 9, 2, "nearest"), weights(4, 10, 2, "nearest"),
        weights(4, 10, 2, "nearest", 0.003), weights(3, 9, rate=0.003), weights(4, 10), weights(8, 13),
    ),
    30: (
        weights(3, 8, 3, "nearest"), weights(4, 10, 2, "nearest"), weights(4, 9, 3, "nearest"),
        weights(4, 8, 4, "nearest"),
    ),
}  # fmt: skip
"""By epochs: what the short trials left, with all images."""


def _short(fields: dict[str, Any]) -> Trial:
    return {"train": SHORT, "fields": fields | {"epochs": SHORT_EPOCHS}}


def _long(epochs: int, fields: dict[str, Any]) -> Trial:
    return {"train": 50_000, "fields": fields | {"epochs": epochs}}


def name_of(trial: Trial) -> str:
    """One trial as text, as `--set` takes its fields."""
    return " ".join([f"{trial['train']} images", *(f"{key}={value}" for key, value in trial["fields"].items())])


def held_out(train: int) -> Dataset:
    """MNIST with its last training images in the place of the test images."""
    data = datasets.load("mnist", fetch=False)
    cut = len(data.x_train) - HELD_OUT
    x, y = data.x_train, data.y_train
    return replace(data, x_train=x[:train], y_train=y[:train], x_test=x[cut:], y_test=y[cut:])


def measured(trial: Trial) -> float:
    """The accuracy of direct association on the held-out images after all epochs. Raises `EdgesdtError`."""
    import numpy as np

    from edgesdt.chip.simulated import Chip
    from edgesdt.readouts.assessment import Assessment
    from edgesdt.rules.lookup import resolve
    from edgesdt.spec import load

    fields = [f"{key}={value}" for key, value in trial["fields"].items()]
    spec = resolve(load("mnist_1layer", ["readout=[direct]", *fields]))
    chip, data = Chip(spec), held_out(trial["train"])
    read = Assessment(spec, chip, data, threads=1)
    for epoch in range(spec.epochs):
        order = np.random.RandomState([spec.seed, epoch]).permutation(len(read.x))
        chip.rule.learn(read.x, data.y_train, order, epoch)
    return round(read.read_out(["direct"])["direct_average"], 4)


def kept(path: Path = KEPT) -> list[Trial]:
    """The kept trials, each with its `accuracy`. Raises `EdgesdtError` for a file that is none."""
    try:
        found: list[Trial] = json.loads(path.read_text(encoding="utf-8"))
        for made in found:
            name_of(made)
            float(made["accuracy"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EdgesdtError(f"{path}: no trials of the bit-width study: {error}") from error
    return found


def text_of(found: Sequence[Trial]) -> str:
    """The file of kept trials, one a line."""
    return "[\n" + ",\n".join(json.dumps(made) for made in found) + "\n]\n"


def run(path: Path = KEPT) -> None:
    """Measures the trials that are not kept yet, and keeps each as soon as it is done."""
    found = kept(path) if path.exists() else []
    known = {name_of(made) for made in found}
    for trial in trials():
        if name_of(trial) not in known:
            found.append({**trial, "accuracy": measured(trial)})
            path.write_text(text_of(found), encoding="utf-8")
            print(f"{name_of(trial)}: {100 * found[-1]['accuracy']:.2f}", flush=True)
