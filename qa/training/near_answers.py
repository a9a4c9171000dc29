"""Finds the answers that a careless reader gives where the passage does not answer.

A small language model errs in the same way: asked for something that the passages lack, it answers
with the nearest thing that they have. The packaged reader finds these answers; claims made of them
teach the checking model to object.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from qa.models.spans import SpanModel
from qa.training.examples import ArticlePassages
from qa.training.sources import TrainingQuestion
from qa.types import Span


def with_plausible_answers(
    questions: Sequence[TrainingQuestion], model: SpanModel
) -> Iterator[TrainingQuestion]:
    """Yields the questions over passages that do not answer them, with the reader's best answer.

    An answerable question is put to the passage of its article that BM25 ranks best of those
    without an answer; an unanswerable question keeps its passage.
    """
    passages = ArticlePassages(questions)
    for question in questions:
        context = question.context
        if question.answers:
            other_passage = passages.best_without_answer(question)
            if other_passage is None:
                continue
            context = other_passage
        span = _best_answer(question.question, context, model)
        if span:
            yield replace(question, context=context, answers=(), plausible=(span,))


def _best_answer(question: str, context: str, model: SpanModel) -> Span | None:
    (scores,) = model.score(question, [context])
    best = scores.best_span(0, len(context))
    if best is None:
        return None
    return Span(best.start, best.end)
