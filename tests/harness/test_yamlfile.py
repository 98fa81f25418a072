"""YAML with the line of every key, and scalars as people expect them."""

import pytest

from harness.errors import UserError
from harness.yamlfile import parse_value, parse_yaml, read_yaml


def test_scientific_notation_without_a_point_is_a_number():
    assert parse_value("1e-4") == 1e-4
    assert parse_value("[8, 64]") == [8, 64]


def test_on_and_no_are_words_and_true_is_true():
    assert parse_yaml("on: no\nflag: true\n", "m").value == {"on": "no", "flag": True}


def test_every_key_and_item_has_its_line():
    document = parse_yaml("a: 1\nb:\n  - 2\n  - c: 3\n", "m.yaml")
    assert document.where(("b", 1, "c")) == "m.yaml:4"
    assert document.where(("b", 1, "missing")) == "m.yaml:4"
    assert document.where(("nowhere",)) == "m.yaml"


def test_a_key_that_stands_twice_is_refused_with_both_lines():
    with pytest.raises(UserError, match=r"m:2: key 'a' stands twice \(first on line 1\)"):
        parse_yaml("a: 1\na: 2\n", "m")


def test_text_that_is_not_yaml_is_one_line_with_its_place():
    with pytest.raises(UserError, match=r"^m:2: not YAML") as caught:
        parse_yaml("a: [1,\nb: }", "m")
    assert len(caught.value.lines) == 1


def test_a_missing_or_binary_file_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_yaml(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot be read as text"):
        read_yaml(tmp_path / "binary.yaml")
