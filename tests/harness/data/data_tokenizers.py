"""Tiny tokenizers for tests, trained on a few words in milliseconds."""

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

SPECIAL = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"]
TEXT = ["hello there the four cats sat on the mat Assistant User : foo foobar foobar bar foobar foobar \n"] * 4

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{{ '<|im_start|>assistant\\n' if add_generation_prompt else '' }}"
)

# Writes an empty reasoning block into the last turn only, as reasoning models' templates do.
LAST_TURN_THINKS = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}"
    "{{ '<think></think>' if loop.last and m['role'] == 'assistant' else '' }}"
    "{{ m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{{ '<|im_start|>assistant\\n' if add_generation_prompt else '' }}"
)


def byte_level(adds: str = "", eos: str | None = "</s>", template: str | None = None) -> PreTrainedTokenizerFast:
    """A tokenizer like GPT-2's; ``adds`` is what it puts around a text, such as ``"<s> $A"``."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    inner.train_from_iterator(
        TEXT, trainers.BpeTrainer(special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False)
    )
    if adds:
        ids = [(token, inner.token_to_id(token)) for token in SPECIAL]
        inner.post_processor = processors.TemplateProcessing(single=adds, special_tokens=ids)
    return _fast(inner, eos, template)


def sentence_piece_like(eos: str = "</s>") -> PreTrainedTokenizerFast:
    """A tokenizer like Llama's: a text begins as if a space came before it."""
    inner = Tokenizer(models.BPE())
    inner.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    inner.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    words = [word for text in TEXT for word in text.split(" ")]  # one by one, so that no token spans two
    inner.train_from_iterator(words, trainers.BpeTrainer(special_tokens=SPECIAL, show_progress=False))
    return _fast(inner, eos, None)


def _fast(inner: Tokenizer, eos: str | None, template: str | None) -> PreTrainedTokenizerFast:
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", eos_token=eos)
    tokenizer.chat_template = template
    return tokenizer
