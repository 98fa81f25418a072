"""`compare`, `power` and `recommend` from the user's side: what is printed, and what is refused in one line."""

import json
import re
import sqlite3

import pytest

from harness.analysis.summary import summarise
from harness.sections import Contents
from harness.store.database import open_for_reading
from tests.factory import ARMS, GPU, make_database

FEW = {name: ARMS[name] for name in ("base", "full_sft", "lora", "qlora")}
HOSTILE = "[bold red]evil[/] \x1b[31m"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("db") / "r.db", arms=FEW, bases=["pocket-1m"])


@pytest.fixture(scope="module")
def with_dpo(tmp_path_factory):
    arms = {**FEW, "dpo-lora": ARMS["dpo-lora"]}
    return make_database(tmp_path_factory.mktemp("db") / "r.db", arms=arms, bases=["pocket-1m"])


class TestCompare:
    def test_a_table_of_every_quantity(self, tunematrix, path):
        code, output, _ = tunematrix("compare", "lora r=8", "full_sft", "--db", path)
        assert code == 0
        assert output.startswith("A  lora r=8 · pocket-1m\nB  full_sft · pocket-1m\n")
        for quantity in ("pocket_target", "gain", "forgetting at matched gain", "memory", "tuning time"):
            assert quantity in output

    def test_not_enough_says_what_it_would_take(self, tunematrix, path):
        output = tunematrix("compare", "lora", "full_sft", "--db", path)[1]
        assert "more seeds would" in output

    def test_json_holds_every_figure_and_null_for_what_is_not_known(self, tunematrix, path):
        found = json.loads(tunematrix("compare", "lora", "full_sft", "--db", path, "--json")[1])
        (pair,) = found["pairs"]
        memory = next(row for row in pair["quantities"] if row["quantity"] == "memory")
        assert found["correction"] == "Holm"
        assert (memory["difference"], memory["difference_low"]) == (0.6, None)

    def test_a_dpo_arm_costs_what_its_sft_stage_did_whoever_it_is_compared_with(self, tunematrix, with_dpo):
        (part,) = Contents(open_for_reading(with_dpo)).parts()
        summary = summarise(part.frames).set_index("label")
        found = json.loads(tunematrix("compare", "dpo-lora", "full_sft", "--db", with_dpo, "--json")[1])
        (pair,) = found["pairs"]
        time = next(row for row in pair["quantities"] if row["quantity"] == "tuning time")
        assert time["first"] == summary.loc["dpo-lora", "tuning_seconds_with_sft"]
        assert time["first"] == summary.loc[["dpo-lora", "lora"], "tuning_seconds"].sum()

    def test_an_arm_that_another_starts_from_is_not_shown_where_it_was_not_asked_for(self, tunematrix, with_dpo):
        found = json.loads(
            tunematrix("compare", "dpo-lora", "base=pocket-1m,method=full_sft|qlora", "--db", with_dpo, "--json")[1]
        )
        names = [pair["second"]["name"] for pair in found["pairs"]]
        assert names == ["full_sft · pocket-1m", "qlora r=8 · pocket-1m"]

    def test_screening_is_said(self, tunematrix, path):
        assert "Benjamini-Hochberg" in tunematrix("compare", "lora", "full_sft", "--db", path, "--screen")[1]

    def test_it_reads_at_80_columns(self, tunematrix, path, monkeypatch):
        from rich.console import Console

        monkeypatch.setattr("harness.commands.compare.console_for_people", lambda: Console(width=80))
        output = tunematrix("compare", "lora", "full_sft", "--db", path)[1]
        assert max(map(len, output.splitlines())) <= 80
        assert re.search(r"pocket_target +-?\+?\d+\.\d \[[-+]?\d+\.\d, [-+]?\d+\.\d\]", output)

    def test_many_pairs_show_what_is_supported_and_count_the_rest(self, tunematrix, path):
        output = tunematrix("compare", "base=pocket-1m", "base=pocket-1m", "--db", path)[1]
        assert "scores of 6 pairs: " in output and " not enough to tell" in output

    def test_two_files(self, tunematrix, path, tmp_path):
        other = make_database(tmp_path / "o.db", arms=FEW, bases=["pocket-1m"], seed=1)
        code, output, _ = tunematrix("compare", path, other, "--only", "lora")
        assert code == 0
        assert "A  lora r=8 · pocket-1m in r.db\nB  lora r=8 · pocket-1m in o.db" in output

    def test_a_hostile_name_is_shown_and_obeyed_nowhere(self, tunematrix, tmp_path):
        path = make_database(tmp_path / "h.db", arms={"base": ARMS["base"], HOSTILE: ARMS["lora"]}, bases=["pocket-1m"])
        output = tunematrix("compare", "method=lora", "base", "--db", path)[1]
        assert "[bold red]evil[/] [31m r=8" in output
        assert "\x1b" not in output


