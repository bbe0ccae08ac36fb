"""One run, from a spec to a record: loads data, learns epoch by epoch with checkpoints, reads out and prices.

The untrained chip is read out first; its accuracies are stored as the control of the trained ones.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from edgesdt.chip.simulated import Chip
from edgesdt.errors import SpecError
from edgesdt.pricing import bill, omissions
from edgesdt.readouts.assessment import Assessment, percent
from edgesdt.rules.course import added
from edgesdt.rules.lookup import cautions, held, memory_map, resolve, rule_of
from edgesdt.runs import record, samples
from edgesdt.runs.compilation import Compilation, watched
from edgesdt.runs.folder import RunFolder
from edgesdt.runs.phases import Course, Epoch, after_phase, keep_labelled, learn
from edgesdt.runs.progress import Progress
from edgesdt.runs.rehearsal import rehearse
from edgesdt.runs.stage_ledger import StageLedger, difference, forgetting, parts_of
from edgesdt.runs.streams import Streams
from edgesdt.spec import Spec, spec_hash
from edgesdt.spec.checks import drift, unused
from edgesdt.suggest import frac_bits

STRIDE = 2_000
"""Samples learned between two checks of the clock (and of Ctrl-C)."""

Say = Callable[[str], None]
Watch = Callable[[list[dict[str, Any]]], None]


def run(
    spec: Spec,
    out: Path,
    *,
    say: Say = lambda line: None,
    show: Say = lambda line: None,
    threads: int = 1,
    report: bool = True,
    watch: Watch = lambda curve: None,
    apart_s: float = 0.0,
    compilation: Compilation | None = None,
) -> dict[str, Any]:
    """Runs `spec` in folder `out` and returns its record. A finished folder is only read; an unfinished one is resumed.

    `say` receives lines for the log, `show` the live progress, `watch` the learning curve after every epoch (and may
    raise). Raises `EdgesdtError` (see `RunFolder`, `samples.load`, `Chip`). A checkpoint follows every epoch, or the
    first epoch that ends `apart_s` seconds [s] after the last checkpoint. Compilation is reported to `compilation`, or
    to `say` if there is none.
    """
    if spec.sweep is not None:
        raise SpecError("sweep: this command runs one chip; remove the section, or use --set sweep=null")
    # the resolved spec no longer has all of them
    rough = frac_bits.without_data(spec)
    unheeded = [*unused.settings(spec), *drift.sentences(spec), *cautions(rough)]
    memory_map(resolve(rough)).enforce()
    bill.technology(spec)
    data = samples.load(spec, progress=say)
    unheeded += samples.cautions(spec, data)
    streams = Streams(spec, data)
    with nullcontext(compilation) if compilation else watched(say) as compilation:
        if frac_bits.is_auto(spec):
            with compilation.together():
                spec = frac_bits.chosen(spec, data)
            say(f"chip.weights.frac_bits: {spec.chip.weights.point}, chosen on held-out training samples")
        spec = resolve(spec)
        return _run(spec, unheeded, streams, out, say, show, threads, report, watch, apart_s, compilation)


def _run(
    spec: Spec,
    unheeded: Sequence[str],
    streams: Streams,
    out: Path,
    say: Say,
    show: Say,
    threads: int,
    report: bool,
    watch: Watch,
    apart_s: float,
    compilation: Compilation,
) -> dict[str, Any]:
    """As `run`, after all checks."""
    if not (out / "record.json").exists():
        show("preparing the kernels …")
        with compilation.together():
            rehearse(spec)
    chip = Chip(spec)
    with RunFolder(out, spec) as folder:
        if folder.record_path.exists():
            say(f"{out}: this run is finished; its record is shown (delete the folder to run it again)")
            made = record.read(folder.record_path)
        else:
            running = _Run(spec, chip, streams, folder, say, show, threads, watch, apart_s, compilation)
            running.warn(unheeded)
            made = running.to_the_end()
        if report and not (out / "report.html").exists():
            from edgesdt.report import write  # imports the charts, which takes a second; only a finished run needs them

            write([out], out / "report.html")
        folder.drop_checkpoint()
    return made


class _Run:
    """The state of an active run."""

    def __init__(
        self,
        spec: Spec,
        chip: Chip,
        streams: Streams,
        folder: RunFolder,
        say: Say,
        show: Say,
        threads: int,
        watch: Watch,
        apart_s: float,
        compilation: Compilation,
    ) -> None:
        self.spec, self.chip, self.data, self.folder = spec, chip, streams.base.data, folder
        self.show, self.watch, self.apart_s, self.compilation = show, watch, apart_s, compilation
        self.tech = bill.technology(spec)
        self.memory = chip.memory.plain()
        self._say = say
        self._warned: set[str] = set()
        self.assessment = Assessment(spec, chip, self.data, threads)
        self.course = Course(spec, streams)
        self.ledger = StageLedger(spec, self.memory, self.tech)
        self.progress = Progress(datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        self._since = self._kept = time.monotonic()

    def say(self, line: str) -> None:
        """Logs a line and passes it on."""
        self.folder.log(line)
        self._say(line)

    def warn(self, sentences: Sequence[str]) -> None:
        """Shows a warning once, even if its numbers change later."""
        for sentence in sentences:
            subject = re.sub(r"[\d.]+", "", sentence)
            if subject not in self._warned:
                self._warned.add(subject)
                self.say(f"warning: {sentence}")

    def to_the_end(self) -> dict[str, Any]:
        """Resumes from the last checkpoint or starts; writes the record to disk and returns it."""
        base = self.course.streams.base
        self.chip.rule.learn(base.x, base.shown, np.arange(0), 0)
        kept = self.folder.load_checkpoint(self.chip.state)
        if kept is None:
            untrained = self.assessment.read_out(self.spec.readout)
            self.progress.control = {f"untrained_{name}": value for name, value in untrained.items()}
            self.say("untrained " + percent(self.progress.control))
            keep_labelled(self.chip, self.course)
        else:
            arrays, progress = kept
            try:
                self.chip.restore(arrays)
                self.progress = Progress.of(progress, len(self.course.epochs))
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                raise self.folder.damaged(error) from error
            self.say(f"going on after epoch {self.progress.epochs_done} of {len(self.course.epochs)}")
        for epoch in self.course.epochs[self.progress.epochs_done :]:
            self.learn_epoch(epoch)
        return self.finish()

    def learn_epoch(self, epoch: Epoch) -> None:
        """Learns one epoch in a new order, measures the accuracy and saves a checkpoint."""
        before = self.chip.stage_counts()
        self._learn(epoch)
        counts = [difference(now, then) for now, then in zip(self.chip.stage_counts(), before, strict=True)]
        is_last = epoch.number + 1 == len(self.course.epochs)
        point = {
            "epoch": epoch.number + 1,
            **({"phase": epoch.name} if epoch.name else {}),
            **self.assessment.look(last=is_last),
            "learning_rate": rule_of(self.spec).rates(epoch.stages[0].spec, epoch.of_phase),
            "energy_j": self.ledger.energy_j(counts),
            "counts": added(counts),
            **({"parts": parts_of(epoch, counts)} if epoch.name else {}),
        }
        if epoch.name:
            self.progress.add(epoch, counts)
        if epoch.name and epoch.is_last:
            self.progress.phases[-1]["accuracy"] = after_phase(self.assessment, self.course)
        self.progress.curve.append(point)
        self.progress.epochs_done = epoch.number + 1
        now = time.monotonic()
        self.progress.duration_s += now - self._since
        self._since = now
        if now - self._kept >= self.apart_s:
            self.folder.save_checkpoint(self.chip.state(), vars(self.progress))
            self._kept = time.monotonic()
        named = f" {epoch.name}" if epoch.name else ""
        self.say(f"epoch {epoch.number + 1}/{len(self.course.epochs)}{named} " + percent(point))
        if epoch.number == 0:
            self.warn(self.chip.rule.warnings())
        self.watch(self.progress.curve)

    def _learn(self, epoch: Epoch) -> None:
        """Lets the chip learn one epoch, and shows how far it is."""
        batch, done, whole = self.spec.learning.batch, 0, self.course.samples(epoch)
        stride = -(-STRIDE // batch) * batch
        started = self._clock()
        for piece in self.course.pieces(epoch):
            for start in range(0, len(piece.order), stride):
                part = piece.order[start : start + stride]
                learn(self.chip, piece, part, epoch)
                done += len(part)
                self.show(self._live(epoch, done, whole, self._clock() - started))
        self.progress.train_s += self._clock() - started

    def finish(self) -> dict[str, Any]:
        """Reads out, prices, and writes the weights and the record."""
        self.show("reading out …")
        started = self._clock()
        self.assessment.infer(self.assessment.x_test)
        inference_s = self._clock() - started
        counts = {"train": self.chip.counts(), "inference": self.chip.inference_counts()}
        accuracy = self.assessment.read_out(self.spec.readout)
        self.progress.duration_s += time.monotonic() - self._since
        made = self._record(accuracy, counts, inference_s)
        self.warn(self.chip.rule.warnings())
        if self.spec.deployment.times:
            made["deployment"] = self.assessment.deployed(self.say)
            for sentence in omissions.of_rest(made):
                self.say(f"note: {sentence}")
        shown = rule_of(self.spec).pictures(self.chip.rule, self.assessment.x_test, self.data.shape)
        self.folder.save_arrays("weights.npz", {**self.chip.rule.weight_file(self.data.shape), **shown})
        record.write(self.folder.record_path, made)
        self.say("done " + percent(accuracy))
        return made

    def _record(self, accuracy: dict[str, float], counts: dict[str, Any], inference_s: float) -> dict[str, Any]:
        """The record of the run without `deployment`."""
        trained = sum(map(self.course.samples, self.course.epochs))
        learned, shown = len(self.course.everyone()), len(self.data.x_test)
        numbers, plain = {"train_samples": learned, "test_samples": shown}, self.spec.plain()
        stages = self.chip.stage_counts()
        return {
            "schema": record.SCHEMA,
            "name": self.spec.name,
            "spec": plain,
            "spec_hash": spec_hash(plain),
            "seed": self.spec.seed,
            "versions": record.versions() | self.folder.plug_ins,
            "started": self.progress.started,
            "duration_s": self.progress.duration_s,
            **numbers,
            "labels": self.assessment.labels_used(),
            "accuracy": {**accuracy, **self.progress.control, **numbers},
            "curve": self.progress.curve,
            **self._phases(),
            "counts": counts,
            **bill.price(self.spec, counts, {"train": trained, "inference": shown}, self.memory, stages),
            "memory": {**self.memory, "simulator": self.chip.rule.simulator_arrays()},
            "device": self.chip.rule.wear(),
            "held": {path: text for path, (_, text) in held(self.spec).items()},
            "speed": {
                "train_samples_per_s": trained / max(self.progress.train_s, 1e-9),
                "inference_samples_per_s": shown / max(inference_s, 1e-9),
            },
        }

    def _phases(self) -> dict[str, Any]:
        """What the record has of phases; nothing without them."""
        if not self.progress.phases:
            return {}
        made = self.ledger.phases(self.course, self.progress.phases)
        return {"phases": made, "forgetting": forgetting([phase["accuracy"] for phase in made])}

    def _clock(self) -> float:
        """Seconds without compilation; the kernels of a plug-in may be compiled during learning."""
        return time.perf_counter() - self.compilation.seconds

    def _live(self, epoch: Epoch, done: int, of: int, seconds: float) -> str:
        rate = done / max(seconds, 1e-9)
        later = sum(map(self.course.samples, self.course.epochs[epoch.number + 1 :]))
        left = (of - done + later) / rate
        best = percent(self.progress.curve[-1] if self.progress.curve else self.progress.control)
        named = f" {epoch.name}" if epoch.name else ""
        return (
            f"epoch {epoch.number + 1}/{len(self.course.epochs)}{named}  {100 * done / of:3.0f} %  "
            f"{rate:,.0f} samples/s  {best}  {left:,.0f} s left"
        )
