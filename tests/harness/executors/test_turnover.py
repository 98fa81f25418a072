"""On a GPU one process is gone before the next one begins: its memory is the driver's until then."""

from pathlib import Path
from typing import Any

import pytest

from harness.executors.local import LocalExecutor, Worker
from tests.methods.cells import assignment, stage


class Process:
    """A process that only remembers that it was waited for."""

    def __init__(self, said: list[str], name: str) -> None:
        self.said, self.name = said, name

    def join(self, timeout: float) -> None:
        self.said.append(f"{self.name} is gone")

    def kill(self) -> None:
        pass


class Connection:
    """What hands an assignment over."""

    def __init__(self, said: list[str]) -> None:
        self.said = said

    def send_bytes(self, line: bytes) -> None:
        self.said.append("the next begins")


@pytest.mark.parametrize(
    ("device", "ended", "order"),
    [
        ("cuda", True, ["the last is gone", "the next begins"]),
        ("cuda", False, ["the next begins"]),  # another GPU's, still at work
        ("cpu", True, ["the next begins"]),
    ],
)
def test_who_said_its_last_word_is_waited_for(tmp_path: Path, device: str, ended: bool, order: list[str]) -> None:
    said: list[str] = []
    idle: Any = Worker(Process(said, "the next"), Connection(said), tmp_path / "log", ready=True)  # type: ignore[arg-type]
    last: Any = Worker(Process(said, "the last"), Connection(said), tmp_path / "log", ended=ended)  # type: ignore[arg-type]
    executor = LocalExecutor(device, tmp_path / "logs")
    executor.workers["last"], executor.spare = last, idle

    executor.start(assignment(tmp_path, stage("lora")), timeout_seconds=1, exclusive=True)

    assert said == order
