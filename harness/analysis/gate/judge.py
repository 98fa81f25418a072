"""Every quantity of a check, judged in turn."""

from collections.abc import Callable, Collection, Iterator
from functools import cache

import pandas as pd

from harness.analysis.gate import costs, losses, numerics, scores
from harness.analysis.gate.answers import compare_scores
from harness.analysis.gate.finding import Finding
from harness.analysis.gate.match import Matched, match
from harness.analysis.gate.rules import Rules
from harness.analysis.gate.side import Side, different_hardware

QUANTITIES = ("status", *Rules.model_fields)
OF_HARDWARE = ("memory", "speed", "matrix_speed")

Judge = Callable[[Side, Side, Matched], Iterator[Finding]]


def judge(
    baseline: Side,
    candidate: Side,
    rules: Rules,
    quantities: Collection[str] = QUANTITIES,
    other_hardware: bool = False,
) -> list[Finding]:
    """Every verdict on ``quantities``; memory and speed of different hardware only where it is asked for."""
    matched = match(baseline, candidate)
    apart = None if other_hardware else different_hardware(baseline, candidate)
    found: list[Finding] = []
    for quantity, judged in _judges(baseline, candidate, matched, rules).items():
        if quantity not in quantities:
            continue
        if apart and quantity in OF_HARDWARE:
            found.append(Finding(quantity, "all", "not measured", why=f"different hardware: {apart}"))
            continue
        told = list(judged())
        found += told or [Finding(quantity, "all", "not measured", why="no run of both sides")]
    return found


def _judges(
    baseline: Side, candidate: Side, matched: Matched, rules: Rules
) -> dict[str, Callable[[], Iterator[Finding]]]:
    sides = (baseline, candidate, matched)
    compared = cache(lambda: compare_scores(*sides))  # three quantities ask for it, or none
    return {
        "status": lambda: _status(matched),
        "logits": lambda: numerics.judge_logits(*sides, rules.logits),
        "gradients": lambda: numerics.judge_gradients(*sides, rules.gradients),
        "first_losses": lambda: numerics.judge_first_losses(*sides, rules.first_losses),
        "final_loss": lambda: losses.judge_final_losses(*sides, rules.final_loss),
        "memory": lambda: costs.judge_memory(*sides, rules.memory),
        "speed": lambda: costs.judge_speed(*sides, rules.speed),
        "score": lambda: scores.judge_scores(compared(), rules.score),
        "forgetting": lambda: scores.judge_forgetting(compared(), rules.forgetting),
        "matrix_final_loss": lambda: losses.judge_matrix_final_loss(*sides, rules.matrix_final_loss),
        "matrix_speed": lambda: costs.judge_matrix_speed(*sides, rules.matrix_speed),
        "matrix_score": lambda: scores.judge_matrix_score(compared(), rules.matrix_score),
    }


def _status(matched: Matched) -> Iterator[Finding]:
    """Did what ran before run again? One finding an arm."""
    for arm, runs in matched.ended.groupby("arm", sort=False):
        yield _ended(str(arm), runs)
    for verdict, runs in (("missing", matched.missing), ("new", matched.new)):
        for arm, own in runs.groupby("arm", sort=False):
            yield Finding("status", str(arm), verdict, f"{len(own)} cells", why=_MEANS[verdict])  # type: ignore[arg-type]


_MEANS = {"missing": "the candidate did not run them", "new": "the baseline did not run them"}


def _ended(arm: str, runs: pd.DataFrame) -> Finding:
    well = [runs[f"status_{side}"] == "ok" for side in ("baseline", "candidate")]
    worse, better = runs[well[0] & ~well[1]], runs[~well[0] & well[1]]
    if len(worse):
        first = worse.iloc[0]
        why = f"ok before, now {first['status_candidate']}: {first['reason_candidate']}"
        return Finding("status", arm, "regressed", f"{len(worse)} of {len(runs)} cells", why=why)
    if len(better):
        why = f"{better.iloc[0]['status_baseline']} before, now ok"
        return Finding("status", arm, "improved", f"{len(better)} of {len(runs)} cells", why=why)
    if not well[0].any():
        return Finding("status", arm, "not measured", f"{len(runs)} cells", why="no run ended well on either side")
    return Finding("status", arm, "pass", f"{len(runs)} cells", why="ended as before")
