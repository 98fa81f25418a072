"""Per-item outcomes as small blobs: one row for a task, not one for an item."""

import json
import zlib
from collections.abc import Sequence

import numpy as np


def pack_bits(flags: Sequence[bool | None]) -> bytes:
    """Right or wrong for each item, unknown being a state of its own; compressed bytes."""
    codes = np.array([2 if flag is None else int(flag) for flag in flags], dtype=np.uint8)
    return zlib.compress(codes.tobytes())


def unpack_bits(blob: bytes) -> list[bool | None]:
    """What ``pack_bits`` packed."""
    return [None if code == 2 else bool(code) for code in np.frombuffer(zlib.decompress(blob), dtype=np.uint8)]


def pack_floats(rows: Sequence[Sequence[float]]) -> bytes:
    """Float lists of any lengths, one for each item (log-likelihoods of its choices), compressed float32."""
    lengths = np.array([len(row) for row in rows], dtype=np.uint32)
    flat = np.array([value for row in rows for value in row], dtype=np.float32)
    return zlib.compress(np.uint32(len(lengths)).tobytes() + lengths.tobytes() + flat.tobytes())


def unpack_floats(blob: bytes) -> list[list[float]]:
    """What ``pack_floats`` packed, rounded to float32."""
    raw = zlib.decompress(blob)
    count = int(np.frombuffer(raw, dtype=np.uint32, count=1)[0])
    lengths = np.frombuffer(raw, dtype=np.uint32, count=count, offset=4)
    flat = np.frombuffer(raw, dtype=np.float32, offset=4 + 4 * count)
    ends = np.cumsum(lengths, dtype=np.int64)
    return [flat[end - length : end].tolist() for end, length in zip(ends, lengths, strict=True)]


def pack_texts(texts: Sequence[str]) -> bytes:
    """Generated answers, one for each item, compressed JSON."""
    return zlib.compress(json.dumps(list(texts), ensure_ascii=False).encode())


def unpack_texts(blob: bytes) -> list[str]:
    """What ``pack_texts`` packed."""
    texts: list[str] = json.loads(zlib.decompress(blob))
    return texts
