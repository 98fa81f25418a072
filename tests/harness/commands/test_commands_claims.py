"""`tunematrix claims` from the user's side."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.claims.read import CLAIMS, read_claims
from tests import factory
from tests.factory import ARMS, make_database
from tests.harness.claims.made import delete_run, delete_runs, end_by_memory

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = ROOT / "results" / "pocket-cpu"
COUNTED = "lora-params-4.2m", "r16-0.1-percent", "lora-10000x", "dq-0.5-bit", "full-7b-560gb", "memory-35-70x"
HOSTILE = "<script>x</script>| [a](http://b.c) @all \x1b[31m"


def claims(output):
    return {one["id"]: one for one in json.loads(output)["claims"]}


@pytest.fixture
def answered(tunematrix):
    def ask(*words):
        code, output, errors = tunematrix("claims", *words, "--json")
        assert code == 0, errors
        return claims(output)

    return ask


def test_every_claim_is_printed_with_its_verdict(tunematrix):
    code, output, errors = tunematrix("claims", PUBLISHED)
    assert code == 0, errors
    assert all(claim.id in output for claim in read_claims())
    assert "The methods side by side" in output
    assert "predicted" in output and "measured on pocket-1m" in " ".join(output.split())


def test_without_results_what_can_be_counted_has_a_verdict_and_nothing_else(tunematrix, answered):
    found = answered()
    assert {name for name, one in found.items() if one["verdict"] != "not yet measured"} == {
        *COUNTED,
        "full-16-24-bytes",
        "cost-100x",
    }
    assert all(one["by"] in ([], ["counting"]) for one in found.values())
    assert "only what can be counted has a verdict" in tunematrix("claims")[1]


def test_the_results_at_hand_are_read_where_none_is_named(answered, tmp_path):
    make_database(tmp_path / "tunematrix.db")
    assert answered()["lora-less-forget"]["measured"]


def test_runs_of_small_models_on_a_cpu_settle_nothing_that_is_said_of_large_ones_on_a_gpu(answered):
    found = answered(PUBLISHED)
    for name in ("speed-1.8x", "qlora-2.1x", "lora-3-10x-memory"):
        assert found[name]["verdict"] == "not yet measured"
        assert found[name]["measured"] and not any(place["in_scope"] for place in found[name]["measured"])


def test_deleting_a_run_turns_its_claim_to_not_yet_measured(tunematrix, answered, tmp_path):
    db = tmp_path / "mine.db"
    assert tunematrix("import", PUBLISHED, "--db", db)[0] == 0
    settled = {name: one for name, one in answered(db).items() if "runs" in one["by"]}
    assert settled
    for name, one in settled.items():
        short = tmp_path / f"{name}.db"
        shutil.copy(db, short)
        decided = [place for place in one["measured"] if place["holds"] is not None]
        for run in {place["runs"][0] for place in decided}:
            delete_run(short, run)
        assert answered(short)[name]["verdict"] == "not yet measured", name


def test_every_figure_of_runs_has_their_ids(answered):
    measured = [place for one in answered(PUBLISHED).values() for place in one["measured"]]
    assert measured
    assert all(place["runs"] for place in measured)


class TestACardThatIsTooSmall:
    """A 24 GB card for 7 B, as runs under that limit settle it."""

    CLAIM = "7b-24gb"

    @pytest.fixture
    def limited(self, tmp_path, monkeypatch):
        """Two QLoRA arms under the limit, of which only the short one fitted."""
        monkeypatch.setitem(factory.BASES, "llama-2-7b", 6_700_000_000)
        qlora = replace(ARMS["qlora"], rank=16, memory_mib=1.0)
        arms = {"base": ARMS["base"], "qlora": qlora, "qlora-long": replace(qlora, parameters={"long": 1})}
        facts = factory.GPU | {"memory_limit_bytes": 24 * 10**9}
        path = make_database(tmp_path / "r.db", arms=arms, bases=["llama-2-7b"], facts=facts, measures=2)
        self.ended = end_by_memory(path, "qlora-long")
        return path

    def test_makes_the_verdict_depend_on_what_fitted_and_what_did_not(self, answered, limited):
        one = answered(limited)[self.CLAIM]
        assert (one["verdict"], one["depends_on"]) == ("depends on", "sequence length, batch and checkpointing")
        assert sorted(place["holds"] for place in one["measured"]) == [False, True]

    def test_refutes_where_nothing_fitted(self, answered, limited):
        delete_runs(limited, "qlora", "measure")
        one = answered(limited)[self.CLAIM]
        (place,) = one["measured"]
        (told,) = place["measured"]
        assert (one["verdict"], place["runs"]) == ("refuted", self.ended)
        assert (told["estimate"], told["high"], told["note"]) == (24e9, None, "memory ended it")

    def test_refutes_no_longer_once_those_runs_are_gone(self, answered, limited):
        for run in self.ended:
            delete_run(limited, run)
        assert answered(limited)[self.CLAIM]["verdict"] == "confirmed"
        delete_runs(limited, "qlora", "measure")
        assert answered(limited)[self.CLAIM]["verdict"] == "not yet measured"

    def test_is_no_confirmation_of_what_says_more(self, answered, limited, tmp_path):
        delete_runs(limited, "qlora", "measure")
        mine = tmp_path / "mine.yaml"
        mine.write_text(CLAIMS.read_text().replace("at_most: 24e9", "at_most: 48e9"))
        assert answered(limited, "--claims", mine)[self.CLAIM]["verdict"] == "not yet measured"

    def test_is_told_in_words_with_its_runs(self, tunematrix, limited, tmp_path):
        code, _, errors = tunematrix("claims", limited, "--out", tmp_path / "claims.md")
        assert code == 0, errors
        section = (tmp_path / "claims.md").read_text().split(f"### {self.CLAIM}")[1].split("\n### ")[0]
        said = " ".join(section.split())
        assert "qlora-long r=16: memory more than 24 GB: memory ended it; the claim does not hold here" in said
        assert "Test GPU 80 GiB, limited to 24 GB" in said
        assert all(run in said for run in self.ended)


class TestThePage:
    def test_is_written_where_it_is_asked_for(self, tunematrix, tmp_path):
        code, _, errors = tunematrix("claims", "--out", tmp_path / "claims.md")
        assert code == 0, errors
        page = (tmp_path / "claims.md").read_text()
        assert page.index("## The methods side by side") < page.index("## Verdicts") < page.index("### full-7b-560gb")

    def test_obeys_nothing_in_a_results_file(self, tunematrix, tmp_path, monkeypatch):
        monkeypatch.setitem(factory.BASES, HOSTILE, 950_000)
        arms = {name: ARMS[name] for name in ("base", "full_sft", "lora")}
        db = make_database(tmp_path / "r.db", arms=arms, bases=[HOSTILE], suite=HOSTILE)
        code, output, errors = tunematrix("claims", db, "--out", tmp_path / "claims.md")
        page = (tmp_path / "claims.md").read_text()
        assert code == 0, errors
        assert "&lt;script&gt;" in page
        assert not any(bad in text for text in (page, output) for bad in ("\x1b",))
        assert not any(bad in page for bad in ("<script", "[a](", "@all "))


class TestWrongUse:
    def test_a_source_that_is_not_there(self, tunematrix):
        code, _, errors = tunematrix("claims", "none.db")
        assert (code, errors) == (2, ["tunematrix: none.db: no such results file or snapshot"])

    def test_a_file_of_claims_that_is_none(self, tunematrix, tmp_path):
        (tmp_path / "mine.yaml").write_text("version: 1\nclaims: []\n")
        code, _, errors = tunematrix("claims", "--claims", "mine.yaml")
        assert code == 2
        assert errors == [
            "tunematrix: mine.yaml:2: claims: []: list should have at least 1 item after validation, not 0"
        ]

    def test_a_folder_that_the_page_can_not_go_to(self, tunematrix):
        code, _, errors = tunematrix("claims", "--out", "none/claims.md")
        assert (code, errors) == (2, ["tunematrix: none/claims.md: No such file or directory"])


def test_help_has_an_example():
    import typer.main

    from harness.cli import app

    command = typer.main.get_command(app).commands["claims"]
    assert "tunematrix claims --out claims.md" in command.epilog
