"""The wire between a cell and its runner: JSON lines, validated, NaN as null."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.events import Batches, Done, Failed, Phase, Progress, Score, Trained, from_line, to_line
from harness.predict.recipe import Batch


@pytest.mark.parametrize(
    "event",
    [
        Done(),
        Failed(status="oom", reason="out of memory", phase="train"),
        Phase(stage_id="s", phase="train", wall_seconds=1.5, figures={"rss_peak_bytes": 3, "energy_joules": None}),
        Batches(stage_id="s", batches=(Batch(4, 20), Batch(4, 18, padded=True, accumulated=True))),
        Trained(stage_id="s", reused=True),
        Score(moment="tuned", eval_id="e", metric="acc", value=0.5, n_items=2, higher_is_better=True),
    ],
)
def test_what_is_sent_is_what_arrives(event):
    line = to_line(event)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert from_line(line) == event


def test_nan_arrives_as_nothing():
    assert from_line(to_line(Progress(stage_id="s", step=1, steps=2, loss=math.nan))).loss is None


def test_another_protocol_version_is_refused():
    message = json.loads(to_line(Done())) | {"version": 2}
    with pytest.raises(ValidationError):
        from_line(json.dumps(message).encode())


@given(st.binary(max_size=100))
def test_garbage_is_refused_and_never_executed(line):
    with pytest.raises(ValidationError):
        from_line(line)
