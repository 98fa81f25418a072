"""What the stack says of a machine: GPUs that can be used, and packages that change a result."""

import subprocess
from types import SimpleNamespace

import psutil
import pynvml
import pytest

from harness import stack
from harness.errors import UserError


@pytest.fixture
def four_gpus(monkeypatch):
    """A driver that shows four devices, and a torch that is built for them."""
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 4)
    monkeypatch.setattr(stack, "_version", lambda name: "2.13.0+cu130")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    stack.gpu_count.cache_clear()
    yield monkeypatch
    stack.gpu_count.cache_clear()


def test_all_devices_that_the_driver_shows_are_used(four_gpus):
    assert stack.gpu_count() == 4
    assert stack.pick_device("auto") == "cuda"


@pytest.mark.parametrize(("shown", "count"), [("0,1", 2), ("1", 1), ("", 0), ("-1", 0), ("GPU-a,GPU-b,GPU-c", 3)])
def test_devices_can_be_hidden(four_gpus, shown, count):
    four_gpus.setenv("CUDA_VISIBLE_DEVICES", shown)
    assert stack.gpu_count() == count


def test_a_torch_built_for_the_cpu_uses_none(four_gpus):
    four_gpus.setattr(stack, "_version", lambda name: "2.13.0+cpu")
    assert stack.pick_device("auto") == "cpu"
    with pytest.raises(UserError, match="no CUDA device that torch could use"):
        stack.pick_device("cuda")


@pytest.mark.parametrize("other", ["cuda:1", "tpu", "CPU", ""])
def test_any_other_device_is_refused_where_there_are_gpus_too(four_gpus, other):
    with pytest.raises(UserError, match=f"--device {other}: expected cpu, cuda or auto"):
        stack.pick_device(other)


def test_who_wants_one_gpu_of_several_is_told_how(four_gpus):
    with pytest.raises(UserError, match=r"CUDA_VISIBLE_DEVICES=1\)$"):
        stack.pick_device("cuda:1")


def test_a_kernel_package_is_a_fact_where_it_is_installed(monkeypatch):
    before = stack.stack_facts("cpu")
    monkeypatch.setattr(stack, "_version", lambda name: "1.0")
    assert "flash-attn" not in before
    assert stack.stack_facts("cpu")["flash-attn"] == "1.0"


def test_tracked_files_with_uncommitted_changes_are_named(tmp_path):
    def git(*words: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *words], check=True, capture_output=True)

    git("init")
    for name in ("kept.py", "a changed.py", "gone.py"):
        (tmp_path / name).write_text("1")
    git("add", ".")
    git("commit", "-m", "x")
    (tmp_path / "a changed.py").write_text("2")
    (tmp_path / "gone.py").unlink()
    (tmp_path / "new.py").write_text("1")
    assert stack.git_changes(tmp_path) == ["a changed.py", "gone.py"]


def test_what_is_no_checkout_has_no_changes(tmp_path):
    assert stack.git_changes(tmp_path) == []


def test_hardware_is_said_in_words():
    assert stack.hardware({"processor": "AMD EPYC", "cores": 2}) == "2 cores of AMD EPYC"
    assert stack.hardware({"gpu": "NVIDIA H200", "gpu_memory_gib": 140.4}) == "NVIDIA H200 140.4 GiB"
    assert stack.hardware({}) == "unknown machine"
    assert stack.hardware({"gpu": "NVIDIA H200", "memory_limit_bytes": 24 * 10**9}) == "NVIDIA H200, limited to 24 GB"


def test_a_cpus_memory_is_the_machines():
    assert stack.device_memory_bytes("cpu") == psutil.virtual_memory().total


def test_a_gpus_memory_is_what_the_driver_tells(monkeypatch):
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 2)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda index: index)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", lambda index: SimpleNamespace(total=(80, 24)[index] * 10**9))
    assert stack.device_memory_bytes("cuda:0") == 80 * 10**9
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert stack.device_memory_bytes("cuda:0") == 24 * 10**9  # of the one that is shown


def test_beside_a_gpu_the_hosts_memory_makes_no_other_stack(monkeypatch):
    monkeypatch.setattr(stack, "_gpu", lambda: {"gpu": "NVIDIA H200"})
    assert "memory_gib" not in stack.stack_facts("cuda")
    assert "memory_gib" in stack.stack_facts("cpu")
