"""`tunematrix predict --score` from the user's side."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.predict.held_out import HeldOut
from harness.store.database import open_for_reading, open_for_writing
from tests.factory import make_database
from tests.small_suite import small_suite

FIGURES = ("cells", "memory_mean_error_percent", "memory_mean_abs_error_percent", "memory_worst_error_percent")
LEDGER = ("weights", "quantisation", "adapter", "gradient", "optimizer", "activation")


@pytest.fixture
def scored(tunematrix, monkeypatch):
    """The score as JSON, of which pocket-1m is held out."""
    held_out = HeldOut(frozenset({"pocket-1m"}), frozenset())
    monkeypatch.setattr("harness.commands.predict.read_held_out", lambda: held_out)

    def score(*words: object) -> dict[str, Any]:
        code, output, errors = tunematrix("predict", "--score", "--json", *words)
        assert code == 0, errors
        found: dict[str, Any] = json.loads(output)
        return found

    return score


def with_predictions(path: Path, factor: float = 1.1, bases: tuple[str, ...] = ("pocket-0.2m", "pocket-1m")) -> Path:
    """A results file whose measure runs were each predicted as ``factor`` times what their ledger says."""
    make_database(path, bases=bases, seeds=(1,))
    db = open_for_writing(path)
    columns = ", ".join(f"ledger_{name}_bytes AS {name}" for name in LEDGER)
    rows = list(db.query(f"SELECT run_id, {columns} FROM phases JOIN runs USING (run_id) JOIN cells USING (cell_id) "
                         "WHERE purpose = 'measure' AND phase = 'train' AND stage_id = recipe_id"))  # fmt: skip
    told = {"phase": "train", "model_version": "v1"}
    db.table("predictions").insert_all(
        {**told, "run_id": row["run_id"], "component": name, "predicted_bytes": round(factor * row[name])}
        for row in rows
        for name in LEDGER
        if row[name] is not None
    )
    db.close()
    return path


def test_cells_that_are_held_out_are_scored_apart_and_all_together_above(scored, tmp_path: Path) -> None:
    found = scored("--db", with_predictions(tmp_path / "p.db"))

    assert found["held_out"]["cells"] == found["others"]["cells"] > 0
    assert found["cells"] == 2 * found["others"]["cells"]
    assert {row["name"] for row in found["held_out"]["by_shape"]} == {"pocket-1m"}
    for name in FIGURES[1:]:
        assert found[name] == pytest.approx(10, abs=0.01)
    assert (found["time_mean_abs_error_percent"], found["time_worst_error_percent"]) == (None, None)
    assert found["measure"] == "ledger"


def test_the_table_has_each_component_method_and_shape_and_says_what_it_is_of(tunematrix, tmp_path: Path) -> None:
    path = with_predictions(tmp_path / "p.db", bases=("pocket-0.2m",))

    code, output, errors = tunematrix("predict", "--score", "--db", path)

    assert code == 0, errors
    for said in (
        "weights",
        "qlora",
        "pocket-0.2m",
        "+10.00 %",
        "the tensor ledger",
        "Methods and shapes: of the whole peak, or step",
    ):
        assert said in output
    assert "Held out: llama-3.1-8b, llama-3.2-3b, small-wide, or 4096 or 8192 tokens: none was measured" in output


def test_a_run_that_two_sources_hold_counts_once(scored, tmp_path: Path) -> None:
    path = with_predictions(tmp_path / "p.db")

    assert scored(path, path) == scored(path)


@pytest.mark.parametrize("words", [("--db", "r.db"), ("r.db",), ("r.db", "--json")])
def test_without_a_prediction_it_is_one_line(tunematrix, tmp_path: Path, words: tuple[str, ...]) -> None:
    make_database(tmp_path / "r.db", bases=["pocket-0.2m"], seeds=(1,))

    code, output, errors = tunematrix("predict", "--score", *words)

    assert (code, output) == (2, "")
    assert errors == ["tunematrix: r.db: no measure run with a stored prediction; `tunematrix run` stores one for each"]


def test_a_file_that_is_not_there_is_one_line(tunematrix) -> None:
    code, _, errors = tunematrix("predict", "--score", "absent.db")

    assert (code, errors) == (2, ["tunematrix: absent.db: no such results file or snapshot"])


@pytest.mark.slow
def test_a_real_run_was_predicted_to_the_byte_and_its_activations_within_one_percent(
    tunematrix, scored, tmp_path: Path
) -> None:
    suite = small_suite(tmp_path / "suite")
    whole = suite.read_text().replace("bases: {", "bases: {pocket-1m: {embedded: pocket-1m}, ")
    suite.write_text(whole.replace("methods:\n", "methods:\n  qlora: {learning_rate: 1e-3}\n"))
    few = ("budget.steps=2", "seeds=1", "methods.full_sft.learning_rate=1e-3", "measure.warmup_steps=2",
           "measure.steps=1", "methods.full_sft.batch_size=1")  # fmt: skip

    code, _, errors = tunematrix("run", suite, "--device", "cpu", *(word for one in few for word in ("--set", one)))

    assert code == 0, errors
    found = scored()
    for part in (found["held_out"], found["others"]):
        assert {row["name"] for row in part["by_method"]} == {"full_sft", "qlora", "dpo"}
        for row in part["by_component"]:
            assert row["worst_error_percent"] <= (1 if row["name"] == "activation" else 0), row
    assert {row["name"] for row in found["others"]["by_component"]} == set(LEDGER)
    assert found["timed_cells"] == found["cells"]
    assert found["time_worst_error_percent"] >= found["time_mean_abs_error_percent"] > 0
    assert {row["name"] for row in found["others"]["time_by_method"]} == {"full_sft", "qlora", "dpo"}
    db = open_for_reading(Path("tunematrix.db"))
    unpredicted = "SELECT count(*) AS n FROM runs JOIN cells USING (cell_id) WHERE method != 'base' AND run_id NOT IN "
    assert next(db.query(f"{unpredicted} (SELECT run_id FROM predictions)"))["n"] == 0
