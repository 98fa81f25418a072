"""Compare: two arms, two runs, or the same arms in two results; what differs, and what the gate says."""

from datetime import UTC, datetime

import pytest

from tests.factory import ARMS, CPU, make_database

WORLD = {name: ARMS[name] for name in ("base", "full_sft", "lora")}
LATER = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("db") / "mine.db", arms=WORLD, bases=["pocket-1m"])


@pytest.fixture(scope="module")
def after(tmp_path_factory):
    """The same on a newer torch, with other luck."""
    path, facts = tmp_path_factory.mktemp("db") / "after.db", {**CPU, "torch": "2.14.0"}
    return make_database(path, seed=1, arms=WORLD, bases=["pocket-1m"], facts=facts, started=LATER)


def table(page, n=0):
    return page.dataframe[n].value


def differences(page, n=1):
    rows = table(page, n)
    return {key: (a, b) for key, a, b in zip(rows["key"], rows["a"], rows["b"], strict=True)}


def test_it_opens_on_two_trained_arms(open_board, db):
    page = open_board(db, page="compare")
    assert (page.selectbox(key="a").value, page.selectbox(key="b").value) == ("full_sft", "lora r=8")
    assert {"gain", "forgetting", "memory", "tokens/s"} <= set(table(page)["quantity"])


def test_its_verdicts_are_those_of_the_command(open_board, db, tunematrix):
    _, printed, _ = tunematrix("compare", "full_sft", "lora r=8", "--db", db)
    rows = table(open_board(db, page="compare")).set_index("quantity")
    for quantity in ("pocket_target", "forgetting at matched gain", "memory"):
        (line,) = [line for line in printed.splitlines() if line.startswith(quantity + "  ")]
        assert rows.at[quantity, "said"].split(";")[0] in line


def test_what_differs_in_the_recipe_is_a_row_each(open_board, db):
    found = differences(open_board(db, page="compare"))
    assert found["stage 1.method"] == ("full_sft", "lora")
    assert found["stage 1.parameters.rank"] == ("none", "8")
    assert "stage 1.seed" not in found


def test_two_runs_are_compared_on_one_seed_each(open_board, db):
    page = open_board(db, page="compare", arun="rate 3e-4, seed 1", brun="rate 3e-3, seed 2")
    assert table(page).set_index("quantity").at["pocket_target", "counts"] == "1 x 240"
    assert differences(page)["stage 1.seed"] == ("1", "2")


def test_two_runs_of_one_arm_differ_in_rate_and_seed_alone(open_board, db):
    page = open_board(db, page="compare", b="full_sft", arun="rate 3e-4, seed 1", brun="rate 1e-3, seed 2")
    assert set(differences(page)) == {"stage 1.learning_rate", "stage 1.seed"}


def test_an_arm_and_itself_are_nothing_to_compare(open_board, db):
    page = open_board(db, page="compare", b="full_sft")
    assert "are the same" in page.info[0].value


def test_two_results_are_compared_arm_by_arm(open_board, db, after):
    page = open_board(db, after, page="compare", what="two results")
    assert set(table(page)["arm"]) == {"base · pocket-1m", "full_sft · pocket-1m", "lora r=8 · pocket-1m"}
    assert differences(page) == {"torch": ("2.13.0", "2.14.0")}


def test_one_arm_of_two_results_has_its_every_quantity(open_board, db, after):
    page = open_board(db, after, page="compare", what="two results", arm="lora r=8 · pocket-1m")
    assert {"gain", "forgetting", "memory"} <= set(table(page)["quantity"])


def test_the_gate_judges_when_it_is_asked_to(open_board, db, after):
    page = open_board(db, after, page="compare", what="two results", gate="true")
    verdicts = table(page, 2)
    assert {"verdict", "quantity", "where", "change", "limit", "why"} == set(verdicts.columns)
    assert verdicts["quantity"].str.startswith("matrix_").any()


def test_its_verdicts_are_those_of_check(open_board, db, after, tunematrix):
    _, printed, _ = tunematrix("check", "--baseline", db, "--candidate", after)
    page = open_board(db, after, page="compare", what="two results", gate="true")
    assert printed.splitlines()[-1] in [text.value for text in page.text]


def test_one_result_alone_is_not_compared(open_board, db):
    assert "Only one result of pocket" in open_board(db, page="compare", what="two results").info[0].value


def test_results_with_no_arm_in_common_say_so(open_board, db, tmp_path):
    other = make_database(tmp_path / "o.db", arms={"qlora": ARMS["qlora"]}, bases=["pocket-1m"], started=LATER)
    page = open_board(db, other, page="compare", what="two results")
    assert "no arm in common" in page.info[0].value


def test_untrained_arms_can_be_compared_too(open_board, tmp_path):
    bare = {name: ARMS[name] for name in ("base", "base-4bit")}
    page = open_board(make_database(tmp_path / "b.db", arms=bare, bases=["pocket-1m"]), page="compare")
    assert set(table(page)["quantity"]) >= {"pocket_target", "pocket_facts"}
