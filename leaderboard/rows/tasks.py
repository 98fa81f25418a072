"""Scores in single tasks as the pages show them: shares as points, perplexities as they are, with the arm beside."""

import pandas as pd

SHARES = ("base", "score", "score_low", "score_high")


def in_points(tasks: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``forgetting.by_task`` with the arm's ``row``, ``name``, ``method`` and ``base_model``, in the order of
    ``arms``; scores and changes in points where they are shares of 1. Rows of other arms are left out."""
    points = tasks["kind"] == "points"
    figures = [*SHARES, "forgetting", "forgetting_low", "forgetting_high"]
    scaled = {name: tasks[name].astype(float).where(~points, 100 * tasks[name].astype(float)) for name in figures}
    keys = ["section", "arm_id"] if "section" in tasks else ["arm_id"]
    about = arms[[*keys, "row", "name", "method", "base"]].rename(columns={"base": "base_model"})
    return about.merge(tasks.assign(**scaled), on=keys)


def unit_of(tasks: pd.DataFrame) -> pd.Series:
    """What each row's scores are in."""
    return tasks["metric"].str.replace("_", " ").where(tasks["kind"] != "points", "score (points)")
