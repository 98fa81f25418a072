"""Each arm's memory by component and phase, as measured and as predicted."""

from dataclasses import dataclass, replace

import pandas as pd

from harness.analysis.memory import REST, WHOLE, in_order
from leaderboard import cache, tables
from leaderboard.pictures.memory import MEASURED, PREDICTED
from leaderboard.quantities import MEMORY, Quantity, fitted, in_units
from leaderboard.rows import measures
from leaderboard.scope import Scope

ARM = ["section", "arm_id"]
PARTS = {
    "weights": "The model's weights and buffers.",
    "quantisation": "Scales and codes of weights in 4 bit.",
    "adapter": "The adapter's weights.",
    "gradient": "Gradients at the moment of the peak.",
    "optimizer": "State of the optimizer.",
    "activation": "What autograd keeps for the backward pass.",
    REST: "The allocator's peak minus the ledger: temporaries, and what is lost between blocks.",
    WHOLE: "The whole peak of a phase in which no ledger was kept.",
}
WORDS = (
    tables.text("row", "arm", "The entry in the matrix, what it starts from, and its rank."),
    tables.BASE,
    tables.text("phase", "phase", "load, train: of the arm's own stage; run: everything together."),
)


@dataclass(frozen=True, eq=False)
class Memory:
    """``peaks``: a row an arm and phase, in bytes; ``bars``: a row a component, in ``unit``, ``told`` measured or
    predicted; ``kinds``: how peaks were measured."""

    peaks: pd.DataFrame
    bars: pd.DataFrame
    unit: Quantity
    kinds: tuple[str, ...]

    @property
    def titled(self) -> Quantity:
        """The unit, named after how it was measured where that is one way."""
        return replace(self.unit, label=f"memory, {self.kinds[0]}") if len(self.kinds) == 1 else self.unit


def memory_of(scope: Scope, arms: pd.DataFrame) -> Memory | None:
    """The memory of the arms; None where no run of theirs had the device to itself."""
    peaks, parts, predicted = _frames(scope)
    peaks = _of(arms, peaks)
    if peaks.empty:
        return None
    memory = fitted(MEMORY, peaks.rename(columns={"whole_bytes": MEMORY.name}))
    told = [_of(arms, parts).assign(told=MEASURED), _of(arms, predicted).assign(told=PREDICTED)]
    bars = pd.concat([frame for frame in told if len(frame)] or told[:1], ignore_index=True)
    bars = in_units(bars.rename(columns={"bytes": MEMORY.name}), [memory])
    return Memory(peaks, bars, memory, tuple(map(str, peaks["measure"].dropna().unique())))


def memory_table(found: Memory) -> tuple[pd.DataFrame, list[tables.Column]]:
    """A row an arm and phase, with every component, measure and prediction that is known, and its columns."""
    memory = found.unit
    sums = found.bars.pivot_table(index=[*ARM, "phase"], columns="told", values=memory.name, aggfunc="sum")
    own = found.bars[found.bars["told"] == MEASURED]
    wide = own.pivot_table(index=[*ARM, "phase"], columns="component", values=memory.name, aggfunc="sum")
    told_apart_first = found.peaks.sort_values("whole_bytes", key=pd.isna, kind="stable")
    rows = measures.in_unit(told_apart_first, memory).join(wide, on=[*ARM, "phase"])
    if PREDICTED in sums:
        rows = rows.join(sums[PREDICTED], on=[*ARM, "phase"])
    columns = [*WORDS, *_parts(rows, memory), *measures.columns(rows, memory), *_predicted(rows, memory)]
    return rows, columns


def _frames(scope: Scope) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Peaks, components and predictions of all sections."""
    found = [[frame.assign(section=n) for frame in cache.memory(key)] for n, key in enumerate(scope.sections)]
    peaks, parts, predicted = (
        pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
        for frames in map(list, zip(*found, strict=True))
    )
    return peaks, parts, predicted


def _of(arms: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of these arms in the arms' order, phases in the order of a run's life."""
    return in_order(arms[[*ARM, "row", "method", "base"]].merge(rows, on=ARM))


def _parts(rows: pd.DataFrame, memory: Quantity) -> list[tables.Column]:
    return [
        tables.number(name, f"{name} ({memory.unit})", f"Part of the peak. {meaning}", memory.printf)
        for name, meaning in PARTS.items()
        if name in rows and rows[name].notna().any()
    ]


def _predicted(rows: pd.DataFrame, memory: Quantity) -> list[tables.Column]:
    meaning = "What was predicted before it ran, all components together."
    title = f"{PREDICTED} ({memory.unit})"
    return [tables.number(PREDICTED, title, meaning, memory.printf)] if PREDICTED in rows else []
