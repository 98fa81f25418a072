"""The failures page: what did not run, why, and at which size."""

from dataclasses import replace

import pytest

from harness.store.database import open_for_writing
from tests.factory import ARMS, make_database

# Out of memory at one rate, no number at another, at two seeds each on two bases.
WORLD = {"base": ARMS["base"], "lora": replace(ARMS["lora"], fails={1e-3: "oom", 1e-2: "nan"})}


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("db") / "mine.db", arms=WORLD, seeds=(1, 2))


def table(page):
    return page.dataframe[0].value


def test_runs_that_failed_alike_are_a_row_with_the_reason(open_board, db):
    rows = table(open_board(db, page="failures"))
    assert len(rows) == 4
    assert set(rows["status"]) == {"oom", "nan"}
    assert set(rows["reason"]) == {"loss is oom at step 12", "loss is nan at step 12"}
    assert set(rows["seeds"]) == {"1, 2"}


def test_a_filter_leaves_the_base_that_was_asked_for(open_board, db):
    page = open_board(db, page="failures")
    page.multiselect(key="base").set_value(["pocket-1m"]).run()
    assert set(table(page)["base"]) == {"pocket-1m"}


@pytest.mark.parametrize("across", ["learning_rate", "status"])
def test_the_picture_can_go_by_something_else(open_board, db, across):
    page = open_board(db, page="failures")
    page.selectbox(key="across").set_value(across).run()
    assert not page.exception
    assert len(page.get("vega_lite_chart")) == 1


def test_where_nothing_failed_it_says_so(open_board, tmp_path):
    path = make_database(tmp_path / "ok.db", arms={"base": ARMS["base"]}, bases=["pocket-1m"])
    assert open_board(path, page="failures").success[0].value == "Nothing failed: 1 runs ended well."


def test_what_went_well_later_stands_apart(open_board, tmp_path):
    path = make_database(tmp_path / "m.db", arms=WORLD, bases=["pocket-1m"], seeds=(1,))
    writing = open_for_writing(path)
    for run in list(writing.query("SELECT * FROM runs WHERE status = 'nan'")):
        again = {**run, "run_id": f"{run['run_id']}-again", "status": "ok", "started_at": "2027-01-01T00:00:00+00:00"}
        writing.table("runs").insert(again)
    page = open_board(path, page="failures")
    assert [set(one.value["status"]) for one in page.dataframe] == [{"oom"}, {"nan"}]
    assert page.subheader[0].value == "Mended since"


def test_with_failures_alone_there_is_a_page(open_board, tmp_path):
    failed = replace(ARMS["lora"], fails=dict.fromkeys(ARMS["lora"].rates, "oom"))
    page = open_board(make_database(tmp_path / "f.db", arms={"lora": failed}, bases=["pocket-1m"]), page="failures")
    assert len(table(page)) == 3


def test_a_hostile_reason_is_a_value_of_the_table_alone(open_board, tmp_path):
    path = make_database(tmp_path / "h.db", arms=WORLD, bases=["pocket-1m"], seeds=(1,))
    hostile = "<script>alert(1)</script> $x$ :smile:"
    writing = open_for_writing(path)
    writing.execute("DROP TRIGGER runs_finished_UPDATE")
    writing.execute("UPDATE runs SET reason = ? WHERE reason IS NOT NULL", [hostile])
    writing.conn.commit()
    page = open_board(path, page="failures")
    assert set(table(page)["reason"]) == {hostile}
    assert not any(hostile in one.value for one in (*page.markdown, *page.caption))


def test_what_one_rank_or_stack_can_do_another_may_not():
    import pandas as pd

    from leaderboard.rows.failures import _entries

    runs = pd.DataFrame({"label": ["lora", "lora", "full_sft"], "rank": [8, 64, None], "section": [0, 0, 1]})
    assert list(_entries(runs, False)) == ["lora r=8", "lora r=64", "full_sft"]
    assert list(_entries(runs, True)) == ["lora r=8 · 1", "lora r=64 · 1", "full_sft · 2"]
