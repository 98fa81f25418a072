"""The harness beside its peers: really run on a small shape, and a peer that sees other tokens is found."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.peers import NOT_RUN, TOLERANCE, Side, other_work
from scripts import gpu_peers
from scripts.gpu_peers import OWN, PEERS, ROOT, WORK, Bench, Comparison, draw_weights, side_of_script

SMALL = replace(WORK["cpu"], warmup_steps=2, steps=2)


def test_a_gpu_trains_a_real_shape_at_the_precision_that_is_used_there():
    work = WORK["cuda"]
    assert (work.shape, work.length, work.dtype) == ("llama-3.2-3b", 2048, "bfloat16")


def test_seconds_of_warm_up_are_dropped_and_memory_on_a_cpu_is_what_was_added():
    watched = {
        "losses": [8.0, 7.0, 6.0],
        "step_seconds": [9.0, 2.0, 2.0],
        "tokens": ["a", "b", "c"],
        "rss_start_bytes": 100,
        "rss_peak_bytes": 350,
    }
    side = side_of_script(watched, [64, 64, 64], 1)
    assert (side.tokens_per_second, side.peak_bytes) == (32.0, 250)
    assert side_of_script({**watched, "peak_allocated_bytes": 70}, [64, 64, 64], 1).peak_bytes == 70


class Clockwork:
    """A bench whose sides take ten seconds each and only say that they ran; those in ``failing`` fail."""

    work = SMALL

    def __init__(self, folder: Path, failing: tuple[str, ...] = ()) -> None:
        self.folder, self.failing, self.now = folder, failing, 0.0
        self.ran: list[tuple[str, str | None]] = []

    def missing(self, peer: str) -> str | None:
        return "not installed" if peer == "torchtune" else None

    def script(self, arm: Any, folder: Path) -> None:
        return None

    def run(self, arm: Any, peer: str | None, script: Any) -> Side:
        self.now += 10
        self.ran.append((arm.short_name, peer))
        if peer in self.failing:
            raise RuntimeError("out of memory")
        return Side([8.0, 7.0], ["a", "b"], 100.0 + len(self.ran), 1)


ARMS: Any = (SimpleNamespace(short_name="lora"), SimpleNamespace(short_name="qlora"))
SIDES = [peer for peer in (*PEERS, *OWN) if peer != "torchtune"]


def compared(monkeypatch, bench: Clockwork, *, ends: float, rounds: int = 1) -> list[tuple[str, str, dict[str, Any]]]:
    """What is told, with the rows by their peers."""
    monkeypatch.setattr(gpu_peers, "time", SimpleNamespace(monotonic=lambda: bench.now))
    told = Comparison(bench, ends).run(ARMS, rounds)  # type: ignore[arg-type]
    return [(arm, ran, {row.peer: row for row in rows}) for arm, ran, rows in told]


def test_in_a_first_round_the_harness_comes_first_then_peers_then_its_other_settings(monkeypatch, tmp_path):
    bench = Clockwork(tmp_path)
    compared(monkeypatch, bench, ends=1000)
    assert [peer for arm, peer in bench.ran if arm == "lora"] == [None, *SIDES]
    assert SIDES[-len(OWN) :] == list(OWN)


def test_each_side_of_a_first_round_is_told_as_it_comes(monkeypatch, tmp_path):
    told = compared(monkeypatch, Clockwork(tmp_path), ends=1000)
    assert [ran for _, ran, _ in told[:2]] == ["round 1, lora, the harness", f"round 1, lora, {SIDES[0]}"]
    for count, (_, _, rows) in enumerate(told[: len(SIDES) + 1]):
        assert {peer for peer, row in rows.items() if row.speed} == set(SIDES[:count])
        assert {peer for peer, row in rows.items() if row.reason == NOT_RUN} == set(SIDES[count:])
        assert rows["torchtune"].reason == "not installed"


def test_a_side_that_would_end_late_is_not_begun(monkeypatch, tmp_path):
    bench = Clockwork(tmp_path)
    *_, (arm, _, rows) = compared(monkeypatch, bench, ends=35)
    assert (len(bench.ran), bench.now, arm) == (3, 30, "lora")
    assert [peer for peer, row in rows.items() if row.speeds] == SIDES[:2][::-1]  # the fastest first


def test_a_later_round_counts_once_all_of_it_is_there(monkeypatch, tmp_path):
    sides = 1 + len(SIDES)
    whole = compared(monkeypatch, Clockwork(tmp_path), ends=10 * 3 * sides, rounds=2)
    arm, ran, rows = whole[-1]
    assert (arm, ran) == ("lora", "round 2, lora")
    assert {len(rows[peer].speeds) for peer in SIDES} == {2}

    bench = Clockwork(tmp_path)
    cut = compared(monkeypatch, bench, ends=10 * 3 * sides - 1, rounds=2)
    assert len(bench.ran) == 3 * sides - 1
    assert cut == whole[:-1]


def test_rounds_go_there_and_back(monkeypatch, tmp_path):
    bench = Clockwork(tmp_path)
    compared(monkeypatch, bench, ends=1000, rounds=3)
    turns = [peer for arm, peer in bench.ran if arm == "lora"]
    there = [None, *SIDES]
    assert turns == [*there, *there[::-1], *there]


def test_a_peer_that_fails_is_told_and_does_not_run_again_and_the_harness_itself_ends_it(monkeypatch, tmp_path):
    bench = Clockwork(tmp_path, ("TRL",))
    *_, (_, _, rows) = compared(monkeypatch, bench, ends=1000, rounds=2)
    assert rows["TRL"].reason == "failed: out of memory"
    assert bench.ran.count(("lora", "TRL")) == 1
    with pytest.raises(RuntimeError, match="out of memory"):
        compared(monkeypatch, Clockwork(tmp_path, (None,)), ends=1000)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("peers")
    draw_weights(SMALL, folder / "weights")
    return Bench(SMALL, folder, None)


@pytest.mark.slow
@pytest.mark.extended
def test_what_this_machine_lacks_is_told(bench):
    assert bench.missing("TRL with Liger") == "its kernels need CUDA"
    assert "--torchtune" in bench.missing("torchtune")
    assert bench.missing("TRL") is None


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.extended
def test_peers_do_the_same_work_and_one_with_other_tokens_is_told_as_another_loss(bench, tmp_path):
    arm = next(arm for arm in bench.arms() if arm.label == "lora")
    script = bench.script(arm, tmp_path)
    harness = bench.run_harness(arm, script)
    assert len(harness.losses) == 4
    for peer in ("TRL", "Transformers and PEFT"):
        side = bench.run_peer(peer, script)
        assert other_work(harness, side, TOLERANCE["float32"]) is None
        assert side.tokens_per_second > 0
        assert side.peak_bytes > 0

    data = tmp_path / "stage-0.jsonl"
    data.write_text("".join(reversed(data.read_text().splitlines(keepends=True))))
    other = bench.run_peer("TRL", script)
    assert "another loss at step 1" in str(other_work(harness, other, TOLERANCE["float32"]))
    assert other.tokens[0] != harness.tokens[0]


@pytest.mark.slow
@pytest.mark.extended
def test_a_peer_that_fails_is_told_by_the_last_line_that_it_printed(bench, tmp_path):
    arm = next(arm for arm in bench.arms() if arm.label == "lora")
    script = bench.script(arm, tmp_path)
    (tmp_path / "stage-0.jsonl").write_text(json.dumps({"text": "no prompt"}) + "\n")
    with pytest.raises(RuntimeError, match="prompt"):
        bench.run_peer("Transformers and PEFT", script)


def peers(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.gpu_peers", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=700, check=False)


@pytest.mark.slow
@pytest.mark.extended
def test_nothing_measured_is_no_success(tmp_path):
    done = peers("--device", "cpu", "--budget", 0, "--out", tmp_path / "peers.json")
    assert done.returncode == 1
    assert "nothing was measured" in done.stderr


@pytest.mark.slow
@pytest.mark.extended
def test_what_was_measured_in_time_is_shown_and_written(tmp_path):
    out = tmp_path / "peers.json"
    words = ("--device", "cpu", "--only", "full_sft", "--steps", 1, "--rounds", 1, "--budget", 600, "--out", out)
    done = peers(*words)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    ((arm, verdict),) = found["verdicts"].items()
    assert f"{arm}: {verdict}" in done.stdout
    assert f"round 1, {arm}, TRL: " in done.stdout
    told = {row["peer"]: row["reason"] for row in found["rows"]}
    assert arm == "full_sft"
    assert told["TRL"] is told["Transformers and PEFT"] is None
    assert told["TRL with Liger"] == "its kernels need CUDA"


def test_a_method_that_is_not_trained_is_one_line_whatever_the_machine(tmp_path):
    done = peers("--only", "lora,dpo", "--out", tmp_path / "peers.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "gpu-peers: --only lora,dpo: there is no 'dpo' (known: lora, full_sft, qlora)\n"


def test_without_a_gpu_it_is_one_line(tmp_path):
    done = peers("--out", tmp_path / "peers.json")
    if done.returncode == 0:
        pytest.skip("this machine has a GPU")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("gpu-peers: ")
