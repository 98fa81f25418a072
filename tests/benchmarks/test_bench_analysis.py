"""The benchmark of the analysis times what it says: a file of the size asked for, and commands that do their work."""

import pytest

from benchmarks.analysis import CASES, make_files, measure
from benchmarks.many_runs import Size
from harness.report import build_report
from harness.store.database import open_for_reading

SMALL = Size(bases=2, arms=3, rates=2, seeds=2, items=20)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make_files(tmp_path_factory.mktemp("bench"), SMALL)


@pytest.fixture
def path(files):
    return files["db"]


def test_the_file_holds_the_runs_and_items_that_were_asked_for(path):
    db = open_for_reading(path)
    trained = "SELECT count(*) FROM runs JOIN cells USING (cell_id) WHERE purpose = 'quality' AND method != 'base'"
    assert db.execute(trained).fetchone()[0] == SMALL.runs == 24
    assert db.execute("SELECT DISTINCT n_items FROM scores").fetchall() == [(20,)]


def test_the_file_has_what_the_report_shows(path):
    (section,) = build_report(open_for_reading(path)).sections
    main = section.tables[0].frame
    assert len(main) == SMALL.bases * (SMALL.arms + 1)
    for column in ("gain", "memory_bytes", "chosen_rate", "place"):
        assert main.loc[main["method"] != "base", column].notna().all()


@pytest.mark.parametrize(
    "case",
    [case if case.bounded else pytest.param(case, marks=pytest.mark.extended) for case in CASES],
    ids=lambda case: case.name,
)
def test_every_case_runs(case, files):
    taken = measure([word.format_map(files) for word in case.words], core=0, exits=case.exits)
    assert taken.wall_seconds > 0 and taken.cpu_seconds > 0
    assert taken.peak_bytes > 10_000_000


def test_a_command_that_fails_is_no_measurement(path):
    with pytest.raises(RuntimeError, match="no such arm"):
        measure(["compare", "absent", "lora", "--db", str(path)], core=0)
