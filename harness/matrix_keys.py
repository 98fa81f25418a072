"""The keys of a matrix file as the tables of docs/matrix.md, made from the models that check the file.

``python -m harness.matrix_keys docs/matrix.md`` writes them anew, between their marks.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import methods.registry
from harness.matrix import Header
from harness.matrix_schema import ENTRY_DOCS
from harness.settings import Settings

BEGIN, END = "<!-- made by: python -m harness.matrix_keys docs/matrix.md -->\n", "<!-- until here -->\n"
HEAD = "| key | values | default | meaning |\n|:--|:--|:--|:--|\n"

Schema = dict[str, Any]
_BOUNDS = {"exclusiveMinimum": "above", "minimum": "from", "exclusiveMaximum": "below", "maximum": "to"}


def keys_tables() -> str:
    """A table of the file's own keys, one of the settings, one of an entry's."""
    parts = {
        "The file": _rows(Header.model_json_schema()),
        "Settings: of the file, of an entry, of one base in `per_base`": _rows(Settings.model_json_schema()),
        "An entry under `methods`, beside settings": (*_entry_rows(), *_parameter_rows()),
    }
    return "\n".join(f"### {title}\n\n{HEAD}{''.join(rows)}" for title, rows in parts.items())


def rewritten(page: str) -> str:
    """The page with today's tables between its marks."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{keys_tables()}\n{END}{rest.partition(END)[2]}"


def _rows(schema: Schema) -> Iterator[str]:
    for key, value, default in _walk(schema, schema.get("$defs", {}), ""):
        yield _row(key, _values(value), default, value["description"])


def _walk(schema: Schema, models: Schema, prefix: str) -> Iterator[tuple[str, Schema, str]]:
    """Each key with its schema and default, then those of a model inside it, once; ``[]`` is any item of a list."""
    told: list[Schema] = []
    for name, value in schema["properties"].items():
        inner, sign = _inner(value, models)
        asked = name in schema.get("required", ())
        yield f"{prefix}{name}", value, "needed" if asked else _default(value, inner)
        if inner is not None and inner not in told:
            told.append(inner)
            yield from _walk(inner, models, f"{prefix}{name}{sign}.")


def _inner(value: Schema, models: Schema) -> tuple[Schema | None, str]:
    for holder, sign in ((value, ""), (value.get("items"), "[]"), (value.get("additionalProperties"), ".NAME")):
        if isinstance(holder, dict) and "$ref" in holder:
            return models[holder["$ref"].rpartition("/")[2]], sign
    return None, ""


def _default(value: Schema, inner: Schema | None) -> str:
    default = value.get("default")
    if isinstance(default, dict) and inner is not None:  # only what its own keys do not say
        own = {key: chosen for key, chosen in default.items() if chosen != inner["properties"][key].get("default")}
        default = own if "$ref" in value else default
    return "" if default in (None, {}, []) else f"`{json.dumps(default).removesuffix('.0')}`".replace('"', "")


def _values(value: Schema) -> str:
    if "anyOf" in value:
        return " or ".join(_values(one) for one in value["anyOf"] if one.get("type") != "null")
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    kind = {"array": "list", "boolean": "`true`, `false`", "string": "text"}.get(value.get("type", ""))
    bounds = " ".join(f"{word} {value[key]:g}" for key, word in _BOUNDS.items() if key in value)
    return kind or f"{value.get('type', 'object')} {bounds}".strip().replace("object", "mapping")


def _entry_rows() -> Iterator[str]:
    for key, meaning in ENTRY_DOCS.items():
        yield _row(key, "", "", meaning)


def _parameter_rows() -> Iterator[str]:
    """The parameters of the methods that are built in; one that several methods read alike stands once."""
    found: dict[str, list[str]] = {}
    for method in methods.registry.BUILT_IN:
        for row in _rows(methods.registry.get(method).Parameters.model_json_schema()):
            found.setdefault(row, []).append(f"`{method}`")
    for row, readers in found.items():
        yield row.replace(" |\n", f" For {', '.join(readers)}. |\n")


def _row(key: str, values: str, default: str, meaning: str) -> str:
    return f"| `{key}` | {values} | {default} | {meaning} |\n"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")
