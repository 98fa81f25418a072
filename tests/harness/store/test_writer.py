"""Writing runs: finished ones never change, NULL and never NaN, what a dead runner left is closed."""

import math
import sqlite3

import pytest

from harness.errors import UserError
from harness.events import Artifact, Ceilings, Measured, PartCost, Phase, Score, Step, Trained
from harness.foretold import Foretold
from harness.predict.time import Work
from harness.store.database import open_for_writing
from harness.store.known import read_known
from harness.store.writer import Writer


@pytest.fixture
def writer(tmp_path) -> Writer:
    writer = Writer(open_for_writing(tmp_path / "t.db"))
    writer.add_stack("stack", {"torch": "2.13"}, "code")
    for name, method, parameters in (
        ("base", "base", '{"quantisation":"none","shots":0}'),
        ("cell", "lora", '{"rank":8}'),
    ):
        row = {
            "cell_id": name, "recipe_id": f"s-{name}", "execution_id": "e", "arm_id": f"arm-{name}", "suite": "demo",
            "label": method, "method": method, "base": "tiny", "base_digest": "b", "licences": "{}",
            "learning_rate": None if method == "base" else 1e-3, "seed": 1, "selection_task": "valid",
            "recipe": f'{{"stages":[{{"parameters":{parameters}}}]}}', "execution": "{}", "identity_version": 1,
        }  # fmt: skip
        writer.add_cell(row, [{"stage_id": f"s-{name}", "parent_stage_id": None, "kind": "sft", "recipe": "{}"}])
    evals = {"role": "target", "task_version": "1", "item_digest": "d", "decoding": "{}", "n_items": 0, "chance": None}
    writer.add_evals([{"eval_id": "v", "task": "valid", "split": "validation", **evals}])
    writer.add_evals([{"eval_id": "g", "task": "facts", "split": "test", **evals, "role": "general"}])
    return writer


def start(writer, run_id="run", cell="cell", purpose="quality"):
    writer.start({"run_id": run_id, "cell_id": cell, "stack_id": "stack", "purpose": purpose, "exclusive": 0})


def score(writer, run_id, eval_id, value, moment="tuned"):
    event = Score(moment=moment, eval_id=eval_id, metric="acc", value=value, n_items=7, higher_is_better=True)
    writer.score(run_id, event)


def rows(writer, sql):
    return [tuple(row.values()) for row in writer.db.query(sql)]


def test_a_run_begins_running_and_ends_once(writer):
    start(writer)
    assert rows(writer, "SELECT status FROM runs") == [("running",)]
    writer.finish("run", "ok", None, None, 1.5)
    assert rows(writer, "SELECT status, wall_seconds FROM runs") == [("ok", 1.5)]
    with pytest.raises(sqlite3.IntegrityError, match="a finished run never changes"):
        writer.finish("run", "crashed", "again", None, 2.0)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE runs SET status = 'ok'", "DELETE FROM runs", "UPDATE scores SET value = 1", "DELETE FROM scores",
     "UPDATE phases SET wall_seconds = 0", "DELETE FROM steps", "UPDATE items SET correct = NULL",
     "UPDATE predictions SET predicted_bytes = 6", "DELETE FROM predictions", "DELETE FROM step_parts",
     "UPDATE step_parts SET seconds_median = 0", "UPDATE ceilings SET launch_seconds = 0", "DELETE FROM ceilings",
     "UPDATE step_work SET model_flops = 0", "DELETE FROM step_work", "UPDATE timelines SET columns = '{}'",
     "DELETE FROM timelines"],
)  # fmt: skip
def test_nothing_of_a_finished_run_can_be_changed(writer, statement):
    start(writer)
    score(writer, "run", "v", 0.5)
    writer.predict("run", Foretold({"weights": 5}, {"arithmetic": 0.1}, Work(model_flops=1e9)), "1")
    writer.ceilings("run", Ceilings(bfloat16_flops=2.0, float32_flops=1.0, bytes_per_second=1.0, launch_seconds=1e-6))
    parts = [PartCost(part="forward", seconds_median=0.1)]
    writer.measured("run", Measured(stage_id="s-cell", parts=parts, timeline={"seconds": [0.0]}))
    writer.phase("run", Phase(stage_id="s-cell", phase="train", wall_seconds=1.0))
    step = Step(step=1, loss=2.0, gradient_norm=1.0, tokens_seen=10, seconds=0.1)
    writer.trained("run", Trained(stage_id="s-cell", reused=False, steps=[step]))
    writer.finish("run", "ok", None, None, 1.0)
    with pytest.raises(sqlite3.IntegrityError, match="a finished run never changes"):
        writer.db.execute(statement)


def test_tokens_and_joules_of_timed_steps_stand_with_the_whole_step(writer):
    start(writer)
    parts = [PartCost(part="forward", seconds_median=0.1), PartCost(part="step", timed_tokens=320, timed_joules=4.5)]
    writer.measured("run", Measured(stage_id="s-cell", parts=parts))
    told = rows(writer, "SELECT part, timed_tokens, timed_joules FROM step_parts ORDER BY part")
    assert told == [("forward", None, None), ("step", 320, 4.5)]


