"""The expected activity of a chip on the data of its spec: measured if there is data, assumed otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edgesdt.rules.activity import ASSUMED, Activity
from edgesdt.runs import profile, samples
from edgesdt.runs.compilation import watched
from edgesdt.runs.streams import Streams
from edgesdt.spec import Spec
from edgesdt.suggest import frac_bits


def assumed(inputs: float = ASSUMED.inputs) -> Activity:
    """The assumed activity of a chip, given the share of its inputs that are not zero."""
    return replace(ASSUMED, inputs=inputs)


def of(spec: Spec, say: Callable[[str], None], work_s: float = profile.WORK_S) -> tuple[Spec, Activity]:
    """The spec with the formats chosen for its data, and the activity measured by a short profile on that data.

    A catalogue set that has not been fetched is not fetched: the activity is then assumed, and its text says so. Raises
    what `samples.load` raises, so that data that a run refuses are also refused here.
    """
    if samples.is_missing(spec):
        source = f"{spec.data.set} is not on this machine (edgesdt data fetch {spec.data.set}): assuming"
        return frac_bits.without_data(spec), replace(ASSUMED, source=source)
    data = samples.load(spec, fetch=False, progress=say)
    Streams(spec, data)  # refuses what a run refuses
    for sentence in samples.cautions(spec, data):
        say(f"warning: {sentence}")
    with watched(say) as compilation, compilation.together():
        spec = frac_bits.chosen(spec, data)
        if spec.chip.style == "dense" and spec.device.digital:  # its activity does not depend on the data
            return spec, ASSUMED
        return spec, profile.measure(spec, data, work_s)
