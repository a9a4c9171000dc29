"""Splits a document's text into sentences with exact offsets.

Blocks first (paragraphs, headings, list items, rows, code), then the sentences inside each block.
Page furniture (`qa.documents.furniture`) must not answer, and duplicates
(`qa.documents.duplicates`) must not either.
Every step takes time that is linear in the text, whatever the text is.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import sentencex

from qa.documents.blocks import Block, BlockKind, text_blocks, text_of
from qa.documents.context import Context, contexts
from qa.documents.duplicates import find_duplicates
from qa.documents.furniture import is_furniture
from qa.documents.markdown_blocks import markdown_blocks
from qa.documents.parsing import check_sentences
from qa.documents.spans import trimmed
from qa.documents.tables import Cell, cells_of
from qa.types import Document, Span

Offsets = tuple[int, int]
"""Where a part of a text begins and ends."""

DEFAULT_LANGUAGE = "en"
"""The language whose rules cut the sentences of a document in a language that is not known."""
MAX_SENTENCE = 600
"""Characters. A longer quotation is split into its sentences, other long text between words."""
WINDOW = 4_000
"""Characters that sentencex gets at once. Its time grows with the square of some texts."""
WINDOW_END = 1_000
"""Characters. A sentence that begins in the end of a window is read in the next window."""
MAX_PAIRED_SIGNS = 400
"""Quotation marks and brackets in a window. sentencex looks for the partner of each."""

_PAIRED_SIGNS = "\"'`´<>()[]{}“”„‟‘’‚‛«»‹›「」『』【】〔〕〈〉《》（）［］｛｝＜＞"
_WITHOUT_PAIRED_SIGNS = str.maketrans(dict.fromkeys(_PAIRED_SIGNS, " "))
_PAIRED_SIGN = re.compile(f"[{re.escape(_PAIRED_SIGNS)}]")
_WITHOUT_QUOTES = str.maketrans('“”"«»„', "      ")
_CUT_AFTER = (("; ", "；", "。"), (", ", "，", "、"), (" ",))
"""Marks after the first character of which a long sentence may be cut, the best first."""
_QUESTION_END = re.compile(r"[?？؟፧][\"'”’»)\]]*$")
_CLOSING_EMPHASIS = re.compile(r"\s*[*_]{1,3}(?=\s)")
_MAX_QUESTION_END = 9
"""Characters at the end of a sentence in which its question mark is looked for."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a document. `span` has no white space at its ends."""

    span: Span
    kind: BlockKind
    paragraph: int
    """The index of its block in the document."""
    boilerplate: bool = False
    duplicate_of: int | None = None
    """The index, among the document's sentences, of the sentence that says the same in full."""
    is_question: bool = False
    context: Context = ()
    """Its headings, the outermost first, then the question and the line that introduce it.

    Spans of the document that stand before it; the sentences of a section share one tuple.
    """
    header: Span | None = None
    """Of a row of a table, the line that names its columns."""

    @property
    def start(self) -> int:
        """Its first offset in the document."""
        return self.span.start

    def cells(self, text: str) -> tuple[Cell, ...]:
        """Returns the cells of a row of a table with a header, in the document's text."""
        return cells_of(text, self.span, self.header) if self.header else ()

    @property
    def may_answer(self) -> bool:
        """Whether an answer may be made of it."""
        if self.kind in ("heading", "code") or self.is_question:
            return False
        return not self.boilerplate and self.duplicate_of is None

    @property
    def is_candidate(self) -> bool:
        """Whether the reader may find the answer in it: what may answer, and code.

        Code does not state anything, but it is the answer to "How do I install it?".
        """
        is_code = self.kind == "code" and not self.boilerplate
        return is_code or self.may_answer


def segment(document: Document, limit: int = sys.maxsize) -> tuple[Sentence, ...]:
    """Returns the sentences of a document, in order and without overlap.

    Between two sentences there is only white space and markup. Raises Unreadable for more
    sentences than the limit.
    """
    text = document.text
    blocks = list(blocks_of(document))
    check_sentences(len(blocks), limit)
    boilerplate = [is_furniture(document, block.span) for block in blocks]

    spans_of = []
    count = 0
    for block in blocks:
        spans = list(_sentence_spans(text, block, document.language or DEFAULT_LANGUAGE))
        spans_of.append(spans)
        count += len(spans)
        check_sentences(count, limit)
    last_sentences = [spans[-1] if spans else None for spans in spans_of]
    context_of = contexts(text, blocks, boilerplate, last_sentences)

    sentences = []
    contents = []
    for block_index, block in enumerate(blocks):
        for span in spans_of[block_index]:
            sentence = Sentence(
                span,
                block.kind,
                paragraph=block_index,
                boilerplate=boilerplate[block_index],
                is_question=_is_question(text, span),
                context=context_of[block_index],
                # A part of a row has other columns than the row.
                header=block.header if span == block.span else None,
            )
            sentences.append(sentence)
            contents.append(text_of(text, span))

    # Last, because a sentence that must not answer is never the original of a duplicate.
    may_answer = [sentence.may_answer for sentence in sentences]
    duplicates = find_duplicates(contents, may_answer)
    for index, original_index in duplicates.items():
        sentence = sentences[index]
        sentences[index] = replace(sentence, duplicate_of=original_index)
    return tuple(sentences)


