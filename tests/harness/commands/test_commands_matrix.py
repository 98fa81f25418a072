"""What `tunematrix plan` says of memory before anything runs, and what `--skip-unfit` leaves out."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.store.database import open_for_reading
from tests.small_suite import small_suite

PARTS = ("weights", "quantisation", "adapter", "gradient", "optimizer", "activation")


@pytest.fixture
def suite(tmp_path: Path) -> str:
    return str(small_suite(tmp_path / "suite"))


@pytest.fixture
def planned(tunematrix, suite: str):
    """The plan as JSON, with more words of the command line."""

    def plan(*words: str) -> dict[str, Any]:
        code, output, errors = tunematrix("plan", suite, "--json", "--device", "cpu", *words)
        assert code == 0, errors
        found: dict[str, Any] = json.loads(output)
        return found

    return plan


def peaks(plan: dict[str, Any]) -> dict[str, int]:
    """Each trained arm's predicted peak, by its label."""
    return {c["label"]: c["predicted_memory"]["peak_bytes"] for c in plan["cells"] if c["predicted_memory"]}


def test_each_cell_that_trains_has_its_memory_by_component_and_on_a_cpu_the_ledgers_total(planned) -> None:
    for cell in planned()["cells"]:
        told = cell["predicted_memory"]
        if cell["method"] == "base":
            assert told is None and cell["not_predicted"] is None
        else:
            assert told["measure"] == "ledger"
            assert told["peak_bytes"] == sum(told[f"{part}_bytes"] for part in PARTS) > 0
            assert told["temporary_bytes"] > 0


def test_a_pair_is_predicted_as_two_rows(planned) -> None:
    rows = {cell["label"]: cell["predicted_memory"]["rows"] for cell in planned()["cells"] if cell["method"] != "base"}

    assert rows == {"full_sft": 16, "dpo": 32}


def test_the_table_says_that_its_memory_is_predicted_and_what_it_is_of(tunematrix, suite: str) -> None:
    for more in ((), ("--cells",)):
        output = " ".join(tunematrix("plan", suite, "--device", "cpu", *more)[1].split())
        assert "MiB" in output
        assert "predicted memory: not measured" in output and "as the ledger counts them" in output
        assert "not to fit" not in output


def test_a_recipe_that_is_not_predicted_says_why(tunematrix, planned, suite: str) -> None:
    dora = ("--set", "methods.full_sft.method=lora", "--set", "methods.full_sft.use_dora=true")
    trained = [cell for cell in planned(*dora)["cells"] if cell["method"] != "base"]

    assert {cell["not_predicted"] for cell in trained} == {"use_dora and bias are not predicted yet"}
    assert {cell["predicted_memory"] for cell in trained} == {None}
    assert "use_dora and bias are not predicted yet" in tunematrix("plan", suite, "--device", "cpu", *dora)[1]


