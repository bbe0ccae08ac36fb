"""The sentences of BITS.md."""

from __future__ import annotations

from typing import Final

HEADING: Final = """\
# How many bits does a chip need to learn?

Equilibrium propagation with a self-defined target on MNIST, 784-2000, one sample at a time, read out by direct
association (average). `python -m benchmarks.bits page` writes this page from kept rows, trials and records."""

FOUND: Final = """\
## What was found

FOUND"""

RECIPES: Final = """\
## Specs for narrow weights

All training images, all test images. `read + hidden`: bits of a weight that drives use, and bits that updates alone use
([arithmetic](../docs/explanation/arithmetic.md#1-numbers)); the memory holds both. ± is Student's 95 % interval over
the seeds."""

METHOD: Final = """\
## Sweeps

`edgesdt sweep mnist_bits` and `edgesdt sweep mnist_widths`, then `python -m benchmarks.bits keep` of both folders. To
be short, a chip of 784-500 learns from 20,000 training images, five times; all test images are read. Seeds 0, 1, 2. But
for the table of steps, every weight reaches ±1/128, so that a width is not another range as well. Accuracies are below
those of the specs above, and this training is too short for the widest ranges (see *Step*). Nothing was chosen by these
figures."""

WIDTH: Final = """\
### Bits of a weight, all of them read"""

HIDDEN: Final = """\
### Hidden bits

Low-order bits that updates add up in and that reads round away."""

LEVELS: Final = """\
### What a read makes of a stored code

`floor` drops the hidden bits, `nearest` rounds, `odd` takes the midpoint: odd multiples of half an LSB, symmetric
about 0."""

STEP: Final = """\
### Step

At the same width a finer step is a smaller range."""

ROUNDING: Final = """\
### Rounding of an update"""

STATES: Final = """\
### Bits of a state"""

INPUTS: Final = """\
### Bits of an input"""

SUMS: Final = """\
### Bits of an accumulator

22 of them are fractional: 22 bits reach ±1/2, half of what a state can follow; 26 reach ±8."""

RATES: Final = """\
### Learning rate and schedule"""

NOT_BUILT: Final = """\
## What does not pay

NOT_BUILT"""

CHOICE: Final = """\
## Trials on held-out images

`python -m benchmarks.bits choose`: `mnist_1layer` with the fields of a line changed, trained on the first training
images, judged on the last 10,000 of them, seed 0. These chose formats, steps and epochs of the narrow specs; no test
image took part. The held-out images are easier than the test images by about half a point."""
