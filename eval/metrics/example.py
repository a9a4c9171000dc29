"""What a metric of one question is given: the question, the gold quotes and the bot's answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.dataset import DocumentSpan, Gold, Question
from qa.types import Answer, AnswerSentence, Document, Span


@dataclass(frozen=True, slots=True)
class Example:
    """A question with its answer, and the spans of its gold quotes (empty if it has none)."""

    question: Question
    gold: Sequence[Gold]
    answer: Answer
    documents: Mapping[str, Document]
    """The library, by document name."""

    @property
    def sentences(self) -> Sequence[AnswerSentence]:
        """The answer's sentences; those of a refusal would not count as an answer."""
        return () if self.answer.abstained else self.answer.sentences

    @property
    def answer_text(self) -> str:
        """The whole answer; empty for a refusal, whose words are not an answer."""
        return "" if self.answer.abstained else self.answer.text


def agree(first: DocumentSpan, second: DocumentSpan) -> bool:
    """Returns whether two spans of one document share at least half of the shorter of the two."""
    first_document, first_span = first
    second_document, second_span = second
    # At least 1: an empty span agrees with nothing.
    shorter = max(1, min(len(first_span), len(second_span)))
    overlap = first_span.overlap(second_span)
    return first_document == second_document and 2 * overlap >= shorter


def holds_quote(span: DocumentSpan, quote: Gold) -> bool:
    """Returns whether a span of a document agrees with any span of a gold quote."""
    return any(agree(span, quote_span) for quote_span in quote)


def cited(sentences: Sequence[AnswerSentence]) -> list[DocumentSpan]:
    """Returns the spans that the sentences cite, each once, in order."""
    spans: dict[DocumentSpan, None] = {}
    for sentence in sentences:
        for citation in sentence.citations:
            span = Span(citation.start, citation.end)
            spans[citation.document, span] = None
    return list(spans)
