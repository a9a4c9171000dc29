"""Exports a conversation with its citations, as Markdown and as JSON."""

import json
import re
from collections.abc import Sequence
from typing import Any

from qa.types import AnswerSentence, Citation
from ui.chat.history import Exchange
from ui.chat.render import DOUBTFUL, SUPPORT, footnotes
from ui.chat.transcript import OUTCOME, Outcome, StoredAnswer

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def as_markdown(title: str, exchanges: Sequence[Exchange]) -> str:
    """Returns the conversation to read: answers with numbered footnotes, and their quotes."""
    parts = [f"# {_escape(title)}"]
    for exchange in exchanges:
        parts.append(f"## {_escape(exchange.question)}")
        parts.extend(_outcome(exchange))
    return "\n\n".join(parts) + "\n"


def as_json(title: str, exchanges: Sequence[Exchange]) -> str:
    """Returns all that the page shows of the conversation, with the offsets of every citation."""
    rows: list[dict[str, Any]] = []
    for exchange in exchanges:
        outcome = exchange.outcome or Outcome()
        row = {"question": exchange.question, "rating": exchange.rating}
        rows.append(row | OUTCOME.dump_python(outcome, mode="json", by_alias=True))
    return json.dumps({"title": title, "exchanges": rows}, ensure_ascii=False, indent=1) + "\n"


def _outcome(exchange: Exchange) -> list[str]:
    """Returns the paragraphs of what became of a question."""
    outcome = exchange.outcome
    if outcome and outcome.answer:
        return _answer(exchange.question, outcome.answer)
    if outcome and outcome.failure:
        failure = outcome.failure
        return ["*Stopped.*" if failure.stopped else f"*Failed: {_escape(failure.message)}*"]
    return ["*Not answered.*"]


def _answer(question: str, answer: StoredAnswer) -> list[str]:
    paragraphs = []
    if answer.standalone_question != question:
        paragraphs.append(f"*Understood as: {_escape(answer.standalone_question)}*")
    for notice in answer.notices:
        paragraphs.append(f"*Note: {_escape(notice)}*")
    if answer.abstained:
        return [*paragraphs, _escape(answer.text)]

    numbers = {footnote.citation: footnote.number for footnote in footnotes(answer)}
    sentences = [_sentence(sentence, numbers) for sentence in answer.sentences]
    paragraphs.append(" ".join(sentences))
    if numbers:
        notes = [f"- \\[{number}] {_source(citation)}" for citation, number in numbers.items()]
        paragraphs.append("\n".join(notes))
    return paragraphs


def _sentence(sentence: AnswerSentence, numbers: dict[Citation, int]) -> str:
    # The bracket is escaped, so that "[1]" followed by "(" does not become a link.
    markers = "".join(f"\\[{numbers[citation]}]" for citation in dict.fromkeys(sentence.citations))
    doubt = f" *({SUPPORT[sentence.support][1]})*" if sentence.support in DOUBTFUL else ""
    return f"{_escape(sentence.text)}{markers}{doubt}"


def _source(citation: Citation) -> str:
    page = f"page {citation.page}, " if citation.page else ""
    where = f"{_escape(citation.document)}, {page}characters {citation.start}–{citation.end}"
    return f"{_escape(citation.title)} ({where}): “{_escape(citation.quote)}”"


def _escape(text: str) -> str:
    """Returns the text in one line, with no character that Markdown or HTML would act on."""
    one_line = " ".join(text.split())
    return _SPECIAL.sub(r"\\\1", one_line).replace("&", "&amp;")
