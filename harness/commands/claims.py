"""`tunematrix claims`: what people repeat, held against arithmetic and against the runs at hand."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

from rich.text import Text

from harness.claims import page
from harness.claims.evidence import Place, places
from harness.claims.held import Held, read_held
from harness.claims.page import CAPTION, HEADERS, Judged
from harness.claims.principles import CALCULATIONS
from harness.claims.read import CLAIMS, read_claims
from harness.claims.table import Row, comparison
from harness.claims.verdicts import judge
from harness.commands.console import console_for_people
from harness.report.grid import print_grid

NOTHING = "No results at hand: only what can be counted has a verdict."


def show_claims(sources: Sequence[Path], *, file: Path | None, out: Path | None, as_json_: bool) -> None:
    """Print the tables, or one JSON object; with ``out`` write the page there as well."""
    claims = read_claims(file or CLAIMS)
    results = read_held(sources)
    judged = []
    for claim in claims:
        found = tuple(places(claim, results))
        judged.append(Judged(claim, found, judge(claim, found)))
    rows = comparison(results)
    if out is not None:
        out.write_text(page.markdown(rows, judged), encoding="utf-8")
    if as_json_:
        print(json.dumps(_as_json(rows, judged), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        _print(rows, judged, results)


def _print(rows: Sequence[Row], judged: Sequence[Judged], results: Sequence[Held]) -> None:
    console = console_for_people()
    words = [True, False, False, True, True, True]
    print_grid(console, "The methods side by side", HEADERS, words, [page.cells(row) for row in rows])
    for line in CAPTION:
        console.print(Text(line, style="dim"))
    console.print()
    print_grid(console, "Claims", page.VERDICT_HEADERS, [True] * 3, [page.verdict_cells(one) for one in judged])
    console.print(Text("--out FILE writes the page: figures, sources, runs and reasons of each claim.", style="dim"))
    if not results:
        console.print(Text(NOTHING, style="yellow"))


def _as_json(rows: Sequence[Row], judged: Sequence[Judged]) -> dict[str, Any]:
    return {"methods": [asdict(row) for row in rows], "claims": [_claim(one) for one in judged]}


def _claim(one: Judged) -> dict[str, Any]:
    claim, verdict = one.claim, one.verdict
    return {
        "id": claim.id,
        "claim": claim.claim,
        "verdict": verdict.word,
        "by": list(verdict.by),
        "in_part": verdict.in_part,
        "depends_on": verdict.what,
        "why": verdict.why,
        "text": verdict.text,
        "principle": claim.principle,
        "figures": [
            {
                "about": figure.about,
                "calculation": figure.calculate,
                "arguments": figure.arguments,
                "basis": CALCULATIONS[figure.calculate].basis,
                "unit": CALCULATIONS[figure.calculate].unit,
                "value": figure.value,
                "holds": figure.holds,
            }
            for figure in claim.figures
        ],
        "published": [published.model_dump() for published in claim.published],
        "settled_by": claim.settled_by,
        "remark": claim.remark,
        "measured": [_place(place) for place in one.places],
    }


def _place(place: Place) -> dict[str, Any]:
    """Without an end where there is none: JSON knows no infinity."""
    found = asdict(place) | {"holds": place.holds}
    found["measured"] = [
        {key: None if isinstance(value, float) and not isfinite(value) else value for key, value in one.items()}
        for one in found["measured"]
    ]
    return found
