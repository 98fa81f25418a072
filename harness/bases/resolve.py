"""From a base's entry in a matrix file to a checked, identified base on this machine."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.bases import hub
from harness.bases.config import read_config
from harness.bases.digest import VOCABULARY_FILES, initialised_digest, weights_digest
from harness.bases.licence import licence_of
from harness.bases.spec import ConfigSpec, EmbeddedSpec, HubSpec, PathSpec, parse_spec
from harness.bases.weights import INDEX, SINGLE, no_weights, read_tensors
from harness.errors import UserError
from harness.paths import located, missing_hint

Kind = Literal["embedded", "path", "hub", "config"]

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Base:
    """A base model that is ready to load.

    ``folder`` holds config and weights (None for a ``config`` base, which has none); ``digest`` is the hex
    SHA-256 that identifies it; ``revision`` the commit that a hub base was resolved to; ``parameters`` the
    elements stored in the weight files, tied ones once, or None where there are no files. ``pad_token`` is
    what the matrix file asks for, over what the tokenizer says.
    """

    name: str
    kind: Kind
    folder: Path | None
    config: dict[str, Any] = field(repr=False)
    digest: str
    licence: str | None = None
    revision: str | None = None
    init_seed: int | None = None
    tokenizer_folder: Path | None = None
    parameters: int | None = None
    pad_token: str | None = None


def resolve_base(name: str, spec: dict[str, Any], *, relative_to: Path | None = None) -> Base:
    """The base that ``spec`` describes, fetched if it must be, checked and digested.

    ``spec`` has exactly one of ``embedded``, ``path``, ``hub``, ``config``; paths are relative to
    ``relative_to`` (the matrix file's folder), else to the working directory. Raises UserError, each line
    naming the base.
    """
    try:
        match parse_spec(spec):
            case EmbeddedSpec() as embedded:
                return _with_weights(name, "embedded", _embedded_folder(embedded.embedded), embedded.pad_token)
            case PathSpec() as local:
                return _with_weights(name, "path", _local_folder(local.path, relative_to), local.pad_token)
            case HubSpec() as remote:
                return _from_hub(name, remote)
            case ConfigSpec() as shape:
                return _from_config(name, shape, relative_to)
    except UserError as error:
        raise UserError(*(f"base {name}: {line}" for line in error.lines)) from error.__cause__
    except OSError as error:
        raise UserError(f"base {name}: {error.filename}: cannot be read: {error.strerror}") from error
    except UnicodeError as error:
        raise UserError(f"base {name}: its config or weights name something in text that is no Unicode") from error


def _with_weights(name: str, kind: Kind, folder: Path, pad_token: str | None, revision: str | None = None) -> Base:
    files = [entry.name for entry in folder.iterdir()]
    if _is_adapter(files):
        # transformers would quietly load the adapter's own base instead of this folder's weights.
        raise no_weights(str(folder), files)
    config = read_config(folder / "config.json")
    tensors = read_tensors(folder)
    tokenizer_folder = folder if _has_tokenizer(folder) else None
    return Base(
        name=name,
        kind=kind,
        folder=folder,
        config=config,
        digest=weights_digest(config, tensors, tokenizer_folder, pad_token),
        licence=licence_of(folder),
        revision=revision,
        tokenizer_folder=tokenizer_folder,
        parameters=sum(tensor.elements for tensor in tensors),
        pad_token=pad_token,
    )


def _from_hub(name: str, spec: HubSpec) -> Base:
    where = f"hub model {spec.hub}"
    folder = hub.download_config(spec.hub, spec.revision)
    commit = folder.name
    if not (folder / "config.json").exists():
        files = hub.model_files(spec.hub, commit)
        raise no_weights(where, files) if _is_adapter(files) else UserError(f"{where}: no config.json")
    read_config(folder / "config.json")
    folder = hub.download_model(spec.hub, commit)
    if not (folder / SINGLE).exists() and not (folder / INDEX).exists():
        raise no_weights(where, hub.model_files(spec.hub, commit))
    return _with_weights(name, "hub", folder, spec.pad_token, revision=commit)


def _from_config(name: str, spec: ConfigSpec, relative_to: Path | None) -> Base:
    place = _absolute(spec.config, relative_to)
    if not place.exists():
        raise UserError(f"config: no file or folder {place}")
    config = read_config(place / "config.json" if place.is_dir() else place)
    tokenizer_folder = place if place.is_dir() and _has_tokenizer(place) else None
    if spec.tokenizer is not None:
        tokenizer_folder = _local_folder(spec.tokenizer, relative_to)
        if not _has_tokenizer(tokenizer_folder):
            raise UserError(f"tokenizer: {tokenizer_folder} holds no tokenizer.json")
    return Base(
        name=name,
        kind="config",
        folder=None,
        config=config,
        digest=initialised_digest(config, spec.init_seed, tokenizer_folder, spec.pad_token),
        licence=licence_of(place) if place.is_dir() else None,
        init_seed=spec.init_seed,
        tokenizer_folder=tokenizer_folder,
        pad_token=spec.pad_token,
    )


def _embedded_folder(wanted: str) -> Path:
    import suites

    found = {file.parent.name: file.parent for root in suites.__path__ for file in _configs_under(Path(root))}
    if wanted not in found:
        known = ", ".join(sorted(found)) or "none is installed"
        raise UserError(f"no embedded base {wanted!r} (there are: {known})")
    return found[wanted]


def _configs_under(root: Path) -> list[Path]:
    return sorted(root.glob("*/bases/*/config.json"), reverse=True)  # reversed: the first suite wins a shared name


def _local_folder(path: str, relative_to: Path | None) -> Path:
    folder = _absolute(path, relative_to)
    if folder.is_dir():
        return folder
    if folder.exists():
        raise UserError(f"{folder} is a file: expected a folder with config.json and model.safetensors")
    hint = f"; for a model on the hub write {{hub: {path}}}" if _HUB_ID.fullmatch(path) else ""
    raise UserError(f"no folder {folder}{hint or missing_hint(path)}")


def _absolute(path: str, relative_to: Path | None) -> Path:
    return located(path, relative_to or Path.cwd()).absolute()


def _is_adapter(files: list[str]) -> bool:
    return "adapter_config.json" in files


def _has_tokenizer(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("tokenizer.json", *VOCABULARY_FILES))
