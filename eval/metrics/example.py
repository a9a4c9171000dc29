"""What is measured: a question with what the bot made of it, and where in the documents both point."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.dataset import Gold, Question
from qa.types import Answer, AnswerSentence, Document, Span


@dataclass(frozen=True, slots=True)
class Example:
    """A question, where its gold quotes stand (empty: it has none), and what the bot made of it."""

    question: Question
    gold: Sequence[Gold]
    answer: Answer
    documents: Mapping[str, Document]
    """The library, by name."""

    @property
    def sentences(self) -> Sequence[AnswerSentence]:
        """Those of the answer. A refusal has none; were it to carry some, they would not count as an answer."""
        return () if self.answer.abstained else self.answer.sentences


def agree(one: Gold, other: Gold) -> bool:
    """Whether two spans of one document share at least half of the shorter of the two."""
    shorter = min(len(one[1]), len(other[1]))
    return one[0] == other[0] and 2 * one[1].overlap(other[1]) >= max(1, shorter)


def cited(sentences: Sequence[AnswerSentence]) -> list[Gold]:
    """What the sentences cite, each span once, in their order."""
    places = [
        (one.document, Span(one.start, one.end))
        for sentence in sentences
        for one in sentence.citations
    ]
    return list(dict.fromkeys(places))
