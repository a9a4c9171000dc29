"""Shows a block of code as an answer: its lines as they are written, to be copied."""

import re
from bisect import bisect_left
from operator import attrgetter
from textwrap import dedent

from qa.answer.citations import cite
from qa.documents.context import introduces
from qa.documents.sentences import Sentence
from qa.documents.spans import trimmed
from qa.library.snapshot import Snapshot
from qa.reader.reader import Candidate
from qa.types import AnswerPart, AnswerSentence, Document, Span

MAX_CODE = 2_000
"""Characters of a block that is shown whole; of a longer block, the piece that was read."""
_FENCE = re.compile(r"[ \t>]*(`{3,}|~{3,})[^\n]*(?:\n|$)")


def introduced_code(candidate: Candidate, snapshot: Snapshot) -> Sentence | None:
    """Returns the code that a candidate introduces; None: it is not the line before code."""
    document = candidate.document
    sentences = snapshot.sentences_of(document)
    span = candidate.sentence.span
    index = bisect_left(sentences, span.end, key=attrgetter("start"))
    if index == len(sentences):
        return None
    following = sentences[index]
    is_introduced = span in following.context[-1:]
    return following if following.kind == "code" and is_introduced else None


def neighbouring_code(candidate: Candidate, snapshot: Snapshot) -> Sentence | None:
    """Returns the code right after the paragraph of a candidate, or else right before it.

    Only code of the same section counts: under the same headings.
    """
    document = candidate.document
    sentences = snapshot.sentences_of(document)
    paragraph = candidate.sentence.paragraph
    headings = candidate.sentence.context
    after = bisect_left(sentences, paragraph + 1, key=_paragraph)
    before = bisect_left(sentences, paragraph, key=_paragraph) - 1
    for index in (after, before):
        if not 0 <= index < len(sentences):
            continue
        neighbour = sentences[index]
        same_section = neighbour.context[: len(headings)] == headings
        if neighbour.kind == "code" and same_section:
            return neighbour
    return None


def show_code(document: Document, code: Sentence, snapshot: Snapshot) -> AnswerSentence:
    """Returns the lines of a block of code after the line that introduces it, both cited."""
    block = _without_fences(document, _block_of(document, code, snapshot))
    citations = [cite(document, block)]
    text = ""
    parts = []
    lead_in = code.context[-1] if code.context else None
    if lead_in and introduces(document.text_of(lead_in)):
        citations.insert(0, cite(document, lead_in))
        text = " ".join(document.text_of(lead_in).split())
        parts.append(AnswerPart("lead-in", 0, len(text)))
        text += "\n"

    start = len(text)
    text += _lines(document, block)
    parts.append(AnswerPart("code", start, len(text)))
    return AnswerSentence(text, "verbatim", tuple(citations), parts=tuple(parts))


def _block_of(document: Document, code: Sentence, snapshot: Snapshot) -> Span:
    """Returns the span of a whole block, of which a sentence is a piece if the block is long."""
    sentences = snapshot.sentences_of(document)
    first = bisect_left(sentences, code.paragraph, key=_paragraph)
    end = bisect_left(sentences, code.paragraph + 1, key=_paragraph)
    block = Span(sentences[first].span.start, sentences[end - 1].span.end)
    return block if len(block) <= MAX_CODE else code.span


def _without_fences(document: Document, block: Span) -> Span:
    """Returns the lines of a block between its fences; an indented block has none."""
    text = document.text
    opening = _FENCE.match(text, block.start, block.end)
    if opening is None:
        return block
    start = opening.end()
    end = block.end
    last_line = text.rfind("\n", start, end) + 1
    closing = _FENCE.match(text, max(start, last_line), end)
    # A fence that is not closed ends with the document.
    if closing and closing[1].startswith(opening[1]):
        end = closing.start()
    return trimmed(text, start, end) or block


def _lines(document: Document, block: Span) -> str:
    """Returns lines of code without the indentation that all of them have."""
    line_start = document.text.rfind("\n", 0, block.start) + 1
    before = document.text[line_start : block.start]
    # In a list or a quotation, other marks stand before the first line.
    indentation = before if before.isspace() else ""
    lines = indentation + document.text_of(block)
    return dedent(lines)


def _paragraph(sentence: Sentence) -> int:
    return sentence.paragraph
