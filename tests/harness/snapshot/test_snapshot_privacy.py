"""No path of the machine and no answer leaves it by way of a snapshot."""

import pytest

from harness.snapshot.privacy import hashed_answers, hashed_blob, json_without_paths, without_paths
from harness.store.packing import pack_texts, unpack_texts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("No such file: '/home/ann smith/x y.safetensors'", "No such file: 'x y.safetensors'"),
        ("in /home/ann/cell.py, line 3", "in cell.py, line 3"),
        ("error:/home/ann/model", "error:model"),
        ("file:///home/ann/model", "model"),
        ("~/secret/model/", "model"),
        (r"C:\Users\Ann\model.bin", "model.bin"),
    ],
)
def test_a_path_is_cut_down_to_its_last_part(text, shown):
    assert without_paths(text) == shown


@pytest.mark.parametrize("text", ["https://host/org/name", "12 tokens/s and/or", "data/train.jsonl", "../a", "/"])
def test_what_is_no_absolute_path_stays(text):
    assert without_paths(text) == text


def test_keys_and_values_of_json_are_cut_alike():
    text = '{"data": {"/home/ann/a.jsonl": null}, "base": ["/home/ann/llama"]}'
    assert json_without_paths(text) == '{"base": ["llama"], "data": {"a.jsonl": null}}'


def test_equal_answers_have_equal_hashes_and_others_others():
    one, two, other = hashed_answers(["yes .", "yes .", "no ."])
    assert one == two != other
    assert "yes" not in one


def test_a_hash_is_not_hashed_again():
    blob = hashed_blob(pack_texts(["yes .", "no ."]))
    assert unpack_texts(hashed_blob(blob)) == unpack_texts(blob)
