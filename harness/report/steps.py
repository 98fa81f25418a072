"""The tables of what a training step spends its time on, and of what each of its parts holds in memory."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from harness.analysis.section import Section
from harness.analysis.utilisation import ENERGY, PARTS, UNEXPLAINED, peaks_by_part, utilisation
from harness.predict.devices import card_of
from harness.report import words
from harness.report.model import Column, Row, Table

IN_WORDS = {
    "data": "fetching and padding batches",
    "optimizer": "the optimizer's step",
    "arithmetic": "arithmetic of matrix products",
    "memory traffic": "memory traffic between products",
    "launches": "issuing kernels",
    UNEXPLAINED: "kernels that reach no ceiling",
}
TIMES = (
    "step: median time of an optimizer step in the run that had the device to itself, with its quartiles. data ... "
    "optimizer: the parts' shares of it.",
    "MFU: operations that the method asks for, over those of a large matrix product in the same type and as long on "
    "this device, measured in the same run. bandwidth: the same of bytes that a large copy moves.",
    "mostly: what most of the step goes into, and its share. Data and the optimizer are measured; arithmetic, traffic "
    "and launches are what the step's work takes at these ceilings; kernels that reach no ceiling are the rest.",
)
OF_SHEET = "of sheet: MFU by the data sheet's peak of the {card} in place of the measured one."
JOULES = "J per 1,000 tokens: joules by the GPU's own counter over all timed steps, by the real tokens in them."
PEAKS = "Highest {measure} bytes in each part of a training step; the phases' own peaks are in the first table."


def step_tables(
    section: Section,
    facts: Mapping[str, Any],
    parts: pd.DataFrame,
    work: pd.DataFrame,
    predictions: pd.DataFrame,
) -> tuple[Table, ...]:
    """The tables that have rows."""
    about = section.arms.set_index("arm_id")[["base"]].assign(name=pd.Series(section.names))
    spent = about.join(utilisation(section.runs, parts, work, predictions), how="inner").reset_index()
    held = about.join(peaks_by_part(section.runs, parts), how="inner").reset_index()
    found = [_times(spent, facts), _peaks(held)]
    return tuple(table for table in found if len(table.frame))


def _times(frame: pd.DataFrame, facts: Mapping[str, Any]) -> Table:
    card = card_of(str(facts.get("gpu", "")))
    peak = card.bfloat16_flops if card else None
    frame = frame.assign(mfu_of_sheet=frame["mfu"] * frame["ceiling_flops"] / peak if peak else None)
    counted = bool(frame[ENERGY].notna().any())
    frame = frame if counted else frame.drop(columns=ENERGY)
    shares = [part for part in PARTS if frame[f"{part}_share"].notna().any()]
    columns = (
        *_ARM,
        Column("step [quartiles]", _step, True),
        Column("MFU", lambda row: _percent(row["mfu"]), True),
        *((Column("of sheet", lambda row: _percent(row["mfu_of_sheet"]), True),) if card else ()),
        *((Column("J per 1,000 tokens", lambda row: _joules(row[ENERGY]), True, spare=1),) if counted else ()),
        Column("bandwidth", lambda row: _percent(row["bandwidth_share"]), True, spare=2),
        *(_share(part, spare) for spare, part in enumerate(shares, 3)),
        Column("mostly", _mostly, True, words=True),
    )
    legend = (*TIMES, *((OF_SHEET.format(card=card.name),) if card else ()), *((JOULES,) if counted else ()))
    return Table("steps", "Where a step's time goes", frame, columns, legend)


def _peaks(frame: pd.DataFrame) -> Table:
    shown = [part for part in PARTS if frame[part].notna().any()]
    columns = (*_ARM, *(_peak(part) for part in shown))
    measures = " or ".join(sorted(frame["measure"].dropna().unique()))
    return Table("step_memory", "What each part of a step holds", frame, columns, (PEAKS.format(measure=measures),))


def _share(part: str, spare: int) -> Column:
    return Column(part, lambda row: _percent(row[f"{part}_share"]), True, spare=spare)


def _peak(part: str) -> Column:
    return Column(part, lambda row: words.size(row[part]), True)


def _step(row: Row) -> str:
    low, middle, high = (1000 * row[f"step_seconds{end}"] for end in ("_p25", "", "_p75"))
    digits = 0 if middle >= 100 else 1
    return f"{middle:.{digits}f} ms [{low:.{digits}f}, {high:.{digits}f}]"


def _percent(share: float | None) -> str:
    return words.MISSING if share is None else f"{100 * share:.0f} %"


def _joules(value: float | None) -> str:
    """With three digits, in full from a hundred on."""
    if value is None:
        return words.MISSING
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _mostly(row: Row) -> str:
    if row["cause"] is None:
        return words.MISSING
    return f"{_percent(row['cause_share'])} {IN_WORDS[row['cause']]}"


_ARM = (
    Column("arm", lambda row: words.text(row["name"]), True, words=True),
    Column("base", lambda row: words.text(row["base"]), True, words=True),
)
