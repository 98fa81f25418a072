"""The run's page: the run that the address names, or one to choose, with everything that is known of it."""

import json
import shutil
import sqlite3
from dataclasses import replace

import pytest
import yaml

from harness.foreign import import_foreign
from harness.store import one_run
from harness.store.database import open_for_reading, open_for_writing
from harness.store.packing import pack_texts
from tests.factory import ARMS, make_database
from tests.harness.foreign.peft_results import a_result, write_results

WORLD = {name: ARMS[name] for name in ("base", "full_sft", "lora", "dpo-lora")}


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("db") / "mine.db", arms=WORLD, bases=["pocket-1m"], seeds=(1, 2))


def run_id(path, **wanted):
    """The first run whose columns are as wanted."""
    where = " AND ".join(f"{name} = :{name}" for name in wanted)
    sql = f"SELECT run_id FROM runs JOIN cells USING (cell_id) WHERE {where} ORDER BY started_at, run_id"
    return next(open_for_reading(path).query(sql, wanted))["run_id"]


def texts(page):
    return " ".join(one.value for one in page.text)


def labels(page, label):
    return next(one for one in page.selectbox if one.label == label)


def test_it_opens_on_the_best_arm_at_its_chosen_rate(open_board, db):
    assert texts(open_board(db, page="run")).startswith(
        "full_sft on pocket-1m, learning rate 3e-4, seed 1, quality run"
    )


def test_the_address_names_the_run(open_board, db):
    wanted = run_id(db, label="lora", seed=2, learning_rate=1e-3)
    shown = texts(open_board(db, page="run", run=wanted))
    assert wanted in shown
    assert "lora r=8 on pocket-1m, learning rate 1e-3, seed 2" in shown


def test_an_address_that_names_no_run_here_is_said(open_board, db):
    page = open_board(db, page="run", run="nowhere")
    assert "not in the chosen results" in page.warning[0].value
    assert "full_sft" in texts(page)


def test_choosing_another_arm_opens_its_best_run(open_board, db):
    page = open_board(db, page="run")
    arm = labels(page, "Arm")
    arm.set_value(arm.options.index("dpo-lora on lora r=8")).run()
    assert "dpo-lora on lora r=8 on pocket-1m, learning rate 1e-3, seed 1, quality run" in texts(page)


def test_choosing_another_rate_opens_its_first_seed(open_board, db):
    page = open_board(db, page="run")
    rates = labels(page, "Learning rate")
    rates.set_value(rates.options.index("1e-3")).run()
    assert "full_sft on pocket-1m, learning rate 1e-3, seed 1" in texts(page)


def test_the_phases_are_in_the_order_in_which_they_ran(open_board, db):
    phases = open_board(db, page="run").dataframe[0].value
    assert list(phases["place"]) == ["train", "evaluate"]
    assert {"ledger", "resident increase"} <= set(phases.columns)
    assert "allocated" not in phases.columns  # NULL on a CPU


def test_a_run_of_two_stages_has_a_curve_of_each(open_board, db):
    page = open_board(db, page="run", run=run_id(db, label="dpo-lora", purpose="quality"))
    assert [one.value for one in page.subheader][:2] == ["1\\. lora", "2\\. dpo\\-lora"]


def test_scores_stand_beside_the_bases(open_board, db):
    scores = open_board(db, page="run", show="Scores").dataframe[0].value.set_index("task")
    assert scores.loc["pocket_target", "tuned"] > scores.loc["pocket_target", "base"]


def test_a_good_run_says_what_it_lacks(open_board, db, tmp_path):
    run, copy = run_id(db, label="lora", purpose="quality"), tmp_path / "copy.db"
    shutil.copy(db, copy)
    with sqlite3.connect(copy) as opened:
        opened.execute("DROP TRIGGER runs_finished_UPDATE")
        opened.execute("UPDATE runs SET reason = 'not scored once merged: no memory' WHERE run_id = ?", [run])
    assert "not scored once merged" in open_board(copy, page="run", run=run).warning[0].value


