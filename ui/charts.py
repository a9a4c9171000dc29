"""A chart of one figure over the runs: for each a point, and its interval as a bar. Nothing in it is fetched."""

from collections.abc import Sequence
from typing import Final, Literal

import altair as alt

from eval.metrics import metric_named
from ui.figures import Figure, label
from ui.render_runs import interval, number

STEP: Final = 62
"""Pixels a run takes: two lines of text, and below them the point."""
FIRST, SECOND, POINT = -14, 3, 17
"""Where these are, in pixels below the middle: the ends of the lines, and the point."""
INK: Final = "currentColor"
"""The page's own text colour: the chart is drawn as SVG, and so follows the theme."""
TOLD: Final = 135
"""Pixels that a value and its interval take at the end of the line of text."""


def across(
    measure: str, rows: Sequence[tuple[str, str, Figure | None]], described: str
) -> alt.LayerChart | alt.FacetChart:
    """`rows`: each run's name, configuration and figure; from top to bottom. `described` is the text alternative."""
    values = [_values(place, *row, measure) for place, row in enumerate(rows)]
    base = alt.Chart(alt.InlineData(values=values)).encode(y=alt.Y("place:O", axis=None))
    low, value = (_x(field, measure) for field in ("low", "value"))
    left, right, whole = alt.value(0), alt.value("width"), alt.ExprRef("width")
    return alt.layer(
        base.mark_rule(aria=False, color=INK, strokeWidth=3, opacity=0.55, yOffset=POINT).encode(
            x=low, x2="high:Q"
        ),
        base.mark_point(
            aria=False, color=INK, filled=True, size=110, opacity=1, yOffset=POINT
        ).encode(x=value),
        _line(base, "left", FIRST, alt.ExprRef(f"width - {TOLD}")).encode(x=left, text="name:N"),
        _line(base, "right", FIRST, TOLD).encode(x=right, text="told:N"),
        _line(base, "left", SECOND, whole).encode(x=left, text="settings:N"),
        height=alt.Step(STEP),
        description=described,
        # Else there is a menu, and an entry of it sends the figures to an editor elsewhere.
        usermeta={"embedOptions": {"actions": False}},
    )


def _line(
    base: alt.Chart, align: Literal["left", "right"], below: int, limit: int | alt.ExprRef
) -> alt.Chart:
    """Text that ends so many pixels below the middle, at most `limit` pixels of it."""
    line: alt.Chart = base.mark_text(
        aria=False, align=align, limit=limit, baseline="bottom", dy=below, color=INK, fontSize=13
    )
    return line


def _x(field: str, measure: str) -> alt.X:
    # Shares are shown from 0 to 1 whatever they are, so that a small difference looks small.
    scale = alt.Scale(domain=[0, 1]) if metric_named(measure).is_share else alt.Scale(zero=True)
    title = label(measure) + (" (less is better)" if metric_named(measure).lower_is_better else "")
    axis = alt.Axis(
        labelColor=INK,
        labelFontSize=13,
        titleColor=INK,
        titleFontSize=13,
        titleFontWeight="normal",
        gridColor=INK,
        gridOpacity=0.16,
        tickCount=5,
    )
    return alt.X(f"{field}:Q", scale=scale, title=title, axis=axis)


def _values(
    place: int, name: str, settings: str, figure: Figure | None, measure: str
) -> dict[str, str | int | float | None]:
    told: dict[str, str | int | float | None] = {"place": place, "name": name, "settings": settings}
    if figure is None or figure.value is None:
        return {**told, "told": "nothing to measure"}
    return {
        **told,
        "told": f"{number(figure.value, measure)} {interval(figure, measure)}",
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
    }
