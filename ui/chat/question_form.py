"""The form that turns an answer into a test question for `footnote eval run`.

A person writes the correct answers and picks the evidence: the words that prove them.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote as shell_quote
from uuid import uuid4

import streamlit as st

from qa.errors import NotWritableError
from qa.types import MAX_QUESTION
from ui.chat.transcript import StoredAnswer
from ui.components import show_text
from ui.jinja import count, render

FILE = "questions.jsonl"
KIND = "from the page"
CountQuote = Callable[[str], int]
"""Returns how often the documents contain a quote."""


@dataclass(slots=True)
class QuestionDraft:
    """A test question that is being written."""

    exchange: str
    """The id of the exchange it is made from."""
    question: str
    answerable: bool
    evidence: list[str] = field(default_factory=list)
    """Verbatim quotes of the documents."""
    problem: str = ""
    """What is wrong or missing, in a sentence."""


def draft_question(exchange: str, answer: StoredAnswer, good: bool) -> QuestionDraft:
    """Returns a draft. The quotes of a good answer are its evidence; else a person picks some."""
    quotes: dict[str, None] = {}
    if good:
        for sentence in answer.sentences:
            quotes.update(dict.fromkeys(citation.quote for citation in sentence.citations))
    answerable = not (good and answer.abstained)
    # An earlier question in parentheses can make it longer than a question may be.
    question = answer.standalone_question[:MAX_QUESTION]
    return QuestionDraft(exchange, question, answerable, list(quotes))


def add_evidence(draft: QuestionDraft, quote: str, count_quote: CountQuote) -> None:
    """Adds a quote to the evidence, or sets `draft.problem` if it cannot be evidence."""
    quote = quote.strip()
    draft.problem = _problem_with_quote(quote, count_quote)
    if not draft.problem and quote not in draft.evidence:
        draft.evidence.append(quote)


def show(draft: QuestionDraft, home: Path, count_quote: CountQuote) -> bool:
    """Shows the form. Returns True when the person saved the question or cancelled."""
    key = f"draft-{draft.exchange}"
    with st.container(key=key, border=True):
        st.html(render("form_title.html"))
        question = st.text_input(
            "Question", draft.question, key=f"{key}-question", max_chars=MAX_QUESTION
        )
        answerable = st.checkbox(
            "The answer is in the documents", draft.answerable, key=f"{key}-answerable"
        )
        answers: list[str] = []
        if answerable:
            text = st.text_area("Correct answers (one per line)", key=f"{key}-answers", height=80)
            answers = [line.strip() for line in text.splitlines() if line.strip()]
            _show_evidence(draft, key, count_quote)
        if draft.problem:
            st.html(render("paragraph.html", style="hint", role="alert", text=draft.problem))
        with st.container(horizontal=True):
            save = st.button("Save test question", key=f"{key}-save")
            cancel = st.button("Cancel", key=f"{key}-cancel")
    if not save:
        return cancel

    draft.problem = _problem_with_form(question, answerable, answers, draft.evidence)
    if draft.problem:
        # The problem is shown above the buttons, which are drawn already.
        st.rerun()
    file = home / FILE
    _append(file, question.strip(), answers, draft.evidence if answerable else [])
    # Counted in the file: it also holds those of other people and earlier days.
    lines = file.read_text(encoding="utf-8").splitlines()
    saved = count(len(lines), "test question")
    command = f"footnote eval run --library --questions {shell_quote(str(file))}"
    st.toast(f"Saved. You have {saved}. Run them: `{command}`", duration="long")
    return True


def _show_evidence(draft: QuestionDraft, key: str, count_quote: CountQuote) -> None:
    def remove(index: str) -> None:
        del draft.evidence[int(index)]

    def add() -> None:
        add_evidence(draft, st.session_state[f"{key}-words"], count_quote)
        if not draft.problem:
            # Words with a problem stay in the field, so that they can be corrected.
            st.session_state[f"{key}-words"] = ""

    show_text(f"{key}-evidence", render("evidence.html", quotes=draft.evidence), remove)
    st.text_input(
        "Add evidence: select words in the open document, or paste them here",
        key=f"{key}-words",
        on_change=add,
        placeholder="Exactly as in the document",
    )


def _problem_with_quote(quote: str, count_quote: CountQuote) -> str:
    """Returns why a quote cannot be evidence, as a sentence; empty if it can."""
    if not quote:
        return "Select or paste some words first."
    times = count_quote(quote)
    if times == 0:
        return "No document contains exactly these words. Copy them from the document."
    if times > 1:
        return f"The documents contain these words {times} times. Select more of the sentence."
    return ""


def _problem_with_form(
    question: str, answerable: bool, answers: Sequence[str], evidence: Sequence[str]
) -> str:
    """Returns what a question lacks, as a sentence; empty if nothing."""
    if not question.strip():
        return "Write the question."
    if answerable and not answers:
        return "Write at least one correct answer, or untick “The answer is in the documents”."
    if answerable and not evidence:
        return "Add the words of a document that prove the answer."
    return ""


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
            f"Cannot write {path}: {error.strerror}. Set QA_HOME to another folder."
        ) from error
