"""A rules file overrides what it names, and every mistake in it is told with its line."""

import pytest

from harness.analysis.gate import Rules
from harness.errors import UserError
from harness.gate.rules import load_rules


def test_no_file_is_the_defaults():
    assert load_rules(None) == Rules()


def test_what_is_not_named_stays(tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text("speed: {minimum: 0.05}\nlogits: {limit: {float32: 1e-6}}\n")
    rules = load_rules(file)
    assert (rules.speed.minimum, rules.speed.level) == (0.05, Rules().speed.level)
    assert rules.logits.limit == {**Rules().logits.limit, "float32": 1e-6}
    assert rules.memory == Rules().memory


def test_every_mistake_is_told_with_its_line_and_what_is_allowed(tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text("speed: {minimum: 0.02, levle: 3}\nmemory:\n  share: -1\nsped: {}\nlogits: {limit: {int8: 1}}\n")
    with pytest.raises(UserError) as error:
        load_rules(file)
    lines = error.value.lines
    assert [line.removeprefix(f"{file}:")[0] for line in lines] == ["1", "3", "4", "5"]
    assert "did you mean 'level'? (allowed: level, minimum, resolution)" in lines[0]
    assert "memory.share: -1: input should be greater than 0" in lines[1]
    assert "did you mean 'speed'?" in lines[2]


@pytest.mark.parametrize("text", ["- 1\n", "3\n", ""])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text):
    (tmp_path / "rules.yaml").write_text(text)
    with pytest.raises(UserError, match="a rules file is a mapping"):
        load_rules(tmp_path / "rules.yaml")
