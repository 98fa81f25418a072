"""What a limit leaves, what it says of the stack, and how a device is held to it."""

from pathlib import Path

import pytest
import torch

from harness.limits import MemoryLimit, impose
from harness.matrix import load_matrix
from harness.session import open_session
from tests.small_suite import small_suite

CARD = MemoryLimit(24 * 10**9, 10**9)


def test_what_is_left_for_the_context_is_not_usable() -> None:
    assert CARD.usable_bytes == 23 * 10**9


def test_a_gpus_allocator_is_held_to_what_is_usable_of_all_that_it_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    imposed: list[float] = []
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (1, 92 * 10**9))
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", imposed.append)

    impose(CARD, "cuda:0")

    assert imposed == [0.25]


@pytest.mark.parametrize(("limit", "device"), [(None, "cuda:0"), (CARD, "cpu")])
def test_without_a_limit_and_on_a_cpu_no_gpu_is_touched(
    monkeypatch: pytest.MonkeyPatch, limit: MemoryLimit | None, device: str
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: pytest.fail("asked for a GPU"))

    impose(limit, device)


class TestTheStack:
    def facts(self, folder: Path, limit: MemoryLimit | None) -> dict[str, object]:
        return self.session(folder, limit).facts

    def session(self, folder: Path, limit: MemoryLimit | None):
        suite = folder / "suite"
        matrix = load_matrix(suite / "matrix.yaml" if suite.exists() else small_suite(suite))
        return open_session(matrix, folder / "t.db", device="cpu", limit=limit)

    def test_a_limit_is_a_fact_of_it_so_that_limited_runs_are_never_among_others(self, tmp_path: Path) -> None:
        stacks = {
            self.session(tmp_path, limit).stack_id for limit in (None, MemoryLimit(10**9), MemoryLimit(2 * 10**9))
        }

        assert len(stacks) == 3
        assert self.facts(tmp_path, MemoryLimit(10**9))["memory_limit_bytes"] == 10**9

    def test_another_overhead_is_another_limit(self, tmp_path: Path) -> None:
        other = MemoryLimit(CARD.vram_bytes, 2 * 10**9)

        assert self.session(tmp_path, CARD).stack_id != self.session(tmp_path, other).stack_id

    def test_without_a_limit_the_facts_are_the_machines_alone(self, tmp_path: Path) -> None:
        assert not [key for key in self.facts(tmp_path, None) if "limit" in key]
