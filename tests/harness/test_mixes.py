"""Training mixes: shares, budgets in steps, epochs and real tokens, and data that will not do."""

import json
import os
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from harness.bases import Base
from harness.errors import UserError
from harness.mixes import MixLibrary
from harness.settings import Settings

BASE = Base(name="tiny", kind="path", folder=None, config={}, digest="d")


@pytest.fixture
def library(tmp_path):
    words = ["<pad>", "<eos>", "<unk>", "a", "b", "c"]
    model = models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>")
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<pad>")
    library = MixLibrary(tmp_path / "work", tmp_path)
    library._tokenizers[BASE.digest] = fast
    write(tmp_path / "ten.jsonl", [("a b", "c")] * 9 + [("a b c", "a")])
    write(tmp_path / "replay.jsonl", [("a", "b")] * 4)
    return library


def write(path, pairs):
    path.write_text("".join(json.dumps({"prompt": p, "completion": f" {c}"}) + "\n" for p, c in pairs))


def settings(files=("ten.jsonl",), **changes):
    sources = [f if isinstance(f, dict) else {"file": f} for f in files]
    return Settings.model_validate({"data": {"sft": sources}, "batch_size": 2, **changes})


def mix(library, *files, **changes):
    return library.mix("sft", settings(files or ("ten.jsonl",), **changes), BASE)


class TestBudgets:
    def test_steps_are_steps(self, library):
        assert mix(library, budget={"steps": 7}).steps == 7

    def test_an_epoch_is_every_example_once(self, library):
        assert mix(library, budget={"epochs": 2}).steps == 10

    def test_real_tokens_count_the_end_token_and_no_padding(self, library):
        # Nine examples of four tokens and one of five: 41 tokens, 4.1 an example, 8.2 a step.
        assert mix(library, budget={"real_tokens": 82}).steps == 10

    def test_the_same_budget_said_in_steps_and_in_epochs_is_the_same_recipe(self, library):
        assert mix(library, budget={"epochs": 1}) == mix(library, budget={"steps": 5})


def test_it_knows_its_shortest_and_longest_sequence(library):
    found = mix(library, "ten.jsonl", "replay.jsonl", budget={"steps": 1})
    assert (found.shortest, found.longest) == (3, 5)


class TestShares:
    def test_a_source_without_a_share_takes_what_the_others_leave(self, library):
        found = mix(library, "ten.jsonl", {"file": "replay.jsonl", "share": 0.25, "role": "replay"})
        assert [share for _, share in found.files] == [0.75, 0.25]

    def test_a_share_of_nothing_leaves_the_source_out_of_the_recipe(self, library):
        found = mix(library, "ten.jsonl", {"file": "replay.jsonl", "share": 0, "role": "replay"})
        assert found.data_digest == mix(library).data_digest

    def test_another_share_is_another_recipe(self, library):
        shares = [0.1, 0.2]
        digests = {mix(library, "ten.jsonl", {"file": "replay.jsonl", "share": s}).data_digest for s in shares}
        assert len(digests) == 2


def test_its_files_are_written_once_it_is_kept(library, tmp_path):
    found = mix(library, "ten.jsonl", "replay.jsonl", budget={"steps": 1})
    assert not (tmp_path / "work").exists()

    library.keep(found)

    assert [len(Path(file).read_text().splitlines()) for file, _ in found.files] == [10, 4]


class TestDataThatWillNotDo:
    def test_long_records_are_counted_and_refused_or_dropped_by_a_stated_rule(self, library):
        with pytest.raises(
            UserError, match=r"1 of 10 records are longer than sequence_length 4 \(first: record 10, 5 tokens\)"
        ):
            mix(library, sequence_length=4)
        assert mix(library, sequence_length=4, on_long_record="drop", budget={"epochs": 2}).steps == 9

    def test_no_data_at_all(self, library):
        with pytest.raises(UserError, match=r"data.preference: no file given"):
            library.mix("preference", settings(), BASE)

    def test_an_absent_file(self, library):
        with pytest.raises(UserError, match=r"absent\.jsonl"):
            mix(library, "absent.jsonl")


def test_the_digest_follows_the_content_and_not_the_name(library, tmp_path):
    before = mix(library).data_digest
    (tmp_path / "renamed.jsonl").write_bytes((tmp_path / "ten.jsonl").read_bytes())
    assert mix(library, "renamed.jsonl").data_digest == before


def test_a_file_that_changed_with_the_same_size_and_time_is_another(library, tmp_path):
    path = tmp_path / "ten.jsonl"
    before, stat = mix(library).data_digest, path.stat()
    path.write_text(path.read_text().replace(" c", " b", 1))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    fresh = MixLibrary(tmp_path / "work", tmp_path)
    fresh._tokenizers = library._tokenizers
    assert mix(fresh).data_digest != before
