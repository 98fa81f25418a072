"""The claims, their verdicts and the methods side by side, as a page of Markdown."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.claims import words
from harness.claims.entry import Claim, Figure
from harness.claims.evidence import Measured, Place
from harness.claims.principles import CALCULATIONS
from harness.claims.table import BATCH, LENGTH, SHAPE, Row, Told
from harness.claims.verdicts import NOT_YET, Verdict
from harness.oneline import one_line
from harness.report import words as report_words
from harness.report.files import escaped

WIDTH = 120
MANY = 3  # places of a kind that one sentence tells of
HEADERS = ("method", "rank", "trainable", "GPU memory", "relative speed", "score")
VERDICT_HEADERS = ("claim", "as repeated", "verdict")
NAMES = {
    "full_sft": "full SFT, bfloat16",
    "full_sft amp": "full SFT, AMP",
    "lora": "LoRA",
    "qlora": "QLoRA",
    "dpo on full_sft": "DPO on full SFT",
    "dpo on lora": "DPO on LoRA",
    "dpo on qlora": "DPO on QLoRA",
}
CAPTION = (
    f"{SHAPE}, {BATCH} x {LENGTH} tokens (of DPO a pair, two rows), gradient checkpointing, AdamW, adapters on all "
    "linear layers.",
    "trainable: counted on the shape. GPU memory: tensors on the device; the device's own context comes on top.",
    "relative speed: tokens a second over those of full SFT in bfloat16; counted is the most that arithmetic allows a "
    "method that skips the weights' gradients, and what dequantisation takes comes off it.",
    "score: the target score of the same method at its best learning rate, on the base that stands with it: not this "
    "model, but a much smaller one.",
)


@dataclass(frozen=True)
class Judged:
    """A claim with what was found for it."""

    claim: Claim
    places: tuple[Place, ...]
    verdict: Verdict


def markdown(rows: Sequence[Row], judged: Sequence[Judged]) -> str:
    """The page; texts from results are shown in it and mean nothing."""
    lines = ["# Claims, held against arithmetic and runs", ""]
    lines += _folded(
        "Written by `tunematrix claims --out`: nothing on this page is typed in but the claims, what was published, "
        "and words. The claims are in `suites/claims/claims.yaml`, whose head says how to add one."
    )
    lines += ["", "## The methods side by side", "", *_table(HEADERS, map(cells, rows)), ""]
    lines += [line for text in CAPTION for line in _item(text)]
    lines += ["", "## Verdicts", "", *_table(VERDICT_HEADERS, map(verdict_cells, judged)), ""]
    lines += _folded(
        "By counting: from shapes and types alone. By runs: it holds for the models, the data and the machine that "
        "stand with it, and says nothing of others. Not yet measured: no runs here settle it, and why."
    )
    lines += ["", "## One by one", ""]
    lines += [line for one in judged for line in _section(one)]
    return "\n".join(lines).rstrip() + "\n"


def cells(row: Row) -> list[str]:
    """A row of the table of methods."""
    return [
        NAMES[row.method],
        "" if row.rank is None else str(row.rank),
        f"{row.trainable:,}",
        _told(row.memory, words.gigabytes(row.memory.value)),
        _told(row.speed, report_words.times(row.speed.value)) if row.speed else NOT_YET,
        _told(row.score, _score(row.score)) if row.score else NOT_YET,
    ]


def _told(told: Told, shown: str) -> str:
    limit = "at most " if told.basis == "counted" and told.value != 1 else ""
    place = f" on {one_line(told.where)}" if told.where else ""
    return f"{limit}{shown}, {told.basis}{place}"


def _score(told: Told) -> str:
    known = told.low is not None and told.high is not None
    interval = f" [{report_words.points(told.low)}, {report_words.points(told.high)}]" if known else ""
    return report_words.points(told.value) + interval


def verdict_cells(one: Judged) -> list[str]:
    """A row of the table of verdicts."""
    why = f": {one.verdict.why}" if one.verdict.why else ""
    return [one_line(text) for text in (one.claim.id, one.claim.claim, one.verdict.text + why)]


def _table(headers: Sequence[str], rows: Iterator[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(headers) + " |", "|" + " --- |" * len(headers)]
    return lines + ["| " + " | ".join(escaped(one_line(cell)) for cell in row) + " |" for row in rows]


def _section(one: Judged) -> list[str]:
    claim, verdict = one.claim, one.verdict
    lines = [f"### {claim.id}", "", *_folded(escaped(one_line(f'"{claim.claim}": {verdict.text}.'))), ""]
    lines += [line for text in about(one) for line in _item(escaped(text))]
    runs = sorted({run for place in one.places for run in place.runs})
    if runs:
        lines += ["", "<details><summary>runs</summary>", ""]
        lines += _folded(", ".join(escaped(one_line(run)) for run in runs))
        lines += ["", "</details>"]
    return [*lines, ""]


def about(one: Judged) -> list[str]:
    """What there is to say of a claim, a sentence each: principles, published figures, runs, what is missing."""
    claim, verdict = one.claim, one.verdict
    lines = [f"First principles: {claim.principle}"] if claim.principle else []
    lines += [_computed(figure) for figure in claim.figures]
    lines += [f"Published: {published.says} ({published.source})" for published in claim.published]
    lines += [f"Measured: {text}" for text in _measurements(one.places)]
    lines += [f"What settles it: {claim.settled_by}"]
    lines += [f"Remark: {claim.remark}"] if claim.remark else []
    return [*lines, *([f"Why there is no verdict: {verdict.why}"] if verdict.why else [])]


def _computed(figure: Figure) -> str:
    basis = CALCULATIONS[figure.calculate].basis
    held = {True: "; the claim holds by it", False: "; the claim does not hold by it", None: ""}[figure.holds]
    about_ = f"{figure.about}: " if figure.about else ""
    return f"{basis.capitalize()}: {about_}{words.figure(figure.calculate, figure.value)}{held}"


def _measurements(places: Sequence[Place]) -> list[str]:
    """A sentence each; many of another scale that were measured once, and settle nothing, together for each base."""
    together: dict[tuple[object, ...], list[Place]] = {}
    for place in places:
        settles = (
            place.in_scope or len(place.measured) > 1 or place.measured[0].low is not None or place.holds is not None
        )
        key = (place,) if settles else (place.suite, place.machine, place.base, place.asked, place.measured[0].quantity)
        together.setdefault(key, []).append(place)
    texts: list[str] = []
    for same in together.values():
        texts += [_beside(same)] if len(same) >= MANY else map(_place, same)
    return texts


def _beside(places: Sequence[Place]) -> str:
    figures = words.from_to([place.measured[0] for place in places])
    runs = len({run for place in places for run in place.runs})
    return one_line(
        f"{len(places)} pairs, {places[0].asked}: {figures} (no intervals: not measured twice); this does not tell; "
        f"another scale than the claim's. {runs} runs on {words.where(places[0])}"
    )


def _place(place: Place) -> str:
    figures = ", ".join(_measured(one, alone=len(place.measured) == 1) for one in place.measured)
    beside = "" if place.in_scope else "; another scale than the claim's"
    runs = "1 run" if len(place.runs) == 1 else f"{len(place.runs)} runs"
    return one_line(f"{place.arms}: {figures}; {_HERE[place.holds]}{beside}. {runs} on {words.where(place)}")


def _measured(one: Measured, alone: bool) -> str:
    """With whether its own condition holds, where there are others."""
    held = [] if alone else [{True: "holds", False: "does not hold", None: "does not tell"}[one.holds]]
    notes = [*held, *([one.note] if one.note and not one.was_short else [])]
    return words.measured(one) + (f" ({'; '.join(notes)})" if notes else "")


def _item(text: str) -> list[str]:
    first, *others = _folded(text, WIDTH - 2)
    return [f"- {first}", *(f"  {line}" for line in others)]


def _folded(text: str, width: int = WIDTH) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


_HERE = {True: "the claim holds here", False: "the claim does not hold here", None: "this does not tell"}
