"""What `tunematrix export` writes: the arm that was named, weights that load, and a card that says where from."""

import json
from pathlib import Path

import pytest

from harness.commands.matrix import run_matrix
from harness.errors import UserError
from harness.export import export_arm
from harness.request import Request
from harness.store.database import open_for_reading
from tests.factory import make_database
from tests.small_suite import small_suite

ADAPTERS = """\
methods:
  base: {}
  lora: {rank: 4, learning_rate: 1e-3}
  qlora: {rank: 4, learning_rate: 1e-3}
  dpo: {starts_from: [lora, qlora], learning_rate: 1e-4}
budget: {steps: 2}
seeds: 2
measure: {enabled: false}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results file of two seeds of adapters and of DPO on each, really trained for two steps."""
    folder = tmp_path_factory.mktemp("export")
    matrix = small_suite(folder / "suite")
    head, _, rest = matrix.read_text().partition("methods:")
    matrix.write_text(head + ADAPTERS + rest[rest.index("selection:") :])
    request = Request(str(matrix), folder / "r.db", (), None, None, (), "cpu", 2)
    assert run_matrix(request, retry_failed=False, report_to=None) == 0
    return folder / "r.db"


@pytest.mark.slow
class TestWeights:
    def test_an_adapter_loads_on_its_base_and_is_the_seed_that_did_best_on_validation(self, trained, tmp_path):
        from peft import PeftConfig
        from safetensors.torch import load_file

        folder = export_arm(trained, "lora r=4", tmp_path / "out", merged=False, seed=None)

        assert PeftConfig.from_pretrained(str(folder)).r == 4
        assert load_file(folder / "adapter_model.safetensors")
        assert f"seed {best_seed(trained, 'lora')}, learning rate 0.001" in (folder / "README.md").read_text()

    def test_a_merged_adapter_is_a_whole_model_that_differs_from_its_base(self, trained, tmp_path):
        import torch
        from transformers import AutoModelForCausalLM

        from harness.matrix_files import suite_file

        folder = export_arm(trained, "lora r=4", tmp_path / "out", merged=True, seed=1)
        merged = AutoModelForCausalLM.from_pretrained(folder).state_dict()
        base = AutoModelForCausalLM.from_pretrained(suite_file("pocket").parent / "bases" / "pocket-0.2m").state_dict()

        assert merged.keys() == base.keys()
        assert not all(torch.equal(merged[name], base[name]) for name in base)
        assert (folder / "tokenizer.json").is_file()

    def test_an_arm_goes_by_the_name_that_the_report_gives_it(self, trained, tmp_path):
        card = (
            export_arm(trained, "dpo on qlora r=4 · pocket-0.2m", tmp_path / "out", merged=False, seed=2) / "README.md"
        )

        recipe = json.loads(card.read_text().partition("```json")[2].partition("```")[0])
        assert [stage["method"] for stage in recipe["stages"]] == ["qlora", "dpo"]
        assert {stage["seed"] for stage in recipe["stages"]} == {2}

    def test_a_name_of_several_arms_lists_them_apart(self, trained, tmp_path):
        with pytest.raises(UserError, match=r"names several arms: .*dpo on lora r=4.*dpo on qlora r=4|.*qlora.*lora"):
            export_arm(trained, "dpo", tmp_path / "out", merged=False, seed=None)

    def test_weights_that_were_changed_are_not_written(self, trained, tmp_path):
        import shutil

        copy = tmp_path / "copy"
        shutil.copytree(trained.parent, copy, symlinks=True)
        for weights in (copy / ".tunematrix" / "artifacts").glob("*/adapter_model.safetensors"):
            weights.write_bytes(weights.read_bytes()[:-4] + b"\0\1\2\3")

        with pytest.raises(UserError, match="not kept any more"):
            export_arm(copy / "r.db", "lora r=4", tmp_path / "out", merged=False, seed=1)


class TestMistakes:
    def test_an_unknown_arm_lists_those_that_there_are(self, tmp_path):
        with pytest.raises(UserError, match=r"loar: no such arm .*lora r=8 · pocket-1m"):
            export_arm(make_database(tmp_path / "r.db"), "loar", tmp_path / "out", merged=False, seed=None)

    def test_a_folder_that_exists_is_never_written_to(self, tmp_path):
        with pytest.raises(UserError, match="exists already"):
            export_arm(tmp_path / "r.db", "lora", tmp_path, merged=False, seed=None)

    def test_weights_that_are_gone_are_said_to_be(self, tmp_path):
        db = make_database(tmp_path / "r.db")
        with pytest.raises(UserError, match="not kept any more"):
            export_arm(db, "lora r=8 · pocket-1m", tmp_path / "out", merged=False, seed=1)
        assert not (tmp_path / "out").exists()


def best_seed(db: Path, label: str) -> int:
    rows = open_for_reading(db).query(
        """SELECT seed, value FROM runs JOIN cells USING (cell_id) JOIN scores USING (run_id) JOIN evals USING (eval_id)
           WHERE label = ? AND moment = 'tuned' AND task = 'pocket_target_validation'""",
        [label],
    )
    return min((-row["value"], row["seed"]) for row in rows)[1]
