"""The shapes that come with the project, by name; or somebody's own: a config, a model's folder, a model on the hub."""

from dataclasses import dataclass
from pathlib import Path

import suites
from harness.bases import hub
from harness.bases.config import read_config
from harness.errors import UserError
from harness.paths import expanded
from harness.predict.shape import Shape, shape_of


@dataclass(frozen=True)
class FoundShape:
    """A shape, and of a model on the hub the commit that its config was read at."""

    shape: Shape
    revision: str | None = None


def find_shape(model: str) -> FoundShape:
    """The shape of ``model``: as of ``read_shape``, or a model on the hub as ``org/name[@revision]``, of which the
    config alone is fetched. Raises UserError."""
    hub_id = hub.parse_id(model)
    if expanded(model).exists() or hub_id is None or model.endswith(".json"):
        return FoundShape(read_shape(model))
    try:
        return _from_hub(*hub_id)
    except UserError as error:
        raise UserError(
            *(
                f"{line} (nor is there a folder {model} here: --model takes a config.json as well)"
                for line in error.lines
            )
        ) from None


def _from_hub(repo_id: str, revision: str | None) -> FoundShape:
    folder, where = hub.download_config(repo_id, revision), f"hub model {repo_id}"
    return FoundShape(shape_of(read_config(folder / "config.json", where), where), folder.name)


def shape_file(name: str) -> Path:
    """The config of the shape called ``name``; raises UserError, which lists those that there are."""
    found = shape_files()
    if name not in found:
        raise UserError(f"{name}: no such shape, file or folder (shapes: {', '.join(sorted(found))})")
    return found[name]


def shape_files() -> dict[str, Path]:
    """Every shape's config file, by its name."""
    return {file.stem: file for root in suites.__path__ for file in Path(root).glob("*/shapes/*.json")}


def read_shape(model: str) -> Shape:
    """The shape of ``model``: a shape's name, a config file, or a folder with a ``config.json``. Raises UserError."""
    place = expanded(model)
    if place.is_dir():
        place = place / "config.json"
    elif not place.is_file():
        place = shape_file(model)
    return shape_of(read_config(place), str(place))
