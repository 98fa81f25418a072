"""The memory page: what the bytes of each arm are, as measured and as predicted."""

from dataclasses import replace

import pytest

from harness.foreign import import_foreign
from harness.store.database import open_for_writing
from tests.factory import ARMS, GPU, make_database
from tests.harness.foreign.peft_results import a_result, write_results

WORLD = {name: ARMS[name] for name in ("base", "full_sft", "lora", "dpo-lora")}


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("db") / "mine.db", arms=WORLD, bases=["pocket-1m"], seeds=(1,))


@pytest.fixture(scope="module")
def on_gpu(tmp_path_factory):
    path = tmp_path_factory.mktemp("db") / "gpu.db"
    return make_database(path, arms=WORLD, bases=["pocket-1m"], seeds=(1,), facts=GPU)


def table(page):
    rows = page.dataframe[0].value
    return rows[rows["phase"].isin(["train", "run"])].set_index("row")


def test_every_arm_that_was_measured_has_its_components(open_board, db):
    rows = table(open_board(db, page="memory"))
    assert set(rows.index) == {"full_sft", "lora r=8", "dpo-lora on lora r=8"}
    assert rows.loc["full_sft", ["weights", "activation", "ledger"]].to_list() == [10, 10, 20]  # MiB


def test_on_a_cpu_there_is_no_allocator_to_speak_of(open_board, db):
    assert not {"allocated", "reserved", "device", "rest"} & set(table(open_board(db, page="memory")).columns)


def test_on_a_gpu_the_rest_is_what_the_ledger_does_not_know(open_board, on_gpu):
    rows = table(open_board(on_gpu, page="memory"))
    assert rows.loc["full_sft", ["allocated", "ledger", "rest"]].to_list() == [25, 20, 5]


def test_a_filter_leaves_the_arms_that_were_asked_for(open_board, db):
    page = open_board(db, page="memory")
    page.multiselect(key="method").set_value(["lora"]).run()
    assert set(table(page).index) == {"lora r=8"}


def test_the_logarithmic_axis_has_every_card(open_board, db):
    page = open_board(db, page="memory")
    page.toggle(key="cards").set_value(True).run()
    assert not page.exception
    assert "highest peak" in page.caption[0].value


def test_predictions_stand_beside_what_was_measured(open_board, tmp_path):
    path = make_database(tmp_path / "p.db", arms=WORLD, bases=["pocket-1m"], seeds=(1,))
    writing = open_for_writing(path)
    sql = "SELECT run_id FROM runs JOIN cells USING (cell_id) WHERE purpose = 'measure' AND label = 'full_sft'"
    told = {"run_id": next(writing.query(sql))["run_id"], "phase": "train", "model_version": "1"}
    sizes = {"weights": 2 * 2**20, "optimizer": 4 * 2**20}
    writing.table("predictions").insert_all([{**told, "component": c, "predicted_bytes": n} for c, n in sizes.items()])
    page = open_board(path, page="memory")
    assert table(page).loc["full_sft", "predicted"] == 6
    assert "as predicted" in page.caption[0].value


def test_results_of_others_are_not_told_apart(open_board, tmp_path):
    import_foreign("peft-method-comparison", write_results(tmp_path / "results", a_result()), tmp_path / "x.db")
    rows = table(open_board(tmp_path / "x.db", page="memory")).dropna(subset=["reserved"])
    assert len(rows) == 1
    assert list(rows["not told apart"]) == list(rows["reserved"])


def test_without_a_measure_run_it_says_so(open_board, tmp_path):
    page = open_board(make_database(tmp_path / "b.db", arms={"base": ARMS["base"]}), page="memory")
    assert "nothing is known of their memory" in page.info[0].value


def test_where_everything_failed_it_says_so(open_board, tmp_path):
    failed = replace(ARMS["lora"], fails=dict.fromkeys(ARMS["lora"].rates, "oom"), best_rate=1e-3)
    path = make_database(tmp_path / "f.db", arms={"lora": failed}, bases=["pocket-1m"])
    assert not open_board(path, page="memory").exception
