"""Arms as they stand to someone's limits."""

from collections.abc import Sequence

import pandas as pd

from harness.analysis.recommend import Choice, Recommendation
from harness.report import reasons
from leaderboard import quantities, tables

ACROSS = (quantities.MEMORY, quantities.FORGETTING, quantities.TUNING)  # what is limited
DECIDES = {  # between equals, the usual one first
    "forgetting": "the least forgotten",
    "memory_bytes": "the least memory",
    "whole_tuning_seconds": "the least tuning time",
    "target": "the highest score",
}
PLACE = (
    tables.number("place", "place", "One more than the number of arms within the limits supported as better.", "%d"),
    tables.text("letters", "tie", "Arms within the limits that share a letter can't be told apart on the target."),
)
REMARK = tables.text("remark", "remark", "Where it stands to the limits and to the others.")
MISSES = tables.text("remark", "misses", "Each limit that it misses, what it has, and by how much it misses.")


def within(arms: pd.DataFrame, found: Recommendation) -> pd.DataFrame:
    """The arms that meet the limits, in their order, with their place among these and a ``remark``."""
    return _rows(arms, found.choices, [reasons.standing(choice, found) for choice in found.choices])


def outside(arms: pd.DataFrame, choices: Sequence[Choice]) -> pd.DataFrame:
    """Arms that miss a limit, in the given order, with what they miss as their ``remark``."""
    return _rows(arms, choices, [reasons.missed(choice) for choice in choices])


def with_outcome(arms: pd.DataFrame, found: Recommendation, pick: Choice | None) -> pd.DataFrame:
    """All arms with ``within``, ``outcome`` in words, and ``pick``, the one to take: what the picture takes."""
    misses = {choice.row["arm_id"]: f"misses {reasons.missed(choice)}" for choice in found.others}
    return arms.assign(
        within=~arms["arm_id"].isin(list(misses)),
        outcome=arms["arm_id"].map(lambda arm: misses.get(arm, "within the limits")),
        pick=arms["arm_id"] == (pick.row["arm_id"] if pick else None),
    )


def _rows(arms: pd.DataFrame, choices: Sequence[Choice], remarks: Sequence[str]) -> pd.DataFrame:
    facts = [(choice.row["arm_id"], choice.place, choice.letters) for choice in choices]
    order = pd.DataFrame(facts, columns=["arm_id", "place", "letters"]).assign(remark=list(remarks))
    return order.merge(arms.drop(columns=["place", "letters"]), on="arm_id", how="left")
