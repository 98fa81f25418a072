"""The method that docs/extending.md prints, copied from the page: installed, planned, trained and scored."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.matrix import load_matrix
from methods import registry
from tests.methods.cells import assignment, run, scores, stage, trained
from tests.methods.installed import installed
from tests.small_suite import small_suite

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
LAYERS = 4


def block(language: str) -> str:
    """The only code of that language on the page."""
    (text,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


@pytest.fixture
def half(tmp_path: Path) -> Iterator[None]:
    """The package of the page, under the file's name that its first line gives."""
    code = block("python")
    name = code.splitlines()[0].removeprefix("# ")
    points = tomllib.loads(block("toml"))["project"]["entry-points"][registry.GROUP]
    with installed(tmp_path / "site", {name: code}, points):
        yield


@pytest.mark.parametrize(("every", "learning"), [(1, {0, 1, 2, 3}), (2, {0, 2})])
def test_it_trains_the_layers_that_it_says_and_is_scored(
    half: None, tmp_path: Path, every: int, learning: set[int]
) -> None:
    said = run(assignment(tmp_path, stage("half", every=every, rate=1e-2), evals=("choices",)))

    found = {int(m[1]) for name in trained(said).fingerprint if (m := re.match(r"model\.layers\.(\d+)\.", name))}
    assert found == learning
    assert trained(said).effective["frozen_dtypes"] == ([] if len(learning) == LAYERS else ["float32"])
    assert scores(said, "tuned").keys() == {"pocket_arithmetic"}


def test_the_entry_that_is_printed_makes_an_axis_of_its_list(half: None, tmp_path: Path) -> None:
    (entry,) = re.findall(r"`(half: \{.*?\})`", PAGE)
    path = small_suite(tmp_path / "suite")
    path.write_text(path.read_text().replace("selection:", f"  {entry}\nselection:"))

    variants = [variant for variant in load_matrix(path).variants if variant.label == "half"]

    assert [variant.parameters.every for variant in variants] == [1, 2]  # type: ignore[attr-defined]
