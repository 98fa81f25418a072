"""A prediction names the predictor that it is from."""

import shutil
from pathlib import Path

import pytest

from harness.predict import version


def test_any_change_of_its_sources_is_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "predict"
    shutil.copytree(Path(version.__file__).parent, copy)
    before = version.model_version()
    monkeypatch.setattr(version, "__file__", str(copy / "version.py"))

    assert version.model_version.__wrapped__() == before
    (copy / "memory.py").write_text((copy / "memory.py").read_text() + "\nMORE = 1\n")
    assert version.model_version.__wrapped__() != before
