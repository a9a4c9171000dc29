"""What gives a block its meaning: its headings, the line that introduces it, its question."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qa.documents.blocks import Block, text_of
from qa.types import Span

Context = tuple[Span, ...]
"""Spans before a block: its headings, the outermost first, then its question and lead-in."""

MAX_SPAN = 200
"""Characters. A longer heading or question is not the context of anything."""
MAX_DEPTH = 8
_LEAD_IN = re.compile(r":[*_]*$")
_QUESTION = re.compile(r"[?？؟]['\"”’»)*_]*$")
_LABEL = re.compile(r"[*_]*(?:Q|Question)\s*\d*[*_]*[.:)]", re.IGNORECASE)
_SPEAKER = re.compile(r"[A-Z][\w. ’'-]{0,30}:\s")
_INSIDE = re.compile(r"[.!?]\s")
"""The end of a sentence inside a block."""


def contexts(
    text: str,
    blocks: Sequence[Block],
    boilerplate: Sequence[bool],
    last_sentences: Sequence[Span | None],
) -> list[Context]:
    """Returns the context of each block, in order. Blocks of one section share theirs.

    `boilerplate`: which blocks are not the context of anything. `last_sentences`: of each block;
    that sentence introduces a list, not the whole paragraph.
    """
    reader = _ContextReader(text)
    block_contexts: list[Context] = []
    for index, block in enumerate(blocks):
        if boilerplate[index]:
            block_contexts.append(())
        else:
            block_contexts.append(reader.read(block, last_sentences[index]))
    return block_contexts


def introduces(words: str) -> bool:
    """Returns whether words introduce what follows them: a line with a colon or a question."""
    return bool(_LEAD_IN.search(words) or _QUESTION.search(words))


def is_question(words: str) -> bool:
    """Returns whether words end with a question mark."""
    return bool(_QUESTION.search(words))


@dataclass(slots=True)
class _OpenQuestion:
    """A question whose answer the next blocks are."""

    span: Span
    is_labelled: bool
    """Whether it has a label such as "Q:". Its answer then ends at the next question or heading."""
    is_answered: bool = False
    """Whether the first block of its answer was read."""


class _ContextReader:
    """Reads the blocks of a document in their order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._path: list[tuple[int, Span]] = []
        """The headings that are open, each with its level."""
        self._question: _OpenQuestion | None = None
        self._lead_in: Span | None = None
        """The sentence that introduces the list, table or code that follows."""
        self._shared: dict[Context, Context] = {}
        """Each context that was returned: blocks with an equal context share one tuple."""

    def read(self, block: Block, last_sentence: Span | None) -> Context:
        """Returns the context of the next block."""
        if block.level:
            return self._read_heading(block)

        if self._is_question_line(block):
            return self._read_question(block)
        if self._question:
            self._read_answer(block, self._question)
        is_listed = block.kind != "prose"
        if not is_listed:
            self._lead_in = None

        context = self._context()
        if not is_listed and last_sentence and self._is_lead_in(last_sentence):
            self._lead_in = last_sentence
        return context

    def _read_heading(self, block: Block) -> Context:
        while self._path and self._path[-1][0] >= block.level:
            self._path.pop()
        self._question = None
        self._lead_in = None
        context = self._context()
        if self._is_short(block):
            self._path.append((block.level, block.span))
            del self._path[:-MAX_DEPTH]
        return context

    def _read_question(self, block: Block) -> Context:
        self._question = None
        self._lead_in = None
        context = self._context()
        is_labelled = _LABEL.match(self._words(block)) is not None
        self._question = _OpenQuestion(block.span, is_labelled)
        return context

    def _read_answer(self, block: Block, question: _OpenQuestion) -> None:
        """Closes the question where a block cannot belong to its answer."""
        # Without a label nothing shows where an answer ends, except in a list or a table.
        continues = question.is_labelled or block.kind in ("item", "code") or block.header
        if question.is_answered and not continues:
            self._question = None
        question.is_answered = True

    def _is_question_line(self, block: Block) -> bool:
        """Returns whether a block is a question by itself, or the turn of somebody who asks."""
        if block.kind == "code" or not self._is_short(block):
            return False
        words = self._words(block)
        if not _QUESTION.search(words):
            return False
        is_turn = _LABEL.match(words) or _SPEAKER.match(words)
        return bool(is_turn) or not _INSIDE.search(words)

    def _is_lead_in(self, sentence: Span) -> bool:
        """Returns whether a sentence ends with the colon that introduces a list."""
        words = text_of(self._text, sentence)
        return len(words) <= MAX_SPAN and _LEAD_IN.search(words) is not None

    def _is_short(self, block: Block) -> bool:
        return len(block.span) <= MAX_SPAN

    def _words(self, block: Block) -> str:
        return text_of(self._text, block.span)

    def _context(self) -> Context:
        spans = [span for _, span in self._path]
        if self._question:
            spans.append(self._question.span)
        if self._lead_in:
            spans.append(self._lead_in)
        context = tuple(spans)
        return self._shared.setdefault(context, context)
