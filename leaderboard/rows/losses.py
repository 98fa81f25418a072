"""Every arm's loss in training at its chosen rate."""

import pandas as pd

from leaderboard import cache
from leaderboard.scope import Scope


def losses_of(scope: Scope, arms: pd.DataFrame) -> pd.DataFrame:
    """A row an arm and logged step, the mean over its seeds: ``tokens_seen`` and ``loss``, with the arm's ``row``,
    ``name``, ``method`` and ``base``, in the order of ``arms``."""
    curves = scope.joined(cache.curves).dropna(subset=["loss"])
    means = curves.groupby(["section", "arm_id", "step"], as_index=False)[["tokens_seen", "loss"]].mean()
    about = arms[["section", "arm_id", "row", "name", "method", "base"]]
    return about.merge(means, on=["section", "arm_id"])
