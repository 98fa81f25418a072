"""Records are read alike from every kind of file; a file that can't be read is told in one line."""

import gzip
import json
from pathlib import Path

import pytest

from harness.data.records import read_records
from harness.errors import UserError

ROWS = [{"prompt": "a", "completion": "é\u2028x"}, {"prompt": "b,\n", "completion": "2"}]


def write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def lines(rows: list) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def test_json_holds_a_list(tmp_path):
    assert read_records(write(tmp_path / "a.json", json.dumps(ROWS))) == ROWS


def test_json_lines_hold_one_record_a_line_and_blank_lines_are_nothing(tmp_path):
    assert read_records(write(tmp_path / "a.jsonl", "\n" + lines(ROWS) + "\n")) == ROWS


def test_json_lines_under_the_name_of_json_are_read(tmp_path):
    assert read_records(write(tmp_path / "a.json", lines(ROWS))) == ROWS


def test_a_byte_order_mark_is_no_content(tmp_path):
    assert read_records(write(tmp_path / "a.jsonl", "\ufeff" + lines(ROWS))) == ROWS


def test_gzipped_json_lines(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines(ROWS).encode()))
    assert read_records(path) == ROWS


def test_csv_takes_its_fields_from_the_header(tmp_path):
    path = write(tmp_path / "a.csv", 'prompt,completion\na,"é\u2028x"\n"b,\n",2\n')
    assert read_records(path) == ROWS


def test_csv_takes_long_values(tmp_path):
    path = write(tmp_path / "a.csv", f"prompt,completion\na,{'x' * 200_000}\n")
    assert len(read_records(path)[0]["completion"]) == 200_000


def test_parquet_keeps_nested_columns(tmp_path):
    import pyarrow
    import pyarrow.parquet

    rows = [{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}]
    folder = tmp_path / "split=train"
    folder.mkdir()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "a.parquet")
    assert read_records(folder / "a.parquet") == rows


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.json", "", "holds no records"),
        ("a.json", "[]", "holds no records"),
        ("a.jsonl", "\n", "holds no records"),
        ("a.csv", "prompt,completion\n", "holds no records"),
        ("a.json", '{"a": 1}', "must hold a list of objects"),
        ("a.json", "[1]", "record 1: is not an object with fields, but a number"),
        ("a.json", "[{]", "line 1: is not JSON"),
        ("a.jsonl", '{"a": 1}\n{"a":\n', "line 2: is not JSON"),
        ("a.jsonl", '{"a": 1}\n["a"]\n', "line 2: is not an object with fields, but a list"),
        ("a.jsonl.gz", "plain", "can't be read"),
        ("a.parquet", "plain", "is not Parquet"),
        ("a.csv", "prompt,completion\na,b,c\n", "record 1: has more values than the header"),
        ("a.csv", 'prompt,completion\na,"b\n', "is not CSV"),
        ("a.txt", "a", "unknown kind of data file"),
    ],
)
def test_a_file_that_gives_no_records_is_told_in_one_line_with_its_path(tmp_path, name, content, told):
    path = write(tmp_path / name, content)
    with pytest.raises(UserError) as error:
        read_records(path)
    assert told in str(error.value)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(UserError, match="no such data file"):
        read_records(tmp_path / "a.json")


def test_a_cut_off_gzip_file_is_told(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines(ROWS * 50).encode())[:40])
    with pytest.raises(UserError, match="can't be read"):
        read_records(path)


def test_text_that_is_not_utf8_is_told(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": "\xe9"}')
    with pytest.raises(UserError, match=r"is not UTF-8 text \(byte 7\)"):
        read_records(path)
