"""Splits a document into passages: llama-index's sentence splitter, in tokens of the embedder.

llama-index searches for the offsets of its chunks afterwards and finds wrong ones in a repetitive
text. Here chunks do not overlap and the splitter drops white space only, so that a cursor knows
where each chunk begins.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise

from qa.documents.parsing import MAX_BLANK
from qa.documents.sentences import Sentence
from qa.documents.views import row_text
from qa.types import Document, Passage, Span

PASSAGE_TOKENS = 160
TITLE_TOKENS = 64
"""Tokens left free for the title and the name, which are embedded in front of the passage."""
LONG_TEXT = 10_000
"""Characters. A longer text never fits into one passage, so its tokens need not be counted."""
MAX_PASSAGE = 4_000
"""Characters, with the white space around the words."""
CHARACTERS_A_TOKEN = (MAX_PASSAGE - 2 * MAX_BLANK) // PASSAGE_TOKENS
"""Any long word may count as one token. Without this minimum, a passage of such words could grow
without limit."""
MAX_UNIT = 1_200
"""Characters. A sentence has half of them at most."""
_NEVER = "\0\0"
"""A paragraph separator that no document holds: the splitter gets our units instead."""


def passage_size(limit: int) -> int:
    """Returns how many tokens a passage may have for an embedder that reads `limit` tokens."""
    return max(1, min(PASSAGE_TOKENS, limit - TITLE_TOKENS))


def splitter_name(size: int) -> str:
    """Returns the name that the index records: passages that were split otherwise do not fit it."""
    return f"named-views-{size}"


def split(
    document: Document,
    sentences: Sequence[Sentence],
    count_tokens: Callable[[str], int],
    size: int = PASSAGE_TOKENS,
) -> tuple[Passage, ...]:
    """Returns the passages of a document with these sentences, in order; they tile its text.

    Each has at most `size` tokens and holds whole paragraphs; of a paragraph that is longer whole
    sentences, and of a sentence that is longer a part. The rows of a table count with the names of
    their columns, which the view of the passage has.
    """
    text = document.text
    starts = []
    cursor = 0
    for chunk in _chunks(document, sentences, count_tokens, size):
        while text[cursor].isspace():
            cursor += 1
        if not text.startswith(chunk, cursor):
            where = f"the text of {document.name} at character {cursor}"
            raise RuntimeError(f"llama-index's splitter changed {where}")
        starts.append(cursor)
        cursor += len(chunk)

    # The first passage begins with the text, even if that is white space.
    bounds = [0, *starts[1:], len(text)]
    passages = []
    for start, end in pairwise(bounds):
        # Only a text that was not loaded from a file has more white space than `MAX_BLANK`.
        for first in range(start, end, MAX_PASSAGE):
            span = Span(first, min(first + MAX_PASSAGE, end))
            passages.append(Passage(document, span))
    return tuple(passages)


def _chunks(
    document: Document,
    sentences: Sequence[Sentence],
    count_tokens: Callable[[str], int],
    size: int,
) -> list[str]:
    """Returns the texts of the passages, without the white space between them."""
    # Takes a second to import, which only adding a document has to wait for.
    from llama_index.core.node_parser import SentenceSplitter

    text = document.text
    counted = cache(count_tokens)
    units = list(_units(document, sentences, counted, size))
    names = _tokens_of_names(document, sentences, counted)

    def tokens(part: str) -> range:
        # The splitter first asks whether the whole text fits. To count a long one takes too long.
        if part == text and len(text) > LONG_TEXT:
            return range(size + 1)
        # A unit of invisible signs has no token, and the splitter repeats such units.
        least = 1 + len(part) // CHARACTERS_A_TOKEN
        return range(max(counted(part) + names.get(part.strip(), 0), least))

    splitter = SentenceSplitter(
        chunk_size=size,
        chunk_overlap=0,
        tokenizer=tokens,
        paragraph_separator=_NEVER,
        chunking_tokenizer_fn=lambda part: units if part == text else [part],
        include_metadata=False,
    )
    return splitter.split_text(text)


def _tokens_of_names(
    document: Document, sentences: Sequence[Sentence], count_tokens: Callable[[str], int]
) -> dict[str, int]:
    """Returns, for the words of each row of a table, how many tokens longer its view is."""
    text = document.text
    tokens = {}
    for sentence in sentences:
        cells = sentence.cells(text)
        if cells:
            row = document.text_of(sentence.span)
            longer = count_tokens(row_text(text, cells)) - count_tokens(row)
            tokens[row] = max(0, longer)
    return tokens


def _units(
    document: Document,
    sentences: Sequence[Sentence],
    count_tokens: Callable[[str], int],
    size: int,
) -> Iterator[str]:
    """Yields texts that tile the document: its paragraphs or, if one is too long, its sentences."""
    text = document.text
    bounds = [0]
    starts: list[list[int]] = [[]]
    for sentence, following in pairwise([None, *sentences]):
        if sentence and following and sentence.paragraph != following.paragraph:
            bounds.append(following.span.start)
            starts.append([])
        elif following and following.span.start:
            starts[-1].append(following.span.start)
    bounds.append(len(text))

    for (start, end), inside in zip(pairwise(bounds), starts, strict=True):
        may_fit = end - start <= size * CHARACTERS_A_TOKEN
        if may_fit and count_tokens(text[start:end]) <= size:
            yield text[start:end]
            continue
        for first, last in pairwise([start, *inside, end]):
            # Between two sentences there can be any length of white space and markup.
            for offset in range(first, last, MAX_UNIT):
                yield text[offset : min(offset + MAX_UNIT, last)]
