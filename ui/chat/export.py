"""Exports a conversation with its citations, as Markdown and as JSON."""

import json
import re
from collections.abc import Sequence
from typing import Any

from qa.types import AnswerSentence, Citation
from ui.chat.history import Exchange
from ui.chat.render import DOUBTFUL, SUPPORT, footnotes
from ui.chat.transcript import OUTCOME, ExchangeOutcome, StoredAnswer

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
        row = {
            "question": exchange.question,
            "rating": exchange.rating,
        }
        outcome = exchange.outcome or ExchangeOutcome()
        row |= OUTCOME.dump_python(outcome, mode="json", by_alias=True)
        rows.append(row)
    conversation = {"title": title, "exchanges": rows}
    return json.dumps(conversation, ensure_ascii=False, indent=1) + "\n"


def _outcome(exchange: Exchange) -> list[str]:
    """Returns the paragraphs of what became of a question."""
    outcome = exchange.outcome
    if outcome and outcome.answer:
        return _answer(exchange.question, outcome.answer)
    failure = outcome.failure if outcome else None
    if failure is None:
        return ["*Not answered.*"]
    if failure.stopped:
        return ["*Stopped.*"]
    return [f"*Failed: {_escape(failure.message)}*"]


def _answer(question: str, answer: StoredAnswer) -> list[str]:
    paragraphs = []
    standalone = answer.standalone_question
    if standalone != question:
        paragraphs.append(f"*Understood as: {_escape(standalone)}*")
    for notice in answer.notices:
        paragraphs.append(f"*Note: {_escape(notice)}*")
    if answer.abstained:
        paragraphs.append(_escape(answer.text))
        return paragraphs

    numbers = {footnote.citation: footnote.number for footnote in footnotes(answer)}
    sentences = [_sentence(sentence, numbers) for sentence in answer.sentences]
    paragraphs.append(" ".join(sentences))
    notes = []
    for citation, number in numbers.items():
        notes.append(f"- \\[{number}] {_source(citation)}")
    if notes:
        paragraphs.append("\n".join(notes))
    return paragraphs


def _sentence(sentence: AnswerSentence, numbers: dict[Citation, int]) -> str:
    markdown = _escape(sentence.text)
    for citation in dict.fromkeys(sentence.citations):
        # The bracket is escaped: "[1]" followed by "(" would be a link.
        markdown += f"\\[{numbers[citation]}]"
    if sentence.support in DOUBTFUL:
        _, words = SUPPORT[sentence.support]
        markdown += f" *({words})*"
    return markdown


def _source(citation: Citation) -> str:
    title, quote = _escape(citation.title), _escape(citation.quote)
    where = [
        _escape(citation.document),
        f"characters {citation.start}–{citation.end}",
    ]
    if citation.page:
        where.insert(1, f"page {citation.page}")
    return f"{title} ({', '.join(where)}): “{quote}”"


def _escape(text: str) -> str:
    """Returns the text in one line, with no character that Markdown or HTML would act on."""
    one_line = " ".join(text.split())
    return _SPECIAL.sub(r"\\\1", one_line).replace("&", "&amp;")
