"""Two sides that are about to run here."""

from dataclasses import dataclass

import pytest

from harness.errors import UserError
from harness.gate import trial
from tests.small_suite import small_suite


@dataclass
class Asked:
    """What is read of a reference."""

    matrix: str
    device: str = "cuda"
    overrides: tuple[str, ...] = ()


def test_a_gpu_that_will_not_do_is_refused_before_a_side_is_opened(tmp_path, monkeypatch):
    def refuse() -> None:
        raise UserError("GPU 0 is in use")

    monkeypatch.setattr(trial, "pick_device", lambda wanted: wanted)
    monkeypatch.setattr(trial, "refuse_unfit", refuse)
    with pytest.raises(UserError, match="in use"):
        trial.contenders(Asked(str(small_suite(tmp_path / "suite"))), (), tmp_path)
    assert trial.contenders(Asked(str(tmp_path / "suite" / "matrix.yaml"), "cpu"), (), tmp_path) == []
