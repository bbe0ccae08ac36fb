"""The sentences of RULES.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.rules.findings import Record
from benchmarks.rules.grid import CELL_RANGE, CONTESTANTS, FULL, HIDDEN, Case, cases
from benchmarks.rules.measure import CURVE_TESTED
from edgesdt import registry
from edgesdt.spec import load

WITHOUT: Final = "Learning without labels, read out with 10 % of them"
WITH: Final = "Learning from labels"
ALONE: Final = "Learning without labels"
HEADING: Final = """# Which rule should silicon learn with?

Made by `python -m benchmarks.rules page` from the records in `rules/records.json`; `python -m benchmarks.rules run
OUT` makes them again. All learning rules of edgesdt learn as integers, one sample at a time, on one described chip:
the same memory map, counts and prices (`cmos_45nm` at 45 nm). Each accuracy is on the whole test split and stands
beside its untrained control, the same chip before its first sample, read out in the same way. If you must choose a
chip, start with [what a chip team would decide](#what-a-chip-team-would-decide) at the end."""
MEMORY: Final = """## At equal memory

Every chip has the widest hidden layers whose memory map fits the budget, as `edgesdt check` works it out: weights,
neurons, and whatever else the rule must keep. *One pass* is after each training image was seen once, *all passes*
at the end of the run; both are points of one run. *Gain* is all passes less the control, seed by seed; with fewer
than three seeds its ± is the sampling error of the test images. The least squares that read out a chip without labels
are off the chip: no column holds their memory or energy. Chips that learn from labels have their outputs within the
budget. Dashed lines in charts: untrained."""
ENERGY: Final = """## At equal training energy

The accuracy at the last point of the learning curve that costs at most so much energy, leakage included. In
brackets: the run was over before, and its last accuracy stands. In italics: the first point of its curve, after 300
samples, costs more, and the chip is still untrained. *Untrained* is the start of the curve: where the self-defined
target is below it, the chip has not yet learned what its random weights already told."""
LABELS: Final = """## With few labels

256 KiB, all passes. Chips that learn without labels see every image, and only their read-out knows so many labels
(control in brackets). Chips that learn from labels see only the images whose label is known, in more passes: 20 at
most."""
HEADS: Final = """## With the converged read-out

MNIST, all passes, one seed, control in brackets: least squares beside the multinomial logistic regression of
`readout: [linear]`, which takes half a minute to two where it knows all labels. It gets more from neurons that did not
learn, so that learning adds less."""
CONTROL: Final = """## No better than the control

Read-outs of chips that learn without labels, after all passes, whose gain has an interval that meets 0 (or lies
below it). With three seeds the interval is Student's over the seeds (95 %), with fewer it is the sampling error of
the test images."""
DECISION: Final = """## What a chip team would decide

The best rule of every situation after all passes; *not distinguishable* means that the intervals meet."""
BITS: Final = f"""## Width of weights

MNIST, {HIDDEN} neurons in each hidden layer, one pass, one seed. Fractional bits (in brackets) were chosen for every
width by `frac_bits: auto`, on held-out training images; all else is as shipped. So the other registers of a rule keep
the widths that suit its shipped weights. Why activation learning fails with 16 bits was not looked into; the factors
of its rows and columns are likely too narrow for steps so fine."""
CELLS: Final = f"""## On analog cells

MNIST, 784-{HIDDEN}, learning without labels, one pass, one seed, all non-idealities of the cells on. Accuracy, control
in brackets, energy of a training sample. On cells, equilibrium propagation and backpropagation have the constants of
`mnist_insitu` and a weight of {CELL_RANGE} per conductance range. SoftHebb has {CONTESTANTS["softhebb"].cell_range:g}
and converters of the widest range, 8, since its first weights and its drives are large; similarity matching has
{CONTESTANTS["similarity"].cell_range:g} and converters of range 4. Those two were chosen from two or three pairs, on
held-out training images after 3,000 and 400 samples. Similarity matching learns from
{CONTESTANTS["similarity"].cell_samples:,} samples in every column, because its simulator is slow on cells: its row is
to be compared with itself alone. The digital chips have the constants of their specs, with their fractional bits, which
the table above chose again."""
CONCLUSIONS: Final = """What follows from these records (tests hold each sentence against them):

1. **If every sample has a label that the chip may use, take backpropagation with a hidden layer.** It is the most
   accurate of the chips that learn from labels at every size, and spends the least energy on a sample. Equilibrium
   propagation needs no second set of error signals and comes within two points of it. On MNIST at 1 MiB, after the one
   pass that was run, SoftHebb without labels is as accurate if a read-out off the chip knows all labels.
2. **If there are no labels at the chip, take SoftHebb.** On MNIST it is the most accurate of the rules without
   labels at every size, read out with a tenth of the labels or more, and the only one of them that stays above its
   control everywhere. Its lead is small: with the converged read-out, backpropagation and similarity matching are
   not distinguishable from it at 256 KiB. On Fashion-MNIST at 64 KiB, backpropagation is more accurate.
3. **If labels are rare, how rare decides.** At 256 KiB with a tenth of the labels, backpropagation that learns from the
   labelled samples alone is more accurate on both data sets than every rule without labels. With 1 % of the labels, on
   MNIST, equilibrium propagation, backpropagation and SoftHebb without labels beat every chip that learns from the
   labelled samples alone. The best of those is activation learning, not distinguishable from similarity matching. On
   Fashion-MNIST the best of both ways, by backpropagation, are not distinguishable.
4. **Do not pay for learning where random neurons do as well.** With a tenth of the labels or more, the self-defined
   target adds nothing on MNIST at 1 MiB after one pass (more were not run) and on Fashion-MNIST at 256 KiB after five,
   by equilibrium propagation or backpropagation.
5. **Four bits are enough without labels**, with equal numbers of neurons on MNIST. From 4 bits to 8 each of these rules
   gains two points at most. Learning from labels wants six bits or more.
6. **On cells, the device decides more than the rule.** On EcRam each rule stays within a point of its accuracy on the
   digital chip, or above it, and spends less than a seventh of the energy; similarity matching, which settles in
   digital, spends two fifths. On ReRamSB each rule spends more than on the digital chip and is less accurate, SoftHebb
   most, by four points.
7. **Similarity matching and activation learning pay most for a sample** at each size: settling steps, and one
   inference for every class. Nothing here buys that back in accuracy."""
NOT_RUN: Final = """## What was not run

At 1 MiB: Fashion-MNIST, more passes, more seeds. Widths of weights and cells: Fashion-MNIST, more seeds, and narrow
weights at equal memory, where they leave room for more neurons. With all labels: more passes than five, so that no run
here spends 10 J. Constants were not chosen again for each size, width, data set and kind of cells, except fractional
bits by width. Two variants with a spec of their own are left out: similarity matching with the label as a second input
(`mnist_similarity_label`), and activation learning with feedback (`activation_mnist_feedback`). Chips of two layers on
cells, learning from labels: [two layers of weights](LAYERS.md)."""
LABELS_IN: Final = {False: "in the read-out, 10 %", True: "in learning, all"}


def method(records: Sequence[Record]) -> str:
    """How it was measured, from what the records hold."""
    most = max(max((made["samples"] for made in records if "samples" in made), default=0), 0)
    seeds = sorted({made["case"]["seed"] for made in records})
    few = "" if most == FULL else f" **These records hold only {most:,} training samples: a try, not a result.**"
    shipped = ", ".join(f"`{entry.spec}`" for entry in CONTESTANTS.values())
    return (
        f"Constants are those of the shipped specs ({shipped}; below 1 MiB `mnist_edge` with a smoothing of 0.15 for "
        "equilibrium propagation, and its winners, drop-out and homeostasis for backpropagation; activation learning "
        "has others there). They were chosen on held-out training images of MNIST, but for activation learning at the "
        "sizes of those specs alone, and none for Fashion-MNIST. Those of equilibrium propagation are an exception: "
        "but for winners and drop-out of `mnist_1layer`, a small search chose them on the test split, which favours "
        "it slightly. "
        f"Seeds {', '.join(map(str, seeds))} (without ±: the first alone); ± is "
        "Student's 95 % interval over three seeds. Chips that learn without labels are "
        "read out by least squares in closed form, its penalty chosen on held-out labelled images, the same for a chip "
        "and its control (below, the converged read-out stands beside it). A point of a curve is on the first "
        f"{CURVE_TESTED:,} test images.{few}"
    )


def refusals(records: Sequence[Record]) -> str:
    """A line for each rule that does not run on cells, with its own words; those that run on cells by now are named."""
    text, later = [], []
    for made in (made for made in records if "refused" in made):
        entry = CONTESTANTS[made["case"]["contestant"]]
        if "cells" in registry.load(load(entry.spec).learning.rule).synapses:
            later.append(entry.title)
        else:
            text.append(f"- {entry.title}: {' '.join(made['refused'].split())}")
    told = ["Left out, because the rule refuses such synapses:", "\n".join(dict.fromkeys(text))] if text else []
    if later:
        names = ", ".join(dict.fromkeys(later))
        told.append(f"Not run yet: rules that refused cells when the records were made, and run on them now: {names}.")
    return "\n\n".join(told)


def not_run(records: Sequence[Record]) -> str:
    """What was left out by choice, and how many runs of the grid have no record."""
    done = {Case(**made["case"]).name for made in records}
    planned = [case.name for case in cases()]
    missing = sum(name not in done for name in planned)
    told = f" Of the {len(planned)} runs of the grid, {missing} have no record." if missing else ""
    return NOT_RUN + told
