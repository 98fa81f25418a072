"""The same filters on every page: by what is there, and by words."""

from streamlit.testing.v1 import AppTest


def script():
    import pandas as pd
    import streamlit as st

    from leaderboard.widgets.filters import filtered

    arms = pd.DataFrame(
        {
            "name": ["lora r=8", "lora r=16", "full_sft"],
            "base": ["small", "small", "large"],
            "method": ["lora", "lora", "full_sft"],
            "rank": [8.0, 16.0, None],
        }
    )
    st.dataframe(filtered(arms, ("base", "method", "rank"), search=True))


def names(page):
    assert not page.exception
    return list(page.dataframe[0].value["name"])


def test_everything_is_there_until_something_is_chosen():
    page = AppTest.from_function(script).run()
    assert names(page) == ["lora r=8", "lora r=16", "full_sft"]


def test_ranks_are_offered_as_numbers_in_order_and_none_last():
    assert AppTest.from_function(script).run().multiselect(key="rank").options == ["8", "16", "none"]


def test_filters_narrow_each_other():
    page = AppTest.from_function(script).run()
    page.multiselect(key="base").set_value(["small"]).run()
    page.multiselect(key="rank").set_value(["16"]).run()
    assert names(page) == ["lora r=16"]


def test_every_word_of_a_search_has_to_be_found():
    page = AppTest.from_function(script).run()
    page.text_input(key="q").set_value("LORA small r=8").run()
    assert names(page) == ["lora r=8"]
