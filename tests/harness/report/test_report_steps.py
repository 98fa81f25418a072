"""The tables of a step's parts, from rows as a runner writes them."""

from pathlib import Path

import pytest

from harness.report.build import build_report
from harness.store.database import open_for_reading, open_for_writing
from tests.factory import make_database

SECONDS = {"data": 0.1, "forward": 0.3, "backward": 0.5, "optimizer": 0.1, "step": 1.0}
PEAKS = {"data": 10, "forward": 20 * 2**20, "backward": 30 * 2**20, "optimizer": 10}
CEILINGS = {"bfloat16_flops": 4e12, "float32_flops": 4e12, "bytes_per_second": 4e9, "launch_seconds": 1e-6}
SPENT = {"arithmetic": 0.6, "memory traffic": 0.1, "optimizer": 0.1, "launches": 0.0}


def with_steps(path: Path, **whole: float) -> Path:
    """A results file in which every measure run has the parts of its steps, and ``whole`` of all that were timed."""
    make_database(path, bases=("pocket-1m",), seeds=(1,))
    db = open_for_writing(path)
    rows = db.query("SELECT run_id, recipe_id FROM runs JOIN cells USING (cell_id) WHERE purpose = 'measure'")
    for row in list(rows):
        run = {"run_id": row["run_id"]}
        db["step_parts"].insert_all(
            {**run, "stage_id": row["recipe_id"], "part": part, "seconds_median": value, "seconds_p25": value,
             "seconds_p75": 2 * value, "peak_ledger_bytes": PEAKS.get(part), **(whole if part == "step" else {})}
            for part, value in SECONDS.items()
        )  # fmt: skip
        db["ceilings"].insert({**run, **CEILINGS})
        work = {"model_flops": 2e12, "hardware_flops": 3e12, "moved_bytes": 1e9, "kernels": 10.0}
        db["step_work"].insert({**run, **work, "model_version": "v"})
        db["predictions"].insert_all(
            {**run, "phase": "step", "component": name, "predicted_seconds": value, "model_version": "v"}
            for name, value in SPENT.items()
        )
    db.close()
    return path


def tables_of(path: Path):
    """The tables' cells as people read them, by table and header, of the first row."""
    [section] = build_report(open_for_reading(path)).sections
    found = {table.name: table for table in section.tables}
    return lambda name: {c.header: c.show(found[name].rows(1)[0]) for c in found[name].columns}


@pytest.fixture
def shown(tmp_path: Path):
    return tables_of(with_steps(tmp_path / "r.db"))


def test_a_steps_time_its_utilisation_and_what_it_mostly_does(shown):
    row = shown("steps")

    assert row["step [quartiles]"] == "1000 ms [1000, 2000]"
    assert (row["MFU"], row["bandwidth"]) == ("50 %", "25 %")
    assert (row["data"], row["forward"], row["backward"], row["optimizer"]) == ("10 %", "30 %", "50 %", "10 %")
    assert row["mostly"] == "60 % arithmetic of matrix products"


def test_a_part_that_no_arm_has_is_no_column_and_neither_is_a_data_sheet_that_is_not_known(shown):
    assert "reference" not in shown("steps")
    assert "of sheet" not in shown("steps")


def test_what_each_part_holds(shown):
    row = shown("step_memory")

    assert (row["forward"], row["backward"]) == ("20.0 MiB", "30.0 MiB")


def test_a_file_without_such_rows_has_no_such_table(tmp_path: Path):
    make_database(tmp_path / "r.db", bases=("pocket-1m",), seeds=(1,))

    [section] = build_report(open_for_reading(tmp_path / "r.db")).sections
    assert not {"steps", "step_memory"} & {table.name for table in section.tables}


@pytest.mark.parametrize(("joules", "told"), [(3.0, "0.75"), (333.333, "83.3"), (7400.0, "1,850")])
def test_energy_is_told_by_a_thousand_tokens(tmp_path: Path, joules: float, told: str):
    row = tables_of(with_steps(tmp_path / "r.db", timed_tokens=4000, timed_joules=joules))("steps")

    assert row["J per 1,000 tokens"] == told


def test_without_a_counter_there_is_no_energy_in_the_table_nor_in_the_files(tmp_path: Path):
    [section] = build_report(open_for_reading(with_steps(tmp_path / "r.db", timed_tokens=4000))).sections
    steps = next(table for table in section.tables if table.name == "steps")

    assert not [column for column in steps.columns if "tokens" in column.header]
    assert not [name for name in steps.frame if "joules" in name]
    assert not [line for line in steps.legend if "joules" in line]
