"""The source pane: a whole document with the cited words marked in place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import streamlit as st

from qa.types import Document
from ui.chat.render import Footnote
from ui.components import show_pane
from ui.highlight import Highlight, Line, split_lines
from ui.jinja import render

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
    same_text = [other for other in footnotes if _text_of(other) == _text_of(footnote)]
    same_text.sort(key=lambda other: (other.citation.start, other.citation.end))
    return OpenSource(cited.document, cited.title, tuple(same_text), footnote)


def show(
    source: OpenSource,
    documents: Sequence[Document],
    on_close: Callable[[], None],
    on_pick: Callable[[str], None] | None = None,
) -> None:
    """Shows the pane. `on_pick` takes words that the person selects in it."""
    document = next((document for document in documents if document.name == source.document), None)
    data = {
        "html": pane_html(source, document, picking=on_pick is not None),
        "numbers": [footnote.number for footnote in source.footnotes],
        "current": source.current.number if source.current else None,
        "token": source.token,
    }
    with st.container(key="source"):
        show_pane(data, on_close, on_pick)


def pane_html(source: OpenSource, document: Document | None, picking: bool = False) -> str:
    """Returns heading, buttons and text. `document` is the library's document of that name.

    If the cited version of the text is gone, only the quotes are shown.
    """
    current = source.current
    notice = ""
    lines: list[Line] = []
    quotes: list[list[Line]] = []
    if document and (current is None or current.citation.version == document.version):
        lines = split_lines(document.text, _highlights(source.footnotes))
    else:
        notice = CHANGED if document else GONE
        quotes = [_quote(footnote) for footnote in source.footnotes if footnote.citation.quote]
    return render(
        "source.html",
        title=document.title if document else source.title,
        publisher=(document and document.publisher) or source.document,
        footnotes=source.footnotes,
        picking=picking,
        notice=notice,
        lines=lines,
        quotes=quotes,
    )


def _highlights(footnotes: Sequence[Footnote]) -> list[Highlight]:
    return [
        Highlight(footnote.number, footnote.citation.start, footnote.citation.end)
        for footnote in footnotes
    ]


def _quote(footnote: Footnote) -> list[Line]:
    quote = footnote.citation.quote
    return split_lines(quote, [Highlight(footnote.number, 0, len(quote))])


def _text_of(footnote: Footnote) -> tuple[str, str]:
    return footnote.citation.document, footnote.citation.version
