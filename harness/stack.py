"""The software and hardware that runs run on, and the digest of the code that trains and scores."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from harness import identity
from harness.errors import UserError
from harness.gpu import shown_gpus
from harness.units import plain_size

LIBRARIES = ("torch", "transformers", "peft", "trl", "accelerate", "bitsandbytes", "lm-eval", "datasets", "tokenizers")
LIMIT = "memory_limit_bytes"  # the fact that there is where memory was limited
LIMIT_FACTS = (LIMIT, "memory_limit_overhead_bytes")
KERNELS = ("flash-attn", "liger-kernel")  # named where they are installed

# What changes a run's result when it changes. The board, the report and the store are not among it.
_TRAINING_CODE = (
    "harness/cell.py",
    "harness/build.py",
    "harness/training.py",
    "harness/limits.py",
    "harness/loading.py",
    "harness/recorder.py",
    "harness/effective.py",
    "harness/scoring.py",
    "harness/data/normal.py",
    "harness/data/order.py",
    "harness/data/render.py",
    "harness/data/tokenise.py",
    "harness/meters",
    "methods",
)


def stack_facts(device: str) -> dict[str, Any]:
    """Versions, processor or GPU, driver. Nothing that names the machine's owner."""
    facts: dict[str, Any] = {name: _version(name) for name in LIBRARIES}
    facts |= {name: found for name in KERNELS if (found := _version(name))}
    facts |= {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "device": device.partition(":")[0],
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    }
    # Beside a GPU the host's memory decides nothing, and of a rented machine it changes from one visit to the next.
    return facts | (_gpu() if facts["device"] == "cuda" else {"memory_gib": round(_host_bytes() / 2**30)})


def code_digest() -> str:
    """SHA-256 over the sources that train and score; a third party's method is in its own stages' ids instead."""
    root = Path(__file__).resolve().parent.parent
    files = [f for part in _TRAINING_CODE for f in _python_files(root / part)]
    named = {str(path.relative_to(root)): path for path in files}
    return identity.digest("code", {n: hashlib.sha256(p.read_bytes()).hexdigest() for n, p in named.items()})


def pick_device(wanted: str) -> str:
    """``auto`` is a GPU where there is one; raises UserError for a GPU asked for where there is none, and for any other
    device."""
    if wanted not in ("cpu", "cuda", "auto"):
        hint = f" (one GPU of several: CUDA_VISIBLE_DEVICES={wanted[5:]})" if wanted.startswith("cuda:") else ""
        raise UserError(f"--device {wanted}: expected cpu, cuda or auto{hint}")
    if wanted == "cpu":
        return "cpu"
    found = gpu_count()
    if wanted == "auto":
        return "cuda" if found else "cpu"
    if not found:
        raise UserError(f"--device {wanted}: this machine has no CUDA device that torch could use; use --device cpu")
    return "cuda"


@cache
def gpu_count() -> int:
    """How many CUDA devices torch could use, asked of NVML so that this process never opens one."""
    if (_version("torch") or "").endswith("+cpu"):
        return 0
    try:
        import pynvml

        pynvml.nvmlInit()
        found = int(pynvml.nvmlDeviceGetCount())
    except Exception:  # no driver here
        return 0
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    return found if shown is None else min(found, sum(part.strip() not in ("", "-1") for part in shown.split(",")))


def device_memory_bytes(device: str) -> int:
    """All memory of the machine, or of its first GPU as the driver tells it: no GPU is opened for it."""
    return _host_bytes() if device == "cpu" else int(_gpu_memory().total)


def hardware(facts: Mapping[str, Any]) -> str:
    """What a stack ran on, in words: ``NVIDIA H200 141 GiB``, ``2 cores of AMD EPYC``, and what it was limited to."""
    limited = limited_to(facts)
    return f"{_machine(facts)}, {limited}" if limited else _machine(facts)


def unlimited(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a stack but those of its memory limit: what its software and machine are."""
    return {name: value for name, value in facts.items() if name not in LIMIT_FACTS}


def limited_to(facts: Mapping[str, Any]) -> str | None:
    """``limited to 24 GB``, where a stack's runs were held to less memory than its device has."""
    limit = facts.get(LIMIT)
    return f"limited to {plain_size(limit)}" if isinstance(limit, int) else None


def _machine(facts: Mapping[str, Any]) -> str:
    if gpu := facts.get("gpu"):
        memory = facts.get("gpu_memory_gib")
        return f"{gpu} {memory:g} GiB" if isinstance(memory, int | float) else str(gpu)
    processor = facts.get("processor") or facts.get("device") or "unknown machine"
    cores = facts.get("cores")
    return f"{cores} cores of {processor}" if cores else str(processor)


def git_changes(folder: Path) -> list[str]:
    """The tracked files of the checkout at ``folder`` that have uncommitted changes; none where it is no checkout."""
    if git_state(folder)[0] is None:
        return []
    command = ["git", "-C", str(folder), "status", "--porcelain", "-z", "--untracked-files=no", "--no-renames"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return sorted(entry[3:] for entry in listed.split("\0") if entry)


@cache
def git_state(folder: Path) -> tuple[str | None, bool | None]:
    """The commit of the checkout that this code is in, and whether it has uncommitted changes."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(folder), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != folder.resolve():
            return None, None
        return git("rev-parse", "HEAD"), bool(git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return None, None


def _host_bytes() -> int:
    return int(psutil.virtual_memory().total)


def _gpu() -> dict[str, Any]:
    import pynvml

    pynvml.nvmlInit()
    handle = _first_gpu()
    name, driver = pynvml.nvmlDeviceGetName(handle), pynvml.nvmlSystemGetDriverVersion()
    memory = _gpu_memory().total
    return {
        "gpu": name.decode() if isinstance(name, bytes) else name,
        "driver": driver.decode() if isinstance(driver, bytes) else driver,
        "gpu_memory_gib": round(memory / 2**30),
        "gpus": gpu_count(),
    }


def _gpu_memory() -> Any:
    import pynvml

    pynvml.nvmlInit()
    return pynvml.nvmlDeviceGetMemoryInfo(_first_gpu())


def _first_gpu() -> Any:
    """NVML's handle of the first GPU that torch would use."""
    import pynvml

    shown = next(shown_gpus(pynvml, os.environ.get("CUDA_VISIBLE_DEVICES")), None)
    return shown[1] if shown else pynvml.nvmlDeviceGetHandleByIndex(0)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    flags = next((line for line in lines if line.startswith("flags")), "")
    return f"{model}{' (AVX-512 bf16)' if 'avx512_bf16' in flags else ''}"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _python_files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path] if path.is_file() else []
