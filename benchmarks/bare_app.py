"""What Streamlit takes by itself: a title, one small picture, one small table. `make bench-board` holds the board's
first page against it."""

import pandas as pd
import streamlit as st

ROWS = pd.DataFrame({"a": [1, 2, 3], "b": [3, 1, 2]})
ENCODING = {name: {"field": field, "type": "quantitative"} for name, field in (("x", "a"), ("y", "b"))}

st.title("Streamlit alone")
st.vega_lite_chart(ROWS, {"mark": "bar", "encoding": ENCODING})
st.dataframe(ROWS)
