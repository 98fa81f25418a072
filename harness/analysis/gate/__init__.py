"""Has a change made anything worse? Two sides' runs, paired by recipe, quantity by quantity, each with a verdict."""

from harness.analysis.gate.finding import OPEN, Finding, exit_code
from harness.analysis.gate.judge import QUANTITIES, judge
from harness.analysis.gate.match import Matched, match
from harness.analysis.gate.rules import Rules
from harness.analysis.gate.side import Side

__all__ = ["OPEN", "QUANTITIES", "Finding", "Matched", "Rules", "Side", "exit_code", "judge", "match"]
