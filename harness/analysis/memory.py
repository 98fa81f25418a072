"""What the bytes of each arm are, by phase, from the run that had the device to itself.

The ledger tells components apart; what the allocator handed out beyond it (temporaries, fragments of no tensor that it
knows) is the rest. Different measures are different numbers and are never added up.
"""

import pandas as pd

from harness.analysis.costs import ALLOCATED, DEVICE, LEDGER, RESERVED, WHOLE_RUN, alone

COMPONENTS = ("weights", "quantisation", "adapter", "gradient", "optimizer", "activation")
REST, WHOLE = "rest", "not told apart"
TEMPORARY = "temporary"  # what is predicted of the rest
RESIDENT = "resident increase"
MEASURES = {
    ALLOCATED: "peak_allocated_bytes",
    RESERVED: "peak_reserved_bytes",
    DEVICE: "peak_device_bytes",
    RESIDENT: "resident_increase_bytes",
    LEDGER: "ledger_peak_bytes",
}
# In the order of a run's life; a phase of foreign results is the whole run.
PHASES = ("load", "train", "evaluate", "merge", "evaluate_merged", "requantise", "evaluate_requantised", WHOLE_RUN)
# Of what a peak is made up of: the first that a phase has. Resident memory holds the process' libraries too.
_WHOLE = {"peak_allocated_bytes": ALLOCATED, "ledger_peak_bytes": LEDGER, "peak_reserved_bytes": RESERVED}


def peaks(phases: pd.DataFrame) -> pd.DataFrame:
    """A row an arm and phase of its own (last) stage: ``arm_id, run_id, phase``, a column of bytes for each of
    ``MEASURES``, ``whole_bytes``, the peak that ``components`` add up to, and the ``measure`` that it is of.

    Takes ``reader.phases``. Of several measure runs of an arm the one with the highest peak.
    """
    own = with_resident_increase(alone(phases[phases["latest"]]).reset_index())
    known = own[list(_WHOLE)].astype(float)
    own["whole_bytes"] = known.bfill(axis=1).iloc[:, 0]
    own["measure"] = known.notna().idxmax(axis=1).map(_WHOLE).where(own["whole_bytes"].notna())
    ordered = own.sort_values("whole_bytes", na_position="first", kind="stable")
    highest = ordered.drop_duplicates(["arm_id", "phase"], keep="last").sort_index()
    ledger = [f"ledger_{name}_bytes" for name in COMPONENTS]
    return highest[["arm_id", "run_id", "phase", *MEASURES.values(), "whole_bytes", "measure", *ledger]].reset_index(
        drop=True
    )


def with_resident_increase(phases: pd.DataFrame) -> pd.DataFrame:
    """A copy with ``resident_increase_bytes``: a process holds hundreds of megabytes of libraries to begin with."""
    return phases.assign(resident_increase_bytes=phases["rss_peak_bytes"] - phases["rss_start_bytes"])


def in_order(phases: pd.DataFrame) -> pd.DataFrame:
    """Rows of phases in the order of a run's life (``PHASES``), others after them."""
    order = {phase: n for n, phase in enumerate(PHASES)}
    return phases.sort_values("phase", key=lambda names: names.map(order).fillna(len(order)), kind="stable")


def components(peaks_of: pd.DataFrame) -> pd.DataFrame:
    """A row a component that takes any bytes: ``arm_id, phase, component, bytes``, of ``peaks``.

    ``rest`` is the allocator's peak minus the ledger, where both are there and the first is higher; ``not told apart``
    is the whole peak of a phase without a ledger.
    """
    wide = peaks_of.set_index(["arm_id", "phase"])
    ledger = wide[[f"ledger_{name}_bytes" for name in COMPONENTS]].astype(float)
    ledger.columns = pd.Index(COMPONENTS)
    ledger[REST] = (wide["peak_allocated_bytes"] - wide["ledger_peak_bytes"]).astype(float)
    ledger[WHOLE] = wide["whole_bytes"].where(wide["ledger_peak_bytes"].isna()).astype(float)
    long = ledger.melt(ignore_index=False, var_name="component", value_name="bytes").reset_index()
    return long[long["bytes"] > 0].reset_index(drop=True)


def predicted(peaks_of: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """The same columns of what was predicted for the runs of ``peaks``; takes ``step_reader.predictions``.

    What is temporary stands beside an allocator's ``rest``; a ledger does not see it.
    """
    told = predictions[predictions["predicted_bytes"] > 0]
    found = peaks_of[["arm_id", "run_id", "phase", "measure"]].merge(told, on=["run_id", "phase"])
    found = found[(found["component"] != TEMPORARY) | (found["measure"] == ALLOCATED)]
    found = found.assign(component=found["component"].replace(TEMPORARY, REST)).reset_index(drop=True)
    return found.rename(columns={"predicted_bytes": "bytes"})[["arm_id", "phase", "component", "bytes"]]
