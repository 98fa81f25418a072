"""A digest changes with the content, and with nothing else."""

import hashlib
import json
import os

from harness.data.digest import examples_digest, file_digest
from harness.data.formats import read_examples

EXAMPLES = [{"prompt": "a", "completion": "é"}, {"prompt": "b", "completion": "c"}]


def test_the_digest_is_that_of_the_canonical_json():
    canonical = '[{"completion":"é","prompt":"a"},{"completion":"c","prompt":"b"}]'
    assert examples_digest(EXAMPLES) == hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def test_the_order_of_fields_plays_no_part_but_that_of_examples_does():
    turned = [dict(reversed(example.items())) for example in EXAMPLES]
    assert examples_digest(turned) == examples_digest(EXAMPLES)
    assert examples_digest(EXAMPLES[::-1]) != examples_digest(EXAMPLES)


def test_every_letter_counts():
    assert examples_digest([{"prompt": "a", "completion": "b"}]) != examples_digest(
        [{"prompt": "a", "completion": "b "}]
    )


def test_the_same_examples_from_another_kind_of_file_have_the_same_digest(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(EXAMPLES))
    (tmp_path / "b.csv").write_text("completion,prompt\né,a\nc,b\n", encoding="utf-8")
    first, second = (read_examples(tmp_path / name).examples for name in ("a.json", "b.csv"))
    assert examples_digest(first) == examples_digest(second)


def test_a_file_changed_with_the_same_size_and_time_has_another_digest(tmp_path):
    path = tmp_path / "a"
    path.write_text("one")
    before, stat = file_digest(path), path.stat()
    path.write_text("two")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert file_digest(path) != before
