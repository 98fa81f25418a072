"""One run of an arm by itself, at a rate and seed, as what an arm is compared by."""

from dataclasses import replace

import pandas as pd

from harness.analysis.section import Section


def single_run(section: Section, arm_id: str, learning_rate: float, seed: int, items: pd.DataFrame) -> Section:
    """The section as if the arm had been trained at this rate with this seed alone; its other arms stay.

    ``items`` has the run's own, as the reader gives them: the section holds those at the chosen rate only. Memory and
    speed stay the arm's, measured alone on the device; what its rates took to tune says nothing of one run, and is left
    out.
    """
    scores = _but(section.scores, arm_id, learning_rate, seed)
    scores = scores.assign(chosen=scores["chosen"] | (scores["arm_id"] == arm_id))
    return replace(
        section,
        arms=_at_rate(section.arms, arm_id, learning_rate),
        runs=section.runs[(section.runs["arm_id"] != arm_id) | (section.runs["purpose"] != "quality")],
        scores=scores,
        items=pd.concat([section.items, items[~items["run_id"].isin(section.items["run_id"])]], ignore_index=True),
    )


def _but(scores: pd.DataFrame, arm_id: str, learning_rate: float, seed: int) -> pd.DataFrame:
    wanted = (scores["learning_rate"] == learning_rate) & (scores["seed"] == seed)
    return scores[(scores["arm_id"] != arm_id) | wanted]


def _at_rate(arms: pd.DataFrame, arm_id: str, learning_rate: float) -> pd.DataFrame:
    own = arms["arm_id"] == arm_id
    return arms.assign(
        chosen_rate=arms["chosen_rate"].mask(own, learning_rate), seeds=arms["seeds"].mask(own, 1)
    )  # fmt: skip
