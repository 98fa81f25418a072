"""The gate's rules, as a file may override them."""

from pathlib import Path

from pydantic import ValidationError

from harness.analysis.gate import Rules
from harness.errors import UserError
from harness.problems import Problems, key_path, say
from harness.settings import defaults_merged
from harness.yamlfile import read_yaml


def load_rules(path: Path | None) -> Rules:
    """The rules in ``path`` over the defaults, key by key; the defaults where there is none.

    Raises UserError with every mistake, each in a line that names file, line, key, the bad value and what is allowed.
    """
    if path is None:
        return Rules()
    document = read_yaml(path)
    if not isinstance(document.value, dict):
        raise UserError(f"{path}: a rules file is a mapping, as in `speed: {{minimum: 0.02}}`")
    defaults, problems = Rules().model_dump(), Problems(document, set())
    try:
        return Rules.model_validate(defaults_merged(defaults, document.value))
    except ValidationError as error:
        for item in error.errors():
            where = key_path(item["loc"])
            if item["type"] == "extra_forbidden":
                problems.unknown(where, defaults[str(where[0])] if len(where) > 1 else defaults)
            else:
                problems.add(where, say(item))
        problems.raise_if_any()
        raise
