"""Each arm's curve over its grid of learning rates: the validation score that chose, and the test score beside it."""

import pandas as pd

from harness.analysis.section import Section

COLUMNS = [
    *("arm_id", "learning_rate", "chosen", "edge", "seeds", "failed_runs", "failures", "higher_is_better"),
    *("validation", "role", "test", "test_lowest", "test_highest"),
]
_RATE = ["arm_id", "learning_rate"]


def rate_curves(section: Section) -> pd.DataFrame:
    """A row a rate that an arm tried, failed ones too (``COLUMNS``), by arm and then by rate.

    ``validation`` as the choice was made by it; ``test`` the mean over the test evals of the same ``role`` in which
    higher is better, in [0, 1], and over seeds, with the lowest and highest seed: no intervals, as items are kept at
    chosen rates alone. What was not scored on all of these evals has no ``test``. ``seeds`` were scored in validation.
    """
    roles = _roles(section)
    runs = _test_scores(section, roles).groupby(_RATE)
    tests = pd.DataFrame({"test": runs.mean(), "test_lowest": runs.min(), "test_highest": runs.max()})
    curves = section.rates.join(tests, on=_RATE).assign(role=section.rates["arm_id"].map(roles))
    return curves.sort_values(_RATE, kind="stable", ignore_index=True).reindex(columns=COLUMNS)


def _roles(section: Section) -> pd.Series:
    """What each arm's rate was chosen for, indexed by arm: the role of the validation task that it was chosen by; the
    target where there is none, or nothing was scored on it."""
    validation = section.scores[section.scores["split"] == "validation"]
    roles = validation.drop_duplicates("task").set_index("task")["role"]
    return section.arms.set_index("arm_id")["selection_task"].map(roles).astype(object).fillna("target")


def _test_scores(section: Section, roles: pd.Series) -> pd.Series:
    """Each tuned run's mean over the test evals of its arm's role, indexed by arm, rate and seed."""
    wanted = {role: section.evals(str(role)) for role in roles.unique()}
    scores = section.scores[section.scores["moment"] == "tuned"].dropna(subset=["value", "learning_rate"])
    asked = pd.MultiIndex.from_frame(pd.DataFrame({"role": scores["arm_id"].map(roles), "eval_id": scores["eval_id"]}))
    scores = scores[asked.isin([(role, eval_id) for role, evals in wanted.items() for eval_id in evals])]
    scores = scores.drop_duplicates([*_RATE, "seed", "eval_id"])
    runs = scores.groupby([*_RATE, "seed"])["value"].agg(["mean", "size"])
    needed = runs.index.get_level_values("arm_id").map(roles).map({role: len(evals) for role, evals in wanted.items()})
    return runs.loc[runs["size"].to_numpy() == needed.to_numpy(), "mean"]
