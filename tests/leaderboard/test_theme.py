"""A method looks the same on each page, whoever else is there, and is told apart without colour."""

from leaderboard.theme import colour, looks


def test_a_method_keeps_its_look_whatever_others_there_are():
    alone, among = looks(["lora"]), looks(["lora", "zeta", "alpha", "full_sft"])
    assert alone["lora"] == among["lora"]


def test_no_two_methods_share_a_colour_or_a_mark():
    found = looks(["alpha", "beta", "gamma"])
    assert len({look[0] for look in found.values()}) == len(found)
    assert len({look[1] for look in found.values()}) == len(found)


def test_the_legend_has_those_that_are_there():
    scale = colour(["qlora", "full_sft"]).to_dict()["scale"]
    assert scale["domain"] == ["full_sft", "qlora"]