def test_a_failed_run_says_how_it_ended(open_board, db):
    failed = run_id(db, label="lora", status="nan")
    page = open_board(db, page="run", run=failed)
    assert "It ended as nan while it was in train" in page.error[0].value
    assert "No loss was logged" in page.info[0].value


def test_a_measure_run_is_not_scored_and_says_so(open_board, db):
    measured = run_id(db, label="lora", purpose="measure")
    for part in ("Scores", "Items"):
        assert "is not scored" in open_board(db, page="run", run=measured, show=part).info[0].value


def test_the_untrained_base_has_everything_but_a_curve(open_board, db):
    base = run_id(db, label="base")
    for part in ("Scores", "Items", "Stack"):
        assert open_board(db, page="run", run=base, show=part).dataframe, part
    training = open_board(db, page="run", run=base, show="Training")
    assert not any("Loss and gradient norm" in caption.value for caption in training.caption)


def test_the_stack_is_a_table(open_board, db):
    facts = open_board(db, page="run", show="Stack").dataframe[0].value.set_index("fact")["value"]
    assert facts["torch"] == "2.13.0"
    assert facts["commit"] == "not recorded"


def test_a_recipe_that_no_matrix_file_can_say_is_told_and_shown(open_board, db):
    page = open_board(db, page="run", show="Recipe")
    assert "No matrix file reruns this run" in page.info[0].value
    assert "base_digest" in page.code[0].value


class TestItems:
    def items(self, page):
        return page.dataframe[0].value

    def test_only_those_with_the_outcome_that_was_asked_for(self, open_board, db):
        page = open_board(db, page="run", show="Items", outcome="was wrong, now right", task="pocket_target")
        assert set(self.items(page)["outcome"]) == {"was wrong, now right"}
        assert set(self.items(page)["task"]) == {"pocket_target"}

    def test_texts_that_can_not_be_had_are_told(self, open_board, db):
        page = open_board(db, page="run", show="Items")
        assert "asks other items by now" in " ".join(one.value for one in page.info)
        assert (self.items(page)["prompt"] == "").all()

    def test_they_come_a_page_at_a_time(self, open_board, db):
        page = open_board(db, page="run", show="Items")
        first = self.items(page)
        page.number_input(key="items").set_value(2).run()
        assert len(first) == 50
        assert self.items(page)["number"].iloc[0] == 51

    def test_searching_looks_in_answers(self, open_board, db):
        page = open_board(db, page="run", show="Items")
        page.text_input(key="q").set_value("yes .").run()
        assert set(self.items(page)["task"]) == {"pocket_refusals"}

    def test_the_item_that_the_address_names_is_read_whole(self, open_board, snapshot):
        page = open_board(snapshot, page="run", show="Items", item="pocket_target 3")
        items = self.items(open_board(snapshot, page="run", show="Items", task="pocket_target"))
        (third,) = items[items["number"] == 3].to_dict("records")
        assert third["prompt"].strip() in [one.value.strip() for one in page.main.code]

    def test_without_one_in_the_address_none_is(self, open_board, snapshot):
        assert not open_board(snapshot, page="run", show="Items").main.code

    def test_an_item_that_is_not_there_opens_none(self, open_board, snapshot):
        assert not open_board(snapshot, page="run", show="Items", item="<b>nothing</b> 3").main.code

    def test_when_nothing_matches_it_says_so(self, open_board, db):
        page = open_board(db, page="run", show="Items")
        page.text_input(key="q").set_value("no such words").run()
        assert any("No item matches" in one.value for one in page.info)

    def test_another_moment_can_be_looked_at(self, open_board, db):
        page = open_board(db, page="run", run=run_id(db, label="lora", purpose="quality"), show="Items")
        assert labels(page, "Moment").options == ["merged", "tuned"]
        labels(page, "Moment").set_value("merged").run()
        assert not page.exception

    def test_hostile_answers_are_shown_as_they_are(self, open_board, tmp_path):
        path = make_database(tmp_path / "h.db", arms=WORLD, bases=["pocket-1m"], seeds=(1,))
        hostile = "<script>alert(1)</script> $x$ :smile: [a](http://b)"
        writing = open_for_writing(path)
        writing.execute("DROP TRIGGER items_finished_UPDATE")
        writing.execute("UPDATE items SET answers = ? WHERE answers IS NOT NULL", [pack_texts([hostile] * 48)])
        writing.conn.commit()
        page = open_board(path, page="run", show="Items", task="pocket_refusals")
        assert set(self.items(page)["after"]) == {hostile}
        assert not any(hostile in one.value for one in (*page.markdown, *page.caption, *page.info))


