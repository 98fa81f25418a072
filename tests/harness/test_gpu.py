"""A GPU that will not do is refused in one line."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import UserError
from harness.gpu import missing_libraries, refuse_unfit, refuse_unfit_gpu


class Nvml:
    """NVML's answers."""

    class NVMLError(Exception):
        """As pynvml's."""

    def __init__(self, count: int = 1, cuda: int = 13000, busy: tuple[int, ...] = (), driver: bool = True) -> None:
        self.count, self.cuda, self.busy, self.driver = count, cuda, busy, driver

    def nvmlInit(self) -> None:
        if not self.driver:
            raise self.NVMLError("Driver Not Loaded")

    def nvmlDeviceGetCount(self) -> int:
        return self.count

    def nvmlSystemGetCudaDriverVersion_v2(self) -> int:
        return self.cuda

    def nvmlSystemGetDriverVersion(self) -> str:
        return "535.1"

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetUUID(self, handle: int) -> str:
        return f"GPU-{'ab'[handle]}123"

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[Any]:
        return [SimpleNamespace(pid=pid) for pid in self.busy]

    def nvmlSystemGetProcessName(self, pid: int) -> str:
        if pid == 2:
            raise self.NVMLError("Not Found")
        return "trainer"


@pytest.mark.parametrize(
    ("nvml", "cuda", "says"),
    [
        (Nvml(), None, "this torch has no CUDA"),
        (Nvml(driver=False), "13.0", "no NVIDIA driver answers (Driver Not Loaded)"),
        (Nvml(count=0), "13.0", "the driver knows of no GPU"),
        (Nvml(cuda=12040), "13.0", "driver 535.1 is too old: it knows CUDA 12, and torch was built for CUDA 13.0"),
        (Nvml(busy=(7, 8)), "13.0", "GPU 0 is in use by process 7 (trainer) and 1 more"),
        (Nvml(busy=(2,)), "13.0", "GPU 0 is in use by process 2 (of a name that is not told)"),
    ],
)
def test_what_will_not_do_is_refused(nvml: Nvml, cuda: str | None, says: str) -> None:
    with pytest.raises(UserError) as caught:
        refuse_unfit_gpu(nvml, cuda)
    assert caught.value.lines[0].startswith(says)


@pytest.mark.parametrize("cuda", ["12.6", "13.0"])
def test_a_free_gpu_with_a_driver_as_new_will_do(cuda: str) -> None:
    refuse_unfit_gpu(Nvml(cuda=13000), cuda)


@pytest.mark.parametrize(
    ("shown", "looked_at"),
    [(None, [0, 1]), ("1", [1]), ("GPU-b, 0", [1, 0]), ("GPU-b123", [1]), ("0,7,1", [0]), ("", []), ("MIG-7", [])],
)
def test_only_gpus_that_torch_is_shown_are_looked_at(
    monkeypatch: pytest.MonkeyPatch, shown: str | None, looked_at: list[int]
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(Nvml, "nvmlDeviceGetComputeRunningProcesses", lambda self, handle: seen.append(handle))
    refuse_unfit_gpu(Nvml(count=2), "13.0", shown)
    assert seen == looked_at


def test_where_nothing_is_measured_a_gpu_may_be_in_use_and_a_driver_may_not_be_too_old() -> None:
    refuse_unfit_gpu(Nvml(busy=(7,)), "13.0", measuring=False)
    with pytest.raises(UserError, match="too old"):
        refuse_unfit_gpu(Nvml(cuda=12040), "13.0", measuring=False)


def test_which_cuda_torch_was_built_for_is_read_without_torch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('heavy')")
    (tmp_path / "torch" / "version.py").write_text("cuda: str | None = '13.0'")
    monkeypatch.setattr("harness.gpu.find_spec", lambda _: SimpleNamespace(origin=str(tmp_path / "torch/__init__.py")))
    monkeypatch.setattr("harness.gpu.refuse_unfit_gpu", lambda nvml, cuda, shown, **_: told.append((cuda, shown)))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    told: list[tuple[str | None, str | None]] = []
    refuse_unfit()
    assert told == [("13.0", "1")]


def test_a_missing_library_is_named_with_what_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.gpu.find_spec", lambda name: None if name == "flash_attn" else object())
    assert missing_libraries() == ["flash_attn is not installed: cells with `attention: flash_attention_2` are skipped"]
