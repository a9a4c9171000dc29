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
    passage = candidate.passage.passage
    return passage.document


def list_of(candidate: Candidate, snapshot: Snapshot) -> list[Sentence]:
    """Returns the items of the list that a candidate is part of, or introduces; else none.

    A list of one item, of too many, or without a line that introduces it has none.
    """
    document = document_of(candidate)
    sentences = snapshot.sentences[document.id]
    sentence = candidate.sentence
    start = sentence.span.start
    place = bisect_left(sentences, start, key=_start)
    item = sentence
    if sentence.kind != "item":
        place += 1
        if place >= len(sentences):
            return []
        item = sentences[place]
        if not _introduces(sentence, item):
            return []

    # The items of a list share one context.
    context = item.context
    if not context:
        return []
    introduction = document.text_of(context[-1])
    if introduction == document.title:
        return []
    items = _items_around(place, sentences, context)
    is_list = 1 < len(items) <= MAX_ITEMS
    if not is_list:
        return []
    return items


def _introduces(sentence: Sentence, following: Sentence) -> bool:
    """Returns whether a sentence is the nearest context of the sentence after it."""
    context = following.context
    if not context:
        return False
    nearest = context[-1]
    return nearest == sentence.span


def _items_around(
    place: int,
    sentences: Sequence[Sentence],
    context: tuple[Span, ...],
) -> list[Sentence]:
    """Returns the items without a gap before and after a place that have this context."""
    first = place
    while first > 0:
        previous = sentences[first - 1]
        if not _is_item(previous, context):
            break
        first -= 1

    end = place
    while end < len(sentences):
        following = sentences[end]
        if not _is_item(following, context):
            break
        end += 1
    items = sentences[first:end]
    return list(items)


def show_list(candidate: Candidate, items: Sequence[Sentence]) -> AnswerSentence:
    """Returns the items of a list after the line that introduces them, each cited."""
    document = document_of(candidate)
    context = items[0].context
    introduction = context[-1]
    lead_in = _ended_part(document, introduction, ": ")
    parts = [lead_in]
    spans = [introduction]
    for item in items:
        part = _ended_part(document, item.span, "; ")
        parts.append(part)
        spans.append(item.span)
    return _shown(candidate, parts, spans)


def show_unit(candidate: Candidate, spans: Sequence[Span]) -> AnswerSentence:
    """Returns these spans of the document as one sentence of an answer, each cited.

    The candidate's sentence is the last of them, unless another sentence of the answer has it.
    """
    sentence = candidate.sentence
    document = document_of(candidate)
    cells = sentence.cells(document.text)
    ends_with_sentence = spans[-1] == sentence.span
    if sentence.header and cells and ends_with_sentence:
        parts = _row_parts(document, candidate, cells)
        cited = [sentence.header, sentence.span]
        return _shown(candidate, parts, cited)

    introduction = _introduction(document, sentence)
    is_alone = list(spans) == [sentence.span]
    if introduction and is_alone:
        spans = [introduction, sentence.span]
    parts = []
    for span in spans:
        mark = " "
        if span == introduction:
            mark = ": "
        part = _ended_part(document, span, mark)
        parts.append(part)
    return _shown(candidate, parts, spans)


def _ended_part(document: Document, span: Span, mark: str) -> _Part:
    """Returns a span that the mark follows, or only a space if its text ends with a mark."""
    text = document.text_of(span)
    if text.endswith(_END_MARKS):
        return _Part(span, " ")
    return _Part(span, mark)


def _introduction(document: Document, sentence: Sentence) -> Span | None:
    """Returns the question or lead-in that a short sentence is shown with, if it has any."""
    if not sentence.context:
        return None
    nearest = sentence.context[-1]
    nearest_text = document.text_of(nearest)
    text = document.text_of(sentence.span)
    words = len(text.split())
    if is_question(nearest_text):
        is_short = words < FEW_WORDS
    else:
        is_item = sentence.kind == "item"
        is_title = nearest_text == document.title
        is_short_item = is_item and words < FEW_ITEM_WORDS
        is_short = is_short_item and not is_title
    if not is_short:
        return None
    return nearest


def _row_parts(document: Document, candidate: Candidate, cells: Sequence[Cell]) -> list[_Part]:
    """Returns the cells of a row that are shown, each after the name of its column."""
    parts = []
    for cell in _shown_cells(candidate, cells):
        if cell.name:
            name = _name_part(document, cell.name)
            parts.append(name)
        value = _Part(cell.value, "; ")
        parts.append(value)
    return parts


def _shown_cells(candidate: Candidate, cells: Sequence[Cell]) -> Sequence[Cell]:
    """Returns all cells of a row, or of a long row the first and those with the answer."""
    length = len(candidate.sentence.span)
    if length <= SHORT_ROW:
        return cells
    answering = []
    for cell in cells:
        if _is_inside(candidate.span, cell.value):
            answering.append(cell)
    if not answering:
        return cells
    key = cells[0]
    distinct = dict.fromkeys((key, *answering))
    return list(distinct)


def _name_part(document: Document, name: Span) -> _Part:
    """Returns the name of a column, with a colon after it."""
    text = document.text_of(name)
    # Some tables write the colon.
    if text.endswith(":"):
        return _Part(name, " ")
    return _Part(name, ": ")


def _is_inside(span: Span | None, cell: Span) -> bool:
    if span is None:
        return False
    starts_inside = cell.start <= span.start
    ends_inside = span.end <= cell.end
    return starts_inside and ends_inside


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
        if answer and _is_inside(answer, part.span):
            bold = _bold(document, answer, part.span, len(text))
        text += _on_one_line(document, part.span)
        separator = part.separator
    if answer is None or bold is None:
        return AnswerSentence(text, "verbatim", citations)
    answer_citation = cite(document, answer)
    return AnswerSentence(text, "verbatim", citations, answer_citation, bold)


def _bold(document: Document, answer: Span, part: Span, part_start: int) -> Span:
    """Returns the place of an answer in the text, from the start of its part in the text."""
    part_words = _on_one_line(document, part)
    part_end = part_start + len(part_words)
    # Counted from the end, where no white space before the answer is in the way.
    rest = Span(answer.start, part.end)
    rest_words = _on_one_line(document, rest)
    start = part_end - len(rest_words)
    answer_words = _on_one_line(document, answer)
    end = start + len(answer_words)
    return Span(start, end)


def _is_item(sentence: Sentence, context: tuple[Span, ...]) -> bool:
    is_item = sentence.kind == "item"
    return is_item and sentence.context == context


def _on_one_line(document: Document, span: Span) -> str:
    text = document.text_of(span)
    words = text.split()
    return " ".join(words)


def _start(sentence: Sentence) -> int:
    return sentence.span.start
