"""What `--base` names: a folder, an embedded base, or a model on the hub."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.bases import Base, hub, load_tokenizer, resolve_base
from harness.errors import UserError
from harness.paths import expanded

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def find_base(text: str | None) -> tuple[Base, dict[str, Any]]:
    """The base that ``text`` names, resolved, and its entry in a matrix file. Raises UserError."""
    if not text:
        raise UserError("--data: needs --base as well: a model's folder, or its id on the hub as org/name[@revision]")
    folder = expanded(text)
    if folder.is_dir():
        return _resolved(folder.resolve().name, {"path": str(folder.resolve())})
    if folder.exists():
        raise UserError(f"--base {text}: is a file; give the folder that holds config.json and model.safetensors")
    if hub_id := hub.parse_id(text):
        return _from_hub(text, *hub_id)
    if "/" in text:
        raise UserError(f"--base {text}: no such folder")
    return _embedded(text)


def own_tokenizer(base: Base, pad_token: str | None) -> "PreTrainedTokenizerFast":
    """The base's tokenizer, with the pad token that the user names, if any. Raises UserError."""
    try:
        return load_tokenizer(replace(base, pad_token=pad_token))
    except UserError as error:
        if not any("pad token" in line for line in error.lines):
            raise
        raise UserError(*(f"{line}: --set bases.{base.name}.pad_token=TOKEN" for line in error.lines)) from None


def _from_hub(text: str, repo_id: str, revision: str | None) -> tuple[Base, dict[str, Any]]:
    entry = {"hub": repo_id} | ({"revision": revision} if revision else {})
    try:
        return _resolved(repo_id.rpartition("/")[2], entry)
    except UserError as error:
        raise UserError(*(f"{line} (nor is there a folder {text} here)" for line in error.lines)) from None


def _embedded(text: str) -> tuple[Base, dict[str, Any]]:
    try:
        return _resolved(text, {"embedded": text})
    except UserError as error:
        known = error.lines[0].partition("(there are: ")[2].rstrip(")")
        raise UserError(
            f"--base {text}: neither a folder, nor org/name[@revision] on the hub, nor embedded (there are: {known})"
        ) from None


def _resolved(name: str, entry: dict[str, Any]) -> tuple[Base, dict[str, Any]]:
    # A plain word, easily typed after --set: bases.NAME.pad_token.
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "base"
    return resolve_base(name, entry), entry
