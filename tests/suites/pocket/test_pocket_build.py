"""The committed data are what the code makes, and small."""

from dataclasses import replace
from pathlib import Path

from harness.bases.licence import licence_of
from suites.pocket.build import DATA_FOLDER, FILES, build
from suites.pocket.world import POCKET


def test_regenerated_data_are_the_committed_bytes(tmp_path: Path) -> None:
    build(tmp_path)
    for name in FILES:
        committed = (DATA_FOLDER / f"{name}.jsonl").read_bytes()
        assert (tmp_path / f"{name}.jsonl").read_bytes() == committed, name


def test_no_other_data_file_is_committed() -> None:
    assert sorted(path.name for path in DATA_FOLDER.iterdir()) == sorted(["README.md", *(f"{n}.jsonl" for n in FILES)])


def test_the_data_state_their_licence() -> None:
    assert licence_of(DATA_FOLDER) == "apache-2.0"


def test_another_seed_makes_other_data(tmp_path: Path) -> None:
    build(tmp_path, replace(POCKET, seed=21))
    committed = (DATA_FOLDER / "target_test.jsonl").read_bytes()
    assert (tmp_path / "target_test.jsonl").read_bytes() != committed


def test_data_are_small() -> None:
    assert sum(path.stat().st_size for path in DATA_FOLDER.iterdir()) < 600_000
