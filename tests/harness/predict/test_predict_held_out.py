"""The list of held-out cells names what there is, and nothing that the predictor's tests hold it to."""

from pathlib import Path

import suites
from harness.predict.held_out import read_held_out
from harness.predict.shapes import shape_files
from tests.harness.predict.steps import OTHERS, SMALLEST


def test_every_shape_is_one_of_the_projects() -> None:
    pocket = {file.parent.name for root in suites.__path__ for file in Path(root).glob("pocket/bases/*/config.json")}

    assert read_held_out().shapes <= shape_files().keys() | pocket


def test_what_the_predictor_is_held_to_step_by_step_is_not_on_it() -> None:
    held_out = read_held_out()

    assert not held_out.shapes & {SMALLEST, *OTHERS, "llama-3.2-1b"}
    assert not held_out.sequence_lengths & {1024, 2048}