class TestVram:
    @pytest.fixture
    def for_sft_alone(self, planned) -> str:
        """Room for full SFT, and not for the pairs of DPO."""
        found = peaks(planned())
        assert found["full_sft"] < found["dpo"]
        return f"{(found['full_sft'] + found['dpo']) // 2}B"

    def test_it_says_what_will_not_fit(self, tunematrix, planned, suite: str, for_sft_alone: str) -> None:
        plan = planned("--vram", for_sft_alone)

        fits = {cell["label"]: cell["fits"] for cell in plan["cells"]}
        assert fits == {"base": None, "full_sft": True, "dpo": False}
        assert plan["unfit"] == ["dpo on full_sft · pocket-0.2m"]
        output = tunematrix("plan", suite, "--device", "cpu", "--vram", for_sft_alone)[1]
        assert f"predicted not to fit into {for_sft_alone}: dpo on full_sft · pocket-0.2m" in output

    def test_where_everything_fits_it_says_so(self, tunematrix, suite: str) -> None:
        output = tunematrix("plan", suite, "--device", "cpu", "--vram", "24GB")[1]

        assert "predicted not to fit into 24GB: none" in output

    def test_left_out_it_is_in_no_cell_and_the_plan_says_so(
        self, tunematrix, planned, suite: str, for_sft_alone: str
    ) -> None:
        plan = planned("--vram", for_sft_alone, "--skip-unfit")

        assert {cell["label"] for cell in plan["cells"]} == {"base", "full_sft"}
        assert plan["unfit"] == ["dpo on full_sft · pocket-0.2m"]
        output = tunematrix("plan", suite, "--device", "cpu", "--vram", for_sft_alone, "--skip-unfit")[1]
        assert "left out, since predicted not to fit into" in output

    @pytest.mark.slow
    def test_a_run_leaves_it_out_as_well(self, tunematrix, suite: str, for_sft_alone: str) -> None:
        few = ("--set", "budget.steps=2", "--set", "seeds=1", "--set", "methods.full_sft.learning_rate=1e-3")
        code, output, _ = tunematrix(
            "run", suite, "--device", "cpu", *few, "--set", "measure.enabled=false", "--vram", for_sft_alone,
            "--skip-unfit",
        )  # fmt: skip

        assert code == 0, output
        assert "left out, since predicted not to fit" in output
        methods = open_for_reading(Path("tunematrix.db")).query("SELECT DISTINCT method FROM cells")
        assert {row["method"] for row in methods} == {"base", "full_sft"}

    def test_a_plan_may_ask_of_more_than_the_machine_has(self, planned) -> None:
        assert {cell["fits"] for cell in planned("--vram", "99TB")["cells"]} == {None, True}

    def test_a_plan_is_of_the_runs_under_that_limit(self, planned) -> None:
        stacks = {planned(*words)["stack_id"] for words in ((), ("--vram", "1GB"), ("--vram", "2GB"))}

        assert len(stacks) == 3

    @pytest.mark.slow
    def test_a_run_is_limited_to_it_and_what_needs_more_is_a_row(
        self, tunematrix, suite: str, for_sft_alone: str
    ) -> None:
        few = ("--set", "budget.steps=2", "--set", "seeds=1", "--set", "methods.full_sft.learning_rate=1e-3")
        code, output, errors = tunematrix("run", suite, "--device", "cpu", *few, "--vram", for_sft_alone)

        assert (code, errors) == (1, [])
        assert "of tensors in measure runs; a CPU's other runs can't be limited" in output
        db = open_for_reading(Path("tunematrix.db"))
        query = "SELECT label, status, failed_phase, reason FROM runs JOIN cells USING (cell_id) WHERE purpose = ?"
        assert {row["status"] for row in db.query(query, ["quality"])} == {"ok"}
        ended = {row["label"]: (row["status"], row["failed_phase"]) for row in db.query(query, ["measure"])}
        assert ended == {"full_sft": ("ok", None), "dpo": ("oom", "train")}
        (facts,) = [json.loads(row["facts"]) for row in db.query("SELECT facts FROM stacks")]
        assert f"{facts['memory_limit_bytes']}B" == for_sft_alone

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("plan", "--skip-unfit"), "--skip-unfit: say what is to fit into, as in --vram 24GB"),
            (("plan", "--vram", "24"), "--vram 24: expected a size above zero with its unit"),
            (("plan", "--vram", "1GB", "--overhead", "much"), "--overhead much: expected a size above zero"),
            (("run", "--vram", "99TB"), "--vram 99TB: this machine has "),
        ],
    )
    def test_wrong_input_is_one_line(self, tunematrix, suite: str, words: tuple[str, ...], says: str) -> None:
        code, output, errors = tunematrix(words[0], suite, "--device", "cpu", *words[1:])

        assert (code, output, len(errors)) == (2, "", 1)
        assert says in errors[0]

    def test_of_a_gpu_the_overhead_leaves_something(
        self, tunematrix, suite: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("harness.commands.opening.pick_device", lambda wanted: "cuda")

        code, _, errors = tunematrix("plan", suite, "--vram", "1GB")

        assert (code, errors) == (2, ["tunematrix: --overhead 1GB: leaves nothing of --vram 1GB"])
