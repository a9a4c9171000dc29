"""Finds gold quotes in the documents, and widens them until they occur only once."""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from eval.formats.paragraphs import ParagraphSpan
from qa.documents.sentences import segment
from qa.types import Document, Span

MAX_SENTENCES = 8
"""Sentences that a quote may grow to; after that it becomes its whole paragraph."""

SentenceBounds = tuple[list[int], list[int]]
"""The starts and the ends of a document's sentences, in order."""
Occurrence = tuple[int, Span]
"""The number of a document, from 0, and the span of a quote in it."""
_WORD = re.compile(r"\w+")


class QuoteFinder:
    """Finds quotes in documents. An index of words skips the documents that cannot hold a quote."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents
        self._bounds: dict[int, SentenceBounds] = {}
        self._documents_with: dict[str, set[int]] = defaultdict(set)
        for number, document in enumerate(documents):
            words = _WORD.findall(document.text)
            for word in set(words):
                self._documents_with[word].add(number)

    def occurrences(self, quote: str) -> Iterator[Occurrence]:
        """Yields every occurrence of a quote, as `eval.dataset.check_evidence` counts them."""
        for number in self._candidates(quote):
            text = self._documents[number].text
            start = text.find(quote)
            while start >= 0:
                span = Span(start, start + len(quote))
                yield number, span
                # From the next character, not from the end: occurrences may overlap.
                start = text.find(quote, start + 1)

    def is_unique(self, quote: str) -> bool:
        """Returns whether the quote occurs exactly once."""
        occurrences = self.occurrences(quote)
        has_first = next(occurrences, None) is not None
        has_second = next(occurrences, None) is not None
        return has_first and not has_second

    def verbatim(self, quote: str, document: str = "") -> str | None:
        """Returns the quote with the white space of the documents; None if it is in none of them.

        `document`: the name of the only document to look in; empty: all. If the white space
        differs between occurrences, that of the first occurrence counts.
        """
        exact = quote.strip()
        if not exact:
            return None
        pattern = _any_white_space(exact)
        spelling = None
        for number in self._candidates(exact):
            candidate = self._documents[number]
            if document not in ("", candidate.name):
                continue
            if exact in candidate.text:
                return exact
            match = pattern.search(candidate.text)
            if match and spelling is None:
                spelling = match[0]
        return spelling

    def stands_in_several(self, quotes: Iterable[str], document: str = "") -> bool:
        """Returns whether any of these quotes occurs more than once.

        `document`: the name of the only document in which occurrences count; empty: all.
        """
        for quote in quotes:
            count = 0
            for number, _ in self.occurrences(quote):
                name = self._documents[number].name
                if document in ("", name):
                    count += 1
                if count > 1:
                    return True
        return False

    def span(self, quote: str, paragraph: ParagraphSpan) -> Span | None:
        """Returns where a quote first stands in a paragraph, whatever its white space."""
        text = self._documents[paragraph.document].text
        pattern = _any_white_space(quote)
        match = pattern.search(text, paragraph.span.start, paragraph.span.end)
        if match is None:
            return None
        return Span(match.start(), match.end())

    def documents_with(self, quotes: Iterable[str]) -> list[str]:
        """Returns the names of the documents that hold these quotes, each name once."""
        names: dict[str, None] = {}
        for quote in quotes:
            for number, _ in self.occurrences(quote):
                document = self._documents[number]
                names[document.name] = None
        return list(names)

    def evidence(self, span: Span, paragraph: ParagraphSpan) -> str | None:
        """Returns the sentences around a span, widened until they are unique; None: never unique.

        Grows by one sentence at a time: first those that follow, then those before, and in the end
        the whole paragraph.
        """
        for quote in self._widening(span, paragraph):
            if self.is_unique(quote):
                return quote
        return None

    def widened(self, span: Span, paragraph: ParagraphSpan) -> str | None:
        """Returns the text of the span if it is unique; otherwise like `evidence`."""
        document = self._documents[paragraph.document]
        quote = document.text_of(span)
        if self.is_unique(quote):
            return quote
        return self.evidence(span, paragraph)

    def _widening(self, span: Span, paragraph: ParagraphSpan) -> Iterator[str]:
        document = self._documents[paragraph.document]
        text = document.text
        starts, ends = self._sentence_bounds(paragraph.document)
        # Sentences of the paragraph: from `lowest`, up to but not including `highest`.
        lowest = bisect_left(starts, paragraph.span.start)
        highest = bisect_right(ends, paragraph.span.end)
        # Sentences that hold the span: from `first` to `last`, both included.
        first = max(lowest, bisect_right(ends, span.start))
        last = min(highest, bisect_left(starts, span.end)) - 1

        # A span between two sentences is in none of them: only the paragraph holds it.
        steps = MAX_SENTENCES if first <= last else 0
        for _ in range(steps):
            # The span may begin or end in white space outside of its sentences.
            start = min(starts[first], span.start)
            end = max(ends[last], span.end)
            yield text[start:end]
            if last < highest - 1:
                last += 1
            elif first > lowest:
                first -= 1
            else:
                break
        yield document.text_of(paragraph.span).strip()

    def _sentence_bounds(self, number: int) -> SentenceBounds:
        """Returns the starts and the ends of a document's sentences."""
        # Splitting is slow, and a document often has many questions.
        if number not in self._bounds:
            starts = []
            ends = []
            for sentence in segment(self._documents[number]):
                starts.append(sentence.span.start)
                ends.append(sentence.span.end)
            self._bounds[number] = (starts, ends)
        return self._bounds[number]

    def _candidates(self, quote: str) -> Sequence[int]:
        """Returns the numbers of the documents that have all whole words of the quote."""
        holders = []
        for match in _WORD.finditer(quote):
            # The quote may cut its first and last word; the words between are whole.
            if match.start() > 0 and match.end() < len(quote):
                holders.append(self._documents_with.get(match[0], set()))
        if not holders:
            return range(len(self._documents))
        # Smallest set first, so that the intersection stays small.
        holders.sort(key=len)
        return sorted(set.intersection(*holders))


def _any_white_space(quote: str) -> re.Pattern[str]:
    """Returns a pattern that finds the quote whatever its white space is."""
    words = [re.escape(word) for word in quote.split()]
    return re.compile(r"\s+".join(words))
