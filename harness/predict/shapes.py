"""The shapes that come with the project, by name; or somebody's own, as a config file or a model's folder."""

from pathlib import Path

import suites
from harness.bases.config import read_config
from harness.errors import UserError
from harness.predict.shape import Shape, shape_of


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
    place = Path(model).expanduser()
    if place.is_dir():
        place = place / "config.json"
    elif not place.is_file():
        place = shape_file(model)
    return shape_of(read_config(place), str(place))
