"""The GPU that this process uses, as NVIDIA's management library (NVML) knows it."""

from typing import Any


def device_handle() -> Any:
    """NVML's handle of PyTorch's current device; None without a driver, or in a container that has no NVML.

    Found by its uuid: NVML counts every GPU of the machine, PyTorch those in CUDA_VISIBLE_DEVICES alone.
    """
    try:
        import pynvml
        import torch

        pynvml.nvmlInit()
        uuid = torch.cuda.get_device_properties(torch.cuda.current_device()).uuid
        return pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
    except Exception:
        return None
