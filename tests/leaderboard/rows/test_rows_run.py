"""One run's items, with their texts where these can be had, and a sentence where they can't."""

import dataclasses

import pytest

from harness.questions import Known, Question
from leaderboard import results
from leaderboard.rows.run import Texts, items_of, read_run, texts
from tests.factory import ARMS, make_database

WORLD = {name: ARMS[name] for name in ("base", "lora")}
NO_TEXTS = Texts({}, frozenset())


def a_run(path, **wanted):
    """The first good quality run that is as wanted."""
    key = results.list_source(path).sections[0]
    runs = results.read_part(key).frames.runs
    for name, value in {"purpose": "quality", "status": "ok", **wanted}.items():
        runs = runs[runs[name] == value]
    return read_run(key, runs["run_id"].iloc[0])


@pytest.fixture(scope="module")
def lora(tmp_path_factory):
    path = make_database(tmp_path_factory.mktemp("db") / "r.db", arms=WORLD, bases=["pocket-1m"], seeds=(1,))
    return a_run(path, label="lora", learning_rate=3e-3)


def of_task(rows, task):
    return rows[rows["task"] == task]


def test_every_item_of_the_moment_is_there(lora):
    rows, _ = items_of(lora, "tuned", NO_TEXTS)
    assert rows.groupby("task").size().to_dict() == {
        task: n for task, n in zip(lora.scores["task"], lora.scores["n_items"], strict=True)
    }


def test_outcomes_are_those_that_are_stored(lora):
    rows, _ = items_of(lora, "tuned", NO_TEXTS)
    target = of_task(rows, "pocket_target")
    score = lora.scores[(lora.scores["task"] == "pocket_target") & (lora.scores["moment"] == "tuned")]["value"].iloc[0]
    assert target["outcome"].isin(["was wrong, now right", "both right"]).mean() == pytest.approx(score)


def test_without_texts_answers_are_choices_by_their_number(lora):
    rows, problems = items_of(lora, "tuned", NO_TEXTS)
    assert set(of_task(rows, "pocket_target")["after"]) <= {"choice 1", "choice 2"}
    assert of_task(rows, "pocket_perplexity")["after"].str.startswith("log-likelihood -").all()
    assert set(of_task(rows, "pocket_refusals")["after"]) == {"no .", "yes ."}
    assert "no installed suite has this task" in problems[0]


def known(lora, task, count):
    asked = tuple(Question(f"question {n}", ("left", "right"), "left") for n in range(count))
    digest = lora.scores.loc[lora.scores["task"] == task, "item_digest"].iloc[0]
    return Texts({(task, digest): Known(digest, asked)}, frozenset([task]))


def test_with_texts_an_item_has_its_question_and_answers_have_words(lora):
    rows, problems = items_of(lora, "tuned", known(lora, "pocket_target", 240))
    target = of_task(rows, "pocket_target")
    assert list(target["prompt"].head(2)) == ["question 0", "question 1"]
    assert set(target["after"]) <= {"left", "right"}
    assert "pocket_target" not in problems[0].split(": ")[0].split(", ")


def test_another_number_of_items_is_no_match(lora):
    rows, problems = items_of(lora, "tuned", known(lora, "pocket_target", 239))
    assert (of_task(rows, "pocket_target")["prompt"] == "").all()
    assert any("another number of items" in problem for problem in problems)


def test_other_items_under_the_same_name_are_no_match(lora):
    others = Texts({}, frozenset(["pocket_target"]))
    _, problems = items_of(lora, "tuned", others)
    assert any(problem.startswith("pocket_target: the suite that is installed here asks other") for problem in problems)


def test_a_suite_that_can_not_be_read_is_told_why(lora):
    _, problems = items_of(lora, "tuned", dataclasses.replace(NO_TEXTS, problem="its files are gone"))
    assert len(problems) == 1
    assert problems[0].endswith("its files are gone")


def test_a_moment_without_items_has_no_rows(lora):
    rows, problems = items_of(lora, "merged_requantised", NO_TEXTS)
    assert (len(rows), problems) == (0, ())
    assert {"prompt", "task", "outcome"} <= set(rows.columns)


def test_published_answers_are_right_where_they_are_the_expected_ones(snapshot):
    """Items and texts are in one order: a choice is counted as right exactly where it is the one that is expected."""
    run = a_run(snapshot, label="lora")
    rows, problems = items_of(run, "tuned", texts("pocket", snapshot))
    assert problems == ()
    choices = rows[rows["choice_after"].notna()]
    assert choices["task"].nunique() == 6
    assert ((choices["after"] == choices["expected"]) == (choices["correct_after"] == 1)).all()
    assert choices["correct_after"].isin([0, 1]).all()
