"""Lists in a matrix file: which are axes, and the product that they span."""

import types
from copy import deepcopy
from itertools import product
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from harness.yamlfile import KeyPath

Axis = tuple[KeyPath, list[Any]]


def find_axes(raw: Any, model: type[BaseModel], path: KeyPath = ()) -> list[Axis]:
    """The keys of ``raw`` that hold a list where ``model`` expects one value, each with its values.

    Keys that the model does not have are left to its validation. A field that is itself a list (``target_modules``)
    is an axis only when it holds lists.
    """
    if not isinstance(raw, dict):
        return []
    found: list[Axis] = []
    for key, value in raw.items():
        field = model.model_fields.get(key)
        if field is None:
            continue
        here = (*path, key)
        inner = _submodel(field.annotation)
        if not isinstance(value, list):
            found += find_axes(value, inner, here) if inner else []
        elif not _takes_list(field.annotation) or any(isinstance(item, list) for item in value):
            found.append((here, value))
        elif inner:
            for index, item in enumerate(value):
                found += find_axes(item, inner, (*here, index))
    return found


def spread(raw: dict[str, Any], axes: list[Axis]) -> list[tuple[dict[str, Any], dict[KeyPath, KeyPath]]]:
    """One copy of ``raw`` for each point of the axes' product.

    With each comes a map from an axis' path to the path of the item chosen, so that an error can name its line.
    """
    points = []
    for indices in product(*(range(len(values)) for _, values in axes)):
        point = deepcopy(raw)
        chosen: dict[KeyPath, KeyPath] = {}
        for (path, values), index in zip(axes, indices, strict=True):
            target: Any = point
            for key in path[:-1]:
                target = target[key]
            target[path[-1]] = values[index]
            chosen[path] = (*path, index)
        points.append((point, chosen))
    return points


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _submodel(annotation: Any) -> type[BaseModel] | None:
    for member in _members(annotation):
        for candidate in (member, *get_args(member)):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                return candidate
    return None


def _takes_list(annotation: Any) -> bool:
    return any(get_origin(member) in (list, tuple) for member in _members(annotation))
