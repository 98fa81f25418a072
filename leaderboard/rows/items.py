"""One run's items: what was asked, and what was answered before and after."""

from leaderboard import tables
from leaderboard.tables import Column


def item_columns(moment: str, compared: bool) -> list[Column]:
    """What the table shows of rows of ``runs.items_of``; the base's answer where they are ``compared`` with it."""
    return [
        tables.text("task", "task", "The lm-eval task."),
        tables.number("number", "item", "Its number in the task, from 1.", "%d"),
        tables.text("outcome", "outcome", "Right or wrong, at the base and now."),
        tables.text("prompt", "prompt", "What the model reads."),
        tables.text("expected", "expected", "The right answer, or what the task's rule judges a free answer by."),
        *([tables.text("before", "base", "What the untrained base answered.")] if compared else []),
        tables.text("after", moment.replace("_", ", "), "What the model of this run answered."),
    ]
