"""Models and data from the Hugging Face hub: fetched into its own cache, every failure as one clear line.

``huggingface_hub`` reads the environment when it is imported; the endpoint, the cache and the offline switch
are passed to it here, so that they are those of the moment of the call.
"""

import glob
import logging
import os
import re
from pathlib import Path

from harness.errors import UserError

_WEIGHTS_AND_TOKENIZER = [
    *("config.json", "generation_config.json", "*.safetensors", "*.safetensors.index.json"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.json", "vocab.txt", "merges.txt"),
    *("chat_template.jinja", "chat_template.json"),
]
_PAPERS = ["README.md", "LICENSE*", "LICENCE*"]
# The same weights once more, in another project's layout or for another runtime.
_DUPLICATES = ["*/*", "consolidated*.safetensors"]
_DATA = ["*.json", "*.jsonl", "*.jsonl.gz", "*.csv", "*.parquet"]
_ID = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
_NOT_DATA = ["dataset_infos.json", "dataset_info.json", ".*"]


def parse_id(text: str) -> tuple[str, str | None] | None:
    """The repository and the revision of ``org/name[@revision]``; None for what is no such id, such as a path."""
    found = _ID.fullmatch(text)
    return (found["id"], found["revision"]) if found and text[0] not in "./~" else None


def download_config(repo_id: str, revision: str | None = None) -> Path:
    """Local folder with the config of the model ``repo_id``, if it has one; the folder's name is its commit.

    The small step before the large one: a model that we must refuse is refused before gigabytes are fetched.
    ``revision`` is a branch, a tag or a commit (main if None). Raises UserError.
    """
    return _snapshot(repo_id, revision, "model", ["config.json"], [], _DUPLICATES)


def download_model(repo_id: str, revision: str | None = None) -> Path:
    """Local folder of the model ``repo_id`` at ``revision`` (main if None); its name is the resolved commit.

    Only safetensors weights, the config, the tokenizer and the licence are fetched. Works without a network
    when they are in the cache. Raises UserError.
    """
    return _snapshot(repo_id, revision, "model", _WEIGHTS_AND_TOKENIZER, _PAPERS, _DUPLICATES)


def download_dataset_file(repo_id: str, revision: str | None = None, file: str | None = None) -> list[Path]:
    """Local paths, sorted, of the json, jsonl, jsonl.gz, csv and parquet files of the dataset ``repo_id``.

    With ``file``, a path in it or the end of one, that file alone is fetched and told; none where there is no such.
    Its papers, which name its licence, come along. Raises UserError when it cannot be had or holds no data at all.
    """
    wanted = _DATA if file is None else [glob.escape(file), f"*/{glob.escape(file)}"]
    folder = _snapshot(repo_id, revision, "dataset", wanted, _PAPERS, _NOT_DATA)
    suffixes = tuple(pattern.removeprefix("*") for pattern in _DATA)
    paths = [path for path in folder.rglob("*") if path.name.endswith(suffixes) and path.is_file()]
    paths = [path for path in paths if path.name not in _NOT_DATA]
    if file is not None:  # the cache may hold more of it
        return sorted(path for path in paths if path.as_posix().endswith(f"/{file}"))
    if not paths:
        raise UserError(f"hub dataset {repo_id}: no data file ({', '.join(_DATA)})")
    return sorted(paths)


def model_files(repo_id: str, revision: str) -> list[str]:
    """Names of all files in the model ``repo_id`` at ``revision``; empty where the hub cannot be asked."""
    from huggingface_hub import HfApi

    try:
        return HfApi(endpoint=endpoint()).list_repo_files(repo_id, revision=revision)
    except Exception:  # asked only to word a refusal better: whatever goes wrong, the refusal stands
        return []


def _snapshot(
    repo_id: str,
    revision: str | None,
    repo_type: str,
    needed: list[str],
    wanted: list[str],
    ignored: list[str],
) -> Path:
    """Folder with the files that match ``needed``, and those that match ``wanted`` if they can be had."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # what is wrong is told once, by us

    def fetch(patterns: list[str]) -> Path:
        return Path(
            snapshot_download(
                repo_id,
                repo_type=repo_type,
                revision=revision,
                allow_patterns=patterns,
                ignore_patterns=ignored,
                endpoint=endpoint(),
                cache_dir=_cache_folder(),
                local_files_only=is_offline(),
            )
        )

    try:
        try:
            return fetch([*needed, *wanted])
        except LocalEntryNotFoundError:
            # Offline, with a cache that another tool filled: it may lack nothing but the papers.
            return fetch(needed)
    except Exception as error:  # the border to a network library: its errors have no common ancestor
        raise UserError(f"hub {repo_type} {repo_id}: {_explain(error, repo_id, revision)}") from error


def _explain(error: Exception, repo_id: str, revision: str | None) -> str:
    from huggingface_hub import errors

    cause = error.__cause__ if isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__ else error
    if isinstance(error, errors.HFValidationError):
        return "not the id of a repository: expected org/name"
    if isinstance(cause, errors.RevisionNotFoundError):
        return f"no revision {revision!r}: expected a branch, a tag or a full commit hash"
    if isinstance(cause, errors.GatedRepoError) or status_of(cause) == 403:
        return f"access is refused (gated or private): ask for it at {_web_page(repo_id)} and set HF_TOKEN"
    if isinstance(cause, errors.RepositoryNotFoundError):
        return f"not found at {endpoint() or 'huggingface.co'} (if it is private, set HF_TOKEN)"
    if status_of(cause) == 401:
        return "the hub does not accept HF_TOKEN: renew it, or unset it for a public repository"
    if is_offline() or isinstance(cause, errors.OfflineModeIsEnabled):
        return "not, or not wholly, in the cache and HF_HUB_OFFLINE is set: run once with HF_HUB_OFFLINE=0"
    if isinstance(error, errors.LocalEntryNotFoundError):
        return f"{endpoint() or 'the hub'} cannot be reached ({_first_line(cause)}) and the cache lacks it"
    return f"download failed: {_first_line(error)}"


def status_of(error: BaseException) -> int | None:
    """The HTTP status that an error of the hub's library carries."""
    return getattr(getattr(error, "response", None), "status_code", None)


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _web_page(repo_id: str) -> str:
    return f"{endpoint() or 'https://huggingface.co'}/{repo_id}"


def endpoint() -> str | None:
    """The hub that the present environment names; None leaves the choice to huggingface_hub."""
    return (os.environ.get("HF_ENDPOINT") or "").rstrip("/") or None


def _cache_folder() -> Path | None:
    """The cache that the present environment names; None leaves the choice to huggingface_hub."""
    if os.environ.get("HF_HUB_CACHE"):
        return Path(os.environ["HF_HUB_CACHE"])
    return Path(os.environ["HF_HOME"]) / "hub" if os.environ.get("HF_HOME") else None


def is_offline() -> bool:
    """Does the present environment forbid the network?"""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
