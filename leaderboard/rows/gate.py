"""The gate's verdicts on two sources, as ``tunematrix check`` gives them."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from leaderboard import results

if TYPE_CHECKING:
    from harness.analysis.gate import Side
    from harness.gate.outputs import Check


def check(baseline: Path, candidate: Path, suite: str) -> "Check":
    """The newest stack's runs of a suite in one source held against those in another, by the default rules.

    Raises UserError where one of them holds none.
    """
    from harness.analysis.gate import Rules, exit_code, judge
    from harness.gate.outputs import Check

    first, second = _side(baseline, suite), _side(candidate, suite)
    findings = judge(first, second, Rules())
    return Check(first, second, findings, exit_code(findings))


def findings(check: "Check", every: bool) -> pd.DataFrame:
    """The findings as a table, the worst first: ``verdict, quantity, where, change, limit, why``, all of them words."""
    from harness.gate.outputs import change, limit, place, shown

    rows = [
        (found.verdict, found.quantity, place(found), change(found), limit(found), found.why)
        for found in shown(check.findings, every)
    ]
    return pd.DataFrame(rows, columns=["verdict", "quantity", "where", "change", "limit", "why"])


def _side(path: Path, suite: str) -> "Side":
    from harness.gate.read import read_side
    from harness.store.reader import unsettle

    with results.opened(path) as source:
        side = read_side(source, suite)
        unsettle(source.db)
    return side
