"""A third party's method is trained again when its source changes, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import stack
from harness.arms import Arm, build_arms
from harness.errors import UserError
from harness.matrix import load_matrix
from harness.matrix_schema import matrix_schema
from harness.mixes import MixLibrary
from harness.plugins import method_source
from methods import registry
from tests.methods.installed import installed
from tests.small_suite import small_suite

METHOD = """
from tunematrix import LoraParameters, Method


class Own(Method):
    name = "own"
    result = "adapter"
    Parameters = LoraParameters
"""
FILES = {"own_package/__init__.py": "", "own_package/method.py": METHOD, "own_package/deep/tricks.py": "A = 1\n"}
POINTS = {"own": "own_package.method:Own", "broken": "own_package.missing:Own"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    with installed(tmp_path / "site", FILES, POINTS) as folder:
        yield folder


def arms(folder: Path, *entries: str) -> dict[str, Arm]:
    """The arms of a small matrix with more ``entries`` under `methods`, by label."""
    path = folder / "suite" / "matrix.yaml"
    path = path if path.exists() else small_suite(folder / "suite")
    lines = [f"  {entry}: {{learning_rate: 1e-3}}\n" for entry in entries]
    path.write_text(path.read_text().replace("selection:", f"{''.join(lines)}selection:"))
    matrix = load_matrix(path)
    return {arm.label: arm for arm in build_arms(matrix, MixLibrary(folder / "data", matrix.folder), "cpu")}


def test_a_built_in_method_is_known_by_the_stacks_code_alone() -> None:
    assert [method_source(name) for name in registry.BUILT_IN] == [None] * len(registry.BUILT_IN)


@pytest.mark.parametrize("changed", ["own_package/method.py", "own_package/deep/tricks.py"])
def test_a_change_anywhere_in_its_package_makes_another_stage(site: Path, tmp_path: Path, changed: str) -> None:
    before = arms(tmp_path, "own")
    (site / changed).write_text(f"{(site / changed).read_text()}# changed\n")

    after = arms(tmp_path)

    assert after["own"].arm_id != before["own"].arm_id
    assert {n: a.arm_id for n, a in after.items() if n != "own"} == {
        n: a.arm_id for n, a in before.items() if n != "own"
    }


def test_a_method_in_a_single_module_is_that_module(tmp_path: Path) -> None:
    with installed(tmp_path / "site", {"lone.py": METHOD, "beside.py": ""}, {"own": "lone:Own"}) as site:
        first = method_source("own")
        (site / "beside.py").write_text("A = 2\n")
        assert method_source("own") == first
        (site / "lone.py").write_text(f"{METHOD}# changed\n")
        assert method_source("own") != first


def test_installing_one_changes_no_stack(tmp_path: Path) -> None:
    without = stack.code_digest()

    with installed(tmp_path / "site", FILES, POINTS):
        assert stack.code_digest() == without


def test_one_that_does_not_import_matters_only_to_who_names_it(site: Path, tmp_path: Path) -> None:
    assert set(arms(tmp_path, "own")) == {"base", "full_sft", "dpo", "own"}

    with pytest.raises(UserError, match=r"matrix\.yaml.*broken cannot be loaded from own_package\.missing:Own") as told:
        arms(tmp_path, "broken")
    assert len(told.value.lines) == 1


def test_the_schema_names_a_method_that_will_not_do_in_one_line(site: Path) -> None:
    with pytest.raises(UserError, match=r"broken cannot be loaded .*mend or uninstall it"):
        matrix_schema()
