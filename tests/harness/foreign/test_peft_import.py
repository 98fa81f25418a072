"""Results of peft's method comparison: what becomes of a file, and which files are refused."""

import json
import sqlite3

import pytest

from harness.errors import UserError
from harness.foreign import FORMATS, import_foreign
from tests.harness.foreign.peft_results import a_result, write_results

FORMAT = "peft-method-comparison"


@pytest.fixture
def imported(tmp_path):
    """Imports results into ``x.db`` and answers queries on it with dictionaries."""

    def run(*results, query):
        import_foreign(FORMAT, write_results(tmp_path / "results", *results), tmp_path / "x.db")
        connection = sqlite3.connect(tmp_path / "x.db")
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]

    return run


class TestWhatBecomesOfAFile:
    def test_a_quality_run_and_a_measure_run_of_one_cell(self, imported):
        runs = imported(a_result(), query="SELECT purpose, exclusive, status, source FROM runs ORDER BY purpose")
        assert runs == [
            {"purpose": "measure", "exclusive": 1, "status": "ok", "source": FORMAT},
            {"purpose": "quality", "exclusive": 0, "status": "ok", "source": FORMAT},
        ]

    def test_the_cell_is_called_as_the_experiment(self, imported):
        query = "SELECT label, method, base, rank, learning_rate, seed FROM cells"
        assert imported(a_result(), query=query) == [
            {
                "label": "lora/llama-3.2-3B-rank32",
                "method": "lora",
                "base": "meta-llama/Llama-3.2-3B",
                "rank": 32,
                "learning_rate": 1e-4,
                "seed": 0,
            }
        ]

    def test_full_finetuning_is_full_sft_without_a_rank(self, imported):
        full = a_result({"run_info.peft_config": None})
        assert imported(full, query="SELECT method, rank FROM cells") == [{"method": "full_sft", "rank": None}]

    def test_scores_with_their_role_split_and_items(self, imported):
        query = """SELECT task, role, split, metric, round(value, 4) AS value, scores.n_items, higher_is_better
                   FROM scores JOIN evals USING (eval_id) WHERE moment = 'tuned' ORDER BY task"""
        found = [tuple(row.values()) for row in imported(a_result(), query=query)]
        assert found == [
            ("gsm8k", "target", "test", "accuracy", 0.4784, 1319, 1),
            ("gsm8k_validation", "target", "validation", "accuracy", 0.5, 50, 1),
            ("wikipedia", "general", "test", "nats_per_token_over_base", 0.05, 100, 0),
        ]

    def test_the_peak_is_one_of_reserved_memory_over_the_whole_run(self, imported):
        found = imported(a_result(), query="SELECT * FROM phases WHERE phase = 'run'")[0]
        measured = {key for key, value in found.items() if value is not None}
        assert measured == {"run_id", "stage_id", "phase", "wall_seconds", "peak_reserved_bytes"}
        assert found["peak_reserved_bytes"] == 22_292_725_760

    def test_no_peak_of_training_is_made_up(self, imported):
        query = (
            "SELECT peak_allocated_bytes, peak_reserved_bytes, tokens_per_second_median FROM phases WHERE phase='train'"
        )
        assert [tuple(row.values()) for row in imported(a_result(), query=query)] == [(None, None, 7200.0)]

    def test_the_curve_counts_seconds_of_training_alone(self, imported):
        query = "SELECT step, loss, gradient_norm, seconds FROM steps ORDER BY step"
        curve = [tuple(row.values()) for row in imported(a_result(), query=query)]
        assert curve == [(250, 0.75, None, 29.0), (500, 0.75, None, 58.0)]

    def test_a_long_curve_keeps_64_points_at_most(self, imported):
        interval = a_result()["train_info"]["metrics"][0]
        metrics = [{**interval, "step": step} for step in range(1, 201)] + [a_result()["train_info"]["metrics"][-1]]
        found = imported(a_result({"train_info.metrics": metrics}), query="SELECT count(*) AS n FROM steps")
        assert 32 <= found[0]["n"] <= 64

    def test_what_was_not_recorded_is_null(self, imported):
        query = (
            "SELECT loss_tokens, effective, git_commit, order_digest, base_run_id FROM runs WHERE purpose = 'quality'"
        )
        assert set(imported(a_result(), query=query)[0].values()) == {None}

    def test_a_loss_that_is_no_number_is_null(self, imported):
        result = a_result()
        result["train_info"]["metrics"][0]["train loss"] = float("nan")
        assert imported(result, query="SELECT loss FROM steps WHERE step = 250") == [{"loss": None}]

    def test_forgetting_before_it_was_mended_is_left_out(self, imported):
        earlier = a_result({"run_info.created_at": "2026-03-01T00:00:00+00:00"})
        assert imported(earlier, query="SELECT task FROM evals WHERE role = 'general'") == []

    def test_times_sort_with_our_own(self, imported):
        found = imported(a_result(), query="SELECT started_at, ended_at FROM runs WHERE purpose = 'quality'")
        assert found == [
            {"started_at": "2026-07-15T05:41:18.000000+00:00", "ended_at": "2026-07-15T06:00:31.250000+00:00"}
        ]


