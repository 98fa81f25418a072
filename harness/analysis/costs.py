"""What an arm cost: memory and speed from the run that had the device to itself, seconds over all rates and seeds."""

import pandas as pd

ALLOCATED, DEVICE, LEDGER, RESERVED = "allocated", "device", "ledger", "reserved"
WHOLE_RUN = "run"  # a phase of foreign results: loading, training and scoring together

# The first of these that a table has is the one that it shows: the measure, its column, and the phase it is of.
_MEASURES = (
    (ALLOCATED, "peak_allocated_bytes", "train"),
    (LEDGER, "ledger_peak_bytes", "train"),
    (RESERVED, "peak_reserved_bytes", WHOLE_RUN),
)

# What a card must have for a run, the measure that leaves the least out first.
_STRONGEST = {
    "peak_device_bytes": DEVICE,
    "peak_reserved_bytes": RESERVED,
    "peak_allocated_bytes": ALLOCATED,
    "ledger_peak_bytes": LEDGER,
}

# By what the full SFT is found that an arm's speed is held against, the most alike first.
_ALIKE = (
    ["base_digest", "batch_size", "sequence_length", "execution_id"],
    ["base_digest", "batch_size", "sequence_length"],
    ["base_digest", "execution_id"],
    ["base_digest"],
)


def measured(phases: pd.DataFrame) -> pd.DataFrame:
    """Indexed by arm: memory_bytes, memory_measure, tokens_per_second of training its own (last) stage.

    One measure for a whole table: on CUDA the allocator's peak, elsewhere the ledger's peak of tensor bytes, and where
    neither was recorded what the allocator reserved over whole runs. Only exclusive measure runs count; of several the
    highest peak and the median speed.
    """
    own = alone(phases[phases["latest"]])
    measure, peaks = _memory(own)
    speeds = _speeds(own)
    table = pd.DataFrame(
        {"memory_bytes": peaks.groupby("arm_id").max(), "tokens_per_second": speeds.groupby("arm_id").median()}
    )
    table = table.astype(float)
    table["memory_measure"] = measure
    return table


def needed(phases: pd.DataFrame) -> pd.DataFrame:
    """Indexed by arm: needed_bytes, the highest peak over the phases of its own (last) stage in its newest good runs,
    and needed_measure, what that is of: the process' share of the device, else what the allocator reserved, else what
    it handed out, else the ledger.

    All of these are one process' own, so that a run that shared the device counts as well.
    """
    own = phases[phases["latest"] & phases["last_stage"]]
    peaks = own.groupby("arm_id")[list(_STRONGEST)].max().astype(float)
    peaks = peaks[peaks.notna().any(axis=1)]
    measure = peaks.notna().idxmax(axis=1)
    return pd.DataFrame({"needed_bytes": peaks.bfill(axis=1).iloc[:, 0], "needed_measure": measure.map(_STRONGEST)})


def repeats(phases: pd.DataFrame) -> pd.DataFrame:
    """Indexed by arm: memory_bytes and tokens_per_second of every measure run of its own, a row a run, as ``measured``
    takes them."""
    own = alone(phases[phases["status"] == "ok"])
    table = pd.DataFrame({"memory_bytes": _memory(own)[1], "tokens_per_second": _speeds(own)}).astype(float)
    return table.reset_index("run_id", drop=True)


def alone(phases: pd.DataFrame) -> pd.DataFrame:
    """Each arm's own stage in runs that had the device to themselves, indexed by arm and run."""
    own = phases[phases["exclusive"] & phases["last_stage"] & (phases["purpose"] == "measure")]
    return own.set_index(["arm_id", "run_id"])


def _memory(own: pd.DataFrame) -> tuple[str, pd.Series]:
    """The measure that the table shows, and each run's peak."""
    found = {name: own.loc[own["phase"] == phase, column] for name, column, phase in _MEASURES}
    measure = next((name for name, peaks in found.items() if peaks.notna().any()), LEDGER)
    return measure, found[measure]


def _speeds(own: pd.DataFrame) -> pd.Series:
    return own.loc[own["phase"] == "train", "tokens_per_second_median"]


def relative_speed(arms: pd.DataFrame) -> pd.Series:
    """Tokens a second over those of full SFT on the same base; takes ``_ALIKE``'s columns, method and tokens_per_second
    a row.

    Of several full SFT arms the fastest of those that are most alike is meant: in batch, length and execution; in batch
    and length; in execution; else of all.
    """
    full = arms[(arms["method"] == "full_sft") & arms["tokens_per_second"].notna()]
    reference = pd.Series(float("nan"), index=arms.index)
    for keys in _ALIKE:
        fastest = full.groupby(keys)["tokens_per_second"].max().rename("reference")
        reference = reference.fillna(arms[keys].join(fastest, on=keys)["reference"].astype(float))
    return arms["tokens_per_second"] / reference


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


def price(seconds: pd.Series, an_hour: float) -> pd.Series:
    """What a device costs for so many seconds, at so much an hour."""
    return seconds / 3600 * an_hour


def seconds_for(budget: float, an_hour: float) -> float:
    """For how many seconds a device can be had, at so much an hour (above zero)."""
    return budget / an_hour * 3600
