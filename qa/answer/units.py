"""Shows a sentence of the documents as an answer that fits its kind.

A row of a table is shown with the names of its columns, a list with the line that introduces it, a
short answer with its question. Every word of the text is a word of a citation; only ": ", "; " and
spaces are put between them.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from qa.answer.citations import cite
from qa.documents.context import is_question
from qa.documents.sentences import Sentence
from qa.documents.tables import Cell
from qa.library.snapshot import Snapshot
from qa.reader.reader import Candidate
from qa.types import AnswerPart, AnswerSentence, Document, PartRole, Span

MAX_ITEMS = 12
"""Items of a list that is shown whole."""
SHORT_ROW = 80
"""Characters of a row that is shown whole; of a longer row, its first and its answering cell."""
FEW_WORDS = 6
"""An answer of fewer words is shown with the question that is its heading."""
FEW_ITEM_WORDS = 4
"""An item of fewer words says nothing without the line that introduces it."""
_END_MARKS = (".", "!", "?", ";", ":", ",")
_NUMBER = re.compile(r"[ \t>]*\d{1,9}[.)][ \t]+")
"""What stands before a numbered item in its line."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A span of the document in the text of an answer, and what follows it there."""

    span: Span
    separator: str
    role: PartRole | None = None
    """None: it is prose."""


@dataclass(frozen=True, slots=True)
class ItemList:
    """A list of a document: the line that introduces it, and its items."""

    introduction: Span
    items: tuple[Span, ...]


def list_of(candidate: Candidate, snapshot: Snapshot) -> ItemList | None:
    """Returns the list that a candidate is part of, or introduces, if it is in any.

    A list of one item, of too many, or without a line that introduces it is not shown whole. The
    title introduces steps, and nothing else.
    """
    document = candidate.document
    sentences = snapshot.sentences_of(document)
    sentence = candidate.sentence
    start = sentence.span.start
    index = bisect_left(sentences, start, key=attrgetter("start"))
    item = sentence
    if sentence.kind != "item":
        index += 1
        if index >= len(sentences):
            return None
        item = sentences[index]
        if not _introduces(sentence, item):
            return None

    # The items of a list share one context.
    context = item.context
    if not context:
        return None
    introduction = context[-1]
    is_title = document.text_of(introduction) == document.title
    if is_title and not is_numbered(document, item.span):
        return None
    items = _whole_items(_items_around(index, sentences, context))
    is_list = 1 < len(items) <= MAX_ITEMS
    return ItemList(introduction, items) if is_list else None


def _whole_items(sentences: Sequence[Sentence]) -> tuple[Span, ...]:
    """Returns the span of each item: its sentences are one paragraph."""
    spans: dict[int, Span] = {}
    for sentence in sentences:
        first = spans.get(sentence.paragraph, sentence.span)
        spans[sentence.paragraph] = Span(first.start, sentence.span.end)
    return tuple(spans.values())


def _introduces(sentence: Sentence, following: Sentence) -> bool:
    """Returns whether a sentence is the nearest context of the sentence after it."""
    context = following.context
    if not context:
        return False
    nearest = context[-1]
    return nearest == sentence.span


def _items_around(
    index: int,
    sentences: Sequence[Sentence],
    context: tuple[Span, ...],
) -> list[Sentence]:
    """Returns the items without a gap before and after an index that have this context."""
    first = index
    while first > 0:
        previous = sentences[first - 1]
        if not _is_item(previous, context):
            break
        first -= 1

    end = index
    while end < len(sentences):
        following = sentences[end]
        if not _is_item(following, context):
            break
        end += 1
    items = sentences[first:end]
    return list(items)


def show_list(candidate: Candidate, whole: ItemList) -> AnswerSentence:
    """Returns the items of a list after the line that introduces them, each cited."""
    document = candidate.document
    lead_in = _ended_part(document, whole.introduction, ": ", "lead-in")
    parts = [lead_in]
    for item in whole.items:
        role: PartRole = "step" if is_numbered(document, item) else "item"
        part = _ended_part(document, item, "; ", role)
        parts.append(part)
    return _shown(candidate, parts, [whole.introduction, *whole.items])


def show_unit(candidate: Candidate, spans: Sequence[Span]) -> AnswerSentence:
    """Returns these spans of the document as one sentence of an answer, each cited.

    The candidate's sentence is the last of them, unless another sentence of the answer has it.
    """
    sentence = candidate.sentence
    document = candidate.document
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


def is_numbered(document: Document, item: Span) -> bool:
    """Returns whether an item of a list has a number before it, as the steps of a how-to have."""
    start = item.start
    line_start = document.text.rfind("\n", 0, start) + 1
    return _NUMBER.fullmatch(document.text, line_start, start) is not None


def _ended_part(document: Document, span: Span, mark: str, role: PartRole | None = None) -> _Part:
    """Returns a span that the mark follows, or only a space if its text ends with a mark."""
    text = document.text_of(span)
    if text.endswith(_END_MARKS):
        return _Part(span, " ", role)
    return _Part(span, mark, role)


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
        value = _Part(cell.value, "; ", "value")
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
        return _Part(name, " ", "name")
    return _Part(name, ": ", "name")


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
    document = candidate.document
    citations = tuple(cite(document, span) for span in cited)
    answer = candidate.span
    text = ""
    separator = ""
    bold: Span | None = None
    answer_parts = []
    for part in parts:
        text += separator
        start = len(text)
        if answer and _is_inside(answer, part.span):
            bold = _bold(document, answer, part.span, start)
        text += _on_one_line(document, part.span)
        separator = part.separator
        if part.role:
            answer_part = AnswerPart(part.role, start, len(text))
            answer_parts.append(answer_part)
    answer_citation = cite(document, answer) if answer and bold else None
    return AnswerSentence(text, "verbatim", citations, answer_citation, bold, tuple(answer_parts))


def _bold(document: Document, answer: Span, part: Span, part_start: int) -> Span:
    """Returns the span of an answer in the shown text, in which its part begins at `part_start`."""
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