def test_a_number_that_is_none_is_null(writer):
    start(writer)
    score(writer, "run", "v", math.nan)
    assert rows(writer, "SELECT value FROM scores WHERE value IS NULL") == [(None,)]


def test_a_status_that_is_not_in_the_list_is_refused(writer):
    start(writer)
    with pytest.raises(sqlite3.IntegrityError):
        writer.finish("run", "fine", None, None, 1.0)


def test_a_run_of_an_unknown_cell_is_refused(writer):
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        start(writer, cell="nobody")


def test_a_tuned_run_points_at_its_base_row(writer):
    start(writer, "b", "base")
    score(writer, "b", "g", 0.9, "base")
    writer.finish("b", "ok", None, None, 1.0)
    start(writer, "t", "cell")
    score(writer, "t", "g", 0.7)
    score(writer, "t", "v", 0.5)
    writer.finish("t", "ok", None, None, 1.0)
    assert rows(writer, "SELECT base_run_id FROM runs WHERE run_id = 't'") == [("b",)]
    [(forgetting,)] = rows(writer, "SELECT round(forgetting, 6) FROM forgetting")
    assert forgetting == 0.2


def test_what_a_dead_runner_left_is_closed_as_killed_and_planned_again(writer):
    start(writer)
    assert writer.close_abandoned() == 1
    assert rows(writer, "SELECT status, reason FROM runs") == [
        ("killed", "the runner died while this run was in flight")
    ]
    assert read_known(writer.db, "stack").outcomes["cell", "quality"].status == "killed"
    assert writer.close_abandoned() == 0


def test_a_good_run_outweighs_a_later_bad_one(writer):
    for run_id, status in (("one", "ok"), ("two", "crashed")):
        start(writer, run_id)
        score(writer, run_id, "v", 0.5)
        writer.finish(run_id, status, None, None, 1.0)
    outcome = read_known(writer.db, "stack").outcomes["cell", "quality"]
    assert (outcome.run_id, outcome.validation, outcome.evals) == ("one", {"valid": 0.5}, {"v/acc/tuned"})


def test_another_stack_knows_nothing_of_it(writer):
    start(writer)
    writer.finish("run", "ok", None, None, 1.0)
    assert read_known(writer.db, "other").outcomes == {}


def test_the_number_of_items_of_an_eval_is_learned_from_its_first_score(writer):
    start(writer)
    score(writer, "run", "v", 0.5)
    assert rows(writer, "SELECT n_items FROM evals WHERE eval_id = 'v'") == [(7,)]


def test_a_full_disk_is_one_clear_line_and_leaves_the_file_sound(writer):
    start(writer)
    pages = writer.db.execute("PRAGMA page_count").fetchone()[0]
    writer.db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(UserError, match="no space left for the database"):
        for number in range(10_000):
            start(writer, f"run{number}")
    writer.db.execute("PRAGMA max_page_count = 100000")
    assert writer.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    writer.finish("run", "ok", None, None, 1.0)


def test_a_run_that_takes_a_kept_result_says_how_it_was_trained(writer):
    trained = Trained(
        stage_id="s-cell", reused=False, real_tokens=50, order_digest="o", trainable_parameters=8,
        steps=[Step(step=1, loss=2.0, gradient_norm=1.0, tokens_seen=5, seconds=0.1)], fingerprint={"layer": 0.5},
    )  # fmt: skip
    start(writer, "first")
    writer.trained("first", trained)
    writer.artifact("first", "e", "stack", Artifact(stage_id="s-cell", path="p", sha256="x", size_bytes=1))
    writer.finish("first", "killed", "while it was scored", "evaluate", 1.0)

    start(writer, "second")
    writer.reused("second", "e", "stack", "s-cell")

    told = "SELECT real_tokens, order_digest, trainable_parameters FROM runs ORDER BY run_id"
    assert rows(writer, told) == [(50, "o", 8)] * 2
    assert rows(writer, "SELECT loss FROM steps WHERE run_id = 'second'") == [(2.0,)]
    assert rows(writer, "SELECT module, gradient_norm FROM fingerprints WHERE run_id = 'second'") == [("layer", 0.5)]
    start(writer, "other", cell="base")
    writer.reused("other", "e", "stack", "s-cell")  # a stage on the way to something else
    assert rows(writer, "SELECT real_tokens FROM runs WHERE run_id = 'other'") == [(None,)]


def test_runs_from_elsewhere_come_all_or_none_and_in_any_order(writer):
    run = {"cell_id": "cell", "stack_id": "stack", "purpose": "quality", "exclusive": 0, "status": "ok"}
    runs = [run | {"run_id": f"{n:03d}", "started_at": "2026", "base_run_id": "299"} for n in range(300)]
    with pytest.raises(sqlite3.IntegrityError):
        writer.bring({"runs": runs[:-1]})
    assert writer.db["runs"].count == 0
    writer.bring({"runs": runs})
    assert writer.db["runs"].count == 300


def test_a_row_that_is_there_stays_as_it_is(writer):
    writer.bring({"stacks": [{"stack_id": "stack", "facts": "other", "code_digest": "other"}]})
    assert writer.db["stacks"].get("stack")["code_digest"] == "code"
