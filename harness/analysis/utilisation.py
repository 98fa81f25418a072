"""How much of a device a training step uses, and what it spends its time on.

**Model FLOP utilisation** (Chowdhery et al. 2022, appendix B) is the operations that the method itself asks for, over
what the device would have done in the same time. Its ceiling here is the device's own: a large matrix product in the
type that the step computes in, measured in the same run. What is recomputed does not count, so checkpointing lowers it.
"""

import pandas as pd

PARTS = ("data", "forward", "reference", "backward", "optimizer")
STEP = "step"
ENERGY = "joules_per_thousand_tokens"
UNEXPLAINED = "below the ceilings"
# What a step can wait for. The first two are measured; the next three are what its work takes at the device's ceilings;
# the last is what no part explains.
CAUSES = ("data", "optimizer", "arithmetic", "memory traffic", "launches", UNEXPLAINED)


def utilisation(runs: pd.DataFrame, parts: pd.DataFrame, work: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Indexed by arm, of its newest measure run that had the device to itself: ``step_seconds`` (median, with ``_p25``
    and ``_p75``), ``data_share`` ... ``optimizer_share`` of them, ``model_flops`` a step, ``ceiling_flops`` of the type
    that it computes in, ``mfu``, ``bandwidth_share`` (what is moved a second over what a large copy moves),
    ``joules_per_thousand_tokens``, ``predicted_seconds``, ``cause`` (of ``CAUSES``) and ``cause_share`` of the step.

    Takes ``reader.runs``, ``step_parts``, ``step_work`` and ``predictions`` of one stack. Missing is what was not
    measured or is not predicted.
    """
    alone = runs[runs["latest"] & runs["exclusive"] & (runs["purpose"] == "measure")]
    newest = alone.drop_duplicates("arm_id", keep="last").set_index("run_id")["arm_id"]
    seconds = parts.pivot(index="run_id", columns="part", values="seconds_median").reindex(columns=[*PARTS, STEP])
    whole = parts[parts["part"] == STEP].set_index("run_id")
    spread = whole[["seconds_p25", "seconds_p75"]].assign(**{ENERGY: joules_per_thousand_tokens(whole)})
    table = seconds.join(spread).join(work.set_index("run_id"))
    table = table[table.index.isin(newest.index) & table[STEP].notna()]
    foretold = _by_part(predictions).reindex(table.index)
    found = pd.DataFrame(
        {
            "step_seconds": table[STEP],
            "step_seconds_p25": table["seconds_p25"],
            "step_seconds_p75": table["seconds_p75"],
            **{f"{part}_share": table[part] / table[STEP] for part in PARTS},
            "model_flops": table["model_flops"],
            "ceiling_flops": table["bfloat16_flops"].where(table["compute"] != "float32", table["float32_flops"]),
            "bandwidth_share": table["moved_bytes"] / table[STEP] / table["bytes_per_second"],
            ENERGY: table[ENERGY],
            "predicted_seconds": foretold.sum(axis=1, min_count=1),
        },
        index=table.index,
    )
    found["mfu"] = found["model_flops"] / found["step_seconds"] / found["ceiling_flops"]
    found = found.join(_cause(table, foretold)).join(newest)
    return found.reset_index().set_index("arm_id")


def joules_per_thousand_tokens(parts: pd.DataFrame) -> pd.Series:
    """Of rows of ``step_parts``: what a thousand real tokens took in the timed steps; missing where no counter told."""
    return 1000 * parts["timed_joules"].astype(float) / parts["timed_tokens"].astype(float)


def peaks_by_part(runs: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """Indexed by arm, of its newest measure run: the highest bytes in each of ``PARTS`` (a column each), and the
    ``measure`` that they are of: the allocator's where it was recorded, else the ledger's."""
    alone = runs[runs["latest"] & runs["exclusive"] & (runs["purpose"] == "measure")]
    newest = alone.drop_duplicates("arm_id", keep="last").set_index("run_id")["arm_id"]
    own = parts[parts["run_id"].isin(newest.index) & parts["part"].isin(PARTS)]
    on_gpu = own["peak_allocated_bytes"].notna()
    told = own.assign(bytes=own["peak_allocated_bytes"].where(on_gpu, own["peak_ledger_bytes"]).astype(float))
    wide = told.pivot(index="run_id", columns="part", values="bytes").reindex(columns=list(PARTS))
    wide["measure"] = on_gpu.groupby(own["run_id"]).any().map({True: "allocated", False: "ledger"})
    return wide.join(newest).set_index("arm_id")


def _by_part(predictions: pd.DataFrame) -> pd.DataFrame:
    steps = predictions[predictions["phase"] == STEP]
    return steps.pivot(index="run_id", columns="component", values="predicted_seconds").astype(float)


def _cause(table: pd.DataFrame, foretold: pd.DataFrame) -> pd.DataFrame:
    """The longest of what a step can wait for. Without a prediction nothing is told of what is computed."""
    names = [name for name in CAUSES if name in foretold and name != "optimizer"]
    causes = pd.concat([table[["data", "optimizer"]], foretold[names]], axis=1).astype(float)
    causes[UNEXPLAINED] = (table[STEP] - causes.sum(axis=1)).clip(lower=0)
    known = foretold.notna().any(axis=1)
    return pd.DataFrame(
        {
            "cause": causes.fillna(0.0).idxmax(axis=1).where(known, None),
            "cause_share": (causes.max(axis=1) / table[STEP]).where(known).clip(upper=1),
        }
    )
