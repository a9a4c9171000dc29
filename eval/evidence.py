"""Which passages of a result hold the evidence, and at which rank the first of them stands.

The rule is the one of the metrics (`eval.metrics.example.agree`): a passage and a gold quote
agree if they share at least half of the shorter. The folder of a run holds no documents, so a
quote is first located by its words: where the passage holds it, lies in it, or shares the longest
end with it.
"""

from dataclasses import dataclass
from typing import Literal

from eval.dataset import Question
from eval.metrics.example import agree
from eval.run_schema import Result, ResultPassage
from qa.types import Span


@dataclass(frozen=True, slots=True)
class EvidenceRank:
    """The rank of the first passage, or document, with evidence."""

    rank: int | None
    """Counted from 1; None: nothing that was read has evidence."""
    count: int
    """How many passages, or documents, were read."""
    unit: Literal["passages", "documents"]
    """A question without quotes has relevant documents; then ranks count documents."""


def evidence_rank(result: Result, question: Question) -> EvidenceRank | None:
    """Returns the rank as `hit_at_5` and `reciprocal_rank` have it; None without any evidence."""
    if question.evidence:
        for rank, passage in enumerate(result.passages, start=1):
            if evidence_in(passage, question):
                return EvidenceRank(rank, len(result.passages), "passages")
        return EvidenceRank(None, len(result.passages), "passages")
    if not question.relevant:
        return None
    # A document has the rank of its best passage.
    documents = list(dict.fromkeys(passage.document for passage in result.passages))
    for rank, document in enumerate(documents, start=1):
        if document in question.relevant:
            return EvidenceRank(rank, len(documents), "documents")
    return EvidenceRank(None, len(documents), "documents")


def evidence_in(passage: ResultPassage, question: Question) -> list[int]:
    """Returns the numbers, from 1, of the gold quotes that agree with a passage.

    Of a question without quotes, a relevant document counts as quote 1.
    """
    if not question.evidence:
        return [1] if passage.document in question.relevant else []
    return quotes_in(passage.text, passage.document, question)


def quotes_in(text: str, document: str, question: Question) -> list[int]:
    """Returns the numbers, from 1, of the gold quotes that agree with a text of a document."""
    # A question that names its document counts evidence there and nowhere else.
    if question.document not in ("", document):
        return []
    numbers = []
    for number, quote in enumerate(question.evidence, start=1):
        if words_agree(text, quote):
            numbers.append(number)
    return numbers


def words_agree(text: str, quote: str) -> bool:
    """Returns whether two texts share at least half of the shorter one.

    Words that stand in several places of a document agree in each of them.
    """
    start = _start_of(quote, text)
    if start is None:
        return False
    passage_span = Span(0, len(text))
    quote_span = Span(start, start + len(quote))
    # The metrics compare spans of documents: these two are of the same document.
    return agree(("", passage_span), ("", quote_span))


def _start_of(quote: str, text: str) -> int | None:
    """Returns where a quote starts, counted in the text; negative if it starts before the text."""
    if quote in text:
        return text.index(quote)
    if text in quote:
        return -quote.index(text)
    # The longest common end first: it is the likeliest start of the quote.
    longest = min(len(text), len(quote)) - 1
    for shared in range(longest, 0, -1):
        if text.endswith(quote[:shared]):
            return len(text) - shared
        if text.startswith(quote[-shared:]):
            return shared - len(quote)
    return None
