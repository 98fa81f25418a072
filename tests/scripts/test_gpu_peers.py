"""The harness beside its peers: really run on a small shape, and a peer that sees other tokens is found."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from benchmarks.peers import TOLERANCE, other_work
from scripts.gpu_peers import ROOT, WORK, Bench, draw_weights, side_of_script

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
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


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
    done = peers("--device", "cpu", "--steps", 1, "--rounds", 1, "--budget", 45, "--out", out)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    arm, words = next(iter(found["verdicts"].items()))
    assert f"{arm}: {words}" in done.stdout
    told = {row["peer"]: row["reason"] for row in found["rows"] if row["arm"] == arm}
    assert told["TRL"] is told["Transformers and PEFT"] is None
    assert told["TRL with Liger"] == "its kernels need CUDA"


def test_without_a_gpu_it_is_one_line(tmp_path):
    done = peers("--out", tmp_path / "peers.json")
    if done.returncode == 0:
        pytest.skip("this machine has a GPU")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("gpu-peers: ")
