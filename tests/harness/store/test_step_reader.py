"""What was predicted of a run, and what its steps took, as frames."""

from harness.store import step_reader
from harness.store.database import open_for_reading, open_for_writing
from tests.factory import ARMS, make_database

SMALL = {name: ARMS[name] for name in ("base", "full_sft", "lora", "dpo-lora")}


def predict(writing, run_id):
    told = {"phase": "train", "component": "weights", "predicted_bytes": 5, "model_version": "1"}
    writing.table("predictions").insert({"run_id": run_id, **told})


def test_predictions_are_those_of_the_suites_own_runs(tmp_path):
    path = make_database(tmp_path / "r.db", arms=SMALL, bases=["pocket-1m"], seeds=(1,))
    writing = open_for_writing(path)
    run = next(writing.query("SELECT run_id, stack_id FROM runs WHERE purpose = 'measure'"))
    predict(writing, run["run_id"])

    found = step_reader.predictions(open_for_reading(path), "pocket", run["stack_id"])
    assert found[["run_id", "component", "predicted_bytes"]].to_dict("records") == [
        {"run_id": run["run_id"], "component": "weights", "predicted_bytes": 5}
    ]
    assert step_reader.predictions(open_for_reading(path), "another suite", run["stack_id"]).empty


def test_every_prediction_says_what_it_is_of(tmp_path):
    path = make_database(tmp_path / "r.db", arms=SMALL, bases=["pocket-1m"], seeds=(1,))
    writing = open_for_writing(path)
    run = next(writing.query("SELECT run_id, method FROM runs JOIN cells USING (cell_id) WHERE purpose = 'measure'"))
    predict(writing, run["run_id"])

    (found,) = step_reader.every_prediction(open_for_reading(path)).to_dict("records")
    assert (found["run_id"], found["method"], found["shape"]) == (run["run_id"], run["method"], "pocket-1m")
    assert "sequence_length" in found
