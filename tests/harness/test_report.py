"""The report reads at 120 columns, keeps suites and stacks apart, and obeys nothing that a name in the file says."""

import csv
import html
import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from harness.report import build_report, print_report, words, write_report
from harness.report.files import escaped
from harness.store.database import open_for_reading, open_for_writing
from harness.store.writer import Writer
from tests.factory import ARMS, CPU, GPU, make_database

HOSTILE = "[bold red]evil|name[/] <script>alert(1)</script>\n# heading `x` \x1b[31m"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return build_report(open_for_reading(make_database(tmp_path_factory.mktemp("db") / "results.db")))


def printed(report, width=120):
    console = Console(width=width, record=True, force_terminal=False)
    with console.capture() as capture:
        print_report(report, console)
    return capture.get()


def test_all_tables_are_there(report):
    names = [table.name for table in report.sections[0].tables]
    assert names == ["main", "by_rank", "by_base", "rates", "merged", "tasks", "failures"]


def test_it_fits_120_columns_without_breaking_a_score(report):
    text = printed(report)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 120
    row = next(line for line in text.splitlines() if line.startswith("lora r=8"))
    assert row.count("[") == row.count("]") == 1
    assert "MiB" in row


def test_every_task_of_every_arm_goes_to_the_files_alone(report):
    assert "Every task" not in printed(report)
    assert [table.name for table in report.sections[0].tables if table.files_only] == ["tasks"]


def test_each_safety_task_has_a_column_of_its_own(report):
    head = next(line for line in printed(report, width=140).splitlines() if line.startswith("arm"))
    assert "refused" in head.split()


def test_what_was_trained_is_told_of_every_arm_where_there_is_room(report):
    head = next(line for line in printed(report, width=140).splitlines() if line.startswith("arm"))
    assert "trained" in head.split()
    assert "Too narrow a terminal for: trained." in printed(report, width=120)


@pytest.mark.parametrize("title", ["Trained arms by rank", "Trained arms by size of the base"])
def test_by_rank_and_by_size_the_same_figures_are_told_as_room_allows(report, title):
    def head(width: int) -> list[str]:
        return printed(report, width).split(title)[1].splitlines()[1].split()

    assert {"gain", "pref", "refused", "rate", "trained"} <= set(head(140))
    assert {"gain", "pref", "trained"} <= set(head(120))
    assert "rate" not in head(120)  # which the first table has, and the one of rates


def test_a_safety_score_is_the_same_by_rank_as_among_the_methods(report):
    main, by_rank = (one for one in report.sections[0].tables if one.name in ("main", "by_rank"))
    of_main, of_rank = (next(c for c in one.columns if c.header == "refused") for one in (main, by_rank))
    told = {row["arm_id"]: of_main.show(row) for row in main.rows()}
    assert {row["arm_id"]: of_rank.show(row) for row in by_rank.rows()}.items() <= told.items()


