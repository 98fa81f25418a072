"""The fingerprint: the first step's logits, gradient norms by module, and the loss of the first steps.

The same arithmetic gives the same numbers up to rounding, so a change beyond that is one of meaning, however little
the scores show of it: AdamW hides a gradient's scale from the loss.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from harness.analysis.gate.finding import Finding, Verdict
from harness.analysis.gate.match import Matched
from harness.analysis.gate.rules import Deviation, FirstLosses
from harness.analysis.gate.side import Side, different_hardware

SMALL = 1e-3  # a module with less than this share of the whole gradient is held against that share instead

Compare = Callable[[pd.DataFrame, pd.DataFrame], pd.Series]


def judge_logits(baseline: Side, candidate: Side, matched: Matched, rule: Deviation) -> Iterator[Finding]:
    """How far the first step's logits moved, as a share of their norm (see ``harness.meters.logits``)."""
    told = [_told(side.logits, "projection", "value") for side in (baseline, candidate)]
    yield from _judge("logits", told, matched, _between(baseline, candidate, rule), _differences)


def judge_gradients(baseline: Side, candidate: Side, matched: Matched, rule: Deviation) -> Iterator[Finding]:
    """How far the gradient's norm moved in the module in which it moved most."""
    told = [_with_floor(_told(side.gradients, "module", "gradient_norm")) for side in (baseline, candidate)]
    yield from _judge("gradients", told, matched, _between(baseline, candidate, rule), _shares)


def judge_first_losses(baseline: Side, candidate: Side, matched: Matched, rule: FirstLosses) -> Iterator[Finding]:
    """How far the loss of the first steps moved, as a share of it."""
    told = [_told(side.losses[side.losses["step"] <= rule.steps], "step", "loss") for side in (baseline, candidate)]
    yield from _judge("first_losses", told, matched, _between(baseline, candidate, rule), _shares)


def _between(baseline: Side, candidate: Side, rule: Deviation) -> Deviation:
    """The rule as it holds between these two sides' machines."""
    if not different_hardware(baseline, candidate):
        return rule
    limits = {dtype: limit * rule.other_hardware for dtype, limit in rule.limit.items()}
    return rule.model_copy(update={"limit": limits})


def _told(frame: pd.DataFrame, key: str, value: str) -> pd.DataFrame:
    """What each run says: run_id, key, value."""
    return frame.rename(columns={key: "key", value: "value"})[["run_id", "key", "value"]]


def _judge(
    quantity: str, told: list[pd.DataFrame], matched: Matched, rule: Deviation, compare: Compare
) -> Iterator[Finding]:
    trained = matched.pairs[matched.pairs["method"] != "base"]
    ours, theirs = (
        trained[name].isin(one["run_id"]) for name, one in zip(("baseline", "candidate"), told, strict=True)
    )
    both = _side_by_side(trained[ours & theirs], *told)
    both["moved"] = compare(both["value_baseline"], both["value_candidate"])
    furthest, spreads = _furthest(both), _spreads(trained, told[0], compare)
    counts = trained[["arm"]].assign(runs=1, both=ours & theirs, missing=ours & ~theirs, new=~ours & theirs)
    counts = counts.groupby("arm", sort=False).sum()
    for first in trained.drop_duplicates("arm")[["arm", "compute", "stages"]].itertuples():
        arm = str(first.arm)
        allowed = rule.limit.get(first.compute, max(rule.limit.values()))
        allowed *= rule.after_training if first.stages > 1 else 1.0
        limit = max(allowed, rule.spread * spreads.get(arm, 0.0))
        yield _finding(quantity, arm, furthest.get(arm), limit)
        yield from _one_sided(quantity, arm, counts.loc[arm])


def _furthest(both: pd.DataFrame) -> dict[str, pd.Series]:
    """The row of each arm that moved most."""
    moved = both.dropna(subset="moved")
    rows = moved.loc[moved.groupby("arm", sort=False)["moved"].idxmax()]
    return {str(row["arm"]): row for _, row in rows.iterrows()}


def _finding(quantity: str, arm: str, worst: pd.Series | None, limit: float) -> Finding:
    if worst is None:
        return Finding(quantity, arm, "not measured", unit="deviation", limit=limit, why="a side holds none")
    detail = {"logits": "", "first_losses": f"step {worst['key']}"}.get(quantity, str(worst["key"]))
    moved = float(worst["moved"])
    if moved > limit:
        why = "further than rounding explains" if np.isfinite(moved) else _lost(worst)
        return Finding(quantity, arm, "regressed", detail, "deviation", moved, limit=limit, why=why)
    return Finding(quantity, arm, "pass", detail, "deviation", moved, limit=limit, why="within rounding")


def _lost(row: pd.Series) -> str:
    side = "candidate" if pd.isna(row["value_candidate"]) else "baseline"
    return f"the {side} has no number for it"


def _one_sided(quantity: str, arm: str, counts: pd.Series) -> Iterator[Finding]:
    """Pairs of runs of which one alone says anything, in an arm in which others do."""
    verdicts: tuple[Verdict, ...] = ("missing", "new")
    for verdict in verdicts:
        if counts["both"] and counts[verdict]:
            detail, why = f"{counts[verdict]} of {counts['runs']} runs", "one side alone holds any"
            yield Finding(quantity, arm, verdict, detail, "deviation", why=why)


def _side_by_side(pairs: pd.DataFrame, ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """A row a pair and key that either side has."""
    about = pairs[["arm", "baseline", "candidate"]]
    left = about.merge(ours.rename(columns={"run_id": "baseline"}), on="baseline")
    right = about.merge(theirs.rename(columns={"run_id": "candidate"}), on="candidate")
    on = ["arm", "baseline", "candidate", "key"]
    return left.merge(right, on=on, how="outer", suffixes=("_baseline", "_candidate"))


def _spreads(pairs: pd.DataFrame, ours: pd.DataFrame, compare: Compare) -> dict[str, float]:
    """How far the baseline's own repeated runs of one recipe lie apart, the furthest of each arm."""
    runs = pairs.drop_duplicates("baseline")[["arm", "recipe_id", "purpose", "baseline"]]
    told = runs.merge(ours.rename(columns={"run_id": "baseline"}), on="baseline")
    found = told.groupby(["arm", "recipe_id", "purpose", "key"])["value"].agg(["min", "max", "size"])
    apart = compare(found["min"], found["max"])[found["size"] > 1].groupby(level="arm").max()
    return {str(arm): float(share) for arm, share in apart.items() if np.isfinite(share)}


def _differences(ours: pd.Series, theirs: pd.Series) -> pd.Series:
    """The absolute difference; infinite where one side alone has a value."""
    return (ours - theirs).abs().where(ours.notna() == theirs.notna(), np.inf)


def _shares(ours: pd.Series, theirs: pd.Series) -> pd.Series:
    """The difference over the larger; infinite where one side alone has a value."""
    larger = pd.concat([ours.abs(), theirs.abs()], axis=1).max(axis=1)
    return ((ours - theirs).abs() / larger.where(larger > 0, 1.0)).where(ours.notna() == theirs.notna(), np.inf)


def _with_floor(gradients: pd.DataFrame) -> pd.DataFrame:
    """Norms no smaller than ``SMALL`` of the run's whole gradient: less is noise."""
    norms = gradients["value"].astype(float)
    whole = (norms**2).groupby(gradients["run_id"]).transform("sum") ** 0.5
    return gradients.assign(value=norms.where(norms.isna(), np.maximum(norms, SMALL * whole)))
