"""`tunematrix compare`: two arms, several, or every arm that two results files hold."""

import json
from pathlib import Path

from harness.analysis.comparison import compare_arms
from harness.analysis.corrections import benjamini_hochberg, holm
from harness.commands.console import console_for_people
from harness.commands.uncollected import uncollected
from harness.errors import UserError
from harness.lineup import Lineup, Pair, across_files, within_file
from harness.report.compared import Compared, as_json, print_comparison


@uncollected()
def show_comparison(
    first: str, second: str, db: Path, *, only: str | None, screen: bool, difference: float | None, as_json_: bool
) -> None:
    """Compare and print; ``difference`` is in points."""
    lineup = _lineup(first, second, db, only)
    size = None if difference is None else difference / 100
    compared = Compared(
        names=[_names(pair) for pair in lineup.pairs],
        arms=[(pair.first_arm.arm_id, pair.second_arm.arm_id) for pair in lineup.pairs],
        table=compare_arms(lineup.contenders(), benjamini_hochberg if screen else holm, size),
        missing=[pair.missing(lineup.evals) for pair in lineup.pairs],
        correction="Benjamini-Hochberg" if screen else "Holm",
        difference=size,
    )
    if as_json_:
        print(json.dumps(as_json(compared), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        print_comparison(compared, console_for_people())


def _lineup(first: str, second: str, db: Path, only: str | None) -> Lineup:
    files = [Path(text).exists() for text in (first, second)]
    if all(files):
        return across_files(Path(first), Path(second), only)
    if any(files):
        file, other = (first, second) if files[0] else (second, first)
        raise UserError(f"{other}: no such results file or snapshot; {file} is one: compare two of them, or two arms")
    if only:
        raise UserError("--only: is for two results files; of one file name the arms themselves")
    return within_file(db, first, second)


def _names(pair: Pair) -> tuple[str, str]:
    names = pair.first_arm.full_name, pair.second_arm.full_name
    if pair.sources is None:
        return names
    return f"{names[0]} in {pair.sources[0]}", f"{names[1]} in {pair.sources[1]}"
