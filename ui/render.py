"""What the engine gives becomes HTML. Pure, and every text is escaped: documents and questions are untrusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from qa.config import BUILT_IN
from qa.types import Answer, AnswerSentence, Citation, Document, RankedPassage, Span, Support
from ui.marks import Mark, cropped, marked_html

SUPPORT_LABELS: Final[dict[Support, str]] = {
    "weak": "weakly supported by its footnotes",
    "unsupported": "not supported by the documents",
}
"""What is said of a sentence that its citations do not carry in full; nothing is said of the others."""
STAGE_LABELS: Final = {
    "understand": "Understanding the question…",
    "retrieve": "Searching the documents…",
    "read": "Reading the nearest passages…",
    "answer": "Writing the answer…",
    "words": "Writing the answer…",
    "verify": "Checking each sentence against the documents…",
}
CHECKED = "each sentence checked against the documents."
CONTEXT = 220
"""Characters of the passage shown on either side of the cited words."""
NEAREST = 3


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote of an answer: its number, from 1 in order of first appearance, and what it cites."""

    number: int
    citation: Citation


def notes(answer: Answer) -> tuple[Note, ...]:
    """The answer's footnotes; words that are cited twice keep their first number."""
    cited = (citation for sentence in answer.sentences for citation in sentence.citations)
    return tuple(Note(number, citation) for number, citation in enumerate(dict.fromkeys(cited), 1))


def question_html(question: str, standalone: str | None) -> str:
    """A question as the heading of its answer; `standalone` is how a follow-up was understood."""
    understood = f'<p class="understood">Understood as: {escape(standalone)}</p>' if standalone else ""
    return f'<h2 class="question"><span class="unseen">You asked: </span>{escape(question)}</h2>{understood}'


def stage_html(stage: str | None) -> str:
    """What is being done about a question; None: the models are not there yet."""
    label = STAGE_LABELS.get(stage, "Working…") if stage else "Loading the models…"
    return f'<p class="stage" role="status">{escape(label)}</p>'


def answer_html(answer: Answer) -> str:
    """An answer with its footnote chips and their cards, or a refusal."""
    notices = "".join(f'<p class="notice">{escape(notice)}</p>' for notice in answer.notices)
    if answer.abstained:
        return notices + _refusal_html(answer)
    numbered = notes(answer)
    numbers = {note.citation: note.number for note in numbered}
    sentences = " ".join(_sentence_html(sentence, numbers) for sentence in answer.sentences)
    cards = "".join(_card_html(note, answer.passages) for note in numbered)
    by = "" if answer.engine == BUILT_IN else f'<p class="by">Written by {escape(answer.engine)}, {CHECKED}</p>'
    return f'{notices}<div class="answer"><p>{sentences}</p></div>{by}{cards}'


def words_html(words: str) -> str:
    """What a language model has written so far, unchecked."""
    lines = (line for line in words.splitlines() if line.strip())
    return '<div class="words">' + "".join(f"<p>{escape(line)}</p>" for line in lines) + "</div>"


def error_html(message: str, streamed: str = "") -> str:
    """A failure: marked as one, and unlike a refusal; below it what a language model had written until then."""
    failed = f'<div class="error" role="alert"><p><strong>This failed.</strong> {escape(message)}</p></div>'
    return failed + _kept_html(streamed)


def stopped_html(streamed: str) -> str:
    """An answer that the person stopped, with what had been written."""
    return f'<p class="notice">You stopped this answer.</p>{_kept_html(streamed)}'


def _kept_html(streamed: str) -> str:
    if not streamed.strip():
        return ""
    return f'<div class="kept"><p>Written until then, and not checked:</p>{words_html(streamed)}</div>'


def examples_html(examples: Sequence[str]) -> str:
    """Questions to start with, each a button that asks it."""
    buttons = "".join(
        f'<li><button type="button" class="example" data-open="{escape(example)}">{escape(example)}</button></li>'
        for example in examples
    )
    return f'<ul class="examples" aria-label="Example questions">{buttons}</ul>'


def library_html(documents: Sequence[Document]) -> str:
    """The library as a list, each document with a button that opens it."""
    items = "".join(
        f'<li><span class="title">{escape(document.title)}</span>{_publisher_html(document.publisher)}'
        f'<button type="button" class="read" data-open="{escape(document.name)}" '
        f'aria-label="Read {escape(document.title)}">Read</button></li>'
        for document in documents
    )
    return f'<ul class="library" aria-label="Documents">{items}</ul>'


