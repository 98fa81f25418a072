"""Which arms are better than which, as far as the data say so: paired tests, corrected, as ranks and as letters."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from string import ascii_letters
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.corrections import LEVEL, holm
from harness.analysis.effects import spread_between
from harness.analysis.outcomes import Outcomes, common_seeds
from harness.analysis.spread import Spread, spreads_of_pairs
from harness.analysis.uncertainty import Interval, difference_intervals, pooled_seed_variance

_UNKNOWN = Interval(float("nan"))


def compare(arms: Mapping[str, Sequence[Outcomes]]) -> pd.DataFrame:
    """Every pair of arms on the evals that they share in order (one ``Outcomes`` an eval), a row a pair.

    Columns: first, second, difference (first minus second, mean over the evals), low, high, p_value, p_corrected
    (Holm over all pairs), differs (whether the order is supported). The chance that a table claims any order falsely
    is about 5 % (1 to 10 % in simulations, most where one arm's seeds vary far more than the others'); *not* differing
    proves no equality. How much seeds vary is judged from all pairs of a kind (trained with trained, trained with
    untrained) together. Of a pair without an item that both answered, at a seed that was scored on all the evals,
    nothing is known.
    """
    trained = {arm: bool(outcomes[0].seeds) for arm, outcomes in arms.items()}
    freedom = sum(max(1, len(common_seeds(outcomes)[0].seeds)) - 1 for arm, outcomes in arms.items() if trained[arm])
    kinds: dict[bool, dict[tuple[str, str], Spread]] = {True: {}, False: {}}
    for (first, second), spread in _spreads(arms, trained).items():
        kinds[trained[first] and trained[second]][first, second] = spread
    found: dict[tuple[str, str], Interval] = {}
    for spreads in kinds.values():
        pooled = pooled_seed_variance(list(spreads.values()), freedom)
        found |= dict(zip(spreads, difference_intervals(list(spreads.values()), pooled), strict=True))
    ordered = [(pair, found.get(pair, _UNKNOWN)) for pair in combinations(arms, 2)]
    rows = [(*pair, one.estimate, one.low, one.high, one.p_value) for pair, one in ordered]
    columns = ["first", "second", "difference", "low", "high", "p_value"]
    table = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[2:], float))
    table["p_corrected"] = holm(table["p_value"])
    table["differs"] = table["p_corrected"] < LEVEL
    return table


def _spreads(arms: Mapping[str, Sequence[Outcomes]], trained: Mapping[str, bool]) -> dict[tuple[str, str], Spread]:
    """The spread of every pair's differences, where it has any: all at once where the tables are alike, but for two
    untrained arms, who have one row each and not one a seed."""
    tables = _stacked(list(arms.values()))
    found = dict(zip(combinations(arms, 2), spreads_of_pairs(tables), strict=True)) if tables else {}
    for first, second in combinations(arms, 2):
        if tables and (trained[first] or trained[second]):
            continue
        found.pop((first, second), None)
        if spread := spread_between(arms[first], arms[second]):
            found[first, second] = spread
    return found


def _stacked(arms: Sequence[Sequence[Outcomes]]) -> list[NDArray[np.float64]]:
    """Each eval's (arms, seeds, items) table, an untrained arm's one row standing for every seed; none where arms have
    other seeds or items, or an outcome is unknown."""
    seeds = {outcomes.seeds for several in arms for outcomes in several if outcomes.seeds}
    evals = [[outcomes.table for outcomes in several] for several in zip(*arms, strict=True)]
    items = [{table.shape[1] for table in tables} for tables in evals]
    if len(seeds) != 1 or any(len(sizes) > 1 or min(sizes) < 2 for sizes in items):
        return []
    (n_seeds,) = map(len, seeds)
    if n_seeds < 2 or any(np.isnan(table).any() for tables in evals for table in tables):
        return []
    return [np.stack([np.broadcast_to(table, (n_seeds, table.shape[1])) for table in tables]) for tables in evals]


def best_first(scores: Mapping[Any, float | None]) -> list[str]:
    """The arms that have a score, from the best down."""
    known = {arm: score for arm, score in scores.items() if score is not None and score == score}
    return sorted(known, key=lambda arm: -known[arm])


def ranked(pairs: pd.DataFrame, order: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Each arm's place and letters, from ``compare`` and the arms from best to worst."""
    differing = pairs[pairs["differs"]]
    letters = compact_letters(order, zip(differing["first"], differing["second"], strict=True))
    place = places(pairs, order)
    return {arm: (place[arm], letters[arm]) for arm in order}


def places(pairs: pd.DataFrame, arms: Iterable[str]) -> dict[str, int]:
    """Each arm's place: 1 + the number of arms that are supported as better."""
    differing = pairs[pairs["differs"]]
    losers = np.where(differing["difference"] > 0, differing["second"], differing["first"])
    return {arm: 1 + int((losers == arm).sum()) for arm in arms}


def compact_letters(arms: Sequence[str], differing: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Letters such that two arms share one exactly if they can't be told apart; ``arms`` from best to worst.

    Insert and absorb (Piepho 2004, Journal of Computational and Graphical Statistics 13): one letter for all; each
    differing pair splits every letter that both carry; a letter whose arms all carry another one is dropped.
    """
    groups: list[frozenset[str]] = [frozenset(arms)] if arms else []
    for first, second in differing:
        if not any({first, second} <= group for group in groups):
            continue
        split: list[frozenset[str]] = []
        for group in groups:
            split += [group - {first}, group - {second}] if {first, second} <= group else [group]
        unique = list(dict.fromkeys(split))
        groups = [group for group in unique if not any(group < other for other in unique)]
    groups.sort(key=lambda group: sorted(arms.index(arm) for arm in group))
    return {arm: "".join(_letter(n) for n, group in enumerate(groups) if arm in group) for arm in arms}


def _letter(n: int) -> str:
    return ascii_letters[n] if n < len(ascii_letters) else f"({n + 1})"
