"""A base's tokenizer, refused where training with it would fail late or teach the wrong thing."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from harness.bases.config import vocabulary_size
from harness.bases.resolve import Base
from harness.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def load_tokenizer(base: Base) -> "PreTrainedTokenizerFast":
    """The tokenizer of ``base``, with an end token and a pad token that the model's embedding has rows for.

    A pad token is never guessed: where the tokenizer names none, the matrix file must (``pad_token``). Raises
    UserError for each of these, and for a tokenizer that is absent or unreadable.
    """
    if base.tokenizer_folder is None:
        way = "add tokenizer: DIR" if base.kind == "config" else "its folder needs tokenizer.json"
        raise UserError(f"base {base.name}: no tokenizer: {way}")
    tokenizer = _read(base, base.tokenizer_folder)
    where = f"base {base.name}: {base.tokenizer_folder}"
    if base.pad_token is not None:
        if base.pad_token not in tokenizer.get_vocab():
            raise UserError(
                f"base {base.name}: pad_token {base.pad_token!r} is not in the vocabulary: name one that is"
            )
        tokenizer.pad_token = base.pad_token
    if tokenizer.eos_token is None:
        raise UserError(f"{where}: the tokenizer has no end token: set eos_token in tokenizer_config.json")
    if tokenizer.pad_token is None:
        raise UserError(f"{where}: the tokenizer has no pad token: give the base a pad_token of its vocabulary")
    _check_rows(tokenizer, base, where)
    return tokenizer


def _read(base: Base, folder: Path) -> "PreTrainedTokenizerFast":
    try:
        if (folder / "tokenizer.json").is_file():
            from transformers import PreTrainedTokenizerFast  # AutoTokenizer would import torch

            return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        return cast("PreTrainedTokenizerFast", tokenizer)
    except Exception as error:  # the Rust side raises bare Exception
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"base {base.name}: {folder}: the tokenizer cannot be read: {reason}") from error


def _check_rows(tokenizer: "PreTrainedTokenizerFast", base: Base, where: str) -> None:
    """Refuse ids past the embedding: they would crash in training, on a GPU without saying why.

    Added special tokens that no text produces are let be: Gemma 3 has one more of them than rows.
    """
    rows = vocabulary_size(base.config)
    if rows is None:
        return
    if tokenizer.vocab_size > rows:
        raise UserError(f"{where}: the tokenizer has {tokenizer.vocab_size} tokens, the model {rows}: they do not fit")
    for role in ("eos_token", "pad_token"):
        token_id = getattr(tokenizer, f"{role}_id")
        if token_id >= rows:
            token = getattr(tokenizer, role)
            raise UserError(f"{where}: {role} {token!r} has id {token_id}, the model has {rows} rows: name another")
