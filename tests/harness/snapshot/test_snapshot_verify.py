"""Whoever changes a snapshot is found out, in one line that names what was changed."""

import csv
import json
import os
import subprocess
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.report import files
from harness.snapshot import verify, verify_snapshot
from harness.snapshot.manifest import read_manifest
from tests.harness.snapshot.published import copied, edit_manifest, edit_rows, rehash


@pytest.fixture
def copy(snapshot, tmp_path) -> Path:
    return copied(snapshot, tmp_path / "copy")


def the_problem(folder: Path) -> str:
    problems = verify_snapshot(folder).problems
    assert len(problems) == 1, problems
    return problems[0]


def main_table(folder: Path) -> Path:
    return next((folder / "report").glob("main-*.csv"))


def edit_csv(file: Path, row: int, column: str, value: str) -> None:
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    rows[row - 1][column] = value
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def drop_column(file: Path, column: str) -> None:
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    with file.open("w", newline="") as opened:
        names = [name for name in rows[0] if name != column]
        writer = csv.DictWriter(opened, fieldnames=names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def changed(key, value, where=lambda row: True):
    """Rows with ``key`` replaced in the first row that ``where`` picks."""

    def edit(rows):
        row = next(row for row in rows if where(row))
        row[key] = value(row) if callable(value) else value
        return rows

    return edit


class TestFiles:
    @pytest.mark.parametrize(
        "name",
        [
            "tables/runs.parquet",
            "tables/scores.csv",
            "report/report.md",
            "figures/loss.svg",
            "matrix.yaml",
            "README.md",
        ],
    )
    def test_a_flipped_byte(self, copy, name):
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
        assert the_problem(copy) == f"{name}: changed: its SHA-256 is not the published one"

    def test_a_missing_file(self, copy):
        (copy / "tables" / "runs.csv").unlink()
        assert the_problem(copy) == "tables/runs.csv: missing"

    def test_an_extra_file(self, copy):
        (copy / "tables" / "more.csv").write_text("")
        assert the_problem(copy) == "tables/more.csv: not in the manifest"

    def test_a_shortened_file(self, copy):
        (copy / "README.md").write_text("")
        assert the_problem(copy).startswith("README.md: changed: 0 bytes, published with ")

    def test_a_link_in_the_place_of_a_file(self, copy, tmp_path):
        (copy / "README.md").rename(tmp_path / "elsewhere")
        (copy / "README.md").symlink_to(tmp_path / "elsewhere")
        assert the_problem(copy) == "README.md: is a link or no plain file"

    def test_a_link_in_the_place_of_a_folder(self, copy, tmp_path):
        (copy / "figures").rename(tmp_path / "elsewhere")
        (copy / "figures").symlink_to(tmp_path / "elsewhere")
        assert "figures: not in the manifest" in verify_snapshot(copy).problems

    def test_a_pipe_is_not_waited_for(self, copy):
        (copy / "README.md").unlink()
        os.mkfifo(copy / "README.md")
        assert the_problem(copy) == "README.md: is a link or no plain file"

    def test_folders_in_folders_without_end_are_walked_through(self, copy):
        inside = copy
        for _ in range(1_100):
            inside /= "a"
            os.mkdir(inside)
        try:
            assert verify_snapshot(copy).problems == []
            (inside / "b").write_text("")
            assert the_problem(copy).endswith("/a/b: not in the manifest")
        finally:
            subprocess.run(["rm", "-r", copy / "a"], check=True)  # Python's own walks are recursive

    def test_a_file_beyond_all_measure(self, copy):
        os.truncate(copy / "README.md", 3 * 2**30)  # sparse
        assert the_problem(copy) == "README.md: larger than 2 GiB"


class TestRowsThatWereEditedAndHashedAgain:
    def test_a_score(self, copy):
        edit_rows(copy, "scores", changed("value", 0.999))
        assert the_problem(copy).startswith("tables/scores.csv: row 1: value is ")

    def test_a_score_in_the_csv_as_well(self, copy):
        tuned = [lambda row: row["moment"] == "tuned" and row["metric"] == "acc"]
        edit_rows(copy, "scores", changed("value", 0.999, tuned[0]))
        with (copy / "tables" / "scores.csv").open(newline="") as file:
            row = next(n for n, row in enumerate(csv.DictReader(file), 1) if tuned[0](row))
        text = (copy / "tables" / "scores.csv").read_text().splitlines(keepends=True)
        cells = text[row].split(",")
        cells[4] = "0.999"
        text[row] = ",".join(cells)
        (copy / "tables" / "scores.csv").write_text("".join(text))
        rehash(copy)
        problems = verify_snapshot(copy).problems
        assert problems
        assert all(problem.startswith("report/") and "the rows give" in problem for problem in problems)

    def test_a_removed_row(self, copy):
        edit_rows(copy, "steps", lambda rows: rows[1:])
        assert the_problem(copy) == "tables/steps.parquet: 14 rows, published with 15"

    def test_a_removed_row_of_which_the_manifest_knows_nothing(self, copy):
        edit_rows(copy, "steps", lambda rows: rows[1:])
        edit_manifest(copy, rows=read_manifest(copy).rows | {"steps": 14})
        assert the_problem(copy).startswith("tables/steps.csv: row 1: run_id is run-")

    def test_a_doubled_row(self, copy):
        edit_rows(copy, "runs", lambda rows: [*rows, rows[0]])
        edit_manifest(copy, rows=read_manifest(copy).rows | {"runs": 22})
        assert "tables/runs.parquet: stands twice: run-" in the_problem(copy)

    def test_a_row_that_refers_to_nothing(self, copy):
        edit_rows(copy, "scores", changed("run_id", "absent"))
        assert the_problem(copy) == "tables/scores.parquet: 1 rows refer to runs that are not there"

    def test_a_value_that_the_schema_forbids(self, copy):
        edit_rows(copy, "runs", changed("status", "splendid"))
        assert the_problem(copy).startswith("tables/runs.parquet: CHECK constraint failed: status IN")

    def test_a_recipe(self, copy):
        def other(row):
            recipe = json.loads(row["recipe"])
            recipe["stages"][0]["parameters"]["rank"] = 64
            return json.dumps(recipe)

        edit_rows(copy, "cells", changed("recipe", other, lambda row: row["rank"] == 8))
        assert the_problem(copy).endswith("its recipe_id is not that of its recipe")

    @pytest.mark.parametrize(
        ("table", "key", "value", "says"),
        [
            ("cells", "arm_id", "other", "its arm_id is not that of its recipe"),
            ("cells", "method", "other", "its method is not that of its recipe"),
            ("cells", "recipe", '{"stages": []}', "holds something that cannot be read"),
            ("cells", "identity_version", 9, "is of identity version 9, not 1"),
            ("stacks", "facts", "{}", "its id is not that of its facts"),
            ("evals", "task", "easy", "its id is not that of its task, items and decoding"),
            ("stages", "recipe", "{}", "a stage's recipe is not the cell's"),
            ("steps", "stage_id", "other", "has a stage that is not its cell's"),
        ],
    )
    def test_what_an_id_is_computed_from(self, copy, table, key, value, says):
        edit_rows(copy, table, changed(key, value))
        assert says in the_problem(copy)

    @pytest.mark.parametrize(
        ("table", "key", "value", "says"),
        [
            ("stacks", "facts", "3", "facts is no JSON object"),
            ("cells", "recipe", "{", "recipe is no JSON object"),
            ("cells", "execution", "[]", "execution is no JSON object"),
            ("cells", "licences", '{"base": NaN}', "licences is no JSON object"),
            ("runs", "effective", "null", "effective is no JSON object"),
            ("scores", "value", float("inf"), "value is no finite number"),
        ],
    )
    def test_what_a_text_or_a_number_must_be(self, copy, table, key, value, says):
        edit_rows(copy, table, changed(key, value))
        problem = the_problem(copy)
        assert problem.startswith(f"tables/{table}.parquet: ")
        assert problem.endswith(says)

    def test_another_type_of_a_column(self, copy):
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = copy / "tables" / "runs.parquet"
        table = pq.read_table(file)
        place = table.schema.get_field_index("exclusive")
        pq.write_table(table.set_column(place, "exclusive", table["exclusive"].cast(pa.string())), file)
        rehash(copy)
        assert the_problem(copy) == "tables/runs.parquet: column exclusive is string, not int64"

    def test_rows_of_which_no_report_can_be_made(self, copy):
        licences = '{"data": 3}'
        edit_rows(copy, "cells", changed("licences", licences))
        text = (copy / "tables" / "cells.csv").read_text()
        (copy / "tables" / "cells.csv").write_text(text.replace(",{},", ',"{""data"": 3}",', 1))
        rehash(copy)
        assert the_problem(copy).startswith("tables: no report can be made of them: AttributeError")

    def test_what_is_no_parquet(self, copy):
        (copy / "tables" / "runs.parquet").write_bytes(b"PAR1 and nothing")
        rehash(copy)
        assert the_problem(copy).startswith("tables/runs.parquet: no readable Parquet: ")


class TestCells:
    def test_a_run_that_the_manifest_promises(self, copy):
        expected = json.loads((copy / "manifest.json").read_text())["expected"]
        more = next(cell for cell in expected if cell["state"] == "done") | {"cell_id": "c" * 64, "arm": "lora r=99"}
        edit_manifest(copy, expected=[*expected, more])
        assert the_problem(copy).startswith("lora r=99")
        assert "that is done, as the manifest says there is" in the_problem(copy)

    def test_a_failure_that_the_manifest_calls_done(self, copy):
        expected = json.loads((copy / "manifest.json").read_text())["expected"]
        for cell in expected:
            cell["state"] = "done"
        edit_manifest(copy, expected=expected)
        assert len(verify_snapshot(copy).problems) == 3

    @pytest.mark.parametrize(
        ("key", "value"), [("seeds", [1]), ("stacks", []), ("git_commits", ["a"]), ("newest_run", "x"), ("suite", "x")]
    )
    def test_a_fact_of_the_manifest(self, copy, key, value):
        edit_manifest(copy, **{key: value})
        assert the_problem(copy) == f"manifest.json: {key} is not what the rows give"

    def test_a_note_that_was_taken_off_its_face(self, copy):
        edit_manifest(copy, git_changed_files=["a.py"])
        assert the_problem(copy).startswith("manifest.json: its notes should be: UNCOMMITTED CHANGES: ")


class TestTheReport:
    def test_an_edited_table_names_the_row_the_column_and_both_values(self, copy):
        edit_csv(main_table(copy), 2, "gain", "0.123")
        rehash(copy)
        problem = the_problem(copy)
        assert problem.startswith(f"report/{main_table(copy).name}: row 2 (")
        assert ": gain is 0.123, the rows give 0." in problem

    def test_a_row_taken_out_of_a_table(self, copy):
        lines = main_table(copy).read_bytes().splitlines(keepends=True)
        main_table(copy).write_bytes(b"".join(lines[:-1]))
        rehash(copy)
        assert the_problem(copy).endswith("has 2 rows, the rows give 3")

    def test_the_last_digit_of_another_machine_is_no_difference(self, copy):
        with main_table(copy).open(newline="") as file:
            gain = float(list(csv.DictReader(file))[1]["gain"])
        edit_csv(main_table(copy), 2, "gain", repr(gain * (1 + 1e-13)))
        rehash(copy)
        assert verify_snapshot(copy).problems == []

    def test_an_edited_json(self, copy):
        file = copy / "report" / "report.json"
        report = json.loads(file.read_text())
        report["sections"][0]["tables"]["main"][1]["target"] = 1
        file.write_text(json.dumps(report))
        rehash(copy)
        assert the_problem(copy).startswith(
            "report/report.json: sections[0].tables.main[1].target is 1, the rows give 0."
        )

    @pytest.mark.parametrize("name", ["report/report.md", "README.md", "LICENCES.md"])
    def test_an_edited_page(self, copy, name):
        (copy / name).write_text((copy / name).read_text().replace("# ", "# The best ", 1))
        rehash(copy)
        assert the_problem(copy) == f"{name}: line 1 does not follow from the rows"

    def test_an_edited_recipe_or_stack(self, copy):
        for name in ("recipes.json", "stacks.json"):
            (copy / name).write_text("{}\n")
        rehash(copy)
        problems = verify_snapshot(copy).problems
        assert [problem.partition(":")[0] for problem in problems] == ["recipes.json", "stacks.json"]

    @pytest.mark.parametrize(
        ("old", "new"), [("arm: lora", "arm: best"), ("</svg>", "<script>alert(1)</script></svg>")]
    )
    def test_an_edited_picture(self, copy, old, new):
        file = copy / "figures" / "gain-memory.svg"
        file.write_text(file.read_text().replace(old, new, 1))
        rehash(copy)
        assert the_problem(copy) == "figures/gain-memory.svg: shows something else than the rows give"

    def test_a_table_left_out(self, copy):
        next((copy / "report").glob("rates-*.csv")).unlink()
        rehash(copy)
        assert the_problem(copy).endswith("missing: the rows give it")

    def test_a_table_added(self, copy):
        (copy / "report" / "best.csv").write_text("arm\nmine\n")
        rehash(copy)
        assert the_problem(copy) == "report/best.csv: does not follow from the rows"


class TestAReportOfAnOlderVersion:
    """This one is of version 1, and the tunematrix that verifies it makes version 2."""

    @pytest.fixture
    def older(self, copy, monkeypatch) -> Path:
        for module in (verify, files):
            monkeypatch.setattr(module, "REPORT_VERSION", 2)
        for name in ("report/report.md", "README.md", "figures/loss.svg"):
            (copy / name).write_text("worded and drawn otherwise\n")
        rehash(copy)
        return copy

    def test_is_compared_in_what_it_has_of_figures(self, older):
        drop_column(main_table(older), "edge")
        rehash(older)
        verdict = verify_snapshot(older)
        assert verdict.problems == []
        assert "its report is of version 1: its words and pictures were not compared" in verdict.summary

    def test_is_found_out_where_a_figure_was_edited(self, older):
        edit_csv(main_table(older), 2, "gain", "0.123")
        rehash(older)
        assert ": gain is 0.123, the rows give 0." in the_problem(older)

    def test_is_found_out_where_the_json_was_edited(self, older):
        file = older / "report" / "report.json"
        report = json.loads(file.read_text())
        report["sections"][0]["tables"]["main"][1]["target"] = 1
        file.write_text(json.dumps(report))
        rehash(older)
        assert "sections[0].tables.main[1].target is 1, the rows give 0." in the_problem(older)

    def test_has_no_column_that_nothing_gives(self, older):
        text = main_table(older).read_text()
        main_table(older).write_text(text.replace(",gain,", ",true_gain,", 1))
        rehash(older)
        assert the_problem(older).endswith("has other columns than the rows give")

    @pytest.mark.parametrize("name", ["recipes.json", "stacks.json", "LICENCES.md"])
    def test_is_found_out_on_pages_that_hold_no_report(self, older, name):
        (older / name).write_text("{}\n")
        rehash(older)
        assert the_problem(older).startswith(f"{name}: ")

    def test_has_the_same_files(self, older):
        main_table(older).unlink()
        (older / "figures" / "best.svg").write_text("<svg/>")
        rehash(older)
        problems = verify_snapshot(older).problems
        assert [problem.partition(": ")[2] for problem in problems] == [
            "missing: the rows give it",
            "does not follow from the rows",
        ]

    def test_of_which_no_report_can_be_made_is_told_in_a_line(self, older, monkeypatch):
        monkeypatch.setattr("harness.snapshot.contents.build_report", lambda db: 1 / 0)
        assert the_problem(older).startswith("tables: no report can be made of them: ZeroDivisionError")


class TestWhatIsNoSnapshot:
    def refused(self, folder: Path) -> str:
        with pytest.raises(UserError) as error:
            verify_snapshot(folder)
        assert len(error.value.lines) == 1
        return error.value.lines[0]

    def test_a_folder_without_a_manifest(self, tmp_path):
        assert "is no snapshot: it has no manifest.json" in self.refused(tmp_path)

    @pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[]", '"x"', '{"name": 1}'])
    def test_a_manifest_that_is_none(self, copy, text):
        (copy / "manifest.json").write_text(text)
        assert "manifest.json: is no" in self.refused(copy)

    def test_a_newer_format(self, copy):
        edit_manifest(copy, format=3)
        assert "format 3 is newer than this tunematrix reads (2)" in self.refused(copy)

    @pytest.mark.parametrize(
        ("report", "says"), [(2, "version 2, newer than this tunematrix makes (1)"), (0, "report: 0")]
    )
    def test_a_report_of_no_version_that_there_is(self, copy, report, says):
        edit_manifest(copy, report=report)
        assert says in self.refused(copy)

    def test_a_newer_schema(self, copy):
        edit_manifest(copy, schema_applied=[*read_manifest(copy).schema_applied, "m999_more"])
        assert "its schema ('m999_more') is not one that this tunematrix reads" in self.refused(copy)

    @pytest.mark.parametrize(
        "name", ["../out", "/etc/passwd", "a/../../b", "a\\b", "a//b", ".", "a\n", "manifest.json"]
    )
    def test_a_file_name_that_leads_out(self, copy, name):
        edit_manifest(copy, files={name: {"sha256": "0" * 64, "size_bytes": 0}})
        assert "leads out of the snapshot" in self.refused(copy)

    @pytest.mark.parametrize(
        ("key", "value"), [("name", "../x"), ("more", 1), ("rows", {"runs": "x"}), ("expected", [{}]), ("files", [])]
    )
    def test_a_manifest_of_another_shape_names_the_key(self, copy, key, value):
        edit_manifest(copy, **{key: value})
        assert f"manifest.json: {key}" in self.refused(copy)
