"""Every two arms of one base on the target: what an arm's place and its letters rest on."""

import numpy as np
import pandas as pd

from harness.analysis.ranking import compare
from harness.analysis.section import Section
from harness.analysis.verdicts import A_BETTER, B_BETTER, NOT_ENOUGH
from harness.report import compared, words
from harness.report.plain import plain_rows
from leaderboard import cache, tables
from leaderboard.scope import Scope

COLUMNS = (
    tables.text("first_name", "A", "The arm with the higher score of the two."),
    tables.text("second_name", "B", "The other arm."),
    tables.BASE,
    tables.text("shown_a", "A's score (points)", "Its target score."),
    tables.text("shown_b", "B's score (points)", "Its target score."),
    tables.text("shown_difference", "A minus B [95 %] (points)", "On the same items and seeds."),
    tables.text("p", "p", "Corrected for the number of all pairs of this base (Holm); below 0.05 is supported."),
    tables.text("said", "verdict", "Not enough to tell proves no equality."),
)


def pairs_of(scope: Scope, arms: pd.DataFrame) -> pd.DataFrame:
    """A row a pair of arms of one base that were scored on the target (``COLUMNS``), the better one first, with what
    ``versus.forest`` draws; ``row`` is the second one's, and ``best`` marks the pairs of a base's best. ``arms`` as of
    ``arms.named``, all of them."""
    found = [
        _of_base(cache.part(scope.sections[int(str(n))]).frames, own)
        for (n, _), own in arms.groupby(["section", "base"], sort=False)
    ]
    return pd.concat([pairs for pairs in found if len(pairs)] or found, ignore_index=True)


def _of_base(section: Section, arms: pd.DataFrame) -> pd.DataFrame:
    answers = section.answers(arms["arm_id"], "target")
    table = compare(answers)
    about = arms.set_index("arm_id")
    first, second = (about.loc[table[side]].reset_index() for side in ("first", "second"))
    ends = table.rename(columns={"low": "difference_low", "high": "difference_high"})
    return pd.DataFrame(
        {
            **{"first_name": first["name"], "second_name": second["name"], "row": second["row"], "base": first["base"]},
            "best": table["first"] == next(iter(answers), ""),
            "unit": "points",
            **{name: 100 * table[column] for name, column in _DRAWN.items()},
            "verdict": np.where(table["differs"], np.where(table["difference"] > 0, A_BETTER, B_BETTER), NOT_ENOUGH),
            "shown_a": first["target"].map(words.points),
            "shown_b": second["target"].map(words.points),
            "shown_difference": [words.with_interval(row, "difference", signed=True) for row in plain_rows(ends)],
            "p": [compared.shown_p(row["p_corrected"]) for row in plain_rows(table)],
        }
    ).assign(said=lambda found: found["verdict"])


_DRAWN = {"estimate": "difference", "low": "low", "high": "high"}