class TestAPublishedRun:
    def test_its_matrix_file_is_there_to_copy(self, open_board, snapshot):
        file = yaml.safe_load(open_board(snapshot, page="run", show="Recipe").code[0].value)
        assert file["suite"] == "pocket"
        assert file["data"]["sft"] == [{"file": "data/target_train.jsonl"}]

    def test_prompts_come_from_the_installed_suite(self, open_board, snapshot):
        page = open_board(snapshot, page="run", show="Items", task="pocket_target")
        items = page.dataframe[0].value
        assert items["prompt"].str.contains("which office").all()
        assert any("published without what the models generated" in one.value for one in page.info)


def test_results_of_others_have_a_page_too(open_board, tmp_path):
    import_foreign("peft-method-comparison", write_results(tmp_path / "results", a_result()), tmp_path / "x.db")
    for part in ("Training", "Scores", "Items", "Recipe", "Stack"):
        page = open_board(tmp_path / "x.db", page="run", show=part)
        assert "lora/llama-3.2-3B-rank32" in texts(page)


def test_where_nothing_but_failures_is_known_they_are_shown(open_board, tmp_path):
    failed = replace(ARMS["lora"], fails=dict.fromkeys(ARMS["lora"].rates, "oom"))
    page = open_board(make_database(tmp_path / "f.db", arms={"lora": failed}, bases=["pocket-1m"]), page="run")
    assert "It ended as oom" in page.error[0].value


def test_a_measure_runs_step_is_a_picture_and_a_table_of_its_parts(open_board, tmp_path):
    path = make_database(tmp_path / "steps.db", arms=WORLD, bases=["pocket-1m"], seeds=(1,))
    wanted = run_id(path, label="lora", purpose="measure")
    db = open_for_writing(path)
    key = {"run_id": wanted, "stage_id": one_run.about(db, wanted)["recipe_id"]}
    db["step_parts"].insert_all([
        {**key, "part": "step", "seconds_median": 0.3, "peak_ledger_bytes": None, "timed_tokens": 4000,
         "timed_joules": 300.0},
        {**key, "part": "backward", "seconds_median": 0.2, "peak_ledger_bytes": 30},
        {**key, "part": "forward", "seconds_median": 0.1, "peak_ledger_bytes": 20},
    ])  # fmt: skip
    columns = {"seconds": [0.0, 0.5], "part": ["forward", "backward"], "weights": [7], "activation": [1, 2],
               **{name: [0] for name in ("quantisation", "adapter", "gradient", "optimizer")}}  # fmt: skip
    db["timelines"].insert({**key, "columns": json.dumps(columns)})
    db.close()

    page = open_board(path, page="run", run=wanted)

    assert "A training step" in [one.value for one in page.subheader]
    table = next(one.value for one in page.dataframe if "part" in one.value)
    assert list(table["part"]) == ["forward", "backward", "step"]
    assert table["joules_per_thousand_tokens"].iloc[-1] == 75
    assert table["joules_per_thousand_tokens"].isna().sum() == 2
    assert one_run.timeline(open_for_reading(path), one_run.about(open_for_reading(path), wanted)).to_dict("list") == {
        **columns, "weights": [7, 7], **{name: [0, 0] for name in ("quantisation", "adapter", "gradient", "optimizer")}
    }  # fmt: skip


def test_a_run_whose_steps_were_not_looked_into_has_no_such_part(open_board, db):
    page = open_board(db, page="run", run=run_id(db, label="lora", purpose="measure"))
    assert "A training step" not in [one.value for one in page.subheader]
