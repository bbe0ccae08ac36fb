"""Training and inference speed of the chip simulator, compared with a float32 BLAS reference and the roofline.

`python -m benchmarks.speed [--quick] [--json FILE]`. Each runs on one thread, in turn, in one process (A B A B …), on a
trained chip: specialised neurons change less and are written less than untrained ones. Without `--case` the device
models alone are measured too, as by `python -m benchmarks.devices`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import command, devices
from benchmarks.measuring import machine, speed_text
from benchmarks.measuring.contestants import ChipContestant, FloatContestant, Pixels
from benchmarks.measuring.roofline import Stream, Traffic, footprint, traffic
from benchmarks.measuring.rounds import interleaved, one_thread, rate
from benchmarks.measuring.samples import images
from edgesdt.errors import EdgesdtError
from edgesdt.runs import record
from edgesdt.spec import Spec, load

SCHEMA = 1
BATCH = 16
"""Mini-batch size of the reference: that of the published one-layer network."""
BATCHES = {"784-2000-2000 16-bit": 32, "784-2000-2000": 32}
"""That of the published two-layer network."""
PAPER = (
    "chip.layers=[784, 2000, 2000]", "chip.memory_budget=16 MiB", "learning.dt=0.2", "learning.free_steps=60",
    "learning.nudged_steps=20",
)  # fmt: skip
"""What the published two-layer network has beside `mnist_2layer`: its size, and the steps of its phases."""
CASES: dict[str, tuple[str, ...]] = {
    "784-300": ("mnist_edge",),
    "784-2000": ("mnist_1layer",),
    "784-2000 16-bit": ("mnist_1layer_16bit",),
    "784-400-400": ("mnist_2layer",),
    "784-2000-2000 16-bit": ("mnist_2layer", *PAPER),
    "784-2000-2000": ("mnist_2layer", *PAPER, "chip.weights.bits=8"),
    "784-2000 backprop": ("mnist_backprop",),
    "784-200 similarity": ("mnist_similarity",),
    "784-1064-1064 activation": ("activation_mnist",),
    "784-2000 softhebb": ("mnist_softhebb",),
    "784-2000 ReRamSB": ("mnist_1layer", "device.model=ReRamSB", "learning.learning_rate=0.001"),
}
"""Case → its shipped spec, and the overrides."""
BARS = {
    "784-2000": (5.0, 10.0),
    "784-2000-2000 16-bit": (10.0, 25.0),
    "784-2000 backprop": (3.0, 6.0),
    "784-200 similarity": (3.0, 8.0),
    "784-1064-1064 activation": (3.0, 8.0),
    "784-2000 softhebb": (3.0, 8.0),
}
"""Case → required ratio of its training speed to the reference, and the stretch goal."""
MOST_AT_ONCE = 2_000
"""Maximum samples per call of the chip, as in `edgesdt run`."""
WARM_UP = 64


@dataclass(frozen=True)
class Effort:
    """The effort for a case: `rounds` of `seconds` for each figure, after `pretrain` samples.

    The speed of a fresh chip is measured over its first `early` samples. Pretraining ends after `patience_s` seconds
    for each contestant, even before all samples.
    """

    rounds: int
    seconds: float
    pretrain: int
    early: int
    patience_s: float


FULL = Effort(rounds=7, seconds=1.0, pretrain=60_000, early=1_000, patience_s=60.0)
QUICK = Effort(rounds=3, seconds=0.2, pretrain=4_000, early=200, patience_s=1.5)


def measure(spec: Spec, pixels: Pixels, effort: Effort, batch: int = BATCH) -> dict[str, Any]:
    """All figures of one case, JSON-ready: samples/s of every round, bytes per sample, bandwidth of every round.

    `batch`: samples of a mini-batch of the reference.
    """
    _compile(spec, pixels)
    chip, floats = ChipContestant(spec, pixels), FloatContestant(spec, pixels, batch)
    early = rate(chip.train, effort.early, 0.0)
    at_once = min(max(int(early * effort.seconds / 4), 50), MOST_AT_ONCE, len(pixels))
    learn_before(chip, at_once, effort)
    learn_before(floats, 4 * batch, effort)
    pretrained = {"chip": chip.trained, "reference": floats.trained}
    digital = None if spec.device.digital else ChipContestant(on_digital_memory(spec), pixels)
    if digital is not None:
        learn_before(digital, at_once, effort)
    stream = Stream(footprint(spec))
    before, trained = chip.counts(), chip.trained

    def timed(step: Callable[[int], object], chunk: int) -> Callable[[], float]:
        return lambda: rate(step, chunk, effort.seconds)

    found = interleaved(
        {
            "train_chip": timed(chip.train, at_once),
            **({"train_digital": timed(digital.train, at_once)} if digital is not None else {}),
            "train_reference": timed(floats.train, 4 * batch),
            "infer_chip": timed(chip.infer, at_once),
            "infer_reference": timed(floats.infer, 4 * batch),
            "bandwidth": lambda: rate(stream.read, 20, effort.seconds / 4) * stream.nbytes,
        },
        effort.rounds,
    )
    learned = {name: n - before[name] for name, n in chip.counts().items()}
    shown = min(1_000, len(pixels))
    return {
        "layers": list(spec.chip.layers),
        "weight_bits": spec.chip.weights.bits,
        "state_bits": spec.chip.states.bits,
        "spec": spec.name,
        "rule": spec.learning.rule,
        "device": spec.device.model,
        "batch": batch,
        "pretrained": pretrained,
        "footprint_bytes": stream.nbytes,
        "early_train_samples_per_s": early,
        "bandwidth_bytes_per_s": found.pop("bandwidth"),
        "samples_per_s": found,
        "bytes_per_sample": {
            "train": _bytes(traffic(spec, learned, chip.trained - trained)),
            "infer": _bytes(traffic(spec, chip.inference_counts(shown), shown)),
        },
    }


def on_digital_memory(spec: Spec) -> Spec:
    """The same chip and the same constants with its weights in a digital memory."""
    plain = spec.plain()
    plain["device"] = {"model": "sram"}
    return Spec.from_plain(plain)


def learn_before(contestant: ChipContestant | FloatContestant, at_once: int, effort: Effort) -> None:
    """Trains a contestant until it has seen `pretrain` samples or its time limit is reached."""
    end = time.perf_counter() + effort.patience_s
    while contestant.trained < effort.pretrain and time.perf_counter() < end:
        contestant.train(at_once)


def _bytes(moved: Traffic) -> dict[str, float]:
    return {**asdict(moved), "total": moved.total}


def _compile(spec: Spec, pixels: Pixels) -> None:
    """Compiles all kernels of the case with a temporary chip (or loads them from the cache)."""
    throw_away = ChipContestant(spec, pixels[:WARM_UP])
    throw_away.train(WARM_UP)
    throw_away.infer(WARM_UP)


def measure_all(names: Sequence[str], effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """The whole result, JSON-ready. BLAS is limited to one thread; `say` receives a line of progress per case."""
    shown = images(effort.pretrain)
    result: dict[str, Any] = {
        "schema": SCHEMA,
        "machine": machine.describe(),
        "samples": shown.origin,
        "effort": asdict(effort),
        "batch": BATCH,
        "cases": {},
    }
    with one_thread():
        for name in names:
            say(f"measuring {name} …")
            base, *fields = CASES[name]
            result["cases"][name] = measure(
                load(base, fields), shown.pixels, effort, BATCHES.get(name, BATCH)
            )
    return result


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds per case, for a first look and for CI")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure of every round to FILE")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this case (may be repeated)")
    parser.add_argument("--from", type=Path, metavar="FILE", dest="source", help="show a FILE that --json wrote")
    options = parser.parse_args(arguments)
    if options.source is not None:
        result = read(options.source)
    else:
        effort = QUICK if options.quick else FULL
        result = measure_all(options.case or list(CASES), effort, lambda line: print(line, flush=True))
        if options.case is None:
            print("measuring device models …", flush=True)
            result["arrays"] = devices.measure(devices.QUICK if options.quick else devices.FULL)
    if options.json is not None:
        record.write(options.json, result)
    print(speed_text.text(result))
    for name, (bar, stretch) in BARS.items():
        if name in result["cases"]:
            print(speed_text.verdict(name, result["cases"][name], bar, stretch))
    if "arrays" in result:
        print(f"\n{devices.text(result['arrays'])}\n{devices.verdict(result['arrays'])}")
    return 0


def read(path: Path) -> dict[str, Any]:
    """A result that `--json` wrote. Raises `EdgesdtError`."""
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EdgesdtError(f"{path}: not a speed result: {error}") from error
    if not isinstance(result, dict) or result.get("schema") != SCHEMA or "cases" not in result:
        raise EdgesdtError(f"{path}: not a speed result of schema {SCHEMA}")
    return result


if __name__ == "__main__":
    command.finish(main)
