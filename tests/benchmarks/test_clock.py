"""Time spent inside chosen calls, as a process that ends without clean-up leaves it behind."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import clock


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(clock.VARIABLE, str(tmp_path / "clock.jsonl"))
    return tmp_path / "clock.jsonl"


def test_each_call_counts_and_a_training_leaves_its_mean_loss(file: Path) -> None:
    class Trainer:
        def train(self) -> SimpleNamespace:
            return SimpleNamespace(training_loss=0.5)

    clock.watch(Trainer, "train", "train")
    Trainer().train()
    Trainer().train()

    assert clock.read(file).calls == {"train": 2}
    assert clock.read(file).losses == [0.5, 0.5]


def test_a_call_within_a_call_counts_once(file: Path) -> None:
    class Model:
        def _model_call(self) -> int:
            return 1

        def _model_generate(self) -> int:
            return self._model_call()

    clock.watch_model_calls(Model)

    assert Model()._model_generate() == 1
    assert clock.read(file).calls == {"score": 1}


def test_a_subclass_with_its_own_model_call_counts_too(file: Path) -> None:
    class Model:
        def _model_call(self) -> int:
            return 1

    class Own(Model):
        def _model_call(self) -> int:
            return 2

    clock.watch_model_calls(Model)

    assert Own()._model_call() == 2
    assert clock.read(file).calls == {"score": 1}


def test_a_call_that_fails_raises_as_before(file: Path) -> None:
    class Model:
        def _model_call(self) -> int:
            raise ValueError("no")

    clock.watch_model_calls(Model)

    with pytest.raises(ValueError, match="no"):
        Model()._model_call()


def test_no_file_is_no_time(tmp_path: Path) -> None:
    assert clock.read(tmp_path / "none").seconds == {}
