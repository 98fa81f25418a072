"""Which run of one side is compared with which of the other: by recipe and purpose."""

from dataclasses import dataclass

import pandas as pd

from harness.analysis.gate.side import Side

ABOUT = ["recipe_id", "arm", "method", "seed", "compute", "stages"]
PAIR = [*ABOUT, "purpose", "baseline", "candidate"]


@dataclass(frozen=True, eq=False)
class Matched:
    """``pairs``: a row a pair of good runs (``PAIR``, the last two being run ids; ``round`` counts a recipe's pairs of
    one purpose). ``ended``: a row a recipe that both sides tried, with ``status_baseline`` and ``status_candidate`` and
    reasons. ``missing`` and ``new``: arm and seed of recipes that only one side tried."""

    pairs: pd.DataFrame
    ended: pd.DataFrame
    missing: pd.DataFrame
    new: pd.DataFrame


def match(baseline: Side, candidate: Side) -> Matched:
    """Pair the quality runs of a recipe (the newest good one of each side) and its measure runs in order of time.

    Where a side ran a recipe in several executions, the one that both have is taken, else the newest.
    """
    sides = [_one_execution(side, other) for side, other in ((baseline, candidate), (candidate, baseline))]
    quality = [_newest(runs[runs["purpose"] == "quality"]) for runs in sides]
    measure = [_numbered(runs[(runs["purpose"] != "quality") & runs["exclusive"] & _good(runs)]) for runs in sides]
    pairs = pd.concat([_paired([q[_good(q)].assign(round=0) for q in quality]), _paired(measure)], ignore_index=True)
    ended = quality[0].merge(quality[1], on="recipe_id", suffixes=("_baseline", "_candidate"))
    ours, theirs = (set(one["recipe_id"]) for one in quality)
    return Matched(
        pairs,
        ended,
        missing=quality[0][~quality[0]["recipe_id"].isin(theirs)],
        new=quality[1][~quality[1]["recipe_id"].isin(ours)],
    )


def _one_execution(side: Side, other: Side) -> pd.DataFrame:
    runs = side.runs.sort_values(["started_at", "run_id"])
    shared = pd.MultiIndex.from_frame(runs[["recipe_id", "execution_id"]]).isin(
        pd.MultiIndex.from_frame(other.runs[["recipe_id", "execution_id"]])
    )
    ranked = runs.assign(shared=shared).sort_values("shared", kind="stable")
    taken = ranked.groupby("recipe_id")["execution_id"].last()
    return runs[runs["execution_id"] == runs["recipe_id"].map(taken)]


def _good(runs: pd.DataFrame) -> pd.Series:
    return runs["status"] == "ok"


def _newest(runs: pd.DataFrame) -> pd.DataFrame:
    """One run a recipe: a good one before a bad one, the newest before an older."""
    ranked = runs.assign(good=_good(runs)).sort_values("good", kind="stable")
    return ranked.drop_duplicates("recipe_id", keep="last").drop(columns="good")


def _numbered(runs: pd.DataFrame) -> pd.DataFrame:
    return runs.assign(round=runs.groupby("recipe_id").cumcount())


def _paired(sides: list[pd.DataFrame]) -> pd.DataFrame:
    ours, theirs = (side[["recipe_id", "purpose", "round", "run_id"]] for side in sides)
    both = ours.rename(columns={"run_id": "baseline"}).merge(
        theirs.rename(columns={"run_id": "candidate"}), on=["recipe_id", "purpose", "round"]
    )
    about = sides[0].drop_duplicates("recipe_id")[ABOUT]
    return both.merge(about, on="recipe_id")[[*PAIR, "round"]]
