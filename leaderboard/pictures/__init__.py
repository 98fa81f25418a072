"""The board's pictures: pure functions from frames to Altair charts, for the app and for the static page alike.

Each takes frames in the units that people read (``quantities.in_units``) and returns None where there is nothing to
draw. Texts of the data are only ever values of a field: Vega draws them, and obeys nothing in them.
"""

import altair as alt

AnyChart = alt.Chart | alt.LayerChart | alt.FacetChart | alt.HConcatChart
