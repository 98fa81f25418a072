"""How much worse the candidate answers: the two sides' scores laid side by side, item by item where both keep them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.gate.finding import Verdict
from harness.analysis.gate.match import Matched
from harness.analysis.gate.side import Side
from harness.analysis.outcomes import NATS_PER_UNIT
from harness.analysis.spread import Block

Answers = dict[tuple[str, str, str], NDArray[np.float64]]  # run, moment, eval -> right or wrong

SCORE = ["moment", "eval_id", "metric"]
ABOUT = ["task", "role", "n_items", "higher_is_better"]
SAME_TASK = ["arm", "moment", "task", "metric"]


@dataclass(frozen=True, eq=False)
class Scored:
    """One arm's score in one eval at one moment, on both sides."""

    arm: str
    task: str
    role: str
    moment: str
    eval_id: str
    metric: str
    base_digest: str
    bare: bool  # of the base as it is
    points: bool  # a score in [0, 1]; else a logarithm of a perplexity
    n_items: int
    recipes: tuple[str, ...]  # a row of the block each: seeds, and rates where several were tried
    chains: tuple[str, ...]  # of each recipe
    block: Block  # (recipes, items), baseline minus candidate: positive where the candidate is worse

    def minus(self, shift: float) -> "Scored":
        """The same, every difference less by ``shift``."""
        return replace(self, block=self.block - shift)

    def of(self, recipes: Sequence[str]) -> "Scored":
        """The same of these recipes alone."""
        rows = [self.recipes.index(recipe) for recipe in recipes]
        chains = tuple(self.chains[row] for row in rows)
        return replace(self, recipes=tuple(recipes), chains=chains, block=self.block[rows])


@dataclass(frozen=True)
class Unpaired:
    """Scores of an arm that can't be compared: ``missing`` from the candidate, ``new`` in it, or ``not measured`` where
    one is no number; ``runs`` says how many."""

    arm: str
    task: str
    role: str
    moment: str
    points: bool
    verdict: Verdict
    runs: int
    why: str


@dataclass(frozen=True, eq=False)
class Scores:
    """What can be compared, and what can't."""

    paired: Sequence[Scored]
    unpaired: Sequence[Unpaired]


def compare_scores(baseline: Side, candidate: Side, matched: Matched) -> Scores:
    """Every arm's score in every test eval and moment, item by item where both sides keep the items, else as it is."""
    told = (_scores(side, recipes) for side, recipes in zip((baseline, candidate), matched.recipes, strict=True))
    both = _side_by_side(*told)
    rows = matched.quality.drop(columns=["baseline", "candidate"]).merge(both, on="recipe_id")
    known = rows["value_baseline"].notna() & rows["value_candidate"].notna()
    return Scores(_paired(baseline, candidate, rows[known]), _unpaired(rows[~known]))


def _scores(side: Side, recipes: pd.Series) -> pd.DataFrame:
    """The scores of each recipe's runs: a later run may have scored a new task alone."""
    scores = side.scores[["run_id", *SCORE, *ABOUT, "value"]]
    return scores.assign(recipe_id=scores["run_id"].map(recipes)).dropna(subset="recipe_id")


def _side_by_side(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    on = ["recipe_id", *SCORE]
    both = ours.merge(theirs, "outer", on, suffixes=("_baseline", "_candidate"), indicator="there")
    for name in ABOUT:
        both[name] = both.pop(f"{name}_baseline").combine_first(both.pop(f"{name}_candidate"))
    return both


def _paired(baseline: Side, candidate: Side, rows: pd.DataFrame) -> list[Scored]:
    kept = [
        _correct(side.items, rows[f"run_id_{name}"])
        for side, name in ((baseline, "baseline"), (candidate, "candidate"))
    ]
    found = []
    for _, own in rows.sort_values("seed", kind="stable").groupby(["arm", *SCORE], sort=False):
        first = own.iloc[0]
        named = {key: str(first[key]) for key in ("arm", "task", "role", "moment", "eval_id", "metric", "base_digest")}
        found.append(
            Scored(
                **named,
                bare=bool(first["bare"]),
                points=bool(first["higher_is_better"]),
                n_items=int(first["n_items"]),
                recipes=tuple(own["recipe_id"]),
                chains=tuple(own["chain"]),
                block=_block(own, kept),
            )
        )
    return found


def _unpaired(rows: pd.DataFrame) -> list[Unpaired]:
    verdicts = rows["there"].astype(str).map({"left_only": "missing", "right_only": "new", "both": "not measured"})
    rows = rows.assign(verdict=verdicts)
    differently = rows.groupby(SAME_TASK)["verdict"].nunique() > 1
    found = []
    for (arm, moment, task, metric, verdict), own in rows.groupby([*SAME_TASK, "verdict"], sort=False):
        first = own.iloc[0]
        why = "scored on other items or in another way" if differently[arm, moment, task, metric] else _WHY[verdict]
        about = (str(arm), str(task), str(first["role"]), str(moment), bool(first["higher_is_better"]))
        found.append(Unpaired(*about, verdict, len(own), f"{why} ({len(own)} runs)"))
    return found


_WHY = {
    "missing": "the candidate has no such score",
    "new": "the baseline has no such score",
    "not measured": "a side's score is no number",
}


def _correct(items: pd.DataFrame, run_ids: pd.Series) -> Answers:
    own = items[items["run_id"].isin(run_ids)]
    keys = zip(own["run_id"], own["moment"], own["eval_id"], strict=True)
    return {key: correct for key, correct in zip(keys, own["correct"], strict=True) if correct is not None}


def _block(rows: pd.DataFrame, kept: list[Answers]) -> Block:
    """(seeds, items) of baseline minus candidate, in points; of a perplexity (seeds, 1), candidate over baseline."""
    before, after = (rows[f"value_{side}"].to_numpy(float) for side in ("baseline", "candidate"))
    if not rows["higher_is_better"].iloc[0]:
        nats = NATS_PER_UNIT.get(rows["metric"].iloc[0])
        return ((after - before) * nats if nats is not None else np.log(after / before))[:, None]
    where = list(zip(rows["moment"], rows["eval_id"], strict=True))
    ours, theirs = (
        [own[run, *place] for run, place in zip(rows[f"run_id_{side}"], where, strict=True) if (run, *place) in own]
        for own, side in zip(kept, ("baseline", "candidate"), strict=True)
    )
    scores = (before - after)[:, None]
    if len(ours) + len(theirs) < 2 * len(rows) or len({len(one) for one in [*ours, *theirs]}) != 1:
        return scores
    block = np.stack(ours) - np.stack(theirs)
    block = block[:, ~np.isnan(block).any(axis=0)]
    explained = block.shape[1] and np.allclose(block.mean(axis=1), scores[:, 0], atol=1e-4)
    return block if explained else scores  # the items are not what the score averages
