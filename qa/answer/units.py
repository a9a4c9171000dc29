"""Shows a sentence of the documents as an answer that fits its kind.

A row of a table is shown with the names of its columns, a list with the line that introduces it, a
short answer with its question. Every word of the text is a word of a citation; only ": ", "; " and
spaces are put between them.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from qa.answer.citations import cite
from qa.documents.context import is_question
from qa.documents.sentences import Sentence
from qa.documents.tables import Cell
from qa.library.snapshot import Snapshot
from qa.reader.reader import Candidate
from qa.types import AnswerSentence, Document, Span

MAX_ITEMS = 12
"""Items of a list that is shown whole."""
SHORT_ROW = 80
"""Characters of a row that is shown whole; of a longer row, its first and its answering cell."""
FEW_WORDS = 6
"""An answer of fewer words is shown with the question that is its heading."""
FEW_ITEM_WORDS = 4
"""An item of fewer words says nothing without the line that introduces it."""
_END_MARKS = (".", "!", "?", ";", ":", ",")


@dataclass(frozen=True, slots=True)
class _Part:
    """A span of the document in the text of an answer, and what follows it there."""

    span: Span
    separator: str


def document_of(candidate: Candidate) -> Document:
    """Returns the document that a candidate stands in."""
    return candidate.passage.passage.document


def list_of(candidate: Candidate, snapshot: Snapshot) -> list[Sentence]:
    """Returns the items of the list that a candidate is part of, or introduces; else none.

    A list of one item, of too many, or without a line that introduces it has none.
    """
    document = document_of(candidate)
    sentences = snapshot.sentences[document.id]
    sentence = candidate.sentence
    place = bisect_left(sentences, sentence.span.start, key=_start)
    is_item = sentence.kind == "item"
    # The items of a list share one context.
    context = sentence.context
    if not is_item:
        following = sentences[place + 1 : place + 2]
        if not following or following[0].context[-1:] != (sentence.span,):
            return []
        place += 1
        context = following[0].context
    if not context or document.text_of(context[-1]) == document.title:
        return []

    first = place
    while first > 0 and _is_item(sentences[first - 1], context):
        first -= 1
    end = place
    while end < len(sentences) and _is_item(sentences[end], context):
        end += 1
    is_list = 1 < end - first <= MAX_ITEMS
    return list(sentences[first:end]) if is_list else []


def show_list(candidate: Candidate, items: Sequence[Sentence]) -> AnswerSentence:
    """Returns the items of a list after the line that introduces them, each cited."""
    document = document_of(candidate)
    spans = [items[0].context[-1], *(item.span for item in items)]
    parts = []
    for number, span in enumerate(spans):
        mark = "; " if number else ": "
        ends = document.text_of(span).endswith(_END_MARKS)
        parts.append(_Part(span, " " if ends else mark))
    return _shown(candidate, parts, spans)


def show_unit(candidate: Candidate, spans: Sequence[Span]) -> AnswerSentence:
    """Returns these spans of the document as one sentence of an answer, each cited.

    The candidate's sentence is the last of them, unless another sentence of the answer has it.
    """
    sentence = candidate.sentence
    document = document_of(candidate)
    cells = sentence.cells(document.text)
    if sentence.header and cells and spans[-1] == sentence.span:
        parts = _row_parts(document, candidate, cells)
        return _shown(candidate, parts, [sentence.header, sentence.span])

    introduction = _introduction(document, sentence)
    if introduction and list(spans) == [sentence.span]:
        spans = [introduction, sentence.span]
    parts = []
    for span in spans:
        ends = document.text_of(span).endswith(_END_MARKS)
        is_lead_in = span == introduction and not ends
        parts.append(_Part(span, ": " if is_lead_in else " "))
    return _shown(candidate, parts, spans)


def _introduction(document: Document, sentence: Sentence) -> Span | None:
    """Returns the question or lead-in that a short sentence is shown with, if it has any."""
    if not sentence.context:
        return None
    nearest = sentence.context[-1]
    words = document.text_of(sentence.span).split()
    if is_question(document.text_of(nearest)):
        return nearest if len(words) < FEW_WORDS else None
    is_short_item = sentence.kind == "item" and len(words) < FEW_ITEM_WORDS
    is_title = document.text_of(nearest) == document.title
    return nearest if is_short_item and not is_title else None


def _row_parts(document: Document, candidate: Candidate, cells: Sequence[Cell]) -> list[_Part]:
    """Returns the cells of a row that are shown, each after the name of its column."""
    answering = [cell for cell in cells if _is_inside(candidate.span, cell.value)]
    shown = cells
    if len(candidate.sentence.span) > SHORT_ROW and answering:
        key = cells[0]
        shown = list(dict.fromkeys((key, *answering)))
    parts = []
    for cell in shown:
        if cell.name:
            # Some tables write the colon.
            has_colon = document.text_of(cell.name).endswith(":")
            parts.append(_Part(cell.name, " " if has_colon else ": "))
        parts.append(_Part(cell.value, "; "))
    return parts


def _is_inside(span: Span | None, cell: Span) -> bool:
    return span is not None and cell.start <= span.start and span.end <= cell.end


def _shown(candidate: Candidate, parts: Sequence[_Part], cited: Sequence[Span]) -> AnswerSentence:
    """Returns the parts as one sentence, with the answering words in bold.

    Its text has spaces for the line ends of a hand-wrapped document; the quotes keep them.
    """
    document = document_of(candidate)
    citations = tuple(cite(document, span) for span in cited)
    answer = candidate.span
    text = ""
    separator = ""
    bold: Span | None = None
    for part in parts:
        text += separator
        words = _on_one_line(document.text_of(part.span))
        if answer and _is_inside(answer, part.span):
            # Counted from the end, where no white space before the answer is in the way.
            from_answer = _on_one_line(document.text[answer.start : part.span.end])
            start = len(text) + len(words) - len(from_answer)
            bold = Span(start, start + len(_on_one_line(document.text_of(answer))))
        text += words
        separator = part.separator
    if answer is None or bold is None:
        return AnswerSentence(text, "verbatim", citations)
    return AnswerSentence(text, "verbatim", citations, cite(document, answer), bold)


def _is_item(sentence: Sentence, context: tuple[Span, ...]) -> bool:
    return sentence.kind == "item" and sentence.context == context


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _start(sentence: Sentence) -> int:
    return sentence.span.start
