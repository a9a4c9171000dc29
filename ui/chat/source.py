"""The source pane: a whole document, with the words an answer cites marked in place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from uuid import uuid4

import streamlit as st

from qa.types import Document
from ui.chat.render import Note
from ui.components import show_pane
from ui.highlight import Mark, document_html

CHANGED = "The document has changed since. These are the words that were cited:"
GONE = "This document is no longer in the library. These are the words that were cited:"


@dataclass(frozen=True, slots=True)
class Opened:
    """A document that is open in the pane, with the footnotes of the answer it was opened from."""

    document: str
    title: str
    notes: tuple[Note, ...] = ()
    current: Note | None = None
    token: str = field(default_factory=lambda: uuid4().hex)
    """New at every opening: it tells the pane to scroll to the current footnote again."""


def opened_at(note: Note, notes: Sequence[Note]) -> Opened:
    """The pane at one of an answer's footnotes; the others in the same text are marked too."""
    cited = note.citation
    same = [other for other in notes if _text_of(other) == _text_of(note)]
    in_order = sorted(same, key=lambda other: (other.citation.start, other.citation.end))
    return Opened(cited.document, cited.title, tuple(in_order), note)


def show(
    opened: Opened,
    documents: Sequence[Document],
    on_close: Callable[[], None],
    on_pick: Callable[[str], None] | None = None,
) -> None:
    """Shows the pane. With `on_pick`, words selected in it can be handed on."""
    document = next((document for document in documents if document.name == opened.document), None)
    with st.container(key="source"):
        show_pane(
            {
                "html": pane_html(opened, document, picking=on_pick is not None),
                "numbers": [note.number for note in opened.notes],
                "current": opened.current.number if opened.current else None,
                "token": opened.token,
            },
            on_close,
            on_pick,
        )


def pane_html(opened: Opened, document: Document | None, picking: bool = False) -> str:
    """Heading, controls and text; `document` is what the library holds now under that name."""
    title = escape(document.title if document else opened.title)
    publisher = document.publisher if document else None
    return (
        f'<header><div class="of"><h2>{title}</h2><p class="publisher">{escape(publisher or opened.document)}</p></div>'
        f'<button type="button" class="close" aria-label="Close the source">✕</button></header>'
        f"{_controls_html() if opened.notes else ''}{_PICK if picking else ''}"
        f'<div class="text" role="group" tabindex="0" aria-label="Text of {title}">{_body_html(opened, document)}</div>'
    )


_PICK = '<div class="picking"><button type="button" class="pick" disabled>Use the selected words as evidence</button></div>'


def _controls_html() -> str:
    return (
        '<div class="controls">'
        '<button type="button" class="previous" aria-label="Previous citation" title="Previous citation: ←">↑</button>'
        '<button type="button" class="next" aria-label="Next citation" title="Next citation: →">↓</button>'
        '<span class="place" role="status"></span></div>'
    )


def _body_html(opened: Opened, document: Document | None) -> str:
    current = opened.current
    if document and (current is None or current.citation.version == document.version):
        marks = [Mark(note.number, note.citation.start, note.citation.end) for note in opened.notes]
        return document_html(document.text, marks)
    quotes = "".join(
        f"<blockquote>{document_html(quote, [Mark(note.number, 0, len(quote))])}</blockquote>"
        for note in opened.notes
        if (quote := note.citation.quote)
    )
    return f'<p class="notice">{CHANGED if document else GONE}</p>{quotes}'


def _text_of(note: Note) -> tuple[str, str]:
    return note.citation.document, note.citation.version
