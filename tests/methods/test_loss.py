"""The loss over the vocabulary in its three ways: the same losses and gradients, and what is asked for is what runs."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from harness.effective import Mismatch, asked_settings, check, effective_settings
from tests.methods.cells import prepared, stage
from tests.methods.test_packing import ROUNDING, furthest, trained

INTERPRETED = """
import sys
from pathlib import Path
from tests.harness.predict.steps import SMALLEST, step_of
from tests.methods.cells import stage
from tests.methods.test_packing import furthest, trained

folder = Path(sys.argv[1])
for method in ("full_sft", "lora"):
    whole = trained(folder, method, packing=False, loss="whole")
    fused = trained(folder, method, packing=True, loss="liger", micro_batch_size=4)
    step = step_of(folder, stage(method), shape=SMALLEST, loss="liger")
    print("found", fused.effective["loss"], furthest(whole, fused), step.differences())
"""


@pytest.mark.parametrize("method", ["full_sft", "lora", "qlora"])
@pytest.mark.parametrize(
    "way",
    [{}, *(pytest.param(one, marks=pytest.mark.extended) for one in ({"micro_batch_size": 2}, {"packing": True}))],
    ids=str,
)
def test_whole_logits_give_the_same_losses_and_gradients(tmp_path: Path, method: str, way: dict[str, Any]) -> None:
    chunked = trained(tmp_path, method, packing=False)
    whole = trained(tmp_path, method, **{"packing": False, "loss": "whole", **way})

    assert (chunked.effective["loss"], whole.effective["loss"]) == ("chunked", "whole")
    assert furthest(chunked, whole) < ROUNDING


@pytest.mark.parametrize("asked", ["whole", "liger"])
def test_a_trainer_that_computes_it_otherwise_is_a_mismatch(tmp_path: Path, asked: str) -> None:
    training = prepared(tmp_path, stage("lora"))
    trainer = training.method.trainer(training.job)
    training.job.kernels["loss"] = asked

    with pytest.raises(Mismatch, match=f"loss: asked for '{asked}', the trainer has 'chunked'"):
        check(effective_settings(trainer), asked_settings(training.job))


@pytest.mark.slow
@pytest.mark.skipif(not (find_spec("liger_kernel") and find_spec("triton")), reason="needs liger-kernel and triton")
def test_ligers_gives_them_too_and_keeps_what_is_predicted(tmp_path: Path) -> None:
    """Its kernels run on a CPU where Triton interprets them: in a process of its own, told so from the start."""
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    said = subprocess.run(
        [sys.executable, "-c", INTERPRETED, str(tmp_path)],
        capture_output=True, text=True, check=True, timeout=300, env=environment,
    ).stdout  # fmt: skip

    found = [line.split(maxsplit=3)[1:] for line in said.splitlines() if line.startswith("found")]
    assert [(loss, differences) for loss, _, differences in found] == [("liger", "{}")] * 2
    assert all(float(furthest) < ROUNDING for _, furthest, _ in found)
