"""The parts of the page with our own HTML, style and script, and the small texts around them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.jinja import render

STATIC = Path(__file__).parent / "static"


def show_text(
    key: str, html: str, on_open: Callable[[str], None] | None = None, announce: str = ""
) -> None:
    """Shows HTML. A click on a button in it calls `on_open` with the button's `data-open`.

    Screen readers say `announce` when the HTML first appears.
    """

    def opened() -> None:
        value = st.session_state[key].get("open")
        if on_open and value is not None:
            on_open(value)

    component = _component("text")
    data = {"html": html, "announce": announce}
    component(key=key, data=data, on_open_change=opened)


def show_pane(
    data: dict[str, Any], on_close: Callable[[], None], on_pick: Callable[[str], None] | None = None
) -> None:
    """Shows the source pane with the data that `static/pane.js` describes.

    `on_pick` takes words that the person selects in it.
    """
    key = "source-pane"

    def picked() -> None:
        value = st.session_state[key].get("picked")
        if on_pick and value is not None:
            on_pick(value)

    component = _component("pane")
    component(
        key=key,
        data=data,
        on_close_change=on_close,
        on_picked_change=picked,
    )


def show_header(title: str, text: str = "", style: str = "lead") -> None:
    """Shows the heading of a page, and a sentence below it."""
    st.html(render("header.html", title=title, text=text, style=style))


def show_paragraph(text: str, style: str = "hint", role: str = "") -> None:
    """Shows a plain text; `role` is its ARIA role, for instance "alert"."""
    st.html(render("paragraph.html", text=text, style=style, role=role))


def show_error(key: str, message: str) -> None:
    """Shows that something failed: unlike a refusal, and said aloud by screen readers."""
    html = render("failure.html", message=message, stopped=False, lines=[])
    show_text(key, html)


@cache
def _component(name: str) -> ComponentRenderer:
    common = (STATIC / "common.css").read_text(encoding="utf-8")
    own_style = (STATIC / f"{name}.css").read_text(encoding="utf-8")
    script = (STATIC / f"{name}.js").read_text(encoding="utf-8")
    # Isolated: no style of Streamlit reaches the component, and none of it leaves it.
    return st.components.v2.component(
        f"footnote_{name}",
        css=common + own_style,
        js=script,
        isolate_styles=True,
    )
