"""The harness beside its peers at the same work: what is compared, and what is not. Pure: numbers in, numbers out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

NOT_RUN = "not run yet"  # the reason of a peer whose turn has not come
TOLERANCE = {"float32": 1e-3, "bfloat16": 1e-2}  # of the loss, relative: by the type of the weights


@dataclass(frozen=True)
class Side:
    """What one side's training showed: by step its loss and a digest of its tokens; tokens a second after warm-up;
    the most bytes that it held."""

    losses: Sequence[float]
    tokens: Sequence[str]
    tokens_per_second: float
    peak_bytes: int


@dataclass
class Row:
    """One peer in one arm: over all rounds, or the reason why it is not compared. A ratio is the peer's figure over the
    harness' own, of the same round: the median of them."""

    arm: str
    peer: str
    reason: str | None = None
    losses: tuple[float, float] | None = None  # first and last
    harness_losses: tuple[float, float] | None = None
    tokens_per_second: float | None = None
    speed: float | None = None
    speeds: list[float] = field(default_factory=list)
    memory: float | None = None
    own: bool = False  # the harness itself, with other settings than its defaults

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)


def other_work(harness: Side, peer: Side, tolerance: float) -> str | None:
    """Why ``peer`` did other work than ``harness``; None where it did the same.

    The tokens and labels of every step have to be the same, and the first and the last loss to agree. Of a model whose
    weights are drawn the first loss alone proves little: it is near the logarithm of the vocabulary for any text.
    """
    if len(harness.losses) != len(peer.losses):
        return f"other steps: {len(peer.losses)}, the harness {len(harness.losses)}: not compared"
    for at in (0, -1):
        theirs, ours = peer.losses[at], harness.losses[at]
        if not abs(theirs - ours) <= tolerance * abs(ours):
            step = len(peer.losses) if at else 1
            return f"another loss at step {step}: {theirs:.4f}, the harness {ours:.4f}: not compared"
    differing = [step for step, (a, b) in enumerate(zip(harness.tokens, peer.tokens, strict=True), 1) if a != b]
    return f"other tokens at step {differing[0]}: not compared" if differing else None


def row_of(arm: str, peer: str, rounds: Sequence[tuple[Side, Side]], tolerance: float) -> Row:
    """The row of ``rounds``, each the harness' side and the peer's."""
    row = Row(arm, peer)
    first = rounds[0]
    row.harness_losses, row.losses = ((side.losses[0], side.losses[-1]) for side in first)
    row.reason = next((why for pair in rounds if (why := other_work(*pair, tolerance))), None)
    if row.reason is None:
        row.tokens_per_second = median(peer.tokens_per_second for _, peer in rounds)
        row.speeds = [peer.tokens_per_second / harness.tokens_per_second for harness, peer in rounds]
        row.speed = median(row.speeds)
        row.memory = median(peer.peak_bytes / harness.peak_bytes for harness, peer in rounds)
    return row


def best(rows: Sequence[Row]) -> Row | None:
    """The fastest of those that are compared."""
    return max((row for row in rows if row.speed is not None), key=lambda row: row.speed or 0.0, default=None)


def verdict(rows: Sequence[Row]) -> str:
    """Of one arm's rows, in a sentence: by the harness' defaults, and by the fastest of its own settings where that is
    another; and which have not run yet."""
    waiting = [row.peer for row in rows if row.reason == NOT_RUN]
    return _verdict(rows) + (f"; {NOT_RUN}: {', '.join(waiting)}" if waiting else "")


def _verdict(rows: Sequence[Row]) -> str:
    peer = best([row for row in rows if not row.own])
    if peer is None or peer.speed is None:
        return "no peer at equal loss"
    words = f"the harness is {_ratio(1.0, peer.speed)} the best peer at equal loss ({peer.peer})"
    own = best([row for row in rows if row.own])
    if own is not None and own.speed is not None and own.speed > 1:
        words += f"; with {own.peer} {_ratio(own.speed, peer.speed)}"
    return words


def _ratio(ours: float, theirs: float) -> str:
    ratio = f"{ours / theirs:.2f}"  # what is shown is what counts
    return f"{ratio}x ({'no slower' if float(ratio) >= 1 else 'slower'})"
