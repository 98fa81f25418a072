"""The file of claims: every claim is there, and a mistake in it is one line with its place."""

import re
from pathlib import Path

import pytest

from harness.claims.principles import CALCULATIONS
from harness.claims.read import read_claims
from harness.errors import UserError

CLAIM = """version: 1
claims:
  - id: mine
    claim: it is so
    settled_by: counting
"""
COUNTED = CLAIM + "    figures:\n      - {calculate: bits_saved, claimed: {about: 0.5}}\n"
RULED = CLAIM + "    depends_on: luck\n    rules:\n      - {first: method=lora, second: method=full_sft, conditions: ["


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def from_text(text):
        (tmp_path / "claims.yaml").write_text(text)
        return read_claims(Path("claims.yaml"))

    return from_text


def problems(read, text):
    with pytest.raises(UserError) as caught:
        read(text)
    return list(caught.value.lines)


class TestTheFile:
    @pytest.mark.real
    def test_has_every_claim_that_was_collected(self, shared):
        listed = re.findall(r"^\| ([a-z0-9.-]+) \|", (shared / "claims.md").read_text(encoding="utf-8"), re.MULTILINE)
        assert {claim.id for claim in read_claims()} == set(listed) - {"id"}

    def test_has_28_claims_each_with_what_settles_it(self):
        claims = read_claims()
        assert len(claims) == 28
        assert all(claim.settled_by for claim in claims)

    def test_settles_no_claim_by_prediction(self):
        held = [figure.calculate for claim in read_claims() for figure in claim.counted]
        assert held
        assert all(CALCULATIONS[name].basis == "counted" for name in held)

    def test_a_claim_on_a_size_that_pocket_does_not_have_is_scoped(self):
        sized = {"lora-16gb", "qlora-8gb", "speed-1.8x", "qlora-2.1x", "lora-3-10x-memory", "70b-48gb", "7b-24gb"}
        for claim in read_claims():
            if claim.id in sized:
                assert not claim.scope.covers("cpu", 910_464)
                assert not claim.scope.covers("cuda", 910_464)


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (CLAIM + "    vedict: confirmed\n", "claims.yaml:6: claims.0.vedict: unknown key"),
            (CLAIM.replace("    claim: it is so\n", ""), "claims.yaml:3: claims.0.claim: missing"),
            (CLAIM.replace("mine", "Mine!"), "claims.yaml:3: claims.0.id: 'Mine!': string should match pattern"),
            ("version: 1\n", "claims.yaml: claims: missing"),
            ("[]\n", "claims.yaml: []: input should be a valid dictionary"),
            (COUNTED.replace("bits_saved", "bits"), "claims.yaml:7: claims.0.figures.0.calculate: no such calculation"),
            (
                COUNTED.replace("bits_saved,", "flops_ratio,"),
                "claims.yaml:7: claims.0.figures.0: flops_ratio: missing a required argument: 'recomputation'",
            ),
            (
                COUNTED.replace("bits_saved,", "bits_saved_on, arguments: {shape: llama-9},"),
                "claims.yaml:7: claims.0.figures.0: bits_saved_on: llama-9: no such shape, file or folder",
            ),
            (COUNTED.replace("about: 0.5", ""), "claims.yaml:7: claims.0.figures.0.claimed: expected `about`, or"),
            (
                COUNTED.replace("about: 0.5", "about: 0.5, at_most: 1"),
                "claims.yaml:7: claims.0.figures.0.claimed: expected `about`, or",
            ),
            (
                RULED + "{quantity: luck, claimed: {at_most: 0}}]}\n",
                "claims.yaml:8: claims.0.rules.0.conditions.0.quantity: 'luck': input should be 'gain', ",
            ),
            (RULED + "]}\n", "claims.yaml:8: claims.0.rules.0.conditions: []: list should have at least 1 item"),
            (
                RULED.replace("method=lora", "lora") + "{quantity: gain, claimed: {at_most: 0}}]}\n",
                "claims.yaml:8: claims.0.rules.0.first: expected method=..., ",
            ),
            (
                RULED + "{quantity: merged, claimed: {at_most: 0}}]}\n",
                "claims.yaml:8: claims.0.rules.0: merged is of one arm, without a `second`",
            ),
            (
                RULED.replace(" second: method=full_sft,", "") + "{quantity: gain, claimed: {at_most: 0}}]}\n",
                "claims.yaml:8: claims.0.rules.0: gain is of a `first` and a `second`; of one arm: memory, ",
            ),
            (
                RULED.replace("    depends_on: luck\n", "") + "{quantity: gain, claimed: {at_most: 0}}]}\n",
                "claims.yaml:3: claims.0: depends_on: missing: what decides",
            ),
        ],
    )
    def test_are_one_line_with_the_place(self, read, text, says):
        (line,) = problems(read, text)
        assert line.startswith(says), line

    def test_are_told_together(self, read):
        doubled = CLAIM + CLAIM.partition("claims:\n")[2].replace("settled_by", "settledby")
        assert len(problems(read, doubled)) == 2

    def test_an_id_may_stand_once(self, read):
        lines = problems(read, CLAIM + CLAIM.partition("claims:\n")[2])
        assert lines == [f"claims.yaml:{n}: claims.{m}.id: 'mine' stands 2 times" for m, n in enumerate((3, 6))]

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(UserError, match=r"none\.yaml: no such file"):
            read_claims(tmp_path / "none.yaml")
