"""The arms of the chosen sections as the pages show them: named apart, with the standing that the data support."""

from collections.abc import Sequence

import pandas as pd

from harness.analysis.costs import whole_tuning_seconds
from harness.analysis.frontier import JUDGED
from leaderboard import cache
from leaderboard.quantities import Quantity
from leaderboard.results import SectionKey
from leaderboard.texts import short


def named(summary: pd.DataFrame) -> pd.DataFrame:
    """The summary's rows (as of ``cache.summary``) with ``whole_tuning_seconds``, ``family`` and ``recipe`` (what lines
    join), and ``row``: a name that no other row has.

    A family is an entry's ranks on one base, a recipe an entry at one rank on every base; either of one method, of one
    execution, in one section.
    """
    entry = _entries(summary)
    arms = summary.assign(
        whole_tuning_seconds=whole_tuning_seconds(summary),
        family=entry + " · " + summary["base"],
        recipe=entry + " · " + summary["rank"].map("{:g}".format),
    )
    several_bases = summary["base"].nunique() > 1
    several_sections = summary["section"].nunique() > 1
    row = arms["name"].map(lambda name: short(name, 60))
    row = row + (" · " + arms["base"].map(lambda base: short(base, 40)) if several_bases else "")
    row = row + (" · " + (arms["section"] + 1).astype(str) if several_sections else "")
    again = row.groupby(row).cumcount()
    arms["row"] = row.where(again == 0, row + " (" + (again + 1).astype(str) + ")")
    return arms


def _entries(summary: pd.DataFrame) -> pd.Series:
    """What trains an arm, whatever its rank and base, by its method, its entry, the one that it starts from, how it is
    computed, and its section."""
    labels = summary.drop_duplicates("arm_id").set_index("arm_id")["label"]
    starts = summary["parent_arm_id"].map(labels).astype(object).fillna("")
    parts = (summary["label"], starts, summary["execution_id"], summary["section"].astype(str))
    return summary["method"].str.cat(parts, sep=" · ")


def trained(arms: pd.DataFrame) -> pd.DataFrame:
    """Those that something was trained for and scored."""
    return arms[arms["chosen_rate"].notna()]


def with_standing(
    arms: pd.DataFrame, keys: Sequence[SectionKey], quantities: Sequence[Quantity]
) -> pd.DataFrame:  # fmt: skip
    """The rows, of trained arms, with ``in_set``: whether no trained arm of the same base and section is supported to
    beat them in these quantities; and ``standing``, the same in words. Without a verdict on each none is in the set."""
    names = tuple(quantity.name for quantity in quantities)
    if arms.empty or any(name not in JUDGED for name in names):
        return arms.assign(in_set=False, standing=None)
    found = []
    for number, own in arms.groupby("section", sort=False):
        table = cache.standing(keys[int(str(number))], names)
        names_of = cache.summary(keys[int(str(number))]).set_index("arm_id")["name"]
        words = [_words(by, names_of) for by in table["dominated_by"]]
        table = table.assign(standing=words)[["in_set", "standing"]]
        found.append(own.join(table, on="arm_id"))
    return pd.concat(found)


def _words(dominated_by: Sequence[str], names: pd.Series) -> str:
    if not dominated_by:
        return "no arm is supported to beat it"
    more = f" and {len(dominated_by) - 1} more" if len(dominated_by) > 1 else ""
    return f"beaten by {short(str(names[dominated_by[0]]))}{more}"
