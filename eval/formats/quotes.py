"""Gold quotes: where they stand, whether they stand nowhere else, and the sentences around them where they do."""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from eval.formats.paragraphs import Place
from qa.documents.sentences import segment
from qa.types import Document, Span

_WORD = re.compile(r"\w+")
WIDEST = 8
"""Sentences by which a quote grows, before it becomes its whole paragraph."""


class Quotes:
    """Finds quotes in documents; looks only into those that have all their words."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents
        self._sentences: dict[int, tuple[list[int], list[int]]] = {}
        self._holding: dict[str, set[int]] = defaultdict(set)
        for number, document in enumerate(documents):
            for word in set(_WORD.findall(document.text)):
                self._holding[word].add(number)

    def places(self, quote: str) -> Iterator[Place]:
        """Every place of a quote, as `eval.dataset.check_evidence` counts them."""
        for number in self._candidates(quote):
            text = self._documents[number].text
            start = text.find(quote)
            while start >= 0:
                yield Place(number, Span(start, start + len(quote)))
                start = text.find(quote, start + 1)

    def is_unique(self, quote: str) -> bool:
        found = self.places(quote)
        return next(found, None) is not None and next(found, None) is None

    def verbatim(self, quote: str) -> str | None:
        """The quote as the documents have it, if they do exactly once; its white space need not be theirs."""
        exact = quote.strip()
        if not exact:
            return None
        if next(self.places(exact), None):
            return exact if self.is_unique(exact) else None
        loose = _loose(exact)
        found = {
            hit[0]
            for number in self._candidates(exact)
            for hit in loose.finditer(self._documents[number].text)
        }
        return found.pop() if len(found) == 1 and self.is_unique(*found) else None

    def span(self, quote: str, paragraph: Place) -> Span | None:
        """Where a quote first stands in a paragraph; its white space need not be the document's."""
        text = self._documents[paragraph.document].text
        hit = _loose(quote).search(text, paragraph.span.start, paragraph.span.end)
        return Span(*hit.span()) if hit else None

    def holding(self, found: Iterable[str]) -> list[str]:
        """The names of the documents that hold these quotes, each once."""
        return list(
            dict.fromkeys(
                self._documents[place.document].name
                for each in found
                for place in self.places(each)
            )
        )

    def evidence(self, at: Span, paragraph: Place) -> str | None:
        """The sentences that hold a span of a paragraph, widened until they stand nowhere else; None: they never do.

        One sentence at a time, those that follow first, then those before; in the end the whole paragraph.
        """
        return next(filter(self.is_unique, self._widening(at, paragraph)), None)

    def widened(self, at: Span, paragraph: Place) -> str | None:
        """The span itself if it stands nowhere else; otherwise as `evidence`."""
        quote = self._documents[paragraph.document].text[at.start : at.end]
        return quote if self.is_unique(quote) else self.evidence(at, paragraph)

    def _widening(self, at: Span, paragraph: Place) -> Iterator[str]:
        text = self._documents[paragraph.document].text
        starts, ends = self._sentences_of(paragraph.document)
        lowest, after = (
            bisect_left(starts, paragraph.span.start),
            bisect_right(ends, paragraph.span.end),
        )
        first, last = (
            max(lowest, bisect_right(ends, at.start)),
            min(after, bisect_left(starts, at.end)) - 1,
        )
        for _ in range(WIDEST if first <= last else 0):
            yield text[min(starts[first], at.start) : max(ends[last], at.end)]
            if last < after - 1:
                last += 1
            elif first > lowest:
                first -= 1
            else:
                break
        yield text[paragraph.span.start : paragraph.span.end].strip()

    def _sentences_of(self, number: int) -> tuple[list[int], list[int]]:
        if number not in self._sentences:
            spans = [sentence.span for sentence in segment(self._documents[number])]
            self._sentences[number] = [span.start for span in spans], [span.end for span in spans]
        return self._sentences[number]

    def _candidates(self, quote: str) -> Sequence[int]:
        # The first and the last word may be cut; whatever stands between them is a whole word of the document too.
        words = {
            word[0]
            for word in _WORD.finditer(quote)
            if word.start() > 0 and word.end() < len(quote)
        }
        held = sorted((self._holding.get(word, set()) for word in words), key=len)
        return sorted(set.intersection(*held)) if held else range(len(self._documents))


def _loose(quote: str) -> re.Pattern[str]:
    """Finds a quote whatever its white space is."""
    return re.compile(r"\s+".join(map(re.escape, quote.split())))
