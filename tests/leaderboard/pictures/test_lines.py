"""One line a method with its interval as a band; arms without a rank are levels right across."""

import pandas as pd
import pytest

from leaderboard.pictures.lines import lines, placed
from leaderboard.pictures.panels import panels
from leaderboard.quantities import BASE_SIZE, MEMORY, RANK, TARGET

ARMS = pd.DataFrame(
    {
        "name": ["lora r=2", "lora r=8", "full_sft"],
        "base": "b",
        "method": ["lora", "lora", "full_sft"],
        "family": ["lora", "lora", "full"],
        "rank": [2.0, 8.0, None],
        "target": [60.0, 70.0, 75.0],
        "target_low": [55.0, 66.0, 70.0],
        "target_high": [65.0, 74.0, 80.0],
        "memory_bytes": [10.0, 12.0, 30.0],
        "results": "1",
    }
)


def fields(panel):
    return [layer["encoding"]["y"]["field"] for layer in panel.spec["layer"]]


def marks(chart):
    return [layer["mark"]["type"] for layer in chart.to_dict()["layer"]]


def test_a_line_a_method_with_a_band_for_its_interval():
    spec = lines(ARMS, RANK, TARGET, "family").to_dict()
    (line,) = (one for one in spec["layer"] if one["mark"]["type"] == "line")
    (band,) = (one for one in spec["layer"] if one["mark"]["type"] == "area")
    assert line["encoding"]["detail"]["field"] == "family"
    assert (band["encoding"]["y"]["field"], band["encoding"]["y2"]["field"]) == ("band_low", "band_high")


def test_full_weights_are_a_level_without_a_place_on_the_axis():
    spec = lines(ARMS, RANK, TARGET, "family").to_dict()
    (level,) = (one for one in spec["layer"] if "strokeDash" in one["mark"])
    assert "x" not in level["encoding"]
    assert level["encoding"]["y"]["field"] == "level"
    assert list(placed(ARMS, RANK, TARGET, "family")["level"].fillna(0)) == [0, 0, 75]


def test_the_axis_has_a_tick_at_each_rank_that_was_tried():
    spec = lines(ARMS, RANK, TARGET, "family").to_dict()
    axes = [one["encoding"]["x"] for one in spec["layer"] if "x" in one["encoding"]]
    assert axes[0]["axis"]["values"] == [2.0, 8.0] and axes[0]["scale"]["type"] == "log"


def test_a_quantity_without_an_interval_has_no_band():
    assert "area" not in marks(lines(ARMS, RANK, MEMORY, "family"))


def test_a_lone_point_has_a_rule_in_place_of_a_band():
    rows = placed(ARMS.assign(family=["lora", "other", "full"]), RANK, TARGET, "family")
    assert rows["band_low"].isna().all()
    assert list(rows["bar_low"].fillna(0)) == [55, 66, 0]
    assert placed(ARMS, RANK, TARGET, "family")["bar_low"].isna().all()


def test_a_base_has_no_layer_that_is_empty_there():
    bases = pd.concat([ARMS.assign(base="a"), ARMS[ARMS["rank"] == 2.0].assign(base="b")])
    rows = placed(bases.assign(family=bases["family"] + bases["base"]), RANK, TARGET, "family")
    whole, lone = panels(lines(rows, RANK, TARGET, "family"), rows, "base")
    assert fields(whole) == ["level_low", "band_low", "level", "point", "point"]
    assert fields(lone) == ["bar_low", "point", "point"]


def test_nothing_to_draw_is_none():
    assert lines(ARMS[ARMS["rank"].isna()], RANK, TARGET, "family") is None
    assert lines(ARMS.assign(target=None), RANK, TARGET, "family") is None
    assert lines(ARMS.assign(base_parameters=None), BASE_SIZE, TARGET, "family") is None


class TestOfSeveralResults:
    @pytest.fixture
    def layers(self):
        both = pd.concat([ARMS, ARMS.assign(results="2", family=ARMS["family"] + " 2")])
        return lines(both, RANK, TARGET, "family").to_dict()["layer"]

    def looks(self, layers, mark, channel):
        (found,) = (
            one["encoding"][channel] for one in layers if one["mark"]["type"] == mark and channel in one["encoding"]
        )
        return found["title"], dict(zip(found["scale"]["domain"], map(str, found["scale"]["range"]), strict=True))

    @pytest.mark.parametrize(("mark", "channel"), [("line", "strokeDash"), ("rule", "strokeDash"), ("point", "shape")])
    def test_each_has_a_look_of_its_own_in_the_legend(self, layers, mark, channel):
        title, looks = self.looks(layers, mark, channel)
        assert (title, set(looks)) == ("results", {"1", "2"})
        assert looks["1"] != looks["2"]

    def test_one_alone_has_no_legend_of_them(self):
        assert "results" not in str(lines(ARMS, RANK, TARGET, "family").to_dict()["layer"])
