"""A snapshot in a dataset repository of the Hugging Face hub, where others fetch it and check it by themselves."""

from pathlib import Path
from typing import TYPE_CHECKING

from harness.bases.hub import endpoint, is_offline, status_of
from harness.errors import UserError
from harness.oneline import one_line
from harness.snapshot.manifest import MANIFEST
from harness.snapshot.verify import verify_snapshot

if TYPE_CHECKING:
    from huggingface_hub import HfApi


def push_snapshot(folder: Path, repo_id: str, *, private: bool) -> str:
    """Upload a snapshot that verifies to the folder of its name in the dataset ``repo_id``, made where there is none.

    Returns its address. The token is the hub library's own (HF_TOKEN, or `hf auth login`). A snapshot of that name
    that is there already is left as it is: the same one is completed, another one refused. Raises UserError, in one
    line, for what does not verify and for whatever the hub answers.
    """
    if is_offline():
        raise UserError("push: HF_HUB_OFFLINE is set: unset it, for this command alone, to reach the hub")
    verdict = verify_snapshot(folder)
    if verdict.problems:
        raise UserError(f"{folder}: does not verify, and is not pushed: {one_line(verdict.problems[0])}")
    from huggingface_hub import HfApi

    api, name = HfApi(endpoint=endpoint()), verdict.manifest.name
    try:
        api.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True)
        if _holds_another(api, repo_id, name, folder):
            raise UserError(f"{repo_id}: holds another snapshot named {name}, and a snapshot never changes")
        api.upload_folder(
            repo_id=repo_id,
            repo_type="dataset",
            folder_path=folder,
            path_in_repo=name,
            commit_message=f"Snapshot {name}",
        )
    except UserError:
        raise
    except Exception as error:  # the border to a network library: its errors have no common ancestor
        raise UserError(f"push to {repo_id}: {_explain(error)}") from error
    return f"{api.endpoint}/datasets/{repo_id}/tree/main/{name}"


def _holds_another(api: "HfApi", repo_id: str, name: str, folder: Path) -> bool:
    from huggingface_hub.errors import EntryNotFoundError

    try:
        there = api.hf_hub_download(repo_id, f"{name}/{MANIFEST}", repo_type="dataset")
    except EntryNotFoundError:
        return False
    return Path(there).read_bytes() != (folder / MANIFEST).read_bytes()


def _explain(error: Exception) -> str:
    from huggingface_hub import errors

    status = status_of(error)
    if isinstance(error, errors.HFValidationError):
        return "not the id of a repository: expected org/name"
    if status == 401 or isinstance(error, errors.LocalTokenNotFoundError):
        return "the hub does not know who you are: set HF_TOKEN to a token that may write, or run `hf auth login`"
    if status == 403:
        return "the token may not write there: give it write access to this repository"
    if status is not None:
        return f"the hub answered {status}: {one_line(error)[:160]}"
    return f"{endpoint() or 'the hub'} cannot be used: {type(error).__name__}: {one_line(error)[:160]}"
