"""A snapshot is read like a results file, once its hashes and rows are found sound."""

from pathlib import Path

import numpy as np
import pytest

from harness.errors import UserError
from harness.report import build_report
from harness.snapshot import load_snapshot, packed
from harness.snapshot import tables as tables_module
from harness.snapshot.manifest import read_manifest
from harness.snapshot.rows import TABLES
from harness.sources import open_source
from harness.store.database import open_for_reading, open_in_memory
from harness.store.packing import pack_bits
from tests.harness.snapshot.published import copied, edit_manifest, edit_rows, publish


@pytest.fixture
def copy(snapshot, tmp_path) -> Path:
    return copied(snapshot, tmp_path / "copy")


def refused(folder: Path) -> str:
    with pytest.raises(UserError) as error:
        load_snapshot(folder)
    assert len(error.value.lines) == 1
    return error.value.lines[0]


def rows(report) -> list:
    return [(table.name, table.rows()) for section in report.sections for table in section.tables]


def test_it_gives_the_same_report_as_the_results_file(snapshot, db_path):
    assert rows(build_report(load_snapshot(snapshot))) == rows(build_report(open_for_reading(db_path)))


def test_its_name_and_its_notes_are_the_sources(db_path, tmp_path):
    options = {"changed_files": ("a.py",), "allow": frozenset({"dirty"})}
    source = open_source(publish(db_path, tmp_path / "results", "mine", **options))
    assert source.name == "mine"
    assert source.notes == ("UNCOMMITTED CHANGES: changed when it was published: a.py.",)


def test_what_does_not_verify_is_named(copy):
    (copy / "README.md").write_text("")
    assert "does not verify: README.md: changed: 0 bytes" in refused(copy)


def test_of_several_faults_the_first_is_named_and_the_others_counted(copy):
    for name in ("README.md", "stacks.json", "recipes.json"):
        (copy / name).write_text("")
    assert refused(copy).endswith("(and 2 more; `tunematrix verify` names them)")


def test_a_name_of_a_file_is_shown_on_one_line_and_obeyed_nowhere(copy):
    (copy / "a\nb\x1b[31m").write_text("")
    assert "does not verify: a b [31m: not in the manifest" in refused(copy)


def test_rows_that_break_the_schema_are_named(copy):
    edit_rows(copy, "scores", lambda rows: [{**rows[0], "run_id": "absent"}, *rows[1:]])
    assert "tables/scores.parquet: 1 rows refer to runs that are not there" in refused(copy)


def test_items_that_are_not_those_of_their_eval_are_refused(copy):
    edit_rows(copy, "items", lambda rows: [{**rows[0], "correct": pack_bits([True])}, *rows[1:]])
    assert "tables/items.parquet: correct of run run-" in (line := refused(copy))
    assert line.endswith("is of 1 items, its eval has 120")


def test_items_that_unpack_without_end_are_refused(copy, monkeypatch):
    monkeypatch.setattr(packed, "MAX_UNPACKED_BYTES", 2**14)
    assert "unpacks to more than the limits" in refused(copy)


def test_tables_that_unpack_without_end_are_refused(copy, monkeypatch):
    monkeypatch.setattr(tables_module, "MAX_BYTES", 100)
    assert "unpacks, with the tables before it, to more than" in refused(copy)


def test_rows_count_as_objects_however_small_their_file_is(copy, monkeypatch):
    monkeypatch.setattr(tables_module, "MAX_BYTES", 2**22)
    edit_rows(copy, "steps", lambda rows: [{**rows[0], "step": n} for n in range(20_000)])
    assert (copy / "tables" / "steps.parquet").stat().st_size < 2**20
    assert "tables/steps.parquet: unpacks, with the tables before it, to more than" in refused(copy)


def test_a_text_that_is_meant_in_every_row_counts_in_every_row(copy, monkeypatch):
    monkeypatch.setattr(tables_module, "MAX_BYTES", 2**22)
    edit_rows(copy, "steps", lambda rows: [{**row, "stage_id": "x" * 2**20} for row in rows])
    assert (copy / "tables" / "steps.parquet").stat().st_size < 2**20
    assert "tables/steps.parquet: unpacks, with the tables before it, to more than" in refused(copy)


def test_ids_that_are_not_those_of_what_they_name_are_refused(copy):
    edit_rows(copy, "cells", lambda rows: [{**rows[0], "recipe": '{"stages": []}'}, *rows[1:]])
    assert "holds something that cannot be read" in refused(copy)


def test_a_table_of_too_many_rows_is_refused(copy, monkeypatch):
    monkeypatch.setattr(tables_module, "MAX_ROWS", 2)
    assert "rows, more than 2" in refused(copy)


def test_one_of_an_earlier_schema_is_migrated(snapshot, db_path, tmp_path):
    folder = copied(snapshot, tmp_path / "older")
    schema = read_manifest(folder).schema_applied[:2]
    for suffix in ("parquet", "csv"):  # a table of the third migration
        (folder / "tables" / f"logits.{suffix}").unlink()
    manifest = read_manifest(folder)
    files = {name: fact.model_dump() for name, fact in manifest.files.items() if "logits" not in name}
    edit_manifest(folder, schema_applied=schema, files=files)
    loaded = load_snapshot(folder)
    assert loaded.table_names() == open_in_memory().table_names()
    assert rows(build_report(loaded)) == rows(build_report(open_for_reading(db_path)))


def test_every_table_of_the_store_is_published_but_the_artifacts():
    tables = {name for name in open_in_memory().table_names() if not name.startswith(("_", "sqlite_"))}
    assert tables == {*TABLES, "artifacts"}


def test_what_was_not_measured_is_none(snapshot):
    values = [row["energy_joules"] for row in load_snapshot(snapshot)["phases"].rows]
    assert values
    assert all(value is None for value in values)
    assert not any(isinstance(value, float) and np.isnan(value) for value in values)
