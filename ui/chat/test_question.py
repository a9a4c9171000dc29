"""An answer becomes an evaluation question: a person says what is right, and picks the words that prove it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from uuid import uuid4

import streamlit as st

from qa.errors import NotWritableError
from qa.types import Document
from ui.chat.render import evidence_html
from ui.chat.transcript import Told
from ui.components import show_text

FILE = "questions.jsonl"
KIND = "from the page"


@dataclass(slots=True)
class Draft:
    """A question in the making."""

    exchange: str
    """The exchange it is made of."""
    question: str
    answerable: bool
    evidence: list[str] = field(default_factory=list)
    """Verbatim words of the documents."""
    problem: str = ""


def draft_of(exchange: str, told: Told, good: bool) -> Draft:
    """A question to begin with. Of a good answer, what it cites is the evidence; else a person has to find it."""
    quotes = (
        [citation.quote for sentence in told.sentences for citation in sentence.citations]
        if good
        else []
    )
    return Draft(
        exchange,
        told.standalone_question,
        not (good and told.abstained),
        list(dict.fromkeys(quotes)),
    )


def pick(draft: Draft, quote: str, documents: Sequence[Document]) -> None:
    """Takes words as evidence, or says why they are none."""
    quote = quote.strip()
    draft.problem = _problem(quote, documents)
    if not draft.problem and quote not in draft.evidence:
        draft.evidence.append(quote)


def show(draft: Draft, home: Path, documents: Sequence[Document]) -> bool:
    """Shows the form; True when it is done with, saved or not."""
    key = f"draft-{draft.exchange}"
    with st.container(key=key, border=True):
        st.html('<h3 class="part">A test question for <code>python -m eval run</code></h3>')
        question = st.text_input("Question", draft.question, key=f"{key}-question", max_chars=2000)
        label = "The documents answer it"
        answerable = st.checkbox(label, draft.answerable, key=f"{key}-answerable")
        answers = ""
        if answerable:
            answers = st.text_area("Right answers, one a line", key=f"{key}-answers", height=80)
            _show_evidence(draft, key, documents)
        if draft.problem:
            st.html(f'<p class="hint" role="alert">{draft.problem}</p>')
        with st.container(horizontal=True):
            saved = st.button("Save the question", key=f"{key}-save")
            left = st.button("Cancel", key=f"{key}-cancel")
    if not saved:
        return left
    right = [line.strip() for line in answers.splitlines() if line.strip()]
    draft.problem = _missing(question, answerable, right, draft.evidence)
    if draft.problem:
        st.rerun()
    _append(home / FILE, question.strip(), right, draft.evidence if answerable else [])
    st.toast(
        f"Saved. Ask it: python -m eval run --library --questions {quote(str(home / FILE))}",
        duration="long",
    )
    return True


def _show_evidence(draft: Draft, key: str, documents: Sequence[Document]) -> None:
    def remove(place: str) -> None:
        del draft.evidence[int(place)]

    def add() -> None:
        pick(draft, st.session_state[f"{key}-words"], documents)
        if not draft.problem:
            st.session_state[f"{key}-words"] = ""

    show_text(f"{key}-evidence", evidence_html(draft.evidence), remove)
    st.text_input(
        "Evidence: select words in the open source, or paste them here",
        key=f"{key}-words",
        on_change=add,
        placeholder="Words exactly as the document has them",
    )


def _problem(quote: str, documents: Sequence[Document]) -> str:
    """Why words are no evidence, as a sentence; empty: they are."""
    if not quote:
        return "Select or paste some words first."
    places = sum(document.text.count(quote) for document in documents)
    if not places:
        return "No document has these words exactly so. Copy them from the source."
    return (
        f"The documents have these words {places} times. Take more of the sentence."
        if places > 1
        else ""
    )


def _missing(question: str, answerable: bool, right: Sequence[str], evidence: Sequence[str]) -> str:
    """What a question lacks, as a sentence; empty: nothing."""
    if not question.strip():
        return "Write the question."
    if answerable and not right:
        return "Write at least one right answer, or say that the documents do not answer it."
    return (
        "Pick the words in the source that prove the answer." if answerable and not evidence else ""
    )


def _append(path: Path, question: str, answers: Sequence[str], evidence: Sequence[str]) -> None:
    row = {
        "id": f"page-{uuid4().hex[:8]}",
        "question": question,
        "answerable": bool(answers),
        "answers": answers,
        "evidence": evidence,
        "kind": KIND,
    }
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    except OSError as error:
        raise NotWritableError(
            f"{path} cannot be written: {error.strerror}. Set QA_HOME to another folder."
        ) from error
