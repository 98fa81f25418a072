"""Is there a GPU to measure on, free and with a driver that will do, and which optional libraries does it lack?"""

from importlib.util import find_spec
from typing import Any

from harness.errors import UserError

OPTIONAL = {"flash_attn": "attention: flash_attention_2", "liger_kernel": "liger: true, loss: liger"}  # what wants them


def refuse_unfit_gpu(nvml: Any, cuda: str | None) -> None:
    """Raises UserError for no GPU, a driver older than ``cuda`` (the version that torch was built for, None for a build
    without), or a GPU that other processes compute on. ``nvml`` is the module ``pynvml``."""
    if cuda is None:
        raise UserError(
            "this torch has no CUDA; install a build that has (scripts/gpu.md), or measure with --device cpu"
        )
    try:
        nvml.nvmlInit()
        count = nvml.nvmlDeviceGetCount()
    except nvml.NVMLError as error:
        raise UserError(f"no NVIDIA driver answers ({error}): this machine has no GPU to measure on") from None
    if not count:
        raise UserError("the driver knows of no GPU")
    has = nvml.nvmlSystemGetCudaDriverVersion_v2() // 1000  # 12040 is 12.4
    if has < int(cuda.partition(".")[0]):
        driver = nvml.nvmlSystemGetDriverVersion()
        raise UserError(f"driver {driver} is too old: it knows CUDA {has}, and torch was built for CUDA {cuda}")
    for index in range(count):
        _refuse_busy(nvml, nvml.nvmlDeviceGetHandleByIndex(index), index)


def _refuse_busy(nvml: Any, handle: Any, index: int) -> None:
    try:
        others = nvml.nvmlDeviceGetComputeRunningProcesses(handle)
    except nvml.NVMLError:  # not told in this container: nothing is known against it
        return
    if others:
        first = others[0]
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise UserError(
            f"GPU {index} is in use by process {first.pid} ({_name(nvml, first.pid)}){more}: what is measured beside "
            "somebody else compares nothing"
        )


def _name(nvml: Any, pid: int) -> str:
    try:
        return str(nvml.nvmlSystemGetProcessName(pid))
    except nvml.NVMLError:  # of another container
        return "of a name that is not told"


def missing_libraries() -> list[str]:
    """A line for each optional library that is not installed: what of a matrix is refused without it."""
    return [
        f"{name} is not installed: cells with `{wants}` are skipped"
        for name, wants in OPTIONAL.items()
        if find_spec(name) is None
    ]
