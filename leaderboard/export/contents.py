"""What the static page shows of a section of results: the board's pages as they open, each a line here."""

from collections.abc import Callable, Iterator

from leaderboard.export import choosing, closer, comparing, judging
from leaderboard.export.blocks import Block
from leaderboard.scope import Scope

Build = Callable[[Scope], Iterator[Block]]

PAGES: tuple[tuple[str, Build], ...] = (
    ("Leaderboard", choosing.arms),
    ("Trade-offs", choosing.tradeoffs),
    ("Which one?", choosing.which),
    ("Ranks", closer.ranks),
    ("Memory", closer.memory),
    ("Learning rates", closer.rates),
    ("Forgetting", closer.forgetting),
    ("Loss", closer.curves),
    ("Compare", comparing.compare),
    ("History", comparing.history),
    ("Failures", judging.failures),
    ("Stack", judging.stack),
)
TEXTS: tuple[str, Build] = ("Prompts and answers", judging.answers)  # which may be private: only where asked for
