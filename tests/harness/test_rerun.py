"""A stored run's matrix file: it asks for the same cell again, and says what it cannot know."""

import json
from dataclasses import replace

import pytest
import yaml

from harness.arms import build_arms
from harness.errors import UserError
from harness.matrix import build_matrix, load_matrix
from harness.matrix_files import suite_file
from harness.mixes import MixLibrary
from harness.rerun import Stored, StoredStage, matrix_text
from harness.rerun import stored as as_stored
from harness.snapshot import load_snapshot
from harness.store import one_run
from harness.yamlfile import parse_yaml

POCKET = suite_file("pocket")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return MixLibrary(tmp_path_factory.mktemp("data"), POCKET.parent)


@pytest.fixture(scope="module")
def arms(library):
    return {arm.name: arm for arm in build_arms(load_matrix(POCKET), library, "cpu")}


def cell_of(arm):
    parent_rate = arm.parent.rates[1] if arm.parent else None
    return arm.cell(arm.rates[0] if arm.rates else None, 2, parent_rate)


def stored(arm):
    """As it comes back out of a results file."""
    cell = cell_of(arm)
    chain = [*([arm.parent] if arm.parent else []), arm]
    return Stored(
        suite=arm.suite,
        base=arm.base.name,
        seed=cell.seed,
        recipe=json.loads(json.dumps(cell.recipe)),
        execution=json.loads(json.dumps(arm.execution)),
        base_spec=arm.sources["base"],
        stages=[StoredStage(one.label, tuple(one.sources["data"])) for one in chain],
    )


def rebuilt(text, library):
    """The cell that a matrix file asks for."""
    matrix = build_matrix(parse_yaml(text, "rerun.yaml"), POCKET.parent)
    arm = build_arms(matrix, library, "cpu")[-1]
    parent_rate = arm.parent.rates[0] if arm.parent else None
    return arm.cell(arm.rates[0] if arm.rates else None, matrix.seeds[0], parent_rate)


@pytest.mark.parametrize(
    "name",
    [
        "prompted · pocket-1m",
        "base-4bit · pocket-1m",
        "full_sft · pocket-0.2m",
        "qlora r=8 · pocket-1m",
        "dpo-full on full_sft · pocket-1m",
        "dpo-lora on qlora r=8 · pocket-1m",
    ],
)
def test_the_file_asks_for_the_same_cell(arms, library, name):
    assert rebuilt(matrix_text(stored(arms[name])), library).cell_id == cell_of(arms[name]).cell_id


def test_an_execution_of_its_own_is_said_too(arms, library):
    cell = stored(arms["full_sft · pocket-1m"])
    execution = {**cell.execution, "micro_batch_size": 4, "gradient_checkpointing": True, "threads": 2}
    assert rebuilt(matrix_text(replace(cell, execution=execution)), library).arm.execution == execution


def test_a_hub_base_is_named_at_the_commit_that_was_read(arms):
    spec = {"hub": "org/name", "revision": "main", "resolved_revision": "abc123"}
    cell = replace(stored(arms["full_sft · pocket-1m"]), base_spec=spec)
    assert yaml.safe_load(matrix_text(cell))["bases"] == {"pocket-1m": {"hub": "org/name", "revision": "abc123"}}


def comment_above(text, key):
    before = text.partition(f"\n{key}:")[0].rsplit("\n\n", 1)[-1]
    return "\n".join(line for line in before.splitlines() if line.startswith("#"))


def test_a_folder_that_was_published_without_its_place_is_said_in_a_comment(arms):
    cell = replace(stored(arms["full_sft · pocket-1m"]), base_spec={"path": "my-model"})
    assert "path: only the last part is known" in comment_above(matrix_text(cell), "bases")


def test_a_base_of_which_nothing_is_recorded_is_said_in_a_comment(arms):
    cell = replace(stored(arms["full_sft · pocket-1m"]), base_spec={})
    assert "not recorded" in comment_above(matrix_text(cell), "bases")


def test_a_file_that_is_not_recorded_is_said_in_a_comment(arms):
    cell = replace(stored(arms["full_sft · pocket-1m"]), stages=[StoredStage("full_sft", None)])
    assert "which file it read is not recorded" in comment_above(matrix_text(cell), "data")


def test_an_embedded_base_needs_no_comment(arms):
    assert comment_above(matrix_text(stored(arms["full_sft · pocket-1m"])), "bases") == ""


def test_a_name_with_a_line_break_writes_no_line_of_its_own(arms):
    cell = replace(stored(arms["full_sft · pocket-1m"]), suite="x\nseeds: [99]")
    assert yaml.safe_load(matrix_text(cell))["seeds"] == [2]


def test_evals_and_their_batch_are_those_of_the_scores(arms):
    evals = [{"task": "pocket_target", "role": "target"}]
    cell = replace(stored(arms["full_sft · pocket-1m"]), evals=evals, eval_batch_size=64)
    file = yaml.safe_load(matrix_text(cell))
    assert (file["evals"], file["eval_batch_size"]) == (evals, 64)


def test_a_recipe_of_another_program_is_refused_in_a_sentence(arms):
    cell = stored(arms["full_sft · pocket-1m"])
    recipe = {"base_digest": "d", "stages": [{"kind": "sft", "method": "lora", "parameters": {}, "training": {}}]}
    with pytest.raises(UserError, match="does not say precision, steps"):
        matrix_text(replace(cell, recipe=recipe))


def test_a_published_run_asks_for_the_cell_that_it_was(library):
    db = load_snapshot(POCKET.parents[2] / "results" / "pocket-cpu")
    sql = "SELECT run_id FROM runs JOIN cells USING (cell_id) WHERE label = 'dpo-lora' AND purpose = 'quality' LIMIT 1"
    run = one_run.about(db, next(db.query(sql))["run_id"])
    text = matrix_text(as_stored(run, one_run.stages(db, run), one_run.scores(db, run["run_id"])))
    assert rebuilt(text, library).cell_id == run["cell_id"]
    evals = {entry["task"]: entry for entry in yaml.safe_load(text)["evals"]}
    assert evals["pocket_target"] == {
        "task": "pocket_target", "role": "target", "split": "test", "metric": "acc", "chance": 0.167
    }  # fmt: skip
    assert evals["pocket_perplexity"]["higher_is_better"] is False
    assert evals["pocket_politeness"]["merged"] is False