def offer_html(model: str) -> str:
    """How to have a language model of this machine answer."""
    return (
        '<p class="offer">Ollama runs on this machine. To have it answer, its sentences checked against your '
        f"documents, start with <code>QA_LLM={escape(model)}</code>.</p>"
    )


def announcement(answer: Answer) -> str:
    """What a screen reader says when an answer arrives: plain text, not HTML."""
    told = [*answer.notices]
    if answer.abstained:
        return " ".join([*told, answer.text])
    for sentence in answer.sentences:
        label = SUPPORT_LABELS.get(sentence.support)
        told.append(f"{sentence.text} ({label})" if label else sentence.text)
    count = len(notes(answer))
    return f"{' '.join(told)} {count} {'footnote' if count == 1 else 'footnotes'}."


def _refusal_html(answer: Answer) -> str:
    nearest = "".join(
        f'<li><span class="title">{escape(ranked.passage.document.title)}</span>'
        f"<blockquote>{escape(ranked.passage.text.strip())}</blockquote></li>"
        for ranked in answer.passages[:NEAREST]
    )
    listed = (
        "<details><summary>Nearest passages – they do not answer the question</summary>"
        f'<ol tabindex="0" aria-label="Nearest passages">{nearest}</ol></details>'
        if nearest
        else ""
    )
    return f'<div class="refusal"><p>{escape(answer.text)}</p>{listed}</div>'


def _sentence_html(sentence: AnswerSentence, numbers: dict[Citation, int]) -> str:
    label = SUPPORT_LABELS.get(sentence.support)
    flag = f' <span class="support {sentence.support}">({label})</span>' if label else ""
    chips = "".join(_chip_html(Note(numbers[citation], citation)) for citation in dict.fromkeys(sentence.citations))
    # The chips stay on the line of the last word: a line that begins with a footnote reads badly.
    cut = sentence.text.rstrip().rfind(" ") + 1
    head, last = _with_bold(sentence, 0, cut), _with_bold(sentence, cut, len(sentence.text))
    return f'<span class="sentence">{head}<span class="tail">{last}{chips}</span>{flag}</span>'


def _with_bold(sentence: AnswerSentence, start: int, end: int) -> str:
    """`text[start:end]` with what is in it of the words that answer in bold."""
    bold = sentence.bold or Span(end, end)
    first, last = min(max(bold.start, start), end), max(min(bold.end, end), start)
    before, words, after = (sentence.text[a:b] for a, b in ((start, first), (first, last), (max(first, last), end)))
    return escape(before) + (f"<b>{escape(words)}</b>" if words else "") + escape(after)


def _chip_html(note: Note) -> str:
    start = cropped(note.citation.quote, 60)
    return (
        f'<button type="button" class="chip" data-open="{note.number}" data-card="card-{note.number}" '
        f'aria-describedby="card-{note.number}" aria-label="Footnote {note.number}: {escape(start)}">'
        f"{note.number}</button>"
    )


def _card_html(note: Note, passages: Sequence[RankedPassage]) -> str:
    """The passage around the cited words, shown while its chip has the pointer or the focus."""
    citation = note.citation
    ranked = _passage_of(citation, passages)
    text, start, publisher = citation.quote, citation.start, None
    if ranked:
        text, start = ranked.passage.text, ranked.passage.span.start
        publisher = ranked.passage.document.publisher
    body = marked_html(text, [Mark(note.number, citation.start - start, citation.end - start)], CONTEXT)
    return (
        f'<div class="card" id="card-{note.number}" role="tooltip" popover="manual">'
        f'<p class="of"><span class="title">{escape(citation.title)}</span>{_publisher_html(publisher)}</p>'
        f'<p class="passage">{body}</p></div>'
    )


def _passage_of(citation: Citation, passages: Sequence[RankedPassage]) -> RankedPassage | None:
    """The passage that holds the cited words whole."""
    for ranked in passages:
        document, span = ranked.passage.document, ranked.passage.span
        same = (document.name, document.version) == (citation.document, citation.version)
        if same and span.start <= citation.start and citation.end <= span.end:
            return ranked
    return None


def _publisher_html(publisher: str | None) -> str:
    return f'<span class="publisher">{escape(publisher)}</span>' if publisher else ""
