"""Each arm's curve over its grid of learning rates: the validation score that chose, and the test score beside it."""

import pandas as pd

from harness.analysis.section import Section

COLUMNS = [
    *("arm_id", "learning_rate", "chosen", "edge", "seeds", "failed_runs", "failures", "higher_is_better"),
    *("validation", "test", "test_lowest", "test_highest"),
]
_RATE = ["arm_id", "learning_rate"]


def rate_curves(section: Section) -> pd.DataFrame:
    """A row a rate that an arm tried, failed ones too (``COLUMNS``), by arm and then by rate.

    ``validation`` as the choice was made by it; ``test`` the mean over the target's test evals in which higher is
    better, in [0, 1], and over seeds, with the lowest and highest seed: no intervals, as items are kept at chosen rates
    alone. What was not scored on all of these evals has no ``test``. ``seeds`` were scored in validation.
    """
    runs = _test_scores(section).groupby(_RATE)
    tests = pd.DataFrame({"test": runs.mean(), "test_lowest": runs.min(), "test_highest": runs.max()})
    curves = section.rates.join(tests, on=_RATE)
    return curves.sort_values(_RATE, kind="stable", ignore_index=True).reindex(columns=COLUMNS)


def _test_scores(section: Section) -> pd.Series:
    """Each tuned run's mean over the target's test evals, indexed by arm, rate and seed."""
    evals = section.evals("target")
    scores = section.scores[(section.scores["moment"] == "tuned") & section.scores["eval_id"].isin(evals)]
    scores = scores.dropna(subset=["value", "learning_rate"]).drop_duplicates([*_RATE, "seed", "eval_id"])
    runs = scores.groupby([*_RATE, "seed"])["value"].agg(["mean", "size"])
    return runs.loc[runs["size"] == len(evals), "mean"]
