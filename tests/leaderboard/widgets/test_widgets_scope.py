"""Which results a page is about: the newest, until somebody asks for others; and a sentence where there are none."""

import pytest

from tests.factory import ARMS, make_database

SMALL = {name: ARMS[name] for name in ("base", "full_sft", "lora")}


@pytest.fixture
def db(tmp_path):
    return make_database(tmp_path / "mine.db", arms=SMALL, bases=["pocket-1m"], seeds=(1, 2))


def test_without_results_it_says_how_to_make_some(open_board):
    page = open_board()
    assert page.title[0].value == "No results yet"
    assert "tunematrix run" in page.code[0].value


def test_a_file_that_cannot_be_read_is_a_sentence_on_a_working_page(open_board, db, tmp_path):
    (tmp_path / "broken.db").write_text("no database at all" * 99)
    page = open_board(db, tmp_path / "broken.db")
    assert "is no SQLite database" in page.warning[0].value.replace("\\", "")
    assert len(page.dataframe[0].value) == len(SMALL)


def test_the_newest_results_are_shown_first(open_board, db):
    make_database(db, arms=SMALL, bases=["pocket-0.2m"], seeds=(1,), suite="newer", seed=1,
                  facts={"device": "cpu", "torch": "9"})  # fmt: skip
    page = open_board(db)
    assert page.selectbox(key="suite").value in ("pocket", "newer")
    assert page.selectbox(key="suite").options[0] == page.selectbox(key="suite").value


def test_results_of_two_sources_are_shown_together_when_asked_for(open_board, db, snapshot):
    page = open_board(db, snapshot)
    both = page.multiselect(key="results").options
    page.multiselect(key="results").set_value(both).run()
    assert not page.exception
    assert len(page.dataframe[0].value) > len(SMALL)


def test_what_a_snapshot_says_on_its_face_is_said(open_board, snapshot, monkeypatch):
    from leaderboard import cache, results

    cache._listing.clear()
    known = results.list_source(snapshot)
    noted = results.Listing(known.path, known.name, known.kind, known.sections, ("from a *dirty* tree",))
    monkeypatch.setattr(results, "list_source", lambda path: noted)
    page = open_board(snapshot)
    assert page.info[0].value == "pocket\\-cpu\\: from a \\*dirty\\* tree"
    cache._listing.clear()


def test_what_has_ended_since_is_there_when_the_page_is_run_again(open_board, db):
    page = open_board(db)
    make_database(db, arms={"qlora": ARMS["qlora"]}, bases=["pocket-1m"], seeds=(1, 2), seed=1)
    page.run()
    assert "qlora r=8" in list(page.dataframe[0].value["name"])


def test_beside_published_results_alone_it_says_how_to_make_ones_own(open_board, snapshot, db):
    assert "tunematrix run" in open_board(snapshot).sidebar.code[0].value
    assert not open_board(snapshot, db).sidebar.code
