"""How far what was predicted lies from what was measured, by component, method and shape."""

from collections.abc import Callable, Collection

import pandas as pd

from harness.analysis.costs import ALLOCATED, LEDGER
from harness.analysis.memory import COMPONENTS, TEMPORARY

PEAK, PAGED, STEP = "peak", "paged", "step"
KINDS = ("component", "method", "shape")
_WHOLES = (PEAK, STEP)
_STATISTICS: dict[str, Callable[["pd.Series[float]"], float]] = {
    "mean_error_percent": lambda errors: errors.mean(),
    "mean_abs_error_percent": lambda errors: errors.abs().mean(),
    "worst_error_percent": lambda errors: errors.abs().max(),
}
_OF_A_CELL = ["run_id", "measure", "model_version", "method", "shape", "sequence_length"]


def memory_errors(peaks_of: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """A row a component of a run that was predicted and measured: what it is of (``_OF_A_CELL``), ``component``,
    ``predicted_bytes``, ``measured_bytes`` and ``error_percent`` of what was measured, positive where too much was
    predicted. Nothing of the first says nothing of the second, so that of a component that was not there all is wrong
    (100).

    Takes ``memory.peaks`` and ``step_reader.every_prediction``. ``peak`` is the whole: of a GPU the allocator's, which
    has ``temporary`` beyond the ledger and not what a ``paged`` optimizer holds elsewhere; else the ledger's.
    """
    measured = peaks_of[(peaks_of["phase"] == "train") & peaks_of["measure"].isin([ALLOCATED, LEDGER])]
    told = measured[["run_id", "phase", "measure"]].merge(predictions, on=["run_id", "phase"])
    told = told[told["predicted_bytes"].notna()]
    predicted = told.pivot(index="run_id", columns="component", values="predicted_bytes")
    predicted = predicted.reindex(columns=[*COMPONENTS, TEMPORARY, PAGED]).astype(float)
    actual = measured.set_index("run_id").loc[predicted.index]
    on_gpu = actual["measure"] == ALLOCATED
    counted = predicted[list(COMPONENTS)].sum(axis=1)
    predicted[PEAK] = counted.where(~on_gpu, predicted.sum(axis=1))
    both = pd.DataFrame(
        {"predicted_bytes": _long(predicted.drop(columns=PAGED)), "measured_bytes": _long(_measured(actual, predicted))}
    ).dropna()
    both = both[both.any(axis=1)].reset_index()
    both["error_percent"] = _percent(both["predicted_bytes"], both["measured_bytes"])
    return told[_OF_A_CELL].drop_duplicates().merge(both, on="run_id")


def time_errors(steps: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """A row a measure run whose step was predicted and timed: what it is of, ``component`` (``STEP``),
    ``predicted_seconds``, ``measured_seconds`` and ``error_percent`` of what was measured.

    Takes ``step_reader.every_step`` and ``step_reader.every_prediction``. A step is predicted from its own device's
    ceilings, measured in the same run: the error is of how a step is put together, not of a data sheet.
    """
    told = predictions[(predictions["phase"] == STEP) & predictions["predicted_seconds"].notna()]
    of_a_cell = [name for name in _OF_A_CELL if name != "measure"]
    whole = told.groupby(of_a_cell, as_index=False)["predicted_seconds"].sum()
    found = whole.merge(steps.rename(columns={"step_seconds": "measured_seconds"}), on="run_id")
    found["error_percent"] = _percent(found["predicted_seconds"], found["measured_seconds"])
    return found.assign(component=STEP, measure="seconds")


def one_measure(errors: pd.DataFrame) -> pd.DataFrame:
    """Those against the allocator's peak where there are any, else those against the ledger's: one mean over both
    would say something of neither."""
    measure = ALLOCATED if (errors["measure"] == ALLOCATED).any() else LEDGER
    return errors[errors["measure"] == measure]


def is_held_out(errors: pd.DataFrame, shapes: Collection[str], sequence_lengths: Collection[int]) -> "pd.Series[bool]":
    """Is a row's cell one of these shapes, or of one of these sequence lengths?"""
    return errors["shape"].isin(shapes) | errors["sequence_length"].isin(sequence_lengths)


def summary(errors: pd.DataFrame) -> dict[str, float | int | None]:
    """Of the peaks, or of the steps: ``cells``, and the mean of the errors, of their sizes, and the largest size, in
    percent."""
    peaks = errors.loc[errors["component"].isin(_WHOLES), "error_percent"]
    if peaks.empty:
        return {"cells": 0, **dict.fromkeys(_STATISTICS)}
    return {"cells": len(peaks), **{name: float(of(peaks)) for name, of in _STATISTICS.items()}}


def by_kind(errors: pd.DataFrame) -> pd.DataFrame:
    """The same for each component, and for the wholes (peaks, or steps) of each method and each shape: ``kind`` (of
    ``KINDS``), ``name`` and the columns of ``summary``."""
    is_whole = errors["component"].isin(_WHOLES)
    peaks = errors[is_whole]
    of_kind = {"component": errors[~is_whole], "method": peaks, "shape": peaks}
    return pd.concat([_grouped(rows, kind) for kind, rows in of_kind.items()], ignore_index=True)


def _grouped(errors: pd.DataFrame, kind: str) -> pd.DataFrame:
    groups = errors.groupby(kind, sort=kind != "component")["error_percent"]
    table = pd.DataFrame({"cells": groups.size(), **{name: groups.agg(of) for name, of in _STATISTICS.items()}})
    return table.rename_axis("name").reset_index().assign(kind=kind)


def _measured(actual: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Wide, as ``predicted``; what the allocator had beyond the ledger is not known where a part of that lies
    elsewhere."""
    found = actual[[f"ledger_{name}_bytes" for name in COMPONENTS]].astype(float)
    found.columns = pd.Index(COMPONENTS)
    beyond = (actual["peak_allocated_bytes"] - actual["ledger_peak_bytes"]).astype(float).clip(lower=0)
    found[TEMPORARY] = beyond.where(predicted[PAGED].isna())
    found[PEAK] = actual["whole_bytes"].astype(float)
    return found


def _long(wide: pd.DataFrame) -> "pd.Series[float]":
    return wide.rename_axis(columns="component").stack(future_stack=True)


def _percent(predicted: "pd.Series[float]", measured: "pd.Series[float]") -> "pd.Series[float]":
    return (100 * (predicted - measured) / measured.where(measured > 0)).fillna(100.0)
