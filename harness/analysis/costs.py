"""What an arm cost: memory and speed from the run that had the device to itself, seconds over all rates and seeds."""

import pandas as pd

ALLOCATED, LEDGER = "allocated", "ledger"


def measured(phases: pd.DataFrame) -> pd.DataFrame:
    """Indexed by arm: memory_bytes, memory_measure, tokens_per_second of training its own (last) stage.

    One measure for a whole table: on CUDA the allocator's peak, elsewhere the ledger's peak of tensor bytes. Only
    exclusive measure runs count; of several the highest peak and the median speed.
    """
    own = _own_training(phases[phases["latest"]])
    memory = _memory_column(own)
    groups = own.groupby("arm_id")
    table = pd.DataFrame(
        {
            "memory_bytes": groups[memory].max(),
            "tokens_per_second": groups["tokens_per_second_median"].median(),
        }
    ).astype(float)
    table["memory_measure"] = ALLOCATED if memory == "peak_allocated_bytes" else LEDGER
    return table


def repeats(phases: pd.DataFrame) -> pd.DataFrame:
    """Indexed by arm: memory_bytes and tokens_per_second of every measure run of its own, a row a run, as ``measured``
    takes them."""
    own = _own_training(phases[phases["status"] == "ok"]).set_index("arm_id")
    columns = {_memory_column(own): "memory_bytes", "tokens_per_second_median": "tokens_per_second"}
    return own[list(columns)].rename(columns=columns).astype(float)


def _own_training(phases: pd.DataFrame) -> pd.DataFrame:
    """The training of each arm's own stage in runs that had the device to themselves."""
    alone = phases["exclusive"] & phases["last_stage"]
    return phases[alone & (phases["purpose"] == "measure") & (phases["phase"] == "train")]


def _memory_column(own: pd.DataFrame) -> str:
    return "peak_allocated_bytes" if own["peak_allocated_bytes"].notna().any() else "ledger_peak_bytes"


def relative_speed(arms: pd.DataFrame) -> pd.Series:
    """Tokens a second over those of full SFT on the same base; takes base_digest, execution_id, method and
    tokens_per_second a row.

    Of several full SFT arms the one with the same execution is meant, else the fastest.
    """
    full = arms[(arms["method"] == "full_sft") & arms["tokens_per_second"].notna()]
    fastest = full.groupby("base_digest")["tokens_per_second"].max()
    alike = full.groupby(["base_digest", "execution_id"])["tokens_per_second"].max()
    keys = pd.MultiIndex.from_frame(arms[["base_digest", "execution_id"]])
    reference = pd.Series(alike.reindex(keys).to_numpy(), index=arms.index, dtype=float)
    return arms["tokens_per_second"] / reference.fillna(arms["base_digest"].map(fastest).astype(float))


def tuning_seconds(runs: pd.DataFrame, phases: pd.DataFrame) -> pd.Series:
    """Seconds of an arm's quality runs, over all rates and seeds, indexed by arm; failed rates cost too.

    A cell that was run again counts once, by its longest good run (a rescored one trains nothing), else its longest.
    What a run spent on earlier stages is those stages' cost and is taken off.
    """
    ended = runs[(runs["purpose"] == "quality") & runs["wall_seconds"].notna()].copy()
    earlier = phases[~phases["last_stage"]].groupby("run_id")["wall_seconds"].sum()
    ended["seconds"] = ended["wall_seconds"] - ended["run_id"].map(earlier).fillna(0.0)
    ended["ok"] = ended["status"] == "ok"
    cells = ended.sort_values(["ok", "seconds"]).drop_duplicates(["arm_id", "learning_rate", "seed"], keep="last")
    return cells.groupby("arm_id")["seconds"].sum()


def whole_tuning_seconds(arms: pd.DataFrame) -> pd.Series:
    """What it takes to come to each arm's result from nothing: with the SFT stage that a DPO arm starts from.

    Takes the summary's tuning_seconds and tuning_seconds_with_sft.
    """
    return arms["tuning_seconds_with_sft"].fillna(arms["tuning_seconds"])