def blocks_of(document: Document) -> Iterator[Block]:
    """Yields the blocks of a document, in order."""
    find_blocks = markdown_blocks if document.markdown else text_blocks
    return find_blocks(document.text)


def _is_question(text: str, span: Span) -> bool:
    start = max(span.start, span.end - _MAX_QUESTION_END)
    return _QUESTION_END.search(text, start, span.end) is not None


def _sentence_spans(text: str, block: Block, language: str) -> Iterator[Span]:
    """Yields the spans of the sentences of a block; they count in the document's text."""
    is_whole = block.kind in ("heading", "code", "row")
    if is_whole and len(block.span) <= MAX_SENTENCE:
        yield block.span
        return
    # A line break inside a block is white space, but sentencex ends a sentence at some of them.
    content = text_of(text, block.span)
    flat = content.replace("\n", " ")
    boundaries = _cut(flat, 0, len(flat)) if is_whole else _boundaries(flat, language)

    offset = block.span.start
    for start, end in boundaries:
        # The mark that closes the emphasis of the sentence before: "**Do you deliver?**\nNo."
        closing = _CLOSING_EMPHASIS.match(flat, start, end) if start else None
        if closing:
            start = closing.end()
        span = trimmed(text, offset + start, offset + end)
        if span:
            yield span


def _boundaries(flat: str, language: str) -> Iterator[Offsets]:
    """Yields the offsets at which each sentence begins and ends.

    A quotation of several sentences stays whole, with the words that name the speaker, unless it
    is too long.
    """
    for first, last in _in_windows(flat, language):
        if last - first <= MAX_SENTENCE:
            yield first, last
            continue
        # Without its marks sentencex splits a quotation; the offsets stay the same.
        unquoted = flat[first:last].translate(_WITHOUT_QUOTES)
        for start, end in _sentencex(unquoted, language):
            yield from _cut(flat, first + start, first + end)


def _in_windows(flat: str, language: str) -> Iterator[Offsets]:
    """Yields what sentencex finds, without giving it more than `WINDOW` characters at once.

    Each window begins where a sentence does, so that its sentences are those of the whole block.
    """
    start = 0
    while len(flat) - start > WINDOW:
        boundaries = list(_sentencex(flat[start : start + WINDOW], language))
        inside = []
        for first, last in boundaries:
            if first < WINDOW - WINDOW_END and last < WINDOW:
                inside.append((start + first, start + last))
        if not inside:
            # One long sentence: where it is cut, `_cut` would cut it too.
            middle = start + WINDOW // 2
            space = flat.rfind(" ", middle, start + WINDOW)
            end = space + 1 if space > 0 else start + WINDOW
            inside.append((start, end))
        yield from inside
        _, start = inside[-1]

    for first, last in _sentencex(flat[start:], language):
        yield start + first, start + last


def _sentencex(flat: str, language: str) -> Iterator[Offsets]:
    if len(_PAIRED_SIGN.findall(flat)) > MAX_PAIRED_SIGNS:
        flat = flat.translate(_WITHOUT_PAIRED_SIGNS)
    for boundary in sentencex.get_sentence_boundaries(language, flat):
        start = boundary["start_index"]
        end = boundary["end_index"]
        yield start, end


def _cut(flat: str, start: int, end: int) -> Iterator[Offsets]:
    """Yields pieces that are short enough, cut at a semicolon, else a comma, else a space.

    The marks of Chinese and Japanese, which have no space after them, count too.
    """
    while end - start > MAX_SENTENCE:
        middle = start + MAX_SENTENCE // 2
        limit = start + MAX_SENTENCE
        cut = limit
        for marks in _CUT_AFTER:
            # The last half only, so that no piece is very short.
            last_mark = max(flat.rfind(mark, middle, limit) for mark in marks)
            if last_mark > 0:
                cut = last_mark + 1
                break
        yield start, cut
        start = cut
    yield start, end
