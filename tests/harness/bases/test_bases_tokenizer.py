"""Tokenizers: one that lacks what training needs is refused, and nothing is guessed."""

import pytest

from harness.bases import load_tokenizer, resolve_base
from harness.errors import UserError
from tests.harness.bases.folders import save_tokenizer


def tokenizer_of(folder, **spec):
    return load_tokenizer(resolve_base("m", {"path": str(folder), **spec}))


def refusal(folder, **spec) -> str:
    with pytest.raises(UserError) as caught:
        tokenizer_of(folder, **spec)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_tokenizer_is_loaded_with_its_own_tokens(model_folder):
    tokenizer = tokenizer_of(model_folder())
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("</s>", "<pad>")
    assert tokenizer("a b e").input_ids == [3, 4, 7]


def test_tokenizer_without_an_end_token_is_refused(model_folder):
    folder = model_folder()
    save_tokenizer(folder, eos_token=None)
    assert "has no end token: set eos_token in tokenizer_config.json" in refusal(folder)


def test_tokenizer_without_a_pad_token_is_refused_with_the_way_out(model_folder):
    folder = model_folder()
    save_tokenizer(folder, pad_token=None)
    assert "has no pad token: give the base a pad_token of its vocabulary" in refusal(folder)


def test_pad_token_from_the_matrix_is_used(model_folder):
    folder = model_folder()
    save_tokenizer(folder, pad_token=None)
    assert tokenizer_of(folder, pad_token="<unk>").pad_token_id == 0


def test_pad_token_outside_the_vocabulary_is_refused(model_folder):
    assert "pad_token '<nope>' is not in the vocabulary" in refusal(model_folder(), pad_token="<nope>")


def test_special_token_past_the_embedding_is_refused(model_folder):
    folder = model_folder()
    save_tokenizer(folder, pad_token="<new>")
    assert "pad_token '<new>' has id 8, the model has 8 rows" in refusal(folder)


def test_vocabulary_larger_than_the_embedding_is_refused(model_folder):
    folder = model_folder(config={"vocab_size": 5})
    assert "the tokenizer has 8 tokens, the model 5" in refusal(folder)


def test_base_without_a_tokenizer_is_refused(model_folder):
    folder = model_folder()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    assert refusal(folder) == "base m: no tokenizer: its folder needs tokenizer.json"
    with pytest.raises(UserError, match="no tokenizer: add tokenizer: DIR"):
        load_tokenizer(resolve_base("m", {"config": str(folder)}))


def test_broken_tokenizer_is_refused(model_folder):
    folder = model_folder()
    (folder / "tokenizer.json").write_text("{}")
    assert "the tokenizer cannot be read" in refusal(folder)


def test_tokenizer_that_brings_code_is_read_without_running_it(model_folder):
    folder = model_folder()
    (folder / "evil.py").write_text("raise SystemExit('the code ran')")
    save_tokenizer(folder, auto_map={"AutoTokenizer": ["evil.Tokenizer", None]}, tokenizer_class="Tokenizer")
    assert tokenizer_of(folder).eos_token == "</s>"


@pytest.mark.real
def test_real_tokenizer_is_the_one_that_transformers_would_choose(shared):
    from transformers import AutoTokenizer

    folder = shared / "models" / "stories260k"
    text = "Once upon a time, there was a little girl."
    assert tokenizer_of(folder)(text).input_ids == AutoTokenizer.from_pretrained(folder)(text).input_ids
