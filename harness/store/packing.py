"""Per-item outcomes as small blobs: one row for a task, not one for an item."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNKNOWN = 2  # the code of an outcome that is neither right nor wrong


def pack_bits(flags: Sequence[bool | None]) -> bytes:
    """Right or wrong for each item, unknown being a state of its own; compressed bytes."""
    codes = np.array([UNKNOWN if flag is None else int(flag) for flag in flags], dtype=np.uint8)
    return zlib.compress(codes.tobytes())


def unpack_bits(blob: bytes) -> list[bool | None]:
    """What ``pack_bits`` packed."""
    return [None if code == UNKNOWN else bool(code) for code in _codes(blob)]


def unpack_outcomes(blob: bytes) -> NDArray[np.float64]:
    """What ``pack_bits`` packed, as (items,) floats: right 1, wrong 0, unknown NaN."""
    codes = _codes(blob)
    outcomes = codes.astype(np.float64)
    outcomes[codes == UNKNOWN] = np.nan
    return outcomes


def _codes(blob: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(zlib.decompress(blob), dtype=np.uint8)


def pack_floats(rows: Sequence[Sequence[float]]) -> bytes:
    """Float lists of any lengths, one for each item (log-likelihoods of its choices), compressed float32."""
    lengths = np.array([len(row) for row in rows], dtype=np.uint32)
    flat = np.array([value for row in rows for value in row], dtype=np.float32)
    return zlib.compress(np.uint32(len(lengths)).tobytes() + lengths.tobytes() + flat.tobytes())


@dataclass(frozen=True)
class FloatLists(Sequence[list[float]]):
    """What ``pack_floats`` packed, rounded to float32; unpacked when it is asked for: few readers need all of them."""

    blob: bytes

    @cached_property
    def _parts(self) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        raw = zlib.decompress(self.blob)
        count = int(np.frombuffer(raw, dtype=np.uint32, count=1)[0])
        lengths = np.frombuffer(raw, dtype=np.uint32, count=count, offset=4)
        return lengths, np.frombuffer(raw, dtype=np.float32, offset=4 + 4 * count)

    def singles(self) -> NDArray[np.float64] | None:
        """(items,) floats where every list holds exactly one; else None."""
        lengths, flat = self._parts
        return flat.astype(np.float64) if len(lengths) and (lengths == 1).all() else None

    def __len__(self) -> int:
        return len(self._parts[0])

    def __getitem__(self, index: Any) -> Any:
        return self._lists[index]

    @cached_property
    def _lists(self) -> list[list[float]]:
        lengths, flat = self._parts
        ends = np.cumsum(lengths, dtype=np.int64)
        return [flat[end - length : end].tolist() for end, length in zip(ends, lengths, strict=True)]


def unpack_floats(blob: bytes) -> list[list[float]]:
    """What ``pack_floats`` packed, rounded to float32."""
    return list(FloatLists(blob))


def pack_texts(texts: Sequence[str]) -> bytes:
    """Generated answers, one for each item, compressed JSON."""
    return zlib.compress(json.dumps(list(texts), ensure_ascii=False).encode())


def unpack_texts(blob: bytes) -> list[str]:
    """What ``pack_texts`` packed."""
    texts: list[str] = json.loads(zlib.decompress(blob))
    return texts