class TestPower:
    def test_without_arms_the_best_of_each_base_against_the_others(self, tunematrix, path):
        code, output, _ = tunematrix("power", "--db", path)
        assert code == 0
        assert output.startswith("full_sft · pocket-1m\n")
        assert "would show 2 points 80 times of 100" in output

    def test_one_arm_against_each_other(self, tunematrix, path):
        found = json.loads(tunematrix("power", "lora", "--db", path, "--json")[1])
        assert [pair["second"] for pair in found["pairs"]] == ["full_sft · pocket-1m", "qlora r=8 · pocket-1m"]

    def test_a_larger_difference_takes_fewer_seeds(self, tunematrix, path):
        def seeds(points):
            words = ("power", "lora", "full_sft", "--db", path, "--json", "--difference", points)
            return json.loads(tunematrix(*words)[1])["pairs"][0]["seeds_needed"]

        assert seeds(10) < seeds(2)

    def test_one_seed_shows_no_noise(self, tunematrix, tmp_path):
        path = make_database(tmp_path / "one.db", arms=FEW, bases=["pocket-1m"], seeds=(1,))
        (pair, _) = json.loads(tunematrix("power", "lora", "--db", path, "--json")[1])["pairs"]
        assert (pair["seeds"], pair["power"], pair["seeds_needed"]) == (1, None, None)

    def test_arms_measured_once_show_no_noise_of_memory_and_speed(self, tunematrix, path):
        code, output, _ = tunematrix("power", "lora", "full_sft", "--db", path)
        assert code == 0
        assert "memory, tokens/s: no two arms were measured more than once" in output

    def test_arms_measured_repeatedly_say_how_many_runs_it_takes(self, tunematrix, tmp_path):
        path = make_database(tmp_path / "r.db", arms=FEW, bases=["pocket-1m"], measures=4)
        words = ("power", "lora", "full_sft", "--db", path)
        (pair,) = json.loads(tunematrix(*words, "--json")[1])["pairs"]
        memory, speed = pair["repeats"]
        assert (memory["quantity"], memory["first_runs"], memory["sd"], memory["runs_needed"]) == ("memory", 4, 0, 2)
        assert speed["ratio"] == pytest.approx(11 / 9)
        assert 2 < speed["runs_needed"] < 10
        output = tunematrix(*words, "--relative", 0.1)[1]
        row = next(line for line in output.splitlines() if " tokens/s " in line)
        assert row.startswith("lora r=8 · pocket-1m / full_sft · pocket-1m")
        assert int(row.split()[-1]) > speed["runs_needed"]
        assert "would show 0.1 % 80 times of 100" in output


class TestRecommend:
    def test_the_arms_within_the_limits_best_first(self, tunematrix, path):
        limits = ("--vram", "15MiB", "--max-hours", "1")
        code, output, _ = tunematrix("recommend", "--db", path, *limits)
        rows = [line for line in output.splitlines() if " r=8 · pocket-1m " in line]
        assert code == 0
        assert [row.split()[:2] for row in rows[:2]] == [["1", "lora"], ["2", "qlora"]]
        assert "lora r=8 · pocket-1m is supported as the best of those within the limits." in output

    def test_no_arm_says_which_limit_binds(self, tunematrix, path):
        output = tunematrix("recommend", "--db", path, "--vram", "1MiB", "--max-forgetting", "0.08")[1]
        assert "No arm meets the limits, of 3." in output
        assert "--vram alone lifted would let 2 through; the nearest that breaks it has 8.0 MiB." in output

    def test_what_was_not_measured_is_said(self, tunematrix, path, tmp_path):
        copy = tmp_path / "unmeasured.db"
        copy.write_bytes(path.read_bytes())
        db = sqlite3.connect(copy)
        db.execute("DROP TRIGGER phases_finished_DELETE")
        db.execute("DELETE FROM phases")
        db.commit()
        db.close()
        output = tunematrix("recommend", "--db", copy, "--vram", "24GB")[1]
        assert "not measured, so not counted as within --vram: full_sft · pocket-1m, lora r=8" in output

    def test_the_measure_of_memory_is_named_the_strongest_that_there_is(self, tunematrix, path, tmp_path):
        assert "memory: highest peak of any phase at the batch that was run, of tensor bytes counted in training" in (
            " ".join(tunematrix("recommend", "--db", path)[1].split())
        )
        on_gpu = make_database(tmp_path / "gpu.db", arms=FEW, bases=["pocket-1m"], facts=GPU)
        assert "of what PyTorch's allocator handed out; its reserve and the device's own context come on top" in (
            " ".join(tunematrix("recommend", "--db", on_gpu)[1].split())
        )

    def test_json_has_every_check(self, tunematrix, path):
        (section,) = json.loads(tunematrix("recommend", "--db", path, "--vram", "15MiB", "--json")[1])["sections"]
        states = {arm["name"]: arm["checks"][0]["state"] for arm in section["arms"]}
        assert states == {"lora r=8": "met", "qlora r=8": "met", "full_sft": "broken"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("compare", "loar", "lora"), "loar: no such arm (known: "),
        (("compare", "lora", "method=magic"), "method=magic: no such arm"),
        (("compare", "lora", "lora"), "name the same arm"),
        (("compare", "lora", "{db}"), "lora: no such results file or snapshot; {db} is one"),
        (("compare", "lora", "qlora", "--only", "lora"), "--only: is for two results files"),
        (("power", "magic"), "magic: no such arm"),
        (("recommend", "--vram", "24"), "--vram 24: expected a size above zero with its unit"),
        (("recommend", "--max-forgetting", "2"), "--max-forgetting 2: expected a share of 1: two points are 0.02"),
        (("recommend", "--min-gain", "10"), "--min-gain 10: expected a share of 1"),
        (("recommend", "--max-hours", "0"), "--max-hours 0: expected more than zero"),
        (("recommend", "--base", "huge"), "--base huge: no such base (known: pocket-1m)"),
    ],
)
def test_wrong_input_is_one_line(tunematrix, path, words, says):
    before = path.read_bytes()
    code, output, errors = tunematrix(*(word.format(db=path) for word in words), "--db", path)
    assert (code, output, len(errors)) == (2, "", 1)
    assert says.format(db=path) in errors[0]
    assert path.read_bytes() == before


@pytest.mark.parametrize("words", [("compare", "a", "b"), ("power",), ("recommend",)])
def test_a_results_file_that_does_not_exist_is_one_line(tunematrix, words):
    code, _, errors = tunematrix(*words)
    assert (code, len(errors)) == (2, 1)
    assert "tunematrix.db: no such" in errors[0]
