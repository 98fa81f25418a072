"""The README's outputs that nothing has to run for are those of the commands."""

import shlex
from pathlib import Path

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_what_an_8_b_model_costs_is_what_fit_says(tunematrix):
    command, _, rest = README.partition("$ tunematrix fit ")[2].partition("\n")
    printed = rest.partition("```")[0]

    code, output, errors = tunematrix("fit", *shlex.split(command))

    assert code == 0, errors
    assert printed.split() == output.split(), "put it into the README again"
