"""Results of lm-eval: what becomes of a file and its samples, and which files are refused."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.foreign import import_foreign
from harness.store import reader
from harness.store.database import open_for_reading
from tests.harness.foreign.lm_eval_results import SAMPLES, a_run, write_run

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def imported(tmp_path):
    """Imports a run and gives the database, open for reading."""

    def run(results=None, samples=None):
        path = write_run(tmp_path / "out", results or a_run(), samples)
        import_foreign("lm-eval", path, tmp_path / "x.db")
        return open_for_reading(tmp_path / "x.db")

    return run


class TestWhatBecomesOfAFile:
    def test_one_run_of_an_untrained_base(self, imported):
        (run,) = reader.runs(imported()).to_dict("records")
        assert (run["method"], run["base"], run["purpose"], run["status"], run["source"]) == (
            *("base", "EleutherAI/pythia-14m", "quality", "ok"),
            "lm-eval",
        )
        assert run["total_parameters"] == 14_067_712
        assert run["started_at"] == "2026-11-24T18:54:55.500000+00:00"

    def test_a_score_for_each_metric_at_the_moment_base(self, imported):
        scores = reader.scores(imported()).set_index("task")
        assert set(scores["moment"]) == {"base"}
        assert scores["metric"].to_dict() == {
            "answers": "exact_match",
            "choices": "acc",
            "texts": "word_perplexity",
        }
        assert scores["value"].to_dict() == {"answers": 0.5, "choices": 0.5, "texts": 7.389056}

    def test_right_answers_are_a_target_and_a_perplexity_is_general(self, imported):
        roles = reader.scores(imported()).set_index("task")["role"].to_dict()
        assert roles == {"answers": "target", "choices": "target", "texts": "general"}

    def test_items_in_the_order_of_the_documents(self, imported):
        db = imported()
        scores = reader.scores(db)
        items = reader.items(db, scores["run_id"], answers=True).merge(scores[["eval_id", "task"]]).set_index("task")
        assert list(items.loc["choices", "correct"]) == [1.0, 0.0]
        assert list(items.loc["choices", "values"]) == [[-0.5, -3.5], [-2.5, -1.5]]
        assert list(items.loc["texts", "values"]) == [[-8.0], [-4.0]]
        assert items.loc["answers", "answers"] == ["forty two", ""]

    def test_without_samples_the_scores_alone(self, imported):
        db = imported(samples={})
        scores = reader.scores(db)
        assert len(scores) == 3 and reader.items(db, scores["run_id"]).empty

    def test_a_second_filter_is_a_metric_of_its_own(self, imported):
        results = a_run({("results", "answers", "exact_match,flexible"): 1.0})
        scores = reader.scores(imported(results))
        values = scores[scores["task"] == "answers"].set_index("metric")["value"].to_dict()
        assert values == {"exact_match": 0.5, "exact_match,flexible": 1.0}

    def test_a_metric_whose_direction_is_not_said_is_left_out(self, imported):
        results = a_run({("higher_is_better", "answers", "exact_match"): None})
        assert set(reader.scores(imported(results))["task"]) == {"choices", "texts"}

    def test_arguments_of_older_versions_are_one_text(self, imported):
        results = a_run({("config", "model_args"): "pretrained=EleutherAI/pythia-14m,dtype=float32"})
        assert reader.runs(imported(results))["base"].tolist() == ["EleutherAI/pythia-14m"]

    def test_of_a_folder_only_its_name_is_kept(self, imported):
        results = a_run({("config", "model_args", "pretrained"): "/home/someone/models/mine/"})
        assert reader.runs(imported(results))["base"].tolist() == ["mine"]

    def test_a_base_in_four_bit_is_another_arm(self, imported):
        results = a_run({("config", "model_args", "load_in_4bit"): True})
        assert reader.arms(imported(results))["quantisation"].tolist() == ["4bit"]

    def test_the_stack_names_the_libraries(self, imported):
        (facts,) = reader.stacks(imported())["facts"]
        assert facts == {
            "device": "cuda",
            "lm-eval": "0.4.13",
            "torch": "2.13.0+cu130",
            "transformers": "5.23.0",
        }


class TestTheEvalsId:
    def eval_ids(self, imported, results):
        return reader.scores(imported(results)).set_index("task")["eval_id"]

    def test_is_the_same_for_another_model(self, imported):
        other = a_run(
            {
                ("config", "model_args", "pretrained"): "EleutherAI/pythia-31m",
                ("configs", "choices", "metadata"): {"version": 1.0, "pretrained": "EleutherAI/pythia-31m"},
            }
        )
        ids = self.eval_ids(imported, a_run())
        both = reader.scores(imported(other))
        assert set(both["eval_id"]) == set(ids)

    @pytest.mark.parametrize(
        ("keys", "value"),
        [
            (("versions", "choices"), 2.0),
            (("task_hashes", "choices"), "dd"),
            (("n-shot", "choices"), 5),
            (("configs", "choices", "doc_to_text"), "{{question}}"),
            (("chat_template_sha",), "ee"),
        ],
    )
    def test_is_another_for_other_questions(self, imported, keys, value):
        before = self.eval_ids(imported, a_run())["choices"]
        ids = reader.scores(imported(a_run({keys: value})))
        assert len(set(ids.loc[ids["task"] == "choices", "eval_id"]) | {before}) == 2


class TestRefused:
    def mistake(self, path, db):
        with pytest.raises(UserError) as error:
            import_foreign("lm-eval", path, db)
        assert len(error.value.lines) == 1 and not db.exists()
        return error.value.lines[0]

    @pytest.mark.parametrize(
        ("keys", "value", "says"),
        [
            (("config", "model_args"), {"pretrained": "a", "peft": "b"}, "peft= names what was trained"),
            (("config", "model_args"), {}, "no pretrained="),
            (("config", "model"), None, "config.model: input should be a valid string"),
            (("date",), "today", "date: input should be a valid number"),
            (("date",), 1e300, "date: input should be less than"),
            (("n-samples", "choices", "effective"), 3, "choices: 3 items scored, but 2 in its samples"),
            (("results",), {}, "no task with a score"),
        ],
    )
    def test_a_results_file_that_does_not_hold_what_it_must(self, tmp_path, keys, value, says):
        path = write_run(tmp_path / "out", a_run({keys: value}))
        assert says in self.mistake(path, tmp_path / "x.db")

    def test_a_file_of_another_format(self, tmp_path):
        (tmp_path / "x.json").write_text('{"run_info": {}}')
        said = self.mistake(tmp_path / "x.json", tmp_path / "x.db")
        assert "is no results file of lm-eval: it has no results, configs" in said

    def test_a_folder(self, tmp_path):
        assert "name an lm-eval results file" in self.mistake(tmp_path, tmp_path / "x.db")

    @pytest.mark.parametrize("line", [{"doc_id": "one"}, []])
    def test_a_bad_line_of_the_samples_is_named(self, tmp_path, line):
        path = write_run(tmp_path / "out", a_run(), {"choices": [*SAMPLES["choices"], line]})
        assert "samples_choices_" in (said := self.mistake(path, tmp_path / "x.db"))
        assert ".jsonl:3: " in said


def test_importing_again_adds_nothing(tmp_path):
    path, db = write_run(tmp_path / "out", a_run()), tmp_path / "x.db"
    import_foreign("lm-eval", path, db)
    before = db.read_bytes()
    assert import_foreign("lm-eval", path, db).startswith("0 runs")
    assert db.read_bytes() == before


@pytest.mark.slow
@pytest.mark.extended  # twenty seconds; the files of the others are of its making
def test_what_lm_eval_writes_can_be_read(tmp_path):
    suite = ROOT / "suites" / "pocket"
    command = [sys.executable, "-m", "lm_eval", "run", "--model", "hf", "--device", "cpu", "--batch_size", "4"]
    command += ["--model_args", f"pretrained={suite}/bases/pocket-0.2m,dtype=float32", "--limit", "8"]
    command += ["--include_path", str(suite / "tasks"), "--output_path", str(tmp_path), "--log_samples"]
    command += ["--tasks", "pocket_target", "pocket_perplexity", "pocket_facts_generated"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (path,) = tmp_path.glob("*/results_*.json")
    import_foreign("lm-eval", path, tmp_path / "x.db")
    db = open_for_reading(tmp_path / "x.db")
    scores = reader.scores(db)
    assert set(scores["task"]) == {"pocket_target", "pocket_perplexity", "pocket_facts_generated"}
    items = reader.items(db, scores["run_id"], answers=True).merge(scores[["eval_id", "task", "value"]])
    (target,) = items[items["task"] == "pocket_target"].to_dict("records")
    assert target["correct"].mean() == target["value"]
    assert [len(choices) for choices in target["values"]] == [6] * 8
