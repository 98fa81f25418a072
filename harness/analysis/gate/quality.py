"""Task scores, forgetting and final losses: paired by recipe and item, arm by arm and over the whole matrix."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from harness.analysis.corrections import holm
from harness.analysis.gate.finding import MATRIX, Finding, Unit, verdict_of
from harness.analysis.gate.match import Matched
from harness.analysis.gate.rules import Effect
from harness.analysis.gate.side import Side
from harness.analysis.outcomes import UNTRAINED
from harness.analysis.uncertainty import Block, Interval, difference_interval, value_interval

MAD_TO_SD = 1.4826  # of a normal distribution
ENOUGH_CELLS = 8  # to tell one cell's noise from the others' spread


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


def judge_scores(worse: Sequence[Worse], rule: Effect) -> Iterator[Finding]:
    """Each arm's score in each test eval."""
    noise = _noise(worse)
    found = [_interval(one, noise) for one in worse]
    p_values = [np.nan if interval.p_value is None else interval.p_value for interval in found]
    for one, interval, p in zip(worse, found, holm(p_values), strict=True):
        detail = one.task if one.moment in ("tuned", "base", "prompted") else f"{one.task}, {one.moment}"
        unit: Unit = "points" if one.points else "share"
        yield _finding("score", one.arm, detail, interval, rule, None if np.isnan(p) else float(p), unit)


def judge_forgetting(worse: Sequence[Worse], rule: Effect) -> Iterator[Finding]:
    """Each trained arm's mean over the general tasks in which higher is better, less what the base itself changed."""
    general = [one for one in worse if one.role == "general" and one.points]
    base = {one.task: float(one.block.mean()) for one in general if one.moment == "base"}
    arms: dict[str, list[Block]] = {}
    for one in general:
        if one.moment == "tuned":
            arms.setdefault(one.arm, []).append(one.block - base.get(one.task, 0.0))
    found = {arm: _mean_interval(blocks) for arm, blocks in arms.items()}
    p_values = holm([np.nan if i.p_value is None else i.p_value for i in found.values()])
    for (arm, interval), p in zip(found.items(), p_values, strict=True):
        yield _finding("forgetting", arm, "", interval, rule, None if np.isnan(p) else float(p), "points", sign=1)


def judge_matrix_score(worse: Sequence[Worse], rule: Effect) -> Iterator[Finding]:
    """Every trained run's mean over its test tasks, over the whole matrix: by mean, and by sign."""
    runs: dict[tuple[str, int], list[float]] = {}
    for one in worse:
        if one.points and one.moment == "tuned":
            for row, mean in enumerate(one.block.mean(axis=1)):
                runs.setdefault((one.arm, row), []).append(float(mean))
    means = np.array([np.mean(values) for values in runs.values()])
    yield from _matrix("matrix_score", means, rule, "points")


def judge_final_losses(baseline: Side, candidate: Side, matched: Matched, rule: Effect) -> Iterator[Finding]:
    """Each arm's last logged loss: the mean log ratio over seeds."""
    ratios = final_loss_ratios(baseline, candidate, matched)
    groups = {str(arm): values.to_numpy()[:, None] for arm, values in ratios.groupby("arm", sort=False)["log_ratio"]}
    found = {arm: _exact(value_interval([block]), block) for arm, block in groups.items()}
    p_values = holm([np.nan if i.p_value is None else i.p_value for i in found.values()])
    for (arm, interval), p in zip(found.items(), p_values, strict=True):
        yield _finding("final_loss", arm, "", interval, rule, None if np.isnan(p) else float(p), "share", sign=1)


def judge_matrix_final_loss(baseline: Side, candidate: Side, matched: Matched, rule: Effect) -> Iterator[Finding]:
    """The last losses of all runs, by mean and by sign."""
    ratios = final_loss_ratios(baseline, candidate, matched)["log_ratio"].to_numpy()
    yield from _matrix("matrix_final_loss", ratios, rule, "share", sign=1)


def final_loss_ratios(baseline: Side, candidate: Side, matched: Matched) -> pd.DataFrame:
    """A row a pair of quality runs: arm, and ``log_ratio`` of the candidate's last loss over the baseline's."""
    pairs = matched.pairs[(matched.pairs["purpose"] == "quality") & (matched.pairs["method"] != "base")]
    last = [
        side.losses.sort_values("step").drop_duplicates("run_id", keep="last").set_index("run_id")["loss"]
        for side in (baseline, candidate)
    ]
    ratio = np.log(pairs["candidate"].map(last[1]).astype(float) / pairs["baseline"].map(last[0]).astype(float))
    return pairs[["arm", "seed"]].assign(log_ratio=ratio).dropna()


