"""Which run of one side is compared with which of the other: by recipe and purpose."""

from dataclasses import dataclass

import pandas as pd

from harness.analysis.gate.side import Side

ABOUT = ["recipe_id", "arm", "method", "seed", "compute", "stages", "chain", "base_digest", "bare"]
PAIR = [*ABOUT, "purpose", "baseline", "candidate", "round"]
ENDED = ["status", "reason"]
TURNS = "check:"  # how the source of a run begins that took turns with another of the same source


@dataclass(frozen=True, eq=False)
class Matched:
    """``pairs``: a row a pair of good runs (``PAIR``; ``baseline`` and ``candidate`` are run ids, ``round`` names the
    round in which the two took turns, None where they did not). ``recipes``: of each side, the recipe of every good
    quality run, by run id. ``ended``: a row a recipe that both sides tried: the baseline's name of its arm, and
    ``status`` and ``reason`` of each side. ``missing`` and ``new``: the recipes that only one side tried."""

    pairs: pd.DataFrame
    recipes: tuple[pd.Series, pd.Series]
    ended: pd.DataFrame
    missing: pd.DataFrame
    new: pd.DataFrame

    @property
    def quality(self) -> pd.DataFrame:
        """The pairs of quality runs, one a recipe."""
        return self.pairs[self.pairs["purpose"] == "quality"]


def match(baseline: Side, candidate: Side) -> Matched:
    """Pair the quality runs of a recipe (the newest good one of each side), and its measure runs of the same steps.

    Measure runs that took turns are paired by their round; the others are laid side by side in order of time, which
    does for all that does not depend on the hour. Where a side ran a recipe in several executions, the one that both
    have is taken, else the newest.
    """
    sides = [_one_execution(side, other) for side, other in ((baseline, candidate), (candidate, baseline))]
    quality = [runs[runs["purpose"] == "quality"] for runs in sides]
    measure = [runs[(runs["purpose"] != "quality") & runs["exclusive"] & _good(runs)] for runs in sides]
    newest = [_newest(runs) for runs in quality]
    good = [runs[_good(runs)] for runs in newest]
    ours, theirs = (set(one["recipe_id"]) for one in newest)
    return Matched(
        pairs=pd.concat([_paired(good, []).assign(round=None), _measured(measure)], ignore_index=True)[PAIR],
        recipes=(_recipes(quality[0]), _recipes(quality[1])),
        ended=newest[0][["recipe_id", "arm", *ENDED]].merge(
            newest[1][["recipe_id", *ENDED]], on="recipe_id", suffixes=("_baseline", "_candidate")
        ),
        missing=newest[0][~newest[0]["recipe_id"].isin(theirs)],
        new=newest[1][~newest[1]["recipe_id"].isin(ours)],
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


def _recipes(quality: pd.DataFrame) -> pd.Series:
    return quality[_good(quality)].set_index("run_id")["recipe_id"]


def _newest(runs: pd.DataFrame) -> pd.DataFrame:
    """One run a recipe: a good one before a bad one, the newest before an older."""
    ranked = runs.assign(good=_good(runs)).sort_values("good", kind="stable")
    return ranked.drop_duplicates("recipe_id", keep="last").drop(columns="good")


def _measured(sides: list[pd.DataFrame]) -> pd.DataFrame:
    """Pairs of measure runs. One over other steps than its partner's saw other batches (``order_digest``), so that
    neither its losses nor its memory are the same."""
    turns = [runs.assign(round=runs["source"])[runs["source"].str.startswith(TURNS)] for runs in sides]
    in_turn = _paired(turns, ["round", "order_digest"])
    left = [
        runs[~runs["run_id"].isin(in_turn[key])] for runs, key in zip(sides, ("baseline", "candidate"), strict=True)
    ]
    numbered = [runs.assign(place=runs.groupby(["recipe_id", "order_digest"]).cumcount()) for runs in left]
    return pd.concat([in_turn, _paired(numbered, ["place", "order_digest"]).assign(round=None)], ignore_index=True)


def _paired(sides: list[pd.DataFrame], on: list[str]) -> pd.DataFrame:
    keys = ["recipe_id", "purpose", *on]
    ours, theirs = (
        side[[*keys, "run_id"]].rename(columns={"run_id": name})
        for side, name in zip(sides, ("baseline", "candidate"), strict=True)
    )
    about = sides[0].drop_duplicates("recipe_id")[ABOUT]
    return ours.merge(theirs, on=keys).merge(about, on="recipe_id")
