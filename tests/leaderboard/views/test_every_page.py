"""Every page on every kind of results that people have: a page shows what it can, and says what there is not."""

from dataclasses import replace

import pytest

from harness.store.database import open_for_writing
from leaderboard.pages import PAGES
from tests.factory import ARMS, GPU, make_database
from tests.harness.foreign.peft_results import a_result, write_results

NAMES = [name for group in PAGES.values() for name, _, _ in group]
TITLES = {name: title for group in PAGES.values() for name, title, _ in group}
SMALL = {name: ARMS[name] for name in ("base", "full_sft", "lora", "qlora", "dpo-lora")}


def small(path):
    make_database(path, arms=SMALL, seeds=(1, 2))


def two_stacks(path):
    make_database(path, arms=SMALL, seeds=(1, 2))
    make_database(path, arms=SMALL, seeds=(1, 2), facts=GPU, seed=1)


def failures_only(path):
    failing = {name: replace(ARMS[name], fails=dict.fromkeys(ARMS[name].rates, "oom")) for name in ("lora", "qlora")}
    make_database(path, arms=failing, seeds=(1,))


def untrained(path):
    make_database(path, arms={"base": ARMS["base"]}, seeds=(1,))


def without_items(path):
    make_database(path, arms=SMALL, seeds=(1, 2), with_items=False)


def nothing_measured(path):
    """Quality runs alone, as on a machine that was never free: no memory, no speed."""
    make_database(path, arms=SMALL, seeds=(1,))
    db = open_for_writing(path)
    for table in ("runs", "phases"):
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", [table]):
            db.execute(f'DROP TRIGGER "{trigger}"')
    db.execute("DELETE FROM phases WHERE run_id IN (SELECT run_id FROM runs WHERE purpose = 'measure')")
    db.execute("DELETE FROM runs WHERE purpose = 'measure'")
    db.conn.commit()
    db.conn.close()


def empty(path):
    open_for_writing(path).conn.close()


@pytest.fixture(scope="module", params=[small, two_stacks, failures_only, untrained, without_items, nothing_measured])
def db(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("db") / "mine.db"
    request.param(path)
    return path


def pages_of(first):
    """Every page, one after another, as somebody leafs through them: its name and what it shows."""
    for name in NAMES:
        page = first if name == "leaderboard" else first.switch_page(f"views/{name}.py").run()
        assert not page.exception, f"{name}: {page.exception[0].message}"
        yield name, page


def test_every_page_shows_what_there_is(open_board, db):
    for name, page in pages_of(open_board(db)):
        assert page.title[0].value == TITLES[name]
        assert page.dataframe or page.info or page.success or page.text or page.get("vega_lite_chart"), name
        assert not page.error or name == "run", name  # a failed run says there how it failed


def test_every_page_shows_the_published_results(open_board, snapshot):
    for name, page in pages_of(open_board(snapshot)):
        assert page.dataframe or page.success, name
        assert not page.error, name


def test_every_page_shows_results_of_others(open_board, tmp_path, tunematrix):
    results = a_result(), a_result({"run_info.experiment_name": "other", "run_info.peft_config.r": 8})
    folder = write_results(tmp_path / "theirs", *results)
    code, _, errors = tunematrix("import", "--format", "peft-method-comparison", folder, "--db", "theirs.db")
    assert (code, errors) == (0, [])
    for name, page in pages_of(open_board(tmp_path / "theirs.db")):
        assert not page.error, name


def test_without_any_run_every_page_says_how_to_make_one(open_board, tmp_path):
    empty(tmp_path / "empty.db")
    for _, page in pages_of(open_board(tmp_path / "empty.db")):
        assert page.title[0].value == "No results yet"
