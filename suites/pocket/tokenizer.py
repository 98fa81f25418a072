"""A word-level tokenizer for the pocket world: a word is a token, and nothing is added to a text by itself."""

from tokenizers import AddedToken, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import PreTrainedTokenizerFast

from suites.pocket import words
from suites.pocket.corpus import Corpus
from suites.pocket.recipe import MAX_POSITIONS

VOCABULARY_MULTIPLE = 64
SPECIAL = (words.EOS, words.PAD, words.UNK)
# The first end token of a conversation opens the document, as in the corpus.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '<eos> <user> ' + message['content'] + ' ' }}"
    "{% else %}{{ '<bot> ' + message['content'] + ' ' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<bot>' }}{% endif %}"
)


def vocabulary(corpus: Corpus) -> dict[str, int]:
    """Word -> id, for the words that the corpus uses: a base has met every token but the filling.

    Filled up with unused words to a multiple of 64, which fast kernels and NF4 blocks like.
    """
    found = frozenset(word for row in corpus.rows(0, corpus.world.size.vocabulary_documents) for word in row.split())
    known = [*SPECIAL, words.USER, words.BOT]
    known += sorted(found.difference(known))
    known += [f"<unused{i}>" for i in range(-len(known) % VOCABULARY_MULTIPLE)]
    return {word: i for i, word in enumerate(known)}


def build_tokenizer(corpus: Corpus) -> PreTrainedTokenizerFast:
    """The tokenizer of a corpus, as transformers saves it to and loads it from a folder."""
    backend = Tokenizer(WordLevel(vocabulary(corpus), unk_token=words.UNK))
    backend.pre_tokenizer = WhitespaceSplit()
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token=words.EOS,
        pad_token=words.PAD,
        unk_token=words.UNK,
        model_max_length=MAX_POSITIONS,
        clean_up_tokenization_spaces=False,
        chat_template=CHAT_TEMPLATE,
    )
