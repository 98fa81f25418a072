"""The last loss of training, by arm and over the matrix."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness.analysis.gate.finding import MATRIX, Finding, Verdict
from harness.analysis.gate.match import Matched
from harness.analysis.gate.pooled import corrected, effect_finding, intervals_over_runs, matrix_finding
from harness.analysis.gate.rules import Effect
from harness.analysis.gate.side import Side


def judge_final_losses(baseline: Side, candidate: Side, matched: Matched, rule: Effect) -> Iterator[Finding]:
    """Each arm's last logged loss: the mean log ratio over seeds."""
    told = final_losses(baseline, candidate, matched)
    ratios = dict(list(told.dropna(subset="log_ratio").groupby("arm", sort=False)["log_ratio"]))
    blocks = [values.to_numpy()[:, None] for values in ratios.values()]
    for arm, worse in zip(ratios, corrected(lambda level: intervals_over_runs(blocks, level), rule.level), strict=True):
        yield effect_finding("final_loss", str(arm), "", worse, rule, "share", 1)
    for (arm, verdict), own in told.dropna(subset="verdict").groupby(["arm", "verdict"], sort=False):
        yield Finding("final_loss", str(arm), verdict, f"{len(own)} runs", why=_WHY[verdict])


def judge_matrix_final_loss(baseline: Side, candidate: Side, matched: Matched, rule: Effect) -> Iterator[Finding]:
    """The last losses of all runs, by mean and by sign."""
    told = final_losses(baseline, candidate, matched)
    ratios = told.dropna(subset="log_ratio").set_index("chain")["log_ratio"]
    yield from matrix_finding("matrix_final_loss", ratios, rule, "share", 1)
    for verdict, count in Counter(told["verdict"].dropna()).items():
        yield Finding("matrix_final_loss", MATRIX, verdict, f"{count} runs", why=_WHY[verdict])


def final_losses(baseline: Side, candidate: Side, matched: Matched) -> pd.DataFrame:
    """A row a pair of trained quality runs: arm, chain, and ``log_ratio`` of the candidate's last loss over the
    baseline's, or the ``verdict`` where it can't be told."""
    pairs = matched.quality[matched.quality["method"] != "base"]
    ours, theirs = (
        pairs[name].map(_last(side.losses)).astype(float)
        for side, name in ((baseline, "baseline"), (candidate, "candidate"))
    )
    known = (ours > 0) & (theirs > 0)
    ratio = np.log(theirs.where(known) / ours.where(known))
    verdict = pd.Series("not measured", index=pairs.index, dtype=object)
    verdict = verdict.mask(ours.notna() & theirs.isna(), "missing").mask(ours.isna() & theirs.notna(), "new")
    return pairs[["arm", "chain"]].assign(log_ratio=ratio, verdict=verdict.where(~known))


def _last(losses: pd.DataFrame) -> pd.Series:
    return losses.sort_values("step").drop_duplicates("run_id", keep="last").set_index("run_id")["loss"]


_WHY: dict[Verdict, str] = {
    "missing": "the candidate logged no loss",
    "new": "the baseline logged no loss",
    "not measured": "no loss on either side that has a logarithm",
}
