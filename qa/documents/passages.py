"""Sentences become passages: llama-index's sentence splitter, sized by the embedder's own tokenizer.

llama-index searches for a chunk's offsets afterwards, and finds the wrong ones in a repetitive text. Here the
chunks do not overlap and the splitter drops white space only, so a cursor knows where each begins.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

from qa.documents.sentences import segment
from qa.types import Document, Passage, Span

PASSAGE_TOKENS = 160
TITLE_TOKENS = 64
"""Room for the title that stands before a passage when it is embedded."""
LONG = 10_000
"""Characters of a text that no passage holds."""
_NEVER = "\0\0"
"""No document holds it: the units below are the only places to cut at first."""


def passage_size(limit: int) -> int:
    """How many tokens a passage may have for an embedder that reads `limit`: at most `PASSAGE_TOKENS`."""
    return max(1, min(PASSAGE_TOKENS, limit - TITLE_TOKENS))


def splitter_name(size: int) -> str:
    """Recorded in the index: passages cut in another way do not fit it."""
    return f"paragraphs-{size}"


def split(
    document: Document, count_tokens: Callable[[str], int], size: int = PASSAGE_TOKENS
) -> tuple[Passage, ...]:
    """The passages of a document, in order; they tile its text.

    Each holds at most `size` tokens: whole paragraphs, where one is longer whole sentences, and where a
    sentence is longer a part of it.
    """
    from llama_index.core.node_parser import (
        SentenceSplitter,
    )  # takes a second: only when something is added

    text = document.text
    units = list(_units(document, count_tokens, size))
    splitter = SentenceSplitter(
        chunk_size=size,
        chunk_overlap=0,
        # Of the whole text it asks only whether that fits: a long one does not, and counting it would stop all else.
        tokenizer=lambda part: range(
            size + 1 if part == text and len(text) > LONG else count_tokens(part)
        ),
        paragraph_separator=_NEVER,
        chunking_tokenizer_fn=lambda part: units if part == text else [part],
        include_metadata=False,
    )
    begins = []
    cursor = 0
    for chunk in splitter.split_text(text):
        while text[cursor].isspace():
            cursor += 1
        if not text.startswith(chunk, cursor):
            raise RuntimeError(
                f"the splitter changed the text of {document.name} at character {cursor}"
            )
        begins.append(cursor)
        cursor += len(chunk)
    bounds = [0, *begins[1:], len(text)]
    return tuple(Passage(document, Span(start, end)) for start, end in pairwise(bounds))


def _units(document: Document, count_tokens: Callable[[str], int], size: int) -> Iterator[str]:
    """Texts that tile the document: its paragraphs or, of those that are too long, the sentences."""
    sentences = segment(document)
    openings = [
        after.span.start
        for before, after in pairwise(sentences)
        if before.paragraph != after.paragraph
    ]
    for start, end in pairwise([0, *openings, len(document.text)]):
        if count_tokens(document.text[start:end]) <= size:
            yield document.text[start:end]
            continue
        inner = [s.span.start for s in sentences if start < s.span.start < end]
        for first, last in pairwise([start, *inner, end]):
            yield document.text[first:last]
