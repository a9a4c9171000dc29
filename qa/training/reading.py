"""Measures how well the cross-encoder reads by itself, each question with its own passage.

SQuAD's F1 of the best span (Rajpurkar et al. 2016), and the AUROC of the passage's margin over
"not here" for passages that answer against those that do not.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.metrics import roc_auc_score

from qa.models.spans import SpanModel
from qa.training.sources import TrainingQuestion

_NO_MARKS = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True, slots=True)
class ReadingMetrics:
    """Metrics from 0 to 1; None where the set has no such question."""

    answerable: int
    unanswerable: int
    f1: float | None
    """Mean over the answerable questions."""
    auroc: float | None


def measure_reading(questions: Sequence[TrainingQuestion], model: SpanModel) -> ReadingMetrics:
    """Returns the metrics over these questions."""
    f1_values: list[float] = []
    margins: list[float] = []
    for question in questions:
        (scores,) = model.score(question.question, [question.context])
        margins.append(scores.margin())
        if not question.answers:
            continue

        # Its best span counts even where "not here" is likelier: the margin is measured apart.
        predicted = ""
        best = scores.best_span(0, len(question.context))
        if best:
            predicted = question.context[best.start : best.end]
        f1_values.append(_best_f1(predicted, question))

    answerable = [bool(question.answers) for question in questions]
    auroc = None
    if len(set(answerable)) == 2:
        auroc = float(roc_auc_score(answerable, margins))
    mean_f1 = sum(f1_values) / len(f1_values) if f1_values else None
    return ReadingMetrics(
        answerable=len(f1_values),
        unanswerable=len(questions) - len(f1_values),
        f1=mean_f1,
        auroc=auroc,
    )


def _best_f1(predicted: str, question: TrainingQuestion) -> float:
    """Returns the F1 of the answer that the prediction agrees with best."""
    best = 0.0
    for answer in question.answer_texts:
        best = max(best, f1(predicted, answer))
    return best


def f1(predicted: str, gold: str) -> float:
    """Returns the harmonic mean of precision and recall over words, without articles."""
    predicted_words = _words(predicted)
    gold_words = _words(gold)
    # As SQuAD has it: without words on one side, only nothing agrees with nothing.
    if not predicted_words or not gold_words:
        return float(predicted_words == gold_words)
    shared_words = Counter(predicted_words) & Counter(gold_words)
    word_count = len(predicted_words) + len(gold_words)
    return 2 * shared_words.total() / word_count


def _words(text: str) -> list[str]:
    without_marks = text.casefold().translate(_NO_MARKS)
    without_articles = re.sub(r"\b(?:a|an|the)\b", " ", without_marks)
    return without_articles.split()
