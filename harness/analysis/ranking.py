"""Which arms are better than which, as far as the data say so: paired tests, corrected, as ranks and as letters."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from string import ascii_letters

import numpy as np
import pandas as pd

from harness.analysis.corrections import LEVEL, holm
from harness.analysis.effects import score
from harness.analysis.outcomes import Outcomes, paired
from harness.analysis.shares import counted, spread_of_difference
from harness.analysis.spread import Spread, spread_of
from harness.analysis.uncertainty import Interval, difference_intervals, pooled_seed_variance


def compare(arms: Mapping[str, Sequence[Outcomes]]) -> pd.DataFrame:
    """Every pair of arms on the evals that they share in order (one ``Outcomes`` an eval), a row a pair.

    Columns: first, second, difference (first minus second, mean over the evals), low, high, p_value, p_corrected
    (Holm over all pairs), differs (whether the order is supported). The chance that a table claims any order falsely
    is about 5 % (1 to 10 % in simulations, most where one arm's seeds vary far more than the others'); *not* differing
    proves no equality. How much seeds vary is judged from all pairs of a kind (trained with trained, trained with
    untrained) together.
    """
    trained = {arm: bool(outcomes[0].seeds) for arm, outcomes in arms.items()}
    freedom = sum(len(outcomes[0].seeds) - 1 for arm, outcomes in arms.items() if trained[arm])
    kinds: dict[bool, dict[tuple[str, str], Spread]] = {True: {}, False: {}}
    for first, second in combinations(arms, 2):
        kinds[trained[first] and trained[second]][first, second] = _spread(arms[first], arms[second])
    found: dict[tuple[str, str], Interval] = {}
    for spreads in kinds.values():
        pooled = pooled_seed_variance(list(spreads.values()), freedom)
        found |= dict(zip(spreads, difference_intervals(list(spreads.values()), pooled), strict=True))
    ordered = [(pair, found[pair]) for pair in combinations(arms, 2)]
    rows = [(*pair, one.estimate, one.low, one.high, one.p_value) for pair, one in ordered]
    columns = ["first", "second", "difference", "low", "high", "p_value"]
    table = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[2:], float))
    table["p_corrected"] = holm(table["p_value"])
    table["differs"] = table["p_corrected"] < LEVEL
    return table


def best_first(arms: Mapping[str, Sequence[Outcomes]]) -> list[str]:
    """The arms that have a score, from the best mean down."""
    means = {arm: found.estimate for arm, outcomes in arms.items() if (found := score(outcomes))}
    return sorted(means, key=lambda arm: -means[arm])


def ranked(pairs: pd.DataFrame, order: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Each arm's place and letters, from ``compare`` and the arms from best to worst."""
    differing = pairs[pairs["differs"]]
    letters = compact_letters(order, zip(differing["first"], differing["second"], strict=True))
    place = places(pairs, order)
    return {arm: (place[arm], letters[arm]) for arm in order}


def _spread(first: Sequence[Outcomes], second: Sequence[Outcomes]) -> Spread:
    if counted(*first, *second):
        return spread_of_difference(first, second)
    return spread_of([paired(a, b) for a, b in zip(first, second, strict=True)])


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
        split: list[frozenset[str]] = []
        for group in groups:
            split += [group - {first}, group - {second}] if {first, second} <= group else [group]
        unique = list(dict.fromkeys(split))
        groups = [group for group in unique if not any(group < other for other in unique)]
    groups.sort(key=lambda group: sorted(arms.index(arm) for arm in group))
    return {arm: "".join(_letter(n) for n, group in enumerate(groups) if arm in group) for arm in arms}


def _letter(n: int) -> str:
    return ascii_letters[n] if n < len(ascii_letters) else f"({n + 1})"
