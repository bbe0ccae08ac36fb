"""The figures of `benchmarks.speed` as tables: medians, ranges, ratios within rounds, and the roofline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks import tables
from benchmarks.measuring import machine
from benchmarks.measuring.roofline import Roof
from benchmarks.measuring.rounds import Spread, ratios

PHASES = {"train": "training", "infer": "inference"}


def speed_rows(result: Mapping[str, Any]) -> list[list[str]]:
    """Samples per second of chip and reference: a row per case and phase; the head comes first."""
    rows = [["chip", "weights", "phase", "edgesdt [samples/s]", "float32 BLAS [samples/s]", "ratio", "fresh chip"]]
    for name, case in result["cases"].items():
        for phase, word in PHASES.items():
            ours, theirs = _pair(case, phase)
            early = f"{case['early_train_samples_per_s']:,.0f}" if phase == "train" else "–"
            rows.append(
                [
                    chip_of(name, case),
                    held_in(case),
                    word,
                    str(Spread.of(ours)),
                    str(Spread.of(theirs)),
                    _ratio(Spread.of(ratios(ours, theirs))),
                    early,
                ]
            )
    return rows


def chip_of(name: str, case: Mapping[str, Any]) -> str:
    """The layers of a case, and its learning rule if it is not the default of older results."""
    layers, rule = name.partition(" ")[0], case.get("rule", "eqprop")
    return layers if rule == "eqprop" else f"{layers} {rule}"


def held_in(case: Mapping[str, Any]) -> str:
    """The storage of the weights of a case."""
    model = case.get("device", "sram")
    return f"{case['weight_bits']} bits" if model == "sram" else f"{model} cells"


def in_situ_lines(result: Mapping[str, Any]) -> list[str]:
    """Text that compares the learning speed on cells with that on a digital memory, in the same rounds."""
    lines = []
    for name, case in result["cases"].items():
        if digital := case["samples_per_s"].get("train_digital"):
            slower = Spread.of(ratios(digital, case["samples_per_s"]["train_chip"]))
            lines.append(
                f"{name}: the same chip with a digital memory learns {Spread.of(digital)} samples/s, "
                f"{_ratio(slower)} as fast"
            )
    return lines


def roof(case: Mapping[str, Any], phase: str) -> Roof:
    """The roofline of one phase: the best bandwidth of all rounds and the median rate."""
    ours, _ = _pair(case, phase)
    return Roof(
        bytes_per_sample=case["bytes_per_sample"][phase]["total"],
        bandwidth=max(case["bandwidth_bytes_per_s"]),
        samples_per_s=Spread.of(ours).median,
    )


def roof_rows(result: Mapping[str, Any]) -> list[list[str]]:
    """Bytes and bandwidth: a row per case and phase; the head comes first."""
    rows = [
        [
            "chip", "weights", "phase", "bytes/sample", "of them weight rows", "weight updates", "random words",
            "achieved [GB/s]", "streaming [GB/s]", "roof [samples/s]", "achieved",
        ]
    ]  # fmt: skip
    for name, case in result["cases"].items():
        for phase, word in PHASES.items():
            over, moved = roof(case, phase), case["bytes_per_sample"][phase]
            rows.append(
                [
                    chip_of(name, case),
                    held_in(case),
                    word,
                    f"{over.bytes_per_sample:,.0f}",
                    f"{moved['weight_rows']:,.0f}",
                    f"{moved['weight_updates']:,.0f}",
                    f"{moved['random_words']:,.0f}",
                    f"{over.achieved_bytes_per_s / 1e9:.2f}",
                    f"{over.bandwidth / 1e9:.2f}",
                    f"{over.roof_samples_per_s:,.0f}",
                    f"{100 * over.fraction:.0f} %",
                ]
            )
    return rows


def method(result: Mapping[str, Any]) -> str:
    """Text on the method of measurement."""
    effort = result["effort"]
    other = "".join(
        f" ({name}: {case['batch']})"
        for name, case in result["cases"].items()
        if case.get("batch", result["batch"]) != result["batch"]
    )
    before = ", ".join(f"{name}: {case['pretrained']['chip']:,}" for name, case in result["cases"].items())
    return (
        f"Samples: {result['samples']}.\n"
        f"One thread each, in one process, in turn: {effort['rounds']} rounds of {effort['seconds']:g} s; median "
        "(lowest–highest); ratio: of the same round.\n"
        f"The chip learns one sample at a time, the reference mini-batches of {result['batch']}{other}. "
        f"Before, the chip had learned from so many samples:\n{before}. "
        f"'fresh chip': training speed over its first {effort['early']:,}. Compilation is not timed."
    )


def roof_method() -> str:
    """Text on the meaning of the roofline."""
    return (
        "Roof: useful bytes per sample (weight rows read, weight codes written, accumulators, random words, "
        "inputs; each once),\nfrom the chip's own action counts, over the bandwidth of summing a buffer as large as "
        "the weights."
    )


def text(result: Mapping[str, Any]) -> str:
    """The complete text for a terminal."""
    return "\n".join(
        [
            machine.in_words(result["machine"]),
            method(result),
            "",
            tables.plain(speed_rows(result)),
            *in_situ_lines(result),
            "",
            roof_method(),
            tables.plain(roof_rows(result)),
        ]
    )


def verdict(name: str, case: Mapping[str, Any], bar: float, stretch: float) -> str:
    """Text on whether the training of a case meets its bar relative to the reference."""
    found = Spread.of(ratios(*_pair(case, "train")))
    if found.median >= stretch:
        said = f"holds the bar of {bar:g} × and its stretch of {stretch:g} ×"
    elif found.median >= bar:
        said = f"holds the bar of {bar:g} ×, not the stretch of {stretch:g} ×"
    else:
        said = f"FALLS SHORT of the bar of {bar:g} ×"
    return f"{name} {case['weight_bits']}-bit training: {_ratio(found)} the reference: {said}"


def _pair(case: Mapping[str, Any], phase: str) -> tuple[list[float], list[float]]:
    rates = case["samples_per_s"]
    return rates[f"{phase}_chip"], rates[f"{phase}_reference"]


def _ratio(found: Spread) -> str:
    return f"{found.median:.2f} × ({found.low:.2f}–{found.high:.2f})"
