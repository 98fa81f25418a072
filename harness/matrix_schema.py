"""The JSON Schema of a matrix file, put together from the models that check it."""

from typing import Any

import methods.registry
from harness.errors import UserError
from harness.matrix import Header
from harness.settings import Settings

ENTRY_DOCS = {
    "method": "The method's name, where the entry's own name is not one.",
    "bases": "Which bases it applies to; all of them if not given.",
    "per_base": "Overrides for single bases, as deep as needed.",
    "starts_from": "For preference methods: the SFT entries to start from, each with an optional filter.",
    "learning_rate": "One rate, or a list to choose from by the `selection` task. Needed where anything is trained.",
}


def matrix_schema() -> dict[str, Any]:
    """Draft 2020-12. A list is allowed wherever it makes an axis. Raises UserError for a plugin that will not do."""
    definitions: dict[str, Any] = {}
    header = _taken_in(Header.model_json_schema(ref_template="#/$defs/{model}"), definitions)
    settings = _as_axes(_taken_in(Settings.model_json_schema(ref_template="#/$defs/{model}"), definitions), definitions)
    entries = []
    for name in methods.registry.names():
        parameters = _method(name).Parameters.model_json_schema(ref_template="#/$defs/{model}")
        own = _as_axes(_taken_in(parameters, definitions), definitions)
        entries.append(_entry(name, own["properties"], settings["properties"]))
    properties = {**header["properties"], **settings["properties"]}
    properties["methods"] = {**header["properties"]["methods"], "additionalProperties": {"anyOf": entries}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tunematrix matrix file",
        "type": "object",
        "additionalProperties": False,
        "required": header["required"],
        "properties": properties,
        "$defs": definitions,
    }


def _method(name: str) -> methods.registry.Method:
    try:
        return methods.registry.get(name)
    except TypeError as error:
        raise UserError(f"{error}; mend or uninstall it") from None


def _entry(name: str, parameters: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    rate = {"type": "number", "exclusiveMinimum": 0}
    shared = {
        "method": {"const": name, "description": ENTRY_DOCS["method"]},
        "bases": {"type": "array", "items": {"type": "string"}, "description": ENTRY_DOCS["bases"]},
        "per_base": {"type": "object", "description": ENTRY_DOCS["per_base"]},
        "learning_rate": {
            "anyOf": [rate, {"type": "array", "items": rate, "minItems": 1}],
            "description": ENTRY_DOCS["learning_rate"],
        },
    }
    if methods.registry.get(name).learns_from == "preference":
        shared["starts_from"] = {"type": ["string", "array", "object"], "description": ENTRY_DOCS["starts_from"]}
    properties = {**shared, **parameters, **settings}
    return {"type": "object", "title": name, "additionalProperties": False, "properties": properties}


def _taken_in(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    definitions.update(schema.pop("$defs", {}))
    return schema


def _as_axes(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Each single value may also be a list of values; models inside are treated alike."""
    properties = {name: _axis(value, definitions) for name, value in schema.get("properties", {}).items()}
    return {**schema, "properties": properties}


def _axis(value: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    reference = value.get("$ref")
    if reference is not None:
        name = reference.rpartition("/")[2]
        if not definitions[name].get("x-axes"):
            definitions[name] = {**_as_axes(definitions[name], definitions), "x-axes": True}
        return value
    if value.get("type") == "array":
        return value
    shown: dict[str, Any] = {key: value[key] for key in ("title", "description", "default") if key in value}
    bare = {key: value[key] for key in value if key not in shown}
    return {"anyOf": [bare, {"type": "array", "items": bare, "minItems": 1}], **shown}
