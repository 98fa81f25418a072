"""Files that others wrote: read whole, checked before a row is made of them, refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from harness import identity
from harness.errors import UserError
from harness.report import words

Model = TypeVar("Model", bound=BaseModel)


class Part(BaseModel):
    """A part of a foreign file: what we read of it is of the right type, what else it holds is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)


def read_json(path: Path) -> tuple[Any, str]:
    """What a JSON file holds and a digest of it, which a reformatted copy shares; NaN and infinity are None.

    Raises UserError for what is no JSON, or holds text or numbers that no database can.
    """
    return parsed(path, _text(path))


def parsed(where: Path | str, text: str) -> tuple[Any, str]:
    """As ``read_json``, of a text; ``where`` is what an error says that it is from."""
    try:
        value = json.loads(text, parse_constant=lambda _: None)
        return value, identity.digest("foreign", value)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{words.text(where)}: not JSON that can be read: {words.text(error)}") from None


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not empty."""
    return [line for line in _text(path).split("\n") if line.strip()]


def checked(model: type[Model], value: Any, where: Path | str) -> Model:
    """``value`` as ``model``; raises UserError that names the first key that is wrong, and how."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{words.text(where)}: {words.text(key)}: {words.text(first['msg']).lower()}") from None


def in_range(lowest: float, highest: float) -> Callable[[float], float]:
    """A validator of numbers from ``lowest`` to ``highest``."""

    def check(value: float) -> float:
        if not lowest <= value <= highest:
            raise ValueError(f"{value:g} is not from {lowest:g} to {highest:g}")
        return value

    return check


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{words.text(path)}: is no text in UTF-8") from None
