"""The main table: one row an arm, with everything that a choice between methods rests on."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from harness.analysis import costs, effects, forgetting
from harness.analysis.forgetting import ends
from harness.analysis.ranking import best_first, compare, ranked
from harness.analysis.section import Section
from harness.analysis.uncertainty import Interval

SCORES = (
    *("target", "gain", "forgetting", "perplexity_ratio"),
    *("preference", "preference_gain", "safety", "safety_change"),
)
COLUMNS = [
    *("arm_id", "name", "label", "method", "base", "base_parameters", "rank", "moment", "status", "seeds", "flag"),
    *("trainable_parameters", "total_parameters", "trainable_share", "memory_bytes", "memory_measure"),
    *("tokens_per_second", "relative_speed", "place", "letters"),
    *(f"{score}{end}" for score in SCORES for end in ("", "_low", "_high")),
    *("chosen_rate", "edge", "tuning_seconds", "tuning_seconds_with_sft"),
]
MERGED_COLUMNS = [
    *("arm_id", "name", "base", "rank", "moment", "seeds"),
    *(f"{score}{end}" for score in ("target", "difference") for end in ("", "_low", "_high")),
]


def summarise(section: Section) -> pd.DataFrame:
    """A row an arm (``COLUMNS``), by base and then from the best target score down; arms that only failed come last.

    Scores are in [0, 1], each with the ends of its 95 % interval as ``_low`` and ``_high``. Ranks and letters compare
    the arms of one base.
    """
    table = arm_costs(section)
    scored = pd.DataFrame([_scores(section, arm) for arm in section.arms.to_dict("records")], index=table.index)
    table = pd.concat([table, scored, _ranking(section, scored["target"].to_dict())], axis=1)
    order = ["base_parameters", "base", "target", "name"]
    table = table.sort_values(order, ascending=[False, True, False, True], na_position="last")
    return table.reindex(columns=COLUMNS).reset_index(drop=True)


def summarise_merged(section: Section) -> pd.DataFrame:
    """A row an adapter's arm and merged moment (``MERGED_COLUMNS``): target score, and its difference to tuned."""
    evals, names, rows = section.evals("target"), section.names, []
    for arm in section.arms.to_dict("records"):
        key = arm["arm_id"]
        for moment in ("merged", "merged_requantised"):
            after, before = section.of(key, evals, moment), section.of(key, evals, "tuned")
            if not evals or not after:
                continue
            found, moved = effects.score(after), effects.change(after, before) if before else None
            about = [key, names[key], arm["base"], arm["rank"], moment, found.seeds if found else None]
            rows.append([*about, *ends(found), *ends(moved)])
    return pd.DataFrame(rows, columns=MERGED_COLUMNS)


def arm_costs(section: Section) -> pd.DataFrame:
    """A row an arm, indexed by its id: what it is and what it cost, without any score."""
    table = section.arms.set_index("arm_id", drop=False)
    table = table.join(costs.measured(section.phases))
    table["name"] = pd.Series(section.names)
    table["moment"] = pd.Series(section.moments)
    table["trainable_share"] = table["trainable_parameters"] / table["total_parameters"]
    table["base_parameters"] = table["base_digest"].map(_base_parameters(section.arms))
    table["relative_speed"] = costs.relative_speed(table)
    chosen = section.rates[section.rates["chosen"]].set_index("arm_id")
    table["edge"] = chosen["edge"].reindex(table.index)
    own = costs.tuning_seconds(section.runs, section.phases)
    table["tuning_seconds"] = own.reindex(table.index).where(table["chosen_rate"].notna() | (table["status"] != "ok"))
    table["tuning_seconds_with_sft"] = table["tuning_seconds"] + table["parent_arm_id"].map(own).astype(float)
    return table


def _scores(section: Section, arm: Mapping[Any, Any]) -> dict[str, Any]:
    key, base, parent = arm["arm_id"], section.base_of(arm), arm["parent_arm_id"]
    target = section.score(key, section.evals("target"))
    found: dict[str, Interval | None] = {
        "target": target,
        "gain": _change(section, key, base, "target"),
        "forgetting": forgetting.mean_forgetting(section, key, base) if base else None,
        "perplexity_ratio": forgetting.perplexity_ratio(section, key, base),
        "preference": section.score(key, section.evals("preference")),
        "preference_gain": _change(section, key, parent, "preference"),
        "safety": section.score(key, section.evals("safety")),
        "safety_change": _change(section, key, base, "safety"),
    }
    row: dict[str, Any] = {"flag": target.flag if target else None}
    for name, interval in found.items():
        row[name], row[f"{name}_low"], row[f"{name}_high"] = ends(interval)
    return row


def _change(section: Section, arm: str, before: str | None, role: str) -> Interval | None:
    return section.change(arm, before, section.evals(role)) if before else None


def _ranking(section: Section, targets: Mapping[Any, float | None]) -> pd.DataFrame:
    """Place and letters on the target, among the arms of one base, indexed by arm."""
    found: dict[str, tuple[int, str]] = {}
    for _, arms in section.arms.groupby("base_digest"):
        answers = section.answers(arms["arm_id"], "target")
        order = [arm for arm in best_first(targets) if arm in answers]
        found |= ranked(compare({arm: answers[arm] for arm in order}), order)
    return pd.DataFrame.from_dict(found, orient="index", columns=["place", "letters"])


def _base_parameters(arms: pd.DataFrame) -> pd.Series:
    """Parameters of each base: all of an arm's, without its adapter; the most that any arm of the base counts."""
    adapter = arms["trainable_parameters"].where(arms["trainable_parameters"] < arms["total_parameters"], 0)
    return (arms["total_parameters"] - adapter).groupby(arms["base_digest"]).max()
