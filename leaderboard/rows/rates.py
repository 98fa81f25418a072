"""Each arm's curve over its grid of learning rates."""

import pandas as pd

from leaderboard import cache, tables
from leaderboard.pictures.rates import EDGES
from leaderboard.scope import Scope

SCORES = ("validation", "test", "test_lowest", "test_highest")
TABLE = (
    tables.ARM,
    tables.BASE,
    tables.number("learning_rate", "rate", "Learning rate.", "%.1e"),
    tables.number("validation", "validation", "Mean on the validation task over the seeds: what chooses. In points, or "
                  "the metric itself where less is better.", "%.2f"),
    tables.text("role", "of", "What the rate was chosen for: the target or, for DPO, the preference."),
    tables.number("test", "test (points)", "Mean over the test tasks of the same kind and over seeds; takes no part in "
                  "the choice.", "%.1f"),
    tables.number("test_lowest", "lowest seed (points)", "The seed with the lowest test score.", "%.1f"),
    tables.number("test_highest", "highest seed (points)", "The seed with the highest test score.", "%.1f"),
    tables.number("seeds", "seeds", "Seeds that were scored on the validation task.", "%d"),
    tables.text("verdict", "chosen", "Whether this rate was chosen, and whether it is at an edge of the grid."),
    tables.text("failed", "failed", "How many runs failed at this rate, and how they ended."),
)  # fmt: skip


def curves_of(scope: Scope, arms: pd.DataFrame) -> pd.DataFrame:
    """The curves of the arms, in their order, scores in points; a loss as it is."""
    about = arms[["section", "arm_id", "row", "name", "method", "base"]]
    curves = about.merge(scope.joined(cache.rate_curves), on=["section", "arm_id"])
    losses = curves["higher_is_better"] == 0
    points = {name: 100 * curves[name].astype(float) for name in SCORES}
    points["validation"] = points["validation"].where(~losses, curves["validation"])
    return curves.assign(**points)


def told(curves: pd.DataFrame) -> pd.DataFrame:
    """The curves with ``verdict`` and ``failed``, in words: what ``TABLE`` shows."""
    return curves.assign(verdict=_verdicts(curves), failed=_failures(curves))


def _verdicts(curves: pd.DataFrame) -> pd.Series:
    edge = curves["edge"].map({name: f", {words}" for name, words in EDGES.items()}).astype(object).fillna("")
    return ("chosen" + edge).where(curves["chosen"], "")


def _failures(curves: pd.DataFrame) -> pd.Series:
    said = curves["failed_runs"].astype(str) + " " + curves["failures"].astype(object).fillna("")
    return said.where(curves["failed_runs"] > 0, "")
