"""`tunematrix diff`: what two results files or snapshots say of the same arms, then whether the second is worse."""

from pathlib import Path

from harness.commands.check import CheckRequest, run_check
from harness.commands.compare import show_comparison
from harness.commands.console import console_for_people
from harness.errors import UserError
from harness.gate.reference import Reference
from harness.lineup import NoCommonArm
from harness.oneline import one_line

NOT_IN_TURN = ("speed", "matrix-speed")  # two snapshots took no turns: their speed stays open


def show_diff(first: Path, second: Path, *, only: str | None, other_hardware: bool) -> int:
    """Compare, check, print; returns the exit code of the check.

    An arm is what it is in one execution, so that two kernels have none in common: the check, which pairs runs by
    recipe, is then all there is.
    """
    try:
        show_comparison(str(first), str(second), first, only=only, screen=False, difference=None, as_json_=False)
    except NoCommonArm as error:
        if only:
            raise UserError(f"--only {only}: {error}") from None
        console_for_people().print(one_line(f"not compared arm by arm: {error}"), highlight=False, markup=False)
    return run_check(
        CheckRequest(Reference(), baseline=first, candidate=second, other_hardware=other_hardware, allow=NOT_IN_TURN)
    )
