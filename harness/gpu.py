"""Is there a GPU to measure on, free and with a driver that will do, and which optional libraries does it lack?"""

import os
import runpy
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from harness.errors import UserError

OPTIONAL = {"flash_attn": "attention: flash_attention_2", "liger_kernel": "liger: true, loss: liger"}  # what wants them


def refuse_unfit(*, measuring: bool = True) -> None:
    """Raises UserError where the GPUs that torch would use will not do; opens none of them and imports no torch.
    One that somebody else uses will do where nothing is measured on it."""
    import pynvml

    refuse_unfit_gpu(pynvml, _built_for(), os.environ.get("CUDA_VISIBLE_DEVICES"), measuring=measuring)


def refuse_unfit_gpu(nvml: Any, cuda: str | None, shown: str | None = None, *, measuring: bool = True) -> None:
    """Raises UserError for no GPU, a driver older than ``cuda`` (the version that torch was built for, None for a build
    without), or, where ``measuring``, a GPU that other processes compute on, of those that are ``shown``. ``nvml`` is
    the module ``pynvml``."""
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
        raise UserError(
            f"driver {driver} is too old: it knows CUDA {has}, and torch was built for CUDA {cuda}; use --device cpu"
        )
    for name, handle in shown_gpus(nvml, shown) if measuring else ():
        _refuse_busy(nvml, name, handle)


def shown_gpus(nvml: Any, shown: str | None) -> Iterator[tuple[str, Any]]:
    """Name and NVML's handle of each GPU in ``shown``, as CUDA_VISIBLE_DEVICES has it: numbers in the order of the bus
    (which this program sets), or the beginnings of uuids, up to the first that there is not; all of them where None."""
    count = nvml.nvmlDeviceGetCount()
    for name in (str(index) for index in range(count)) if shown is None else map(str.strip, shown.split(",")):
        handle = _handle(nvml, name, count)
        if handle is None:
            return
        yield name, handle


def _handle(nvml: Any, name: str, count: int) -> Any:
    if name.isdecimal():
        return nvml.nvmlDeviceGetHandleByIndex(int(name)) if int(name) < count else None
    for index in range(count if name else 0):
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        if nvml.nvmlDeviceGetUUID(handle).startswith(name):
            return handle
    return None


def _built_for() -> str | None:
    """The CUDA version that torch was built for, from the file that says so."""
    found = find_spec("torch")
    if found is None or found.origin is None:
        return None
    version: str | None = runpy.run_path(os.path.join(os.path.dirname(found.origin), "version.py")).get("cuda")
    return version


def _refuse_busy(nvml: Any, name: str, handle: Any) -> None:
    try:
        others = nvml.nvmlDeviceGetComputeRunningProcesses(handle)
    except nvml.NVMLError:  # not told in this container: nothing is known against it
        return
    if others:
        first = others[0]
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise UserError(
            f"GPU {name} is in use by process {first.pid} ({_name(nvml, first.pid)}){more}: what is measured beside "
            "somebody else compares nothing; wait for it, choose another GPU with CUDA_VISIBLE_DEVICES, or leave the "
            "measuring out with --set measure.enabled=false"
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
