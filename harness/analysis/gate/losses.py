"""The last loss of training, by arm and over the matrix."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness.analysis.corrections import holm
from harness.analysis.gate.finding import Finding
from harness.analysis.gate.match import Matched
from harness.analysis.gate.pooled import effect_finding, interval_over_runs, matrix_finding
from harness.analysis.gate.rules import Effect
from harness.analysis.gate.side import Side


def judge_final_losses(baseline: Side, candidate: Side, matched: Matched, rule: Effect) -> Iterator[Finding]:
    """Each arm's last logged loss: the mean log ratio over seeds."""
    ratios = final_loss_ratios(baseline, candidate, matched)
    found = {
        str(arm): interval_over_runs(values.to_numpy()[:, None])
        for arm, values in ratios.groupby("arm", sort=False)["log_ratio"]
    }
    p_values = holm([np.nan if one.p_value is None else one.p_value for one in found.values()])
    for (arm, interval), p in zip(found.items(), p_values, strict=True):
        yield effect_finding("final_loss", arm, "", interval, rule, None if np.isnan(p) else float(p), "share", 1)


def judge_matrix_final_loss(baseline: Side, candidate: Side, matched: Matched, rule: Effect) -> Iterator[Finding]:
    """The last losses of all runs, by mean and by sign."""
    ratios = final_loss_ratios(baseline, candidate, matched)["log_ratio"].to_numpy()
    yield from matrix_finding("matrix_final_loss", ratios, rule, "share", 1)


def final_loss_ratios(baseline: Side, candidate: Side, matched: Matched) -> pd.DataFrame:
    """A row a pair of quality runs: arm, and ``log_ratio`` of the candidate's last loss over the baseline's."""
    pairs = matched.pairs[(matched.pairs["purpose"] == "quality") & (matched.pairs["method"] != "base")]
    last = [
        side.losses.sort_values("step").drop_duplicates("run_id", keep="last").set_index("run_id")["loss"]
        for side in (baseline, candidate)
    ]
    ratio = np.log(pairs["candidate"].map(last[1]).astype(float) / pairs["baseline"].map(last[0]).astype(float))
    return pairs[["arm", "seed"]].assign(log_ratio=ratio).dropna()
