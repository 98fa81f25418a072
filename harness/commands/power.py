"""`tunematrix power`: what the seeds and items there are can tell, and how many more it would take."""

import json
from itertools import combinations
from pathlib import Path

from harness.analysis import effects
from harness.analysis.contender import Contender
from harness.analysis.power_table import power_table, repeats_table
from harness.analysis.ranking import best_first
from harness.analysis.section import Section
from harness.commands.console import console_for_people
from harness.errors import UserError
from harness.lineup import Results, side_of
from harness.report.powered import Powered, as_json, print_power
from harness.selectors import Named, select


def show_power(
    selectors: list[str], db: Path, *, difference: float, relative: float, wanted: float, as_json_: bool
) -> None:
    """Print the tables; ``difference`` is in points, ``relative`` (of memory and speed) in percent."""
    results = Results(db)
    key = results.newest_with(*selectors)
    side = side_of(results.contents.part(*key))
    arms = results.named(key)
    chosen = {arm.arm_id: arm for selector in selectors for arm in select(arms, selector)}
    pairs = _pairs(arms, list(chosen.values()), side.section)
    if not pairs:
        raise UserError(f"{db}: no two arms of one base to tell apart")
    contenders = [(Contender(side, first.arm_id), Contender(side, second.arm_id)) for first, second in pairs]
    powered = Powered(
        names=[(first.full_name, second.full_name) for first, second in pairs],
        table=power_table(contenders, difference / 100, wanted),
        repeats=repeats_table(contenders, 1 + relative / 100, wanted),
        difference=difference / 100,
        relative=relative / 100,
        wanted=wanted,
    )
    if as_json_:
        print(json.dumps(as_json(powered), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        print_power(powered, console_for_people())


def _pairs(arms: list[Named], chosen: list[Named], section: Section) -> list[tuple[Named, Named]]:
    """Of several arms every pair within a base; of one, it and each other trained arm; of none, the best and each."""
    trained = [arm for arm in arms if arm.method != "base"]
    if len(chosen) > 1:
        found = list(combinations(chosen, 2))
    elif chosen:
        found = [(chosen[0], arm) for arm in trained]
    else:
        found = [(best, arm) for best in _best(trained, section) for arm in trained]
    return [(first, second) for first, second in found if first.base == second.base and first != second]


def _best(arms: list[Named], section: Section) -> list[Named]:
    """The arm with the best target score on each base."""
    evals = section.evals("target")
    scores = {arm.arm_id: effects.score(section.of(arm.arm_id, evals)) for arm in arms}
    order = best_first({arm: score.estimate for arm, score in scores.items() if score})
    by_id = {arm.arm_id: arm for arm in arms}
    return list({by_id[arm].base: by_id[arm] for arm in reversed(order)}.values())
