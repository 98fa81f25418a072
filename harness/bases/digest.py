"""The identity of a base: a SHA-256 over what it computes with, blind to paths, shards and who wrote it."""

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.bases.config import read_json_object
from harness.bases.weights import Tensor, sha256_of
from harness.identity import digest

# Written by a library about itself or about where a file lay; they change nothing that is computed.
_VOLATILE_CONFIG = {"transformers_version", "_name_or_path", "_commit_hash", "_attn_implementation_autoset"}
_VOLATILE_TOKENIZER = {
    *("transformers_version", "name_or_path", "_commit_hash", "tokenizer_file", "vocab_file", "merges_file"),
    *(
        "special_tokens_map_file",
        "is_local",
        "local_files_only",
        "backend",
        "tokenizer_class",
        "processor_class",
    ),
}
_TOKEN_SETTINGS = ("tokenizer_config.json", "special_tokens_map.json")
_TEMPLATES = ("chat_template.jinja", "chat_template.json")

# What a tokenizer without tokenizer.json is built from.
VOCABULARY_FILES = (
    *("tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.json", "vocab.txt", "merges.txt"),
    "added_tokens.json",
)


def weights_digest(
    config: dict[str, Any], tensors: Sequence[Tensor], tokenizer_folder: Path | None, pad_token: str | None
) -> str:
    """Digest of a base with stored weights: H(config, tensors, tokenizer)."""
    hashes = sha256_of(tensors)
    stored = [[t.name, t.dtype, list(t.shape), sha256] for t, sha256 in zip(tensors, hashes, strict=True)]
    return digest(
        "base",
        {
            "config": _config_identity(config),
            "tensors": stored,
            "tokenizer": _tokenizer_identity(tokenizer_folder, pad_token),
        },
    )


def initialised_digest(
    config: dict[str, Any], init_seed: int, tokenizer_folder: Path | None, pad_token: str | None
) -> str:
    """Digest of a base initialised at random: H(config, init seed, tokenizer)."""
    return digest(
        "base",
        {
            "config": _config_identity(config),
            "init_seed": init_seed,
            "tokenizer": _tokenizer_identity(tokenizer_folder, pad_token),
        },
    )


def _config_identity(config: dict[str, Any]) -> dict[str, Any]:
    """``config`` without what is volatile, and with the data type under its present name, at every depth."""
    kept = {key: value for key, value in config.items() if key not in _VOLATILE_CONFIG}
    if "torch_dtype" in kept:  # the name until transformers 5
        kept.setdefault("dtype", kept["torch_dtype"])
        del kept["torch_dtype"]
    if isinstance(kept.get("dtype"), str):
        kept["dtype"] = kept["dtype"].removeprefix("torch.")
    return {key: _plain(value) for key, value in kept.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return _config_identity(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)  # Mamba's time_step_limit is [0, Infinity], which canonical JSON refuses
    return value


def _tokenizer_identity(folder: Path | None, pad_token: str | None) -> dict[str, Any] | None:
    """Hashes of the vocabulary and templates, and the settings themselves, ``pad_token`` put in its place."""
    if folder is None:
        return None
    vocabulary = ("tokenizer.json",) if (folder / "tokenizer.json").is_file() else VOCABULARY_FILES
    identity: dict[str, Any] = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in (*vocabulary, *_TEMPLATES)
        if (folder / name).is_file()
    }
    for name in _TOKEN_SETTINGS:
        if (folder / name).is_file():
            settings = read_json_object(folder / name)
            identity[name] = {
                key: _plain(_token_text(value)) for key, value in settings.items() if key not in _VOLATILE_TOKENIZER
            }
    if pad_token is not None:
        identity.setdefault(_TOKEN_SETTINGS[0], {})["pad_token"] = pad_token
    return identity


def _token_text(value: Any) -> Any:
    """A token written out with its flags is the same token as its bare text."""
    return value["content"] if isinstance(value, dict) and "content" in value else value
