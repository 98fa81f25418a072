"""docs/claims.md is what the command writes of the published results."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "claims.md"


def test_the_page_is_the_commands(tunematrix, tmp_path):
    published = sorted(path.parent for path in (ROOT / "results").glob("*/manifest.json"))
    code, _, errors = tunematrix("claims", *published, "--out", tmp_path / "claims.md")
    assert code == 0, errors
    same = PAGE.read_text(encoding="utf-8") == (tmp_path / "claims.md").read_text(encoding="utf-8")
    assert same, "write it again: tunematrix claims results/*/ --out docs/claims.md"