def _matrix(quantity: str, worse: NDArray[np.float64], rule: Effect, unit: Unit, sign: int = -1) -> Iterator[Finding]:
    if not worse.size:
        yield Finding(quantity, MATRIX, "not measured", unit=unit, why="no run of both sides")
        return
    block = worse[:, None]
    mean = _exact(value_interval([block]), block)
    moved = worse[worse != 0]
    by_sign = float(binomtest(int((moved > 0).sum()), moved.size).pvalue) if moved.size else 1.0
    p = None if mean.p_value is None else min(1.0, 2 * min(mean.p_value, by_sign))  # two looks at one question
    n, up = worse.size, int((worse > 0).sum())
    yield _finding(
        quantity, MATRIX, f"{n} runs, {up} worse, {n - up - int((worse == 0).sum())} better", mean, rule, p, unit, sign
    )


def _finding(
    quantity: str, where: str, detail: str, worse: Interval, rule: Effect, p: float | None, unit: Unit, sign: int = -1
) -> Finding:
    """``sign`` -1: a fall is worse, as of a score; 1: a rise is, as of a loss."""
    verdict, why = verdict_of(worse, rule, p)
    ends = [worse.low, worse.high] if sign > 0 else [worse.high, worse.low]
    low, high = (None if end is None else sign * end + 0.0 for end in ends)
    return Finding(quantity, where, verdict, detail, unit, sign * worse.estimate + 0.0, low, high, rule.minimum, why)


def _correct(items: pd.DataFrame, run_ids: pd.Series) -> dict[tuple[str, str, str], NDArray[np.float64]]:
    own = items[items["run_id"].isin(run_ids)]
    keys = zip(own["run_id"], own["moment"], own["eval_id"], strict=True)
    return {key: correct for key, correct in zip(keys, own["correct"], strict=True) if correct is not None}


def _block(rows: pd.DataFrame, kept: list[dict[tuple[str, str, str], NDArray[np.float64]]]) -> Block:
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


def _interval(one: Worse, noise: float | None) -> Interval:
    if one.block.shape[1] > 1 and one.points:
        return difference_interval([one.block])
    if one.block.shape[0] > 1:
        return _exact(value_interval([one.block]), one.block)
    return _single(float(one.block[0, 0]), one, noise)


def _single(worse: float, one: Worse, noise: float | None) -> Interval:
    """One seed's score without its items: its noise is what the matrix's other cells show, or what drawing the items
    anew on either side would give, which is more than a paired comparison has."""
    if one.moment in UNTRAINED and not one.points:  # nothing of chance is in an untrained model's perplexity
        return Interval(worse, worse, worse, 0.0 if worse else 1.0)
    if noise is None and one.points:
        noise = (0.5 / one.n_items) ** 0.5 if one.n_items else None
    if noise is None:
        return Interval(worse)
    return _normal(worse, noise)


def _normal(worse: float, sd: float) -> Interval:
    from scipy.stats import norm

    p = 1.0 if worse == 0 else float(2 * norm.sf(abs(worse) / sd)) if sd else 0.0
    return Interval(worse, worse - 1.96 * sd, worse + 1.96 * sd, p, seeds=1)


def _noise(worse: Sequence[Worse]) -> float | None:
    """The spread of single scores about their median over the matrix's cells."""
    single = [float(one.block[0, 0]) for one in worse if one.points and one.block.size == 1]
    if len(single) < ENOUGH_CELLS:
        return None
    return MAD_TO_SD * float(np.median(np.abs(np.array(single) - np.median(single))))


def _mean_interval(blocks: Sequence[Block]) -> Interval:
    if all(block.shape[1] > 1 for block in blocks):
        return difference_interval(blocks)
    means = np.mean([block.mean(axis=1, keepdims=True) for block in blocks], axis=0)
    return _exact(value_interval([means]), means)


def _exact(interval: Interval, block: Block) -> Interval:
    """Values that are all the same have no variance to test with: the sign test's p is theirs."""
    if interval.p_value is not None or block.size < 2:
        return interval
    p = 1.0 if interval.estimate == 0 else 2.0 ** (1 - block.size)
    return Interval(interval.estimate, interval.low, interval.high, p, interval.seeds, interval.items, interval.flag)