def test_what_is_for_the_screen_alone_is_not_in_the_files(report, tmp_path):
    """They are what a published report was: to change them takes a new REPORT_VERSION."""
    write_report(report, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "| rank | arm | base | target [95 %] | tie | forgets | memory | speed | trained |" in text
    assert "| size | base | arm | target [95 %] | tie | forgets | memory | speed | trained |" in text


def test_on_a_narrow_terminal_columns_give_way_and_arms_keep_their_names(report):
    text = printed(report, width=80)
    rows = [line for line in text.splitlines() if line.startswith("lora r=8")]
    assert len(rows) >= 2
    assert all(row.count("[") == row.count("]") for row in rows)
    assert "Too narrow a terminal for: " in text
    assert "Too narrow" not in printed(report, width=140)


def test_it_explains_its_words_and_names_the_memory_measure(report):
    text = " ".join(printed(report).split())
    for word in ("gain:", "forgets:", "share a letter", "counted in a ledger", "one seed"):
        assert word in text


def test_on_cuda_the_memory_measure_is_named_as_the_allocators(tmp_path):
    found = build_report(open_for_reading(make_database(tmp_path / "r.db", facts=GPU, bases=["pocket-1m"])))
    assert "CUDA allocator" in printed(found)


def test_the_machine_the_runs_and_the_seeds_head_the_report(report):
    head = printed(report).splitlines()[:2]
    assert "80 runs" in head[0]
    assert "seeds 1, 2, 3" in head[0]
    assert "Test CPU" in head[1]


def test_a_table_by_rank_starts_with_the_smallest_and_ends_with_all_weights(report):
    frame = next(table for table in report.sections[0].tables if table.name == "by_rank").frame
    assert frame["rank"].tolist()[0] == 8
    assert frame["label"].tolist()[-1] == "full_sft"


def test_suites_and_stacks_are_never_mixed_and_the_newest_comes_first(tmp_path):
    path, arms = tmp_path / "r.db", {name: ARMS[name] for name in ("base", "lora")}
    for n, (suite, facts) in enumerate([("pocket", CPU), ("pocket", GPU), ("other", CPU)]):
        started = datetime(2026, n + 1, 1, tzinfo=UTC)
        make_database(path, seed=n, arms=arms, bases=["pocket-1m"], suite=suite, facts=facts, started=started)
    sections = build_report(open_for_reading(path)).sections
    assert [(s.suite, s.facts["device"]) for s in sections] == [("other", "cpu"), ("pocket", "cuda"), ("pocket", "cpu")]
    for section in sections:
        frame = section.tables[0].frame.set_index("label")
        assert sorted(frame.index) == ["base", "lora"]
        assert frame.loc["lora", "gain"] > 0.5


def test_files_hold_all_tables_with_null_and_never_nan(report, tmp_path):
    write_report(report, tmp_path)
    section = json.loads((tmp_path / "report.json").read_text(), parse_constant=pytest.fail)["sections"][0]
    base = next(row for row in section["tables"]["main"] if row["label"] == "base")
    assert base["gain"] is None
    part = section["stack_id"][:12]
    for name, rows in section["tables"].items():
        with (tmp_path / f"{name}-pocket-{part}.csv").open(newline="") as file:
            assert len(list(csv.DictReader(file))) == len(rows)
    text = "".join(file.read_text() for file in tmp_path.glob("*.csv"))
    assert "nan," not in text.replace("nan,train", "").replace(",nan,0", "")


def test_the_markdown_tables_are_whole(report, tmp_path):
    write_report(report, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert text.startswith("# ")
    assert text.index("Test CPU") < text.index("### Methods")
    widths = set()
    for line in text.split("### Every task")[0].split("### Methods")[1].splitlines():
        if line.startswith("|"):
            widths.add(line.replace(r"\|", "").count("|"))
        elif line.startswith("#"):
            widths.clear()
        assert len(widths) <= 1


def test_a_hostile_name_is_shown_and_obeyed_nowhere(tmp_path):
    arms = {"base": ARMS["base"], HOSTILE: replace(ARMS["lora"], fails={1e-2: "crashed"})}
    found = build_report(open_for_reading(make_database(tmp_path / "r.db", arms=arms, bases=["pocket-1m"])))
    write_report(found, tmp_path / "out")
    text = printed(found)
    assert "[bold" in text.replace("\n", "")
    assert "\x1b" not in text
    markdown = (tmp_path / "out" / "report.md").read_text()
    assert "<script>" not in markdown
    assert "\n# heading" not in markdown
    assert r"evil\|name" in markdown


@pytest.mark.parametrize("name", ["@team", "a@b.org", "https://evil.example", "WWW.evil.example", "org/repo#12"])
def test_a_name_calls_nobody_and_links_nowhere_once_it_is_posted(name):
    shown = html.unescape(escaped(name).replace("\\", ""))  # what a forge looks for links in
    assert not re.search(r"@\w|://|www\.|#\d", shown, re.IGNORECASE)
    assert shown.replace("\u200b", "") == name


def test_a_task_that_some_seeds_were_not_scored_on_yet_breaks_no_table(tmp_path):
    path = make_database(tmp_path / "r.db", bases=["pocket-1m"])
    add_task_at_some_seeds(path, "lora", (1,))
    (section,) = build_report(open_for_reading(path)).sections
    main = section.tables[0].frame.set_index("label")
    assert main.loc["full_sft", "seeds"] == main.loc["lora", "seeds"] == 3
    assert main["place"].notna().all()


def test_an_arm_of_which_no_seed_was_scored_on_all_tasks_has_no_score_and_the_others_have(tmp_path):
    path = make_database(tmp_path / "r.db", bases=["pocket-1m"])
    add_task_at_some_seeds(path, "lora", (1,))
    add_task_at_some_seeds(path, "lora", (2,), "third")
    (section,) = build_report(open_for_reading(path)).sections
    main = section.tables[0].frame.set_index("label")
    assert main.index[main["target"].isna()].tolist() == ["lora"]


def add_task_at_some_seeds(path, label, seeds, name="second"):
    """Another target task, answered like the first by every run but those of ``label`` at other seeds."""
    db = open_for_writing(path)
    told = next(db.query("SELECT * FROM evals WHERE task = 'pocket_target'"))
    db["evals"].insert({**told, "eval_id": name, "task": f"{name}_target"})
    those = (
        "run_id IN (SELECT run_id FROM runs JOIN cells USING (cell_id) WHERE label != :label OR seed IN "
        f"({', '.join(map(str, seeds))})) AND eval_id = :eval_id"
    )
    for table in ("scores", "items"):
        rows = list(db.query(f"SELECT * FROM {table} WHERE {those}", {"label": label, "eval_id": told["eval_id"]}))
        db[table].insert_all([{**row, "eval_id": name} for row in rows])
    db.close()


def test_a_hostile_suite_stays_in_the_folder(tmp_path):
    path = make_database(tmp_path / "r.db", arms={"base": ARMS["base"]}, bases=["pocket-1m"], suite="../../etc/x")
    write_report(build_report(open_for_reading(path)), tmp_path / "out")
    assert {file.name for file in tmp_path.iterdir()} - {"r.db", "r.db-wal", "r.db-shm"} == {"out"}


def test_an_empty_file_is_one_clear_line(tmp_path):
    found = build_report(open_for_writing(tmp_path / "empty.db"))
    assert printed(found).splitlines() == ["Nothing to show: this file holds no runs. `tunematrix run` makes some."]
    write_report(found, tmp_path / "out")
    assert "Nothing to show" in (tmp_path / "out" / "report.md").read_text()


def test_runs_under_way_are_one_clear_line(tmp_path):
    path = make_database(tmp_path / "r.db", arms={"base": ARMS["base"]}, bases=["pocket-1m"])
    db = open_for_writing(tmp_path / "going.db")
    for table in ("stacks", "cells"):
        db[table].insert_all(open_for_reading(path)[table].rows)
    cell, stack = next(iter(db["cells"].rows)), next(iter(db["stacks"].rows))
    keys = {"cell_id": cell["cell_id"], "stack_id": stack["stack_id"]}
    Writer(db).start({"run_id": "going", "purpose": "quality", "exclusive": 0, **keys})
    assert printed(build_report(db)) == "Nothing to show yet: no run has ended (1 under way).\n"


def test_what_to_know_beforehand_stands_above_everything(report, tmp_path):
    noted = replace(report, notes=("NOT COMPLETE: 1 of [bold]2[/] cells *missing*.",))
    assert printed(noted).splitlines()[0] == "NOT COMPLETE: 1 of [bold]2[/] cells *missing*."
    write_report(noted, tmp_path)
    line = (tmp_path / "report.md").read_text().splitlines()[2]
    assert line == r"**NOT COMPLETE: 1 of \[bold\]2\[/\] cells \*missing\*.**"
    assert json.loads((tmp_path / "report.json").read_text())["notes"] == list(noted.notes)


def test_an_arm_that_failed_shows_how_and_the_reason(tmp_path):
    arms = {"base": ARMS["base"], "lora": replace(ARMS["lora"], rates=(3e-3,), fails={3e-3: "oom"})}
    text = printed(build_report(open_for_reading(make_database(tmp_path / "r.db", arms=arms, bases=["pocket-1m"]))))
    assert "oom" in next(line for line in text.splitlines() if line.startswith("lora r=8"))
    assert "loss is oom at step 12" in text


def test_an_arm_that_could_not_be_measured_shows_how_that_ended(tmp_path):
    arms = {name: ARMS[name] for name in ("base", "lora")}
    path = make_database(tmp_path / "r.db", arms=arms, bases=["pocket-1m"], measures=0)
    db = open_for_writing(path)
    ran = next(db.query("SELECT runs.* FROM runs JOIN cells USING (cell_id) WHERE label = 'lora' AND status = 'ok'"))
    keys = {name: ran[name] for name in ("cell_id", "stack_id")}
    Writer(db).start({"run_id": "measured", "purpose": "measure", "exclusive": 1, **keys})
    Writer(db).finish("measured", "oom", "needs more than 24 GB: OutOfMemoryError", "train", 1.0)
    text = printed(build_report(open_for_reading(path)), width=140)
    assert "oom" in next(line for line in text.splitlines() if line.startswith("lora r=8"))
    assert "memory: oom, timeout and the like are how the run ended" in text
    assert "needs more than 24 GB: OutOfMemoryError" in text.split("What failed, and why")[1]


def test_a_limit_is_told_beside_the_device(tmp_path):
    facts = GPU | {"memory_limit_bytes": 24 * 10**9}
    found = build_report(open_for_reading(make_database(tmp_path / "r.db", facts=facts, bases=["pocket-1m"])))
    assert "gpu Test GPU · gpu_memory_gib 80 · limited to 24 GB" in printed(found).splitlines()[1]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (words.points(0.7834), "78.3"),
        (words.points(-0.0001, signed=True), "0.0"),
        (words.points(0.05, signed=True), "+5.0"),
        (words.points(None), "-"),
        (words.with_interval({"x": 0.783, "x_low": 0.741, "x_high": 0.82}, "x"), "78.3 [74.1, 82.0]"),
        (words.with_interval({"x": 0.783, "x_low": None, "x_high": None}, "x"), "78.3"),
        (words.count(3_400), "3.4 K"),
        (words.count(1_200_000), "1.2 M"),
        (words.count(999_960), "1.0 M"),
        (words.count(412), "412"),
        (words.size(12 * 2**20), "12.0 MiB"),
        (words.size(1.5 * 2**30), "1.5 GiB"),
        (words.rate(3e-4), "3e-4"),
        (words.rate(1.5e-3), "1.5e-3"),
        (words.seconds(42), "42 s"),
        (words.seconds(7300), "2.0 h"),
        (words.text("a\nb\x1b[0m"), "a b [0m"),
    ],
)
def test_figures_have_units_and_sensible_precision(shown, expected):
    assert shown == expected


def test_a_place_stands_beside_the_letters(report):
    head = next(line for line in printed(report).splitlines() if line.startswith("arm"))
    assert head.split().index("place") == head.split().index("tie") + 1


def test_a_long_table_ends_early_on_a_terminal_and_says_so(report, monkeypatch):
    monkeypatch.setattr("harness.report.terminal.LONGEST", 3)
    assert "The first 3 of 22 rows; report --out FOLDER writes them all." in printed(report)
