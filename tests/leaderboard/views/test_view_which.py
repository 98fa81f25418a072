"""Which one?: the arm to take within limits, its reason, what it forgets, what just misses, and what is not known."""

import re
import sqlite3

import pytest

from harness.foreign import import_foreign
from leaderboard.widgets.controls import WORD_JOINER
from tests.factory import ARMS, BASES, CPU, GPU, make_database
from tests.harness.foreign.peft_results import a_result, write_results
from tests.leaderboard.views.on_the_page import tables_with, text_of

MIB = 2**20


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("db") / "mine.db", bases=["pocket-1m"], facts=GPU)


@pytest.fixture
def ask(open_board, db):
    """Opens the page on the factory's arms with these limits."""
    return lambda **limits: open_board(db, page="which", **limits)


def names(page, title):
    """The arms of the table under a heading."""
    return list(tables_with(page, "memory_bytes")[[one.value for one in titled(page)].index(title)]["name"])


def titled(page):
    return [one for one in page.subheader if one.value.startswith(("Within", "Just", "Misses"))]


def test_it_opens_on_a_24_gb_card_with_one_arm_to_take_and_the_reason(ask):
    page = ask()
    assert page.selectbox(key="memory").value == "24 GB"
    assert page.subheader[0].value.startswith("Take lora r\\=8")
    assert "of these it forgets the least, by the estimates" in text_of(page)
    assert {one.label: one.value for one in page.metric}["memory"] == "15.0 MiB"


def test_what_it_forgets_is_said_with_its_interval_and_shown_task_by_task(ask):
    page = ask(decides="the highest score")
    assert re.search(r"It forgets \+1\d\.\d \[.*\] points .* more than nothing, for certain", text_of(page))
    assert "What it forgets" in [one.value for one in page.subheader]


def test_what_decides_between_equals_can_be_chosen(ask):
    assert ask(decides="the highest score").subheader[0].value.startswith("Take full\\_sft")


def test_a_small_models_memory_says_nothing_of_a_large_ones(ask):
    said = text_of(ask())
    assert "they say nothing of what fits when an 8 B model is tuned" in said
    assert "at most 25.0 MiB on bases of at most 900 K parameters" in said


def test_a_limit_that_is_near_what_was_measured_is_not_warned_of(ask):
    assert not ask(memory="own figure", vram="30MiB").warning


def test_an_arm_that_just_misses_is_named_with_what_it_misses(ask):
    page = ask(memory="own figure", vram="15.5MiB")
    missed = tables_with(page, "remark")[1].set_index("name")["remark"]
    assert missed["full_sft"] == "memory: 25.0 MiB, 9.5 MiB too much"
    assert "full_sft" not in names(page, "Within the limits")


def test_arms_that_miss_more_than_one_limit_come_last(ask):
    page = ask(memory="own figure", vram="15.5MiB", forgetting="10", gain="50")
    assert names(page, "Misses more than one limit") == ["full_sft"]


def test_no_arm_within_the_limits_says_which_limit_binds(ask):
    page = ask(memory="own figure", vram="1MiB")
    assert page.subheader[0].value == "None is within these limits"
    assert "The memory limit alone lifted would let 4 through" in text_of(page)


def test_a_price_turns_tuning_time_into_cost_and_limits_it(ask):
    page = ask(price="36", budget="1")  # 1 buys 100 s
    figures = {one.label: one.value for one in page.metric}
    assert (figures["tuning"], figures["price"]) == ("90 s", "0.90")
    assert names(page, "Just misses: one limit") == ["dpo-lora on lora r=8"]


def test_a_memory_that_is_no_size_is_one_line(ask):
    page = ask(memory="own figure", vram="much")
    assert "expected a size above zero with its unit" in page.error[0].value


def test_hostile_text_in_the_address_is_shown_and_obeyed_nowhere(ask):
    assert "<b>" not in ask(memory="own figure", vram="<b>1</b>").error[0].value


def test_the_largest_base_is_asked_about_first_and_another_can_be(open_board, tmp_path):
    path = make_database(
        tmp_path / "two.db", arms={n: ARMS[n] for n in ("base", "lora")}, bases=list(BASES), seeds=(1,)
    )
    page = open_board(path, page="which")
    assert set(tables_with(page, "remark")[0]["base"]) == {"pocket-1m"}
    page.selectbox(key="for").set_value("every base").run()
    assert set(tables_with(page, "remark")[0]["base"]) == set(BASES)


def test_what_was_not_measured_meets_no_limit_and_is_said(open_board, db, tmp_path):
    path = tmp_path / "unmeasured.db"
    path.write_bytes(db.read_bytes())
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER phases_finished_DELETE")
    connection.execute("DELETE FROM phases WHERE run_id IN (SELECT run_id FROM runs WHERE purpose = 'measure')")
    connection.commit()
    connection.close()
    page = open_board(path, page="which")
    assert page.subheader[0].value == "None is within these limits"
    assert "Not measured, so not counted as within the memory limit: full_sft" in text_of(page)
    page.selectbox(key="memory").set_value("any").run()
    assert page.subheader[0].value.startswith("Take ")


@pytest.mark.parametrize("kept", [("base",), ()])
def test_without_a_trained_arm_it_says_so(open_board, tmp_path, kept):
    path = make_database(tmp_path / "x.db", arms={name: ARMS[name] for name in kept}, bases=["pocket-1m"])
    page = open_board(path, page="which")
    assert "No trained arm to choose from" in text_of(page) or page.title[0].value == "No results yet"


def test_a_hostile_name_is_shown_and_obeyed_nowhere(open_board, tmp_path):
    hostile = "<script>alert(1)</script> $x$ :smile: **bold**"
    arms = {"base": ARMS["base"], hostile: ARMS["lora"]}
    page = open_board(make_database(tmp_path / "h.db", arms=arms, bases=["pocket-1m"], seeds=(1,)), page="which")
    assert "\\<script\\>alert\\(1\\)" in page.subheader[0].value and "**" not in page.subheader[0].value
    assert hostile in text_of(page).replace(WORD_JOINER, "")


def test_results_of_several_stacks_stand_one_under_the_other(open_board, tmp_path):
    few = {name: ARMS[name] for name in ("base", "lora")}
    for facts in (CPU, GPU):
        path = make_database(tmp_path / "two.db", arms=few, bases=["pocket-1m"], seeds=(1, 2), facts=facts)
    page = open_board(path, page="which")
    results = page.multiselect(key="results")
    results.set_value(results.options).run()
    assert not page.exception
    assert len(page.header) == 2 and len(tables_with(page, "remark")) == 2


def test_results_of_others_without_a_base_are_chosen_from_by_their_score(open_board, tmp_path):
    folder = write_results(tmp_path / "peft", a_result(), a_result({"run_info.peft_config": None}))
    import_foreign("peft-method-comparison", folder, tmp_path / "peft.db")
    page = open_board(tmp_path / "peft.db", page="which")
    assert page.subheader[0].value.startswith("Take ")
    assert "What it forgets is not known" in text_of(page)
