"""The constants of a target on the chip: target codes of the outputs, and the registers of homeostasis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgesdt.qformat import LEAST, QFormat, Scale
from edgesdt.spec import Spec
from edgesdt.spec.checks.held import too_small
from edgesdt.spec.schema.learning import targeted
from edgesdt.spec.text.source import Fault


@dataclass(frozen=True)
class TargetRegisters:
    """`high` and `low` are state codes of a winner and a loser, `aim` the activity code of k / n_L."""

    high: int
    low: int
    aim: int
    eta: Scale
    gamma: Scale
    state: QFormat
    activity: QFormat
    homeostasis: QFormat

    @classmethod
    def of(cls, spec: Spec) -> TargetRegisters:
        """The registers for `spec`, with each constant rounded to the nearest value of the chip."""
        chip, learning = spec.chip, targeted(spec.learning)
        state = QFormat(chip.states.bits, chip.states.bits, signed=False)
        share = (learning.winners if learning.target == "self_defined" else 1) / chip.layers[-1]
        smoothing, home = learning.label_smoothing, learning.homeostasis
        activity = QFormat(home.activity_bits, home.activity_bits, signed=False)
        return cls(
            high=state.encode(1.0 - smoothing + smoothing * share),
            low=state.encode(smoothing * share),
            aim=activity.encode(share),
            eta=Scale.nearest(home.eta, chip.constants.bits),
            gamma=Scale.nearest(home.gamma, chip.constants.bits),
            state=state,
            activity=activity,
            homeostasis=QFormat(home.bits, home.frac_bits),
        )

    @property
    def gamma_shift(self) -> int:
        """The shift of gamma, including the shift from activity codes to homeostasis codes."""
        return self.gamma.shift + self.activity.frac_bits - self.homeostasis.frac_bits

    def held(self, spec: Spec) -> dict[str, tuple[float | list[float], str]]:
        """Dotted path → (value in use, text for its register), for the constants of a target."""
        smoothing = targeted(spec.learning).label_smoothing
        return {
            "learning.homeostasis.eta": (self.eta.value, str(self.eta)),
            "learning.homeostasis.gamma": (self.gamma.value, str(self.gamma)),
            "learning.label_smoothing": (
                smoothing,
                f"target codes {self.high} and {self.low} of {self.state.highest}",
            ),
        }


def eta_beyond(spec: Spec) -> Iterator[Fault]:
    """The fault of an eta whose register would hold 0."""
    eta = targeted(spec.learning).homeostasis.eta
    if Scale.nearest(eta, spec.chip.constants.bits).value == 0:
        path = ("learning", "homeostasis", "eta")
        yield Fault(path, too_small(eta, LEAST), blame=(path,))
