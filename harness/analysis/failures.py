"""Runs that did not end well: those that failed alike in one row, and how many of all that were tried."""

import pandas as pd

ALIKE = ["arm_id", "base", "label", "learning_rate", "purpose", "status", "failed_phase", "reason"]


def grouped(failures: pd.DataFrame) -> pd.DataFrame:
    """A row for the runs that failed alike (``ALIKE``), in the order of ``reader.failures``: their ``seeds`` as text,
    how many ``runs`` they are, and the first one's ``run_id``."""
    groups = failures.groupby(ALIKE, dropna=False, sort=False)
    return groups.agg(seeds=("seed", _listed), runs=("run_id", "size"), run_id=("run_id", "first")).reset_index()


def tried(runs: pd.DataFrame, failures: pd.DataFrame, across: str) -> pd.DataFrame:
    """A row an entry (``label``) and value of ``across``, a column of ``reader.runs``: how many ``runs`` ended, how
    many of them ``failed``, the ``share`` in [0, 1], and ``how`` in words (``2 oom, 1 nan``).

    Across ``status`` it is how many of an entry's runs failed in that way. A failed run whose cell went well later is
    left out.
    """
    failed = runs[runs["run_id"].isin(failures.loc[~failures["mended"], "run_id"])]
    ended = pd.concat([runs[runs["status"] == "ok"], failed])
    keys = ["label", across]
    by_status = across == "status"
    counted = failed if by_status else ended
    table = counted.groupby(keys, dropna=False).size().to_frame("runs").reset_index()
    if by_status:
        table["failed"] = table["runs"]
        table["runs"] = table["label"].map(ended.groupby("label").size())
    else:
        table = table.merge(failed.groupby(keys, dropna=False).size().rename("failed").reset_index(), "left", keys)
        table["failed"] = table["failed"].fillna(0).astype(int)
    table["share"] = table["failed"] / table["runs"]
    return table.merge(_how(failed, keys), "left", keys)


def _how(failed: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """What the runs of each group ended as, most frequent first."""
    counts = failed.assign(ended_as=failed["status"]).groupby([*keys, "ended_as"], dropna=False).size()
    counts = counts.rename("n").reset_index().sort_values("n", ascending=False, kind="stable")
    counts["how"] = counts["n"].astype(str) + " " + counts["ended_as"].astype(str)
    return counts.groupby(keys, dropna=False, sort=False)["how"].agg(", ".join).reset_index()


def _listed(seeds: pd.Series) -> str:
    return ", ".join(str(int(seed)) for seed in sorted(seeds.dropna()))
