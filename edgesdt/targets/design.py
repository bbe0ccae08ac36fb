"""The design of the self-defined target on the chip: actions, functional units and its phase."""

from __future__ import annotations

from edgesdt.ledger import actions as act
from edgesdt.ledger.recipes import Access, Action, Bound, Design, Phase, Unit, Use
from edgesdt.spec import Spec
from edgesdt.spec.schema.learning import targeted


def design(spec: Spec) -> Design:
    """k-WTA and homeostasis (Liu et al. 2024, §2) at the widths of `spec`.

    Actions and phase are included for every target, because counts list them as 0; units only if the chip has them.
    """
    chip, learning = spec.chip, targeted(spec.learning)
    home, winners = learning.homeostasis, learning.winners
    held, lanes = chip.constants.bits, chip.neurons_per_cycle
    settle = (
        Use("multiply", (home.activity_bits, held)),
        Use("multiply", (home.bits, held)),
        Use("add", (home.bits,), 4),
    )
    own = learning.target == "self_defined"
    return Design(
        actions=(
            Action(
                act.KEY_COMPARE,
                act.MEANING[act.KEY_COMPARE],
                "target",
                (Use("add", (home.bits,)), Use("compare", (home.bits,))),
            ),
            Action(
                act.HOMEOSTASIS_STEP,
                act.MEANING[act.HOMEOSTASIS_STEP],
                "homeostasis",
                (
                    Use("add", (home.activity_bits,), 2),
                    Use("multiply", (home.activity_bits, held)),
                    Use("add", (home.bits,), 2),
                    Use("multiply", (home.bits, held)),
                    Access(home.activity_bits, ("activity",), 2, kind="targets"),
                    Access(home.bits, ("homeostasis",), 2, kind="targets"),
                ),
            ),
        ),
        units=(
            Unit("neurons", lanes, settle),
            Unit("target", winners, (Use("compare", (home.bits,)),)),
        )
        if own
        else (),
        phases=(
            Phase(
                "target and homeostasis",
                ((Bound(lanes, {act.KEY_COMPARE: max(winners, 1), act.HOMEOSTASIS_STEP: 1}),),),
            ),
        ),
    )
