"""What follows for a claim: from counting, from runs, or nothing yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.claims.entry import Claim, Scope
from harness.claims.evidence import Place

Word = Literal["confirmed", "refuted", "depends on", "not yet measured"]
CONFIRMED: Word = "confirmed"
REFUTED: Word = "refuted"
DEPENDS: Word = "depends on"
NOT_YET: Word = "not yet measured"

NO_RULE = "no suite here measures it yet"
NO_RUNS = "no runs of it are at hand, or fewer than it takes"
OTHER_SCALE = "the runs at hand are of another scale than it speaks of"
OPEN = "the runs at hand do not tell: intervals that hold the claim and its opposite, or arms not tuned to their best"


@dataclass(frozen=True)
class Verdict:
    """``word``, what it depends on, whether it rests on counting, runs or both, ``where`` those runs were, and why
    there is none. ``in_part``: the claim speaks of every model, the runs are of a few."""

    word: Word
    by: tuple[Literal["counting", "runs"], ...] = ()
    what: str | None = None
    where: tuple[Place, ...] = ()
    undecided: tuple[Place, ...] = ()
    in_part: bool = False
    why: str | None = None

    @property
    def text(self) -> str:
        """On a line."""
        if self.word == NOT_YET:
            return NOT_YET
        what = f" {self.what}" if self.word == DEPENDS else " in part" if self.in_part else ""
        where = f", on {_bases(self.where)} only" if self.where else ""
        others = [place for place in self.undecided if place.base not in {one.base for one in self.where}]
        still = f"; open on {_bases(others)}" if self.where and others else ""
        return f"{self.word}{what} (by {' and '.join(self.by)}{where}{still})"


def _bases(places: Sequence[Place]) -> str:
    return ", ".join(dict.fromkeys(place.base for place in places))


def judge(claim: Claim, places: Sequence[Place]) -> Verdict:
    """The verdict on a claim, from the figures that it can be held against and from the ``places`` found for it.

    Confirmed where everything that decides agrees, refuted where nothing does, and otherwise it depends. What was
    measured at another scale than the claim speaks of decides nothing, nor does an interval that holds both.
    """
    within = [place for place in places if place.in_scope]
    decided = tuple(place for place in within if place.holds is not None)
    outcomes = [*(figure.holds for figure in claim.counted), *(place.holds for place in decided)]
    if not outcomes:
        return Verdict(NOT_YET, why=_why_not(claim, places, within))
    word = CONFIRMED if all(outcomes) else DEPENDS if any(outcomes) else REFUTED
    by: list[Literal["counting", "runs"]] = ["counting"] if claim.counted else []
    return Verdict(
        word,
        (*by, "runs") if decided else tuple(by),
        claim.depends_on if word == DEPENDS else None,
        decided,
        tuple(place for place in within if place.holds is None),
        in_part=bool(decided) and claim.scope == Scope(),
    )


def _why_not(claim: Claim, places: Sequence[Place], within: Sequence[Place]) -> str:
    if not claim.rules:
        return NO_RULE
    if not places:
        return NO_RUNS
    return OPEN if within else OTHER_SCALE
