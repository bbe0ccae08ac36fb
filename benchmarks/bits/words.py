"""The sentences of BITS.md."""

from __future__ import annotations

from typing import Final

HEADING: Final = """\
# How many bits does a chip need to learn?

Equilibrium propagation with a self-defined target on MNIST, 784-2000, one sample at a time, read out by direct
association (average). `python -m benchmarks.bits page` writes this page from kept rows, trials and records."""

FOUND: Final = """\
## What was found

- **Updates need more bits than drives.** In the sweeps, weights of two bits reach {two} % and of eight
  {eight} %. Two bits that are read learn as well as eight, {two_four} %, if updates add up in four bits more; one more
  gives {two_one} %, two {two_two} %.
- Hidden bits cost memory, and energy in updates alone: a training sample takes {energy_two_four} with two and
  four bits, {energy_eight} with eight; an inference reads two.
- Where all bits are read, four of the right range are nearly enough ({four} %), three are not ({three} %).
- Without hidden bits, two bits should read as odd multiples of half an LSB: {two_odd} %, not {two} % as with
  −2, −1, 0 and 1. With hidden bits, rounding is as good or better and keeps a 0 ({two_four} %; odd
  {two_four_odd} %, floor {two_four_floor} %).
- The range matters as much as the width: in this short training eight bits reach {eight} % with ±1/128 and
  {eight_wide} % with ±1/32; in thirty epochs of all images the wider range wins (`mnist_1layer`, and the trials
  below).
- With 14 fractional bits an update is many LSBs, so that rounding it to nearest costs nothing ({nearest} %).
  Weights of few bits need stochastic rounding or hidden bits: their updates are below one LSB.
- On 784-200, states of 4, 6 and 8 bits give {state_4}, {state_6} and {base} %; inputs of 1, 4 and 8 bits
  {input_1}, {input_4} and {base} %. An accumulator of 22 bits gives {sums_22} %, a learning rate that stays as
  it is {constant} %."""

RECIPES: Final = """\
## Specs for narrow weights

All training images, all test images. `read + hidden`: bits of a weight that drives use, and bits that updates alone
use ([arithmetic](../docs/explanation/arithmetic.md#1-numbers)); the memory holds both. ± is Student's 95 % interval
over the seeds."""

METHOD: Final = """\
## Sweeps

`edgesdt sweep mnist_bits` and `edgesdt sweep mnist_widths`, then `python -m benchmarks.bits keep` of both folders.
To be short, a chip of 784-500 learns from 20,000 training images, one of 784-200 (states, inputs, accumulators,
schedule) from 10,000, five times; all test images are read. Seeds 0, 1, 2. But for the table of steps, every weight
reaches ±1/128, so that a width is not another range as well. Accuracies are below those of the specs above. Nothing
was chosen by these figures."""

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

**A falling update probability.** A register that lets updates pass ever more rarely was not built, since stochastic
rounding with a falling rate is the same thing. The largest update of `mnist_1layer` is lr/β · x · Δs = 0.008 ·
255/256 · 55/256 = 0.0017, less than one LSB of a weight of two bits (1/256) or three (1/512). So an update moves a
code by one or not at all, with a probability proportional to the rate, which falls over the epochs. Hidden bits are
what such a chip lacks.

**A scale for each layer** is `frac_bits` where there is one layer: the table of steps.

**A scale for each neuron.** Homeostasis and a common range leave neurons with weights of nearly one size. Below,
trained weights of `mnist_1layer_4bit` (7 bits stored) are cut to fewer bits with the shift of least squared error,
one for all neurons or one for each (`python -m benchmarks.bits scales RUN_DIR...`; accuracies on the last 10,000
training images)."""

CHOICE: Final = """\
## Trials on held-out images

`python -m benchmarks.bits choose`: `mnist_1layer` with the fields of a line changed, trained on the first training
images, judged on the last 10,000 of them, seed 0. These chose formats, steps and epochs of the narrow specs; no
test image took part. The held-out images are easier than the test images by about half a point."""
