"""What the leaderboard shows of an arm: the picture's quantities, and the table's columns."""

from collections.abc import Sequence

from leaderboard import quantities, tables
from leaderboard.quantities import Quantity
from leaderboard.tables import Column

FIGURES = (*quantities.SCORES, *quantities.COSTS, quantities.RATE, quantities.RANK)  # of the table
SHOWN = (quantities.GAIN, quantities.FORGETTING, quantities.PREFERENCE, quantities.MEMORY, quantities.TOKENS)
PICTURED = 40  # arms in one picture
WORDS = (
    tables.number(
        "place", "place", "One more than the number of arms that are supported as better, on one base.", "%d"
    ),
    tables.text("letters", "tie", "Arms of one base that share a letter can't be told apart on the target."),
    tables.ARM,
    tables.BASE,
)
USUAL = (
    tables.text(
        "memory_measure", "memory is", "Which memory: allocated or reserved by PyTorch on CUDA, or the ledger."
    ),
    tables.number("seeds", "seeds", "Seeds at the chosen rate.", "%d"),
)
MORE = (
    tables.text("method", "method", "full SFT, LoRA, QLoRA, DPO, or nothing trained."),
    tables.text("status", "status", "ok, or how every run of the arm failed."),
    tables.text("hardware", "hardware", "What it ran on."),
    tables.text("stack", "stack", "The software that it ran on."),
    tables.text("source", "results", "The results file or snapshot."),
)


def pictured(there: Sequence[Quantity]) -> list[Quantity]:
    """Those of the quantities that the picture has a panel for."""
    shown = {one.name for one in SHOWN}
    return [one for one in there if one.name in shown]


def arm_columns(there: Sequence[Quantity]) -> tuple[list[Column], list[Column]]:
    """The columns that the table has unless others are asked for, and all that there are."""
    figures = [tables.of_quantity(one, bar=one.better is not None and not one.signed) for one in there]
    return [*WORDS, *figures, *USUAL], [*WORDS, *figures, *USUAL, *MORE, *tables.ends(there)]