class TestARunThatDidNotEndWell:
    @pytest.mark.parametrize(
        ("status", "message", "becomes"),
        [
            ("canceled", "CUDA out of memory. Tried to allocate 2.00 GiB", "oom"),
            ("canceled", "manually canceled", "killed"),
            ("canceled", "shapes do not match", "crashed"),
            ("failed", "", "crashed"),
        ],
    )
    def test_is_a_row_with_its_reason(self, imported, status, message, becomes):
        result = a_result({"train_info.status": status, "run_info.error_msg": message, "train_info.metrics": []})
        (run,) = imported(result, query="SELECT purpose, status, reason, failed_phase FROM runs")
        reason = message or "status failed, no reason recorded"
        assert run == {"purpose": "quality", "status": becomes, "reason": reason, "failed_phase": "train"}


class TestImportingAgain:
    def test_adds_nothing(self, tmp_path):
        folder, db = write_results(tmp_path / "results", a_result()), tmp_path / "x.db"
        import_foreign(FORMAT, folder, db)
        before = db.read_bytes()
        assert import_foreign(FORMAT, folder, db).startswith("0 runs of 1 cells imported")
        assert db.read_bytes() == before

    def test_a_reformatted_copy_is_the_same_run(self, tmp_path):
        folder = write_results(tmp_path / "results", a_result())
        (folder / "copy.json").write_text(json.dumps(a_result(), sort_keys=True))
        assert import_foreign(FORMAT, folder, tmp_path / "x.db").startswith("2 runs of 1 cells")

    def test_another_result_is_added_beside(self, tmp_path):
        import_foreign(FORMAT, write_results(tmp_path / "one", a_result()), tmp_path / "x.db")
        other = a_result({"run_info.created_at": "2026-08-01T00:00:00+00:00"})
        assert import_foreign(FORMAT, write_results(tmp_path / "two", other), tmp_path / "x.db").startswith("2 runs")


class TestRefused:
    def mistake(self, path, db):
        with pytest.raises(UserError) as error:
            import_foreign(FORMAT, path, db)
        assert len(error.value.lines) == 1
        assert "\n" not in error.value.lines[0]
        assert not db.exists()
        return error.value.lines[0]

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("{", "not JSON"),
            ("[1, 2]", "is no result file of peft's method comparison: it has no run_info, train_info, meta_info"),
            ('{"results": {}, "configs": {}}', "is no result file of peft's method comparison"),
            ("[" * 100_000, "not JSON"),
            ('{"run_info": "\\ud800", "train_info": {}, "meta_info": {}}', "not JSON that can be read"),
            ('{"run_info": 1e999, "train_info": {}, "meta_info": {}}', "not JSON that can be read"),
        ],
    )
    def test_files_of_another_format(self, tmp_path, content, says):
        folder = write_results(tmp_path / "results")
        (folder / "x.json").write_text(content)
        said = self.mistake(folder, tmp_path / "x.db")
        assert "x.json" in said and says in said

    @pytest.mark.parametrize(
        ("key", "value", "says"),
        [
            ("run_info.train_config.seed", "zero", "run_info.train_config.seed: input should be a valid integer"),
            ("run_info.created_at", "yesterday", "run_info.created_at"),
            ("run_info.created_at", "0001-01-01T00:00:00+14:00", "the year 1 is not from 2000 to 2200"),
            ("run_info.total_time", 1e300, "run_info.total_time"),
            ("train_info.num_total_params", 2**80, "train_info.num_total_params"),
            ("train_info.accelerator_memory_max", -1, "accelerator_memory_max"),
            ("run_info.peft_config", {"r": 8}, "run_info.peft_config.peft_type: field required"),
            ("train_info.metrics", [], "train_info.metrics: no test accuracy, though its status is success"),
            ("train_info.metrics", [{"step": 1, "test accuracy": 1.5}], "1.5 is not from 0 to 1"),
        ],
    )
    def test_one_bad_value_among_good_files_names_file_and_key(self, tmp_path, key, value, says):
        folder = write_results(tmp_path / "results", a_result(), a_result({key: value}), a_result())
        said = self.mistake(folder, tmp_path / "x.db")
        assert "experiment-1.json" in said and says in said

    def test_a_folder_without_result_files(self, tmp_path):
        (tmp_path / "empty").mkdir()
        assert "no result files (*.json) in this folder" in self.mistake(tmp_path / "empty", tmp_path / "x.db")

    def test_a_path_that_is_not_there(self, tmp_path):
        assert "no such file or folder" in self.mistake(tmp_path / "absent", tmp_path / "x.db")

    def test_a_bad_file_leaves_the_database_as_it_was(self, tmp_path):
        db = tmp_path / "x.db"
        import_foreign(FORMAT, write_results(tmp_path / "good", a_result()), db)
        before = db.read_bytes()
        with pytest.raises(UserError):
            import_foreign(FORMAT, write_results(tmp_path / "bad", a_result({"run_info.total_time": None})), db)
        assert db.read_bytes() == before

    def test_a_hostile_name_stays_on_one_line(self, tmp_path):
        folder = write_results(tmp_path / "results")
        (folder / "a\nb\x1b[31m.json").write_text("{")
        assert "\x1b" not in self.mistake(folder, tmp_path / "x.db")

    def test_an_unknown_format_names_those_there_are(self, tmp_path):
        with pytest.raises(UserError, match=", ".join(FORMATS)):
            import_foreign("mlflow", tmp_path, tmp_path / "x.db")
