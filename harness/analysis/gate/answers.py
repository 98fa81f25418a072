"""How much worse the candidate answers: the two sides' scores laid side by side, item by item where both keep them."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.gate.match import Matched
from harness.analysis.gate.side import Side
from harness.analysis.spread import Block

Answers = dict[tuple[str, str, str], NDArray[np.float64]]  # run, moment, eval -> right or wrong


@dataclass(frozen=True, eq=False)
class Worse:
    """How much worse the candidate did in one eval at one moment: a block (seeds, items) of an arm, a row a seed."""

    arm: str
    task: str
    role: str
    moment: str
    block: Block
    points: bool  # a score in [0, 1]; else a logarithm of a perplexity
    n_items: int

    def minus(self, shift: float) -> "Worse":
        """The same, every difference less by ``shift``."""
        return replace(self, block=self.block - shift)


def worse_by_eval(baseline: Side, candidate: Side, matched: Matched) -> list[Worse]:
    """Every arm's difference in every test eval and moment that both sides have scored, positive where the candidate is
    worse; item by item where both sides keep the items, else of the scores."""
    pairs = matched.pairs[matched.pairs["purpose"] == "quality"]
    on = ["moment", "eval_id", "metric"]
    ours = pairs.merge(baseline.scores, left_on="baseline", right_on="run_id")
    both = ours.merge(
        candidate.scores, left_on=["candidate", *on], right_on=["run_id", *on], suffixes=("", "_candidate")
    )
    both = both.dropna(subset=["value", "value_candidate"])
    kept = [_correct(side.items, both[key]) for side, key in ((baseline, "baseline"), (candidate, "candidate"))]
    found = []
    for (arm, moment, _, _), rows in both.groupby(["arm", *on], sort=False):
        first = rows.iloc[0]
        about = (str(arm), str(first["task"]), str(first["role"]), str(moment))
        block, points = _block(rows.sort_values("seed"), kept), bool(first["higher_is_better"])
        found.append(Worse(*about, block, points, int(first["n_items"])))
    return found


def _correct(items: pd.DataFrame, run_ids: pd.Series) -> Answers:
    own = items[items["run_id"].isin(run_ids)]
    keys = zip(own["run_id"], own["moment"], own["eval_id"], strict=True)
    return {key: correct for key, correct in zip(keys, own["correct"], strict=True) if correct is not None}


def _block(rows: pd.DataFrame, kept: list[Answers]) -> Block:
    """(seeds, items) of baseline minus candidate, in points; of a perplexity (seeds, 1), candidate over baseline."""
    if not rows["higher_is_better"].iloc[0]:
        return np.log(rows["value_candidate"].to_numpy(float) / rows["value"].to_numpy(float))[:, None]
    scores = (rows["value"] - rows["value_candidate"]).to_numpy(float)
    where = list(zip(rows["moment"], rows["eval_id"], strict=True))
    ours, theirs = (
        [one for run, place in zip(rows[key], where, strict=True) if (one := items.get((run, *place))) is not None]
        for items, key in zip(kept, ("baseline", "candidate"), strict=True)
    )
    if len(ours) + len(theirs) < 2 * len(rows) or len({len(one) for one in [*ours, *theirs]}) != 1:
        return scores[:, None]
    block = np.stack(ours) - np.stack(theirs)
    block = block[:, ~np.isnan(block).any(axis=0)]
    explained = block.shape[1] and np.allclose(block.mean(axis=1), scores, atol=1e-4)
    return block if explained else scores[:, None]  # the items are not what the score averages
