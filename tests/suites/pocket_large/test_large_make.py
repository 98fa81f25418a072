"""The suite laid out where it runs: a base is trained in what time there is, checked at its end, never half there."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.bases.licence import licence_of
from harness.matrix import load_matrix
from suites.pocket.pretraining import Machine
from suites.pocket_large.bases import REAL, REHEARSAL, Question
from suites.pocket_large.make import MADE, TASKS, UnfitBase, is_made, make_base, make_suite, too_little

SHORT = replace(REHEARSAL.recipes[0], steps=25, packed_rows=40, rows_per_step=200, layers=1, least={})
EASY = replace(REHEARSAL, recipes=(SHORT, SHORT))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_suite(EASY, tmp_path)
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def make(folder: Path, question: Question = EASY, seconds: float = 1e9, *, accept: bool = False) -> bool:
    return make_base(question, question.recipes[0], folder, Machine(), seconds, accept=accept)


def test_the_tasks_are_the_pocket_suites_to_the_byte(folder: Path) -> None:
    own = {file.name: file.read_bytes() for file in (folder / "tasks").iterdir()}
    assert own == {file.name: file.read_bytes() for file in TASKS.iterdir() if file.suffix in (".py", ".yaml")}


def test_made_again_it_is_the_same_to_the_byte(folder: Path) -> None:
    before = content(folder)
    make_suite(EASY, folder)
    assert content(folder) == before


def test_the_matrix_names_the_bases_that_are_made(tmp_path: Path) -> None:
    for question, names in ((REAL, ["pocket-10m", "pocket-50m"]), (REHEARSAL, ["rehearsal-a", "rehearsal-b"])):
        make_suite(question, tmp_path)
        matrix = load_matrix(tmp_path / "matrix.yaml")
        assert [recipe.name for recipe in question.recipes] == names == list(matrix.header.bases)
        assert {variant.method for variant in matrix.variants} == {"base", "full_sft", "lora", "qlora", "dpo"}


def test_a_matrix_of_one_base_has_the_other_again_when_it_is_asked_for(tmp_path: Path) -> None:
    make_suite(REAL, tmp_path)
    whole = (tmp_path / "matrix.yaml").read_text()
    make_suite(REAL, tmp_path, ["pocket-10m"])
    alone = load_matrix(tmp_path / "matrix.yaml")
    assert {variant.base for variant in alone.variants} == set(alone.header.bases) == {"pocket-10m"}
    make_suite(REAL, tmp_path, ["pocket-10m", "pocket-50m"])
    assert (tmp_path / "matrix.yaml").read_text() == whole


@pytest.mark.extended
def test_what_time_did_not_suffice_for_goes_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not make(folder, seconds=0.2)
    assert not (folder / "bases").exists()
    assert make(folder)
    assert capsys.readouterr().out.count("from step 0") == 1
    assert {file.suffix for file in (folder / "bases" / SHORT.name).iterdir()} == {".json", ".safetensors", ".md"}
    assert licence_of(folder / "bases" / SHORT.name) == "apache-2.0"


@pytest.mark.extended
def test_a_base_that_is_there_is_not_trained_again_and_one_of_another_recipe_is(folder: Path) -> None:
    make(folder)
    before = content(folder)
    assert make(folder, seconds=0)
    assert content(folder) == before
    other = replace(EASY, recipes=(replace(SHORT, learning_rate=1e-3), SHORT))
    assert is_made(EASY, SHORT, folder) and not is_made(other, other.recipes[0], folder)
    assert not make(folder, other, seconds=0)


@pytest.mark.extended
def test_its_scores_are_beside_it_and_on_its_page(folder: Path) -> None:
    make(folder)
    made = json.loads((folder / "bases" / SHORT.name / MADE).read_text())
    page = (folder / "bases" / SHORT.name / "README.md").read_text()
    assert (made["steps"], made["faults"]) == (25, [])
    assert set(made["scores"]) == {*REAL.recipes[0].least, "target", "perplexity"}
    assert all(f"| {name} | {score:.3f} |" in page for name, score in made["scores"].items())


@pytest.mark.extended
def test_one_that_knows_too_little_is_refused_unless_it_is_accepted(folder: Path) -> None:
    strict = replace(EASY, recipes=(replace(SHORT, least={"facts": 1.01}), SHORT))
    with pytest.raises(UnfitBase, match=r"rehearsal-a: facts is 0\.\d\d, should be 1\.01 or more: .* with --accept "):
        make(folder, strict)
    assert not (folder / "bases" / SHORT.name).exists()
    assert make(folder, strict, accept=True)
    assert "**Accepted though** facts is 0." in (folder / "bases" / SHORT.name / "README.md").read_text()


def test_one_that_knows_the_target_already_is_refused() -> None:
    scores = {"target": 0.2, **dict.fromkeys(REAL.recipes[0].least, 1.0)}
    assert too_little(REAL.recipes[0], scores, REAL) == ["target is 0.20, twice chance or more"]


def test_one_that_has_not_met_all_that_the_data_use_is_refused_whatever_is_accepted(folder: Path) -> None:
    hasty = replace(EASY, recipes=(replace(SHORT, steps=1, packed_rows=2), SHORT))
    with pytest.raises(UnfitBase, match="rehearsal-a: never met "):
        make(folder, hasty, accept=True)
    assert not (folder / "bases" / SHORT.name).exists()
