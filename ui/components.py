"""The two pieces of the page that are our own HTML, styles and script: texts with buttons, and the source pane."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

STATIC = Path(__file__).parent / "static"


def show_text(
    key: str, html: str, on_open: Callable[[str], None] | None = None, announce: str = ""
) -> None:
    """Shows escaped HTML. A click on one of its buttons calls `on_open` with the button's `data-open`.

    `announce` is said by screen readers when the text first appears.
    """

    def opened() -> None:
        value = st.session_state[key].get("open")
        if on_open and value is not None:
            on_open(value)

    _component("text")(key=key, data={"html": html, "announce": announce}, on_open_change=opened)


def show_pane(
    data: dict[str, Any], on_close: Callable[[], None], on_pick: Callable[[str], None] | None = None
) -> None:
    """Shows the source pane; what it takes is in `static/pane.js`. `on_pick` is given words selected in it."""
    key = "source-pane"

    def picked() -> None:
        value = st.session_state[key].get("picked")
        if on_pick and value is not None:
            on_pick(value)

    _component("pane")(key=key, data=data, on_close_change=on_close, on_picked_change=picked)


@cache
def _component(name: str) -> ComponentRenderer:
    css = "".join((STATIC / f"{part}.css").read_text(encoding="utf-8") for part in ("common", name))
    script = (STATIC / f"{name}.js").read_text(encoding="utf-8")
    return st.components.v2.component(f"footnote_{name}", css=css, js=script, isolate_styles=True)
