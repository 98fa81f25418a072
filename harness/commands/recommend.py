"""`tunematrix recommend`: the arms within someone's limits."""

import json
from pathlib import Path

import pandas as pd

from harness.analysis.recommend import recommend
from harness.analysis.summary import summarise
from harness.commands.console import console_for_people
from harness.errors import UserError
from harness.lineup import Results
from harness.report.recommended import Recommended, as_json, print_recommendation
from harness.units import parse_size


def show_recommendation(db: Path, limits: dict[str, float], *, base: str | None, as_json_: bool) -> None:
    """Print what each suite and stack of ``db`` recommends within ``limits`` (see ``limits_of``)."""
    parts = Results(db).contents.parts()
    bases = dict.fromkeys(base for part in parts for base in part.frames.arms["base"])
    if base is not None and base not in bases:
        raise UserError(f"--base {base}: no such base (known: {', '.join(bases)})")
    found = []
    for part in parts:
        summary = summarise(part.frames)
        own: pd.DataFrame = summary if base is None else summary[summary["base"] == base]
        if len(own):
            found.append(Recommended(part.suite, part.stack_id, recommend(part.frames, own, limits)))
    if as_json_:
        print(json.dumps(as_json(found), indent=1, ensure_ascii=False, allow_nan=False))
        return
    console = console_for_people()
    for one in found:
        print_recommendation(one, console)


def limits_of(
    vram: str | None, max_forgetting: float | None, max_hours: float | None, min_gain: float | None
) -> dict[str, float]:
    """The limits that were given, as ``recommend.recommend`` takes them; raises UserError for one that is none."""
    for option, share in (("--max-forgetting", max_forgetting), ("--min-gain", min_gain)):
        if share is not None and not -1 <= share <= 1:
            raise UserError(f"{option} {share:g}: expected a share of 1: two points are 0.02")
    if max_hours is not None and max_hours <= 0:
        raise UserError(f"--max-hours {max_hours:g}: expected more than zero")
    limits = {
        "needed_bytes": None if vram is None else float(parse_size("--vram", vram)),
        "forgetting": max_forgetting,
        "whole_tuning_seconds": None if max_hours is None else 3600 * max_hours,
        "gain": min_gain,
    }
    return {name: limit for name, limit in limits.items() if limit is not None}
