"""Safetensors headers: agreement with the format's own reader, and hostile input refused in one line."""

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save_file

from harness.bases.weights import read_header, read_tensors, sha256_of
from harness.errors import UserError
from tests.harness.bases.folders import save_shards, tensors


def write(file: Path, header: object, data: bytes = b"", length: int | None = None) -> Path:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(raw) if length is None else length) + raw + data)
    return file


def entry(dtype="F32", shape=(2,), offsets=(0, 8)) -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_header_agrees_with_the_formats_own_reader(model_folder):
    file = model_folder() / "model.safetensors"
    with safe_open(file, framework="np") as theirs:
        expected = {name: tuple(theirs.get_slice(name).get_shape()) for name in theirs.keys()}  # noqa: SIM118
    assert {tensor.name: tensor.shape for tensor in read_header(file)} == expected


def test_hash_is_that_of_each_tensors_own_bytes(model_folder):
    folder = model_folder()
    found = read_tensors(folder)
    expected = [hashlib.sha256(tensors()[tensor.name].tobytes()).hexdigest() for tensor in found]
    assert sha256_of(found) == expected


def test_an_empty_tensor_and_a_scalar_are_read(tmp_path):
    save_file({"empty": np.zeros((0, 4), np.float32), "one": np.float32([7]).reshape(())}, tmp_path / "x.safetensors")
    found = {tensor.name: tensor.elements for tensor in read_header(tmp_path / "x.safetensors")}
    assert found == {"empty": 0, "one": 1}


HOSTILE = {
    "too short for a length": (b"", b"", None),
    "a length past the file's end": ({}, b"", 10**6),
    "the largest length": ({}, b"", 2**64 - 1),
    "no JSON": (b"{oops", b"", None),
    "no UTF-8": (b"\xff\xfe{}", b"", None),
    "nested too deep": (b"[" * 200_000, b"", None),
    "no object": ([1], b"", None),
    "an entry that is no object": ({"a": 3}, b"", None),
    "an entry without offsets": ({"a": {"dtype": "F32", "shape": [1]}}, b"0000", None),
    "an unknown data type": ({"a": entry("Q7")}, b"0" * 8, None),
    "a data type that is a list": ({"a": entry(["F32"])}, b"0" * 8, None),
    "a negative offset": ({"a": entry(offsets=(-8, 0))}, b"0" * 8, None),
    "a shape with a negative": ({"a": entry(shape=(-2,))}, b"0" * 8, None),
    "a shape with true": ({"a": entry(shape=(True,), offsets=(0, 4))}, b"0" * 4, None),
    "a shape with a fraction": ({"a": entry(shape=(2.0,))}, b"0" * 8, None),
    "a shape of text": ({"a": entry(shape="22")}, b"0" * 8, None),
    "three offsets": ({"a": entry(offsets=(0, 8, 8))}, b"0" * 8, None),
    "bytes that are not its shape": ({"a": entry(shape=(3,))}, b"0" * 8, None),
    "a tensor past the end": ({"a": entry(shape=(4,), offsets=(0, 16))}, b"0" * 8, None),
    "bytes that are nobody's": ({"a": entry()}, b"0" * 12, None),
    "a gap": ({"a": entry(), "b": entry(offsets=(12, 20))}, b"0" * 20, None),
    "two tensors on one place": ({"a": entry(), "b": entry()}, b"0" * 8, None),
    "a number too long to parse": (b'{"a":' + b"9" * 5000 + b"}", b"", None),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_header_is_refused_in_one_line(tmp_path, case):
    header, data, length = HOSTILE[case]
    file = write(tmp_path / "x.safetensors", header, data, length)
    if case == "too short for a length":
        file.write_bytes(b"\x01\x02")
    with pytest.raises(UserError, match="not a sound safetensors file") as refusal:
        read_header(file)
    assert len(str(refusal.value).splitlines()) == 1


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_of_any_bytes_tensors_inside_the_file_are_read_or_one_line_is_said(tmp_path, content):
    file = tmp_path / "x.safetensors"
    file.write_bytes(content)
    try:
        assert all(0 <= tensor.start <= tensor.end <= len(content) for tensor in read_header(file))
    except UserError as refusal:
        assert len(refusal.lines) == 1


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 400), value=st.integers(0, 255))
def test_a_damaged_header_is_refused_wherever_the_formats_reader_refuses_it(tmp_path, position, value):
    file = tmp_path / "x.safetensors"
    save_file(tensors(), file)
    content = bytearray(file.read_bytes())
    content[position] = value
    file.write_bytes(content)
    try:
        with safe_open(file, framework="np"):
            pass
    except Exception:
        with pytest.raises(UserError):
            read_header(file)


def test_shards_are_read_as_one_model(model_folder):
    folder = model_folder()
    single = {tensor.name: tensor.shape for tensor in read_tensors(folder)}
    save_shards(folder, tensors())
    assert {tensor.name: tensor.shape for tensor in read_tensors(folder)} == single


def test_missing_shard_is_named(model_folder):
    folder = model_folder()
    save_shards(folder, tensors())
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(UserError, match=r"names model-00002-of-00002\.safetensors, which is missing"):
        read_tensors(folder)


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "expected a JSON object"),
        ("{}", "no 'weight_map'"),
        ('{"weight_map": {"a": 3}}', "no 'weight_map'"),
        ('{"weight_map": {"a": "../secret.safetensors"}}', "is not the name of a safetensors file"),
        ('{"weight_map": {"a": "/etc/passwd"}}', "is not the name of a safetensors file"),
        ('{"weight_map": {"a": "model.bin"}}', "is not the name of a safetensors file"),
        ('{"weight_map": {"a": "model-00001-of-00002.safetensors"}}', "its tensors are not those of the shards"),
    ],
)
def test_bad_index_is_refused(model_folder, index, reason):
    folder = model_folder()
    save_shards(folder, tensors())
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(UserError, match=reason):
        read_tensors(folder)
