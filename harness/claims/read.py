"""The file of claims."""

from collections import Counter
from pathlib import Path

from pydantic import ValidationError

import suites
from harness.claims.entry import Claim, ClaimsFile
from harness.errors import UserError
from harness.problems import Problems
from harness.yamlfile import read_yaml

CLAIMS = Path(next(iter(suites.__path__))) / "claims" / "claims.yaml"


def read_claims(path: Path = CLAIMS) -> tuple[Claim, ...]:
    """Every claim of the file, in its order, its figures computed; raises UserError with each mistake on a line."""
    document = read_yaml(path)
    problems = Problems(document, set())
    try:
        claims = ClaimsFile.model_validate(document.value).claims
    except ValidationError as error:
        problems.add_validation((), error, {})
        problems.raise_if_any()
        raise
    _check(claims, problems)
    problems.raise_if_any()
    return tuple(claims)


def _check(claims: list[Claim], problems: Problems) -> None:
    """What no claim can say of itself alone, and what only computing a figure shows."""
    named = Counter(claim.id for claim in claims)
    for n, claim in enumerate(claims):
        if named[claim.id] > 1:
            problems.add(("claims", n, "id"), f"{claim.id!r} stands {named[claim.id]} times")
        for m, figure in enumerate(claim.figures):
            try:
                figure.value  # noqa: B018
            except (UserError, TypeError, ArithmeticError) as error:
                problems.add(("claims", n, "figures", m), f"{figure.calculate}: {error}")
                break
        else:
            if claim.depends_on is None and (claim.rules or len({figure.holds for figure in claim.counted}) > 1):
                problems.add(
                    ("claims", n), "depends_on: missing: what decides, where some of it holds and some does not"
                )
