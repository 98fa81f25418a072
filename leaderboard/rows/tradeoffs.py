"""The trade-offs that people ask about, and the columns that tell of one."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from leaderboard import cache, quantities, tables
from leaderboard.quantities import Quantity
from leaderboard.scope import Scope
from leaderboard.tables import Column


@dataclass(frozen=True)
class Preset:
    """Two quantities that people ask about."""

    across: Quantity
    up: Quantity


PRESETS = {
    "gain against memory": Preset(quantities.MEMORY, quantities.GAIN),
    "gain against forgetting": Preset(quantities.FORGETTING, quantities.GAIN),
    "gain against training time": Preset(quantities.TUNING, quantities.GAIN),
    "memory against speed": Preset(quantities.MEMORY, quantities.TOKENS),
}


def with_recipes(scope: Scope, arms: pd.DataFrame) -> pd.DataFrame:
    """The arms with what ``recipes.told`` tells of each."""
    return arms.merge(scope.joined(cache.recipes), "left", on=["section", "arm_id"])


def standing_columns(shown: Sequence[Quantity]) -> list[Column]:
    """Each arm's standing in these quantities; a row as of ``arms.with_standing``."""
    return [
        tables.text("name", "arm", "The entry in the matrix, what it starts from, and its rank."),
        tables.text("base", "base", "The base model."),
        *(tables.of_quantity(one) for one in shown),
        tables.text(
            "standing",
            "standing",
            "Whether another arm of its base is supported to be at least as good in both and better in one.",
        ),
    ]
