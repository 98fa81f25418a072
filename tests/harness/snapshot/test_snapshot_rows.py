"""Which rows are published: those of the suite, with the bases that it stands on, and nothing of this machine."""

import json
from datetime import UTC, datetime

import pytest

from harness.snapshot.rows import select_suite, selected_rows
from harness.store.database import open_for_reading, open_for_writing
from harness.store.packing import unpack_texts
from tests.factory import GPU
from tests.harness.snapshot.published import small_database


def rows_of(path, suite="pocket", with_text=False):
    db = open_for_reading(path)
    return selected_rows(db, select_suite(db, suite), with_text=with_text)


@pytest.fixture(scope="module")
def two_suites(tmp_path_factory):
    """Suite pocket ran the base first; suite other has the same base, and scored it on tasks of its own."""
    path = tmp_path_factory.mktemp("two") / "r.db"
    small_database(path)
    small_database(path, suite="other", seed=1, started=datetime(2026, 2, 1, tzinfo=UTC))
    return path


def test_artifacts_are_not_among_them(db_path):
    assert "artifacts" not in rows_of(db_path)


def test_a_suite_brings_its_own_runs_and_no_others(two_suites):
    rows = rows_of(two_suites, "other")
    methods = {cell["cell_id"]: cell["method"] for cell in rows["cells"]}
    scored = {score["run_id"] for score in rows["scores"]}
    labels = [methods[run["cell_id"]] for run in rows["runs"] if run["run_id"] in scored]
    assert (labels.count("full_sft"), labels.count("base")) == (9, 1)


def test_a_base_that_another_suite_ran_first_is_published_under_this_suite(two_suites):
    cells = rows_of(two_suites, "other")["cells"]
    assert {cell["method"] for cell in cells} >= {"base"}
    assert {cell["suite"] for cell in cells} == {"other"}


def test_the_other_suites_tasks_stay_out(two_suites):
    digests = {row["item_digest"].split()[0] for row in rows_of(two_suites, "other")["evals"]}
    assert digests == {"other"}


def test_runs_under_way_stay_out(db_path, tmp_path):
    path = small_database(tmp_path / "r.db")
    db = open_for_writing(path)
    run = next(iter(db["runs"].rows)) | {"run_id": "going", "status": "running"}
    db["runs"].insert(run)
    assert len(rows_of(path)["runs"]) == len(rows_of(db_path)["runs"])


def test_both_stacks_of_a_suite_are_there(tmp_path):
    path = small_database(tmp_path / "r.db")
    small_database(path, facts=GPU, seed=1)
    assert len(rows_of(path)["stacks"]) == 2


def test_answers_are_hashes_unless_the_text_is_asked_for(db_path):
    def answers(with_text: bool) -> set[str]:
        items = rows_of(db_path, with_text=with_text)["items"]
        return {text for row in items if row["answers"] for text in unpack_texts(row["answers"])}

    assert answers(True) == {"yes .", "no ."}
    assert all(text.startswith("sha256:") for text in answers(False))


def test_reasons_sources_and_names_of_bases_tell_no_path(tmp_path):
    path = small_database(tmp_path / "r.db")
    db = open_for_writing(path)
    cell = next(iter(db["cells"].rows))
    sources = json.dumps({"base": {"path": "/home/ann/llama"}, "data": ["/home/ann/a.jsonl"]})
    licences = json.dumps({"base": None, "data": {"/home/ann/a.jsonl": "MIT"}})
    db["cells"].update(cell["cell_id"], {"base": "/home/ann/llama", "sources": sources, "licences": licences})
    run = next(iter(db["runs"].rows))
    bad = {"run_id": "bad", "status": "crashed", "reason": "no file /home/ann/x", "effective": '{"a": "/home/ann/y"}'}
    db["runs"].insert(run | bad)
    assert "/home/ann" not in json.dumps(rows_of(path), default=str)
