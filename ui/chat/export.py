"""Exports a conversation with its citations, as Markdown and as JSON."""

import json
import re
from collections.abc import Sequence
from typing import Any

from qa.types import AnswerSentence, Citation, was_rewritten
from ui.chat.history import Exchange
from ui.chat.render import DOUBTFUL, SUPPORT, footnotes
from ui.chat.transcript import OUTCOME, ExchangeOutcome, StoredAnswer

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_BACKTICKS = re.compile("`+")
_BLOCK = re.compile(r"(\d{0,9})([-+=.)])")
"""The start of a list, or a line that is a rule or an underline."""


def as_markdown(title: str, exchanges: Sequence[Exchange]) -> str:
    """Returns the conversation to read: answers with numbered footnotes, and their quotes."""
    heading = _escape(title)
    parts = [f"# {heading}"]
    for exchange in exchanges:
        question = _escape(exchange.question)
        parts.append(f"## {question}")
        parts += _outcome(exchange)
    markdown = "\n\n".join(parts)
    return f"{markdown}\n"


def as_json(title: str, exchanges: Sequence[Exchange]) -> str:
    """Returns all that the page shows of the conversation, with the offsets of every citation."""
    rows: list[dict[str, Any]] = []
    for exchange in exchanges:
        row = {
            "question": exchange.question,
            "rating": exchange.rating,
        }
        # An interrupted question has the fields of every other, so that a program finds them.
        outcome = exchange.outcome or ExchangeOutcome()
        row |= OUTCOME.dump_python(outcome, mode="json", by_alias=True)
        rows.append(row)
    conversation = {"title": title, "exchanges": rows}
    text = json.dumps(conversation, ensure_ascii=False, indent=1)
    return f"{text}\n"


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
    message = _escape(failure.message)
    return [f"*Failed: {message}*"]


def _answer(question: str, answer: StoredAnswer) -> list[str]:
    paragraphs = []
    if was_rewritten(question, answer.standalone_question):
        standalone = _escape(answer.standalone_question)
        paragraphs.append(f"*Understood as: {standalone}*")
    for notice in answer.notices:
        words = _escape(notice)
        paragraphs.append(f"*Note: {words}*")
    if answer.abstained:
        refusal = _escape(answer.text)
        if answer.nearest:
            refusal += " The nearest is:"
        paragraphs.append(refusal)

    numbers: dict[Citation, int] = {}
    notes = []
    for footnote in footnotes(answer):
        numbers[footnote.citation] = footnote.number
        source = _source(footnote.citation)
        notes.append(f"- \\[{footnote.number}] {source}")
    sentences = [_sentence(sentence, numbers) for sentence in answer.shown_sentences]
    if sentences:
        paragraphs.append(" ".join(sentences))
    if notes:
        paragraphs.append("\n".join(notes))
    return paragraphs


def _sentence(sentence: AnswerSentence, numbers: dict[Citation, int]) -> str:
    markdown = _words(sentence)
    # A sentence may cite the same words twice.
    citations = dict.fromkeys(sentence.citations)
    for citation in citations:
        number = numbers[citation]
        # The bracket is escaped: "[1]" followed by "(" would be a link.
        markdown += f"\\[{number}]"
    if sentence.support in DOUBTFUL:
        _, words = SUPPORT[sentence.support]
        markdown += f" *({words})*"
    return markdown


def _words(sentence: AnswerSentence) -> str:
    """Returns the text of a sentence in one line, but its code as a block."""
    last = sentence.parts[-1] if sentence.parts else None
    if last is None or last.role != "code":
        return _escape(sentence.text)
    lead_in = _escape(sentence.text[: last.start])
    code = sentence.text[last.start : last.end]
    # A fence is longer than any row of backticks inside it.
    longest = max(map(len, _BACKTICKS.findall(code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{lead_in}\n\n{fence}\n{code}\n{fence}\n\n"


def _source(citation: Citation) -> str:
    title = _escape(citation.title)
    quote = _escape(citation.quote)
    details = [_escape(citation.document)]
    if citation.date:
        details.append(citation.date)
    if citation.page:
        details.append(f"page {citation.page}")
    details.append(f"characters {citation.start}–{citation.end}")
    return f"{title} ({', '.join(details)}): “{quote}”"


def _escape(text: str) -> str:
    """Returns the text in one line, with no character that Markdown or HTML would act on."""
    one_line = " ".join(text.split())
    escaped = _SPECIAL.sub(r"\\\1", one_line)
    if _BLOCK.match(escaped):
        escaped = _BLOCK.sub(r"\1\\\2", escaped, count=1)
    # Otherwise the characters "&lt;" of a text would be shown as "<".
    return escaped.replace("&", "&amp;")
