"""A folder's safetensors weights: which files count, what their headers say, and the hash of every tensor.

The header is read by hand because the libraries give no byte ranges, and hashing must not copy gigabytes into
arrays. The format: https://github.com/huggingface/safetensors#format. A file is input from a stranger:
nothing that a header claims is used before it is checked against the file's size.
"""

import hashlib
import json
import math
import mmap
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness.bases.config import read_json_object
from harness.errors import UserError

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
_PICKLED_SUFFIXES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")

_MAX_HEADER_BYTES = 100_000_000  # the limit of the format's own reader
_LENGTH_BYTES = 8
_DTYPE_BITS = {
    **{"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "BOOL": 8, "U8": 8, "I8": 8},
    **{"F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8},
    **{"I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32},
    **{"I64": 64, "U64": 64, "F64": 64, "C64": 64},
}


@dataclass(frozen=True)
class Tensor:
    """One stored tensor: ``dtype`` as the format writes it (``BF16``), its bytes at ``file[start:end]``."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    start: int
    end: int

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


def read_tensors(folder: Path) -> list[Tensor]:
    """Every tensor that transformers would load from ``folder``, by name; reads headers only.

    Raises UserError for missing, pickled-only or corrupt weights, and for shards that do not fit their index.
    """
    if (folder / SINGLE).is_file():
        return _by_name(read_header(folder / SINGLE))
    if (folder / INDEX).is_file():
        return _read_shards(folder)
    raise no_weights(str(folder), (entry.name for entry in folder.iterdir()))


def no_weights(where: str, names: Iterable[str]) -> UserError:
    """The refusal for a folder or repository ``where`` that holds ``names`` but no weights to load."""
    listed = sorted(names, key=lambda name: ("model" not in name, name))  # name the weights, not training_args.bin
    pickled = [name for name in listed if name.endswith(_PICKLED_SUFFIXES)]
    others = [name for name in listed if name.endswith((".safetensors", ".gguf"))]
    if "adapter_config.json" in listed:
        return UserError(f"{where}: holds an adapter, not a model: merge it into its base and use the result")
    if others:
        return UserError(f"{where}: found {others[0]}, but the weights must be {SINGLE} or shards with {INDEX}")
    if pickled:
        return UserError(
            f"{where}: only pickled weights ({pickled[0]}), which can run code when read: safetensors "
            "only; convert with model.save_pretrained(DIR) in a place you trust"
        )
    return UserError(f"{where}: no weights: expected {SINGLE} or shards with {INDEX}")


def read_header(file: Path) -> list[Tensor]:
    """The tensors that one safetensors file holds; raises UserError when its header is not sound."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
        if size < _LENGTH_BYTES or length > min(_MAX_HEADER_BYTES, size - _LENGTH_BYTES):
            raise _corrupt(file, f"its header claims {length} bytes, the file has {size}")
        raw = stream.read(length)
    try:
        header = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _corrupt(file, "its header is not JSON") from None
    if not isinstance(header, dict):
        raise _corrupt(file, "its header is not a JSON object")
    origin = _LENGTH_BYTES + length
    tensors = [_tensor(file, name, entry, origin) for name, entry in header.items() if name != "__metadata__"]
    _check_cover(file, tensors, origin, size)
    return tensors


def sha256_of(tensors: Sequence[Tensor]) -> list[str]:
    """SHA-256 of each tensor's bytes as stored, in the given order; about a second a gigabyte and core."""
    maps = {file: _map(file) for file in {tensor.file for tensor in tensors}}

    def digest(tensor: Tensor) -> str:
        with memoryview(maps[tensor.file]) as view, view[tensor.start : tensor.end] as part:
            return hashlib.sha256(part).hexdigest()

    try:
        # hashlib lets go of the interpreter lock, so threads do help here.
        with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
            return list(pool.map(digest, tensors))
    finally:
        for mapped in maps.values():
            mapped.close()


def _map(file: Path) -> mmap.mmap:
    with file.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


def _read_shards(folder: Path) -> list[Tensor]:
    index = folder / INDEX
    shard_of = read_json_object(index).get("weight_map")
    if not isinstance(shard_of, dict) or not shard_of or not all(isinstance(v, str) for v in shard_of.values()):
        raise UserError(f"{index}: no 'weight_map' of tensor names to files")
    tensors: list[Tensor] = []
    for shard in sorted(set(shard_of.values())):
        if Path(shard).name != shard or not shard.endswith(".safetensors"):
            raise UserError(f"{index}: {shard!r} is not the name of a safetensors file in the same folder")
        if not (folder / shard).is_file():
            raise UserError(f"{index}: names {shard}, which is missing: fetch the model again")
        tensors += read_header(folder / shard)
    if sorted(shard_of.items()) != sorted((tensor.name, tensor.file.name) for tensor in tensors):
        raise UserError(f"{index}: its tensors are not those of the shards it names: fetch the model again")
    return _by_name(tensors)


def _by_name(tensors: Iterable[Tensor]) -> list[Tensor]:
    return sorted(tensors, key=lambda tensor: tensor.name)


def _tensor(file: Path, name: str, entry: Any, origin: int) -> Tensor:
    """One header entry as a Tensor; its offsets are shifted from the data section to the file."""
    try:
        dtype, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        bits = _DTYPE_BITS[dtype]
        numbers = [*shape, start, end]
    except (KeyError, TypeError, ValueError):
        raise _corrupt(file, f"its entry for {name!r} is not sound") from None
    # type() and not isinstance(): JSON's true is an int to Python.
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise _corrupt(file, f"its entry for {name!r} has a size that is no whole number")
    if math.prod(shape) * bits != (end - start) * 8:
        raise _corrupt(file, f"{name!r} has {end - start} bytes, which is not {dtype} of shape {shape}")
    return Tensor(name, dtype, tuple(shape), file, origin + start, origin + end)


def _check_cover(file: Path, tensors: list[Tensor], origin: int, size: int) -> None:
    """Refuse gaps, overlaps and missing bytes: the tensors must tile the data section exactly."""
    ranges = sorted((tensor.start, tensor.end) for tensor in tensors)
    edges = [(origin, origin), *ranges, (size, size)]
    if any(left[1] != right[0] for left, right in pairwise(edges)):
        raise _corrupt(file, "its tensors do not fill the file exactly")


def _corrupt(file: Path, why: str) -> UserError:
    return UserError(f"{file}: not a sound safetensors file: {why}: fetch the model again")
