"""The example of a patch: the same norms, in one operator each."""

from pathlib import Path

from harness.patches import describe_patch
from tests.methods.cells import stage, train
from tests.methods.test_packing import ROUNDING, furthest

PATCH = "suites.cost.norms:fused"


def test_fused_norms_learn_what_the_models_own_do(tmp_path: Path) -> None:
    spec = stage("lora", batch_size=8, steps=3, rate=1e-4)
    plain = train(tmp_path, spec)[1]

    patched, said = train(tmp_path, spec, patch=describe_patch(PATCH, ()))

    norm = patched.model.base_model.model.model.norm
    assert norm.forward.__func__.__module__ == "suites.cost.norms"
    assert furthest(plain, said) < ROUNDING
