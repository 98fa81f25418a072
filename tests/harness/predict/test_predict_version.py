"""A prediction names the predictor that it is from."""

import shutil
from pathlib import Path

import pytest

from harness.predict import version


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The version after a change of one line of one source."""
    copy = tmp_path / "predict"
    shutil.copytree(Path(version.__file__).parent, copy)
    (copy / "memory.py").write_text((copy / "memory.py").read_text() + "\nMORE = 1\n")
    monkeypatch.setattr(version, "__file__", str(copy / "version.py"))
    return version.model_version.__wrapped__()


def test_any_change_of_its_sources_is_another_version(changed: str) -> None:
    assert changed != version.model_version()
    assert len(changed) == len(version.model_version()) == version.SHOWN_DIGITS
