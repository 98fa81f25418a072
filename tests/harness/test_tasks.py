"""Tasks as data: an eval's id follows its items, template, rules and decoding, and nothing else."""

import pytest

from harness.errors import UserError
from harness.matrix_files import suite_file
from harness.settings import Eval
from harness.tasks import check_evals, find_tasks

YAML = """\
task: facts
custom_dataset: !function loader.load
dataset_kwargs: {file: facts.jsonl}
output_type: multiple_choice
doc_to_text: prompt
metadata: {version: 1.0}
"""


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "tasks").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "tasks" / "facts.yaml").write_text(YAML)
    (tmp_path / "tasks" / "loader.py").write_text('def load(file):\n    return open("shots.jsonl")\n')
    (tmp_path / "data" / "facts.jsonl").write_text('{"prompt": "a"}\n')
    (tmp_path / "data" / "shots.jsonl").write_text('{"prompt": "b"}\n')
    return tmp_path


def eval_id(suite, batch_size=64):
    return find_tasks(suite / "tasks")["facts"].eval_id(batch_size)


def test_a_task_is_found_by_the_name_it_gives_itself(suite):
    task = find_tasks(suite / "tasks")["facts"]
    assert (task.name, task.version) == ("facts", "1.0")


@pytest.mark.parametrize("name", ["data/facts.jsonl", "data/shots.jsonl", "tasks/loader.py"])
def test_the_id_follows_the_items_the_examples_and_the_rules(suite, name):
    before = eval_id(suite)
    with (suite / name).open("a") as file:
        file.write("\n# changed\n")
    assert eval_id(suite) != before


def test_the_id_follows_the_template_and_not_the_layout_of_the_file(suite):
    before = eval_id(suite)
    (suite / "tasks" / "facts.yaml").write_text("# a comment\n" + YAML)
    assert eval_id(suite) == before
    (suite / "tasks" / "facts.yaml").write_text(YAML.replace("prompt", "question"))
    assert eval_id(suite) != before


def test_the_evaluation_batch_is_part_of_the_id(suite):
    assert eval_id(suite, 64) != eval_id(suite, 32)


def test_the_place_of_the_suite_is_not(suite, tmp_path_factory):
    moved = tmp_path_factory.mktemp("elsewhere") / "suite"
    before = eval_id(suite)
    suite.rename(moved)
    assert eval_id(moved) == before


def test_an_unknown_metric_is_one_line_with_those_of_the_task():
    tasks = find_tasks(suite_file("pocket").parent / "tasks")
    with pytest.raises(UserError, match=r"^m.yaml: evals: pocket_refusals: unknown metric 'acc' \(it has refused\)$"):
        check_evals([Eval(task="pocket_refusals", role="safety")], tasks, "m.yaml")


def test_an_unknown_task_is_one_line_with_the_known_ones(suite):
    tasks = find_tasks(suite / "tasks")
    with pytest.raises(UserError, match=r"^m.yaml: evals: unknown task 'fats' \(known: facts\)$"):
        check_evals([Eval(task="fats", role="target")], tasks, "m.yaml")
