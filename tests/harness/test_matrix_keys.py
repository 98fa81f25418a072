"""The tables of a matrix file's keys: the page holds today's, and nothing in the schema is without a meaning."""

from pathlib import Path

import pytest

from harness.matrix_keys import END, keys_tables, rewritten
from harness.matrix_schema import matrix_schema

PAGE = Path(__file__).resolve().parents[2] / "docs" / "matrix.md"


def row(key: str) -> list[str]:
    (found,) = (line for line in keys_tables().splitlines() if line.startswith(f"| `{key}` |"))
    return [cell.strip() for cell in found.strip("|").split("|")]


def keys_without_meaning(node: object, path: str = "") -> list[str]:
    if not isinstance(node, dict):
        return [key for item in node for key in keys_without_meaning(item, path)] if isinstance(node, list) else []
    properties = node.get("properties")
    missing = [f"{path}.{name}" for name, value in (properties or {}).items() if not value.get("description")]
    return missing + [key for name, value in node.items() for key in keys_without_meaning(value, f"{path}.{name}")]


def test_the_page_holds_the_tables_that_the_models_make():
    page = PAGE.read_text(encoding="utf-8")
    assert page == rewritten(page), "run: python -m harness.matrix_keys docs/matrix.md"


def test_what_stands_around_the_tables_is_left_alone():
    page = PAGE.read_text(encoding="utf-8")
    assert rewritten(f"{page}more\n") == f"{page}more\n"
    assert page.endswith(END)


@pytest.mark.parametrize(
    ("key", "cells"),
    [
        ("batch_size", ["integer above 0", "`16`", "Examples a step."]),
        ("kernels.attention", ["`eager`, `sdpa`, `flash_attention_2`", "`sdpa`"]),
        ("evals[].task", ["text", "needed"]),
        ("bases.NAME.hub", ["text", ""]),
        ("budget", ["mapping", "`{steps: 100}`"]),
        ("rank", ["integer above 0", "`8`"]),
    ],
)
def test_a_row_says_which_values_are_allowed_and_which_is_taken(key, cells):
    assert row(key)[1 : 1 + len(cells)] == cells


def test_a_parameter_names_the_methods_that_read_it():
    assert row("rank")[-1].endswith("For `lora`, `qlora`.")


def test_every_key_of_the_schema_has_a_meaning():
    assert keys_without_meaning(matrix_schema()) == []
