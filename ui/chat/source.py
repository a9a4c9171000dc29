"""The source pane: a whole document with the cited words marked in place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import streamlit as st

from qa.types import Document
from ui.chat.render import Footnote
from ui.components import show_pane
from ui.highlight import Highlight, Line, grouped, split_lines
from ui.jinja import render
from ui.structure import structure_of

CHANGED = "The document has changed since then. These are the words that were cited:"
GONE = "This document is no longer in the library. These are the words that were cited:"


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A document that is open in the pane, with the footnotes of the answer that cites it."""

    document: str
    title: str
    footnotes: tuple[Footnote, ...] = ()
    current: Footnote | None = None
    token: str = field(default_factory=lambda: uuid4().hex)
    """New at every opening, so that the pane scrolls to the current footnote again."""


def open_at(footnote: Footnote, footnotes: Sequence[Footnote]) -> OpenSource:
    """Returns the pane opened at a footnote; others that cite the same text are marked too."""
    cited = footnote.citation
    same_text = []
    for candidate in footnotes:
        citation = candidate.citation
        if (citation.document, citation.version) == (cited.document, cited.version):
            same_text.append(candidate)
    # In the order of the text, for the buttons that step through them.
    same_text.sort(key=lambda candidate: (candidate.citation.start, candidate.citation.end))
    return OpenSource(cited.document, cited.title, tuple(same_text), footnote)


def show(
    source: OpenSource,
    document: Document | None,
    on_close: Callable[[], None],
    on_pick: Callable[[str], None] | None = None,
) -> None:
    """Shows the pane. `document` is as for `pane_html`.

    `on_pick` takes words that the person selects in it.
    """
    current = source.current
    data = {
        "html": pane_html(source, document, picking=on_pick is not None),
        "numbers": [footnote.number for footnote in source.footnotes],
        "current": current.number if current else None,
        "token": source.token,
    }
    with st.container(key="source"):
        show_pane(data, on_close, on_pick)


def pane_html(source: OpenSource, document: Document | None, picking: bool = False) -> str:
    """Returns heading, buttons and text. `document` is the library's document of that name.

    If the cited version of the text is gone, only the quotes are shown.
    """
    title, subtitle = source.title, source.document
    notice = GONE
    lines: list[Line] = []
    furniture = 0
    if document:
        title = document.title
        subtitle = document.publisher or subtitle
        notice = CHANGED
        current = source.current
        # A citation's offsets count in its own version only.
        if current is None or current.citation.version == document.version:
            notice = ""
            lines = _whole_text(document, source.footnotes)
            furniture = len(document.furniture)
    return render(
        "source.html",
        title=title,
        subtitle=subtitle,
        footnotes=source.footnotes,
        picking=picking,
        notice=notice,
        furniture=furniture,
        groups=grouped(lines),
        quotes=_quotes(source.footnotes) if notice else [],
    )


def _whole_text(document: Document, footnotes: Sequence[Footnote]) -> list[Line]:
    highlights = []
    for footnote in footnotes:
        citation = footnote.citation
        highlights.append(Highlight(footnote.number, citation.start, citation.end))
    structures = structure_of(document)
    return split_lines(document.text, highlights, structures, document.furniture)


def _quotes(footnotes: Sequence[Footnote]) -> list[list[Line]]:
    quotes = []
    for footnote in footnotes:
        quote = footnote.citation.quote
        if quote:
            highlight = Highlight(footnote.number, 0, len(quote))
            quotes.append(split_lines(quote, [highlight]))
    return quotes
