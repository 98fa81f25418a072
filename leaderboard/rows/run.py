"""One run as its page shows it: its rows, and its items with their texts where these can be had."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from harness import questions
from harness.analysis.answers import answers
from harness.errors import UserError
from harness.questions import Known, Question
from harness.store import one_run
from harness.store.one_run import Stage
from leaderboard.results import SectionKey, opened

HASHED = "sha256:"
TEXTS = ("prompt", "expected", "before", "after")


@dataclass(frozen=True, eq=False)
class OneRun:
    """A run's rows: see ``one_run``. ``base_scores`` and ``base_items`` are those of the bare base that it is compared
    with."""

    run: Mapping[str, Any]
    stages: tuple[Stage, ...]
    steps: pd.DataFrame
    scores: pd.DataFrame
    items: pd.DataFrame
    base_scores: pd.DataFrame
    base_items: pd.DataFrame
    step_parts: pd.DataFrame
    timeline: pd.DataFrame

    @property
    def why_unscored(self) -> str:
        """A sentence for a run without scores."""
        if self.run["purpose"] == "measure":
            return "A measure run has the device to itself for memory and speed, and is not scored: see the others."
        return "This run was not scored."


@dataclass(frozen=True)
class Texts:
    """The questions at hand by task and item digest; ``problem`` says in a sentence why a suite's are not."""

    known: Mapping[tuple[str, str], Known]
    tasks: frozenset[str]
    problem: str | None = None


def read_run(key: SectionKey, run_id: str) -> OneRun | None:
    """Everything of one run; None where the source does not have it."""
    with opened(key.path) as source:
        db = source.db
        run = one_run.about(db, run_id)
        if run is None:
            return None
        return OneRun(
            run=run,
            stages=one_run.stages(db, run),
            steps=one_run.steps(db, run),
            scores=one_run.scores(db, run_id),
            items=one_run.items(db, run_id),
            base_scores=one_run.base_scores(db, run),
            base_items=one_run.base_items(db, run),
            step_parts=one_run.step_parts(db, run),
            timeline=one_run.timeline(db, run),
        )


def texts(suite: str, path: Path) -> Texts:
    """The questions of an installed suite, or of the user's own data beside a results file."""
    problem = None
    try:
        found = {(task, known.item_digest): known for task, known in questions.of_suite(suite).items()}
    except UserError as error:
        found, problem = {}, str(error)
    if not path.is_dir():
        found |= questions.of_own_data(path)
    return Texts(found, frozenset(task for task, _ in found), problem)


def items_of(run: OneRun, moment: str, at_hand: Texts) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """A row an item at a moment, as ``answers`` gives it, with ``task, role, split`` and the texts: ``prompt``,
    ``expected``, and what was answered ``before`` and ``after``; and sentences on the texts that can't be had."""
    scored = run.scores[run.scores["moment"] == moment].drop_duplicates("eval_id").set_index("eval_id")
    after = run.items[run.items["moment"] == moment]
    after = after[after["eval_id"].isin(scored.index)]
    rows = answers(after, run.base_items, scored["metric"].to_dict())
    rows = rows.join(scored[["task", "role", "split"]], on="eval_id")
    rows = rows.sort_values(["task", "eval_id", "number"], ignore_index=True)
    asked: list[pd.DataFrame] = []
    problems: dict[str, list[str]] = {}
    for eval_id, own in rows.groupby("eval_id", sort=False):
        about = scored.loc[eval_id]
        found = _questions(about["task"], about["item_digest"], len(own), at_hand)
        if isinstance(found, str):
            problems.setdefault(found, []).append(about["task"])
        asked.append(_with_texts(own, None if isinstance(found, str) else found))
    told = tuple(f"{', '.join(tasks)}: {why}" for why, tasks in problems.items())
    return (pd.concat(asked, ignore_index=True) if asked else rows.assign(**dict.fromkeys(TEXTS, ""))), told


def _questions(task: str, digest: str, size: int, at_hand: Texts) -> tuple[Question, ...] | str:
    """A task's questions, or why they can't be shown."""
    known = at_hand.known.get((task, digest))
    if known is None:
        other = task in at_hand.tasks
        return at_hand.problem or (
            "the suite that is installed here asks other items by now" if other else "no installed suite has this task"
        )
    if known.problem:
        return known.problem
    if len(known.questions) != size:
        return "the installed suite has another number of items"
    return known.questions


def _with_texts(rows: pd.DataFrame, asked: tuple[Question, ...] | None) -> pd.DataFrame:
    choices = [question.choices for question in asked] if asked else [()] * len(rows)
    return rows.assign(
        prompt=[question.prompt for question in asked] if asked else "",
        expected=[question.expected for question in asked] if asked else "",
        before=_answered(rows, "before", choices),
        after=_answered(rows, "after", choices),
    )


def _answered(rows: pd.DataFrame, end: str, choices: list[Any]) -> list[str]:
    columns = (rows[f"{name}_{end}"] for name in ("answer", "choice", "likelihood"))
    return [_said(*one) for one in zip(*columns, choices, strict=True)]


def _said(answer: str | None, choice: float, likelihood: float, choices: tuple[str, ...]) -> str:
    """What a model answered, in words."""
    if isinstance(answer, str):
        return answer
    if choice == choice:
        return choices[int(choice)] if int(choice) < len(choices) else f"choice {int(choice) + 1}"
    return f"log-likelihood {likelihood:.2f}" if likelihood == likelihood else ""
