"""What the cross-encoder reads of a passage: its view, below the document's name where that helps.

A passage rarely repeats whom or what its document is about. "The amount due in 2024" is answered by
`2024/invoice.txt`, whose text has no year.
"""

from collections.abc import Sequence

from qa.documents.views import View, name_line
from qa.models.spans import SpanModel, SpanScores
from qa.text.words import terms
from qa.types import Passage


def score_views(
    cross_encoder: SpanModel,
    question: str,
    passages: Sequence[Passage],
    views: Sequence[View],
) -> list[SpanScores]:
    """Returns the scores of each passage's view; offsets count in the view.

    A view is read below the name line of its document if this line has a term of the question that
    the view lacks. No answer is found in the line itself.
    """
    question_terms = frozenset(terms(question))
    name_lines = []
    texts = []
    for passage, view in zip(passages, views, strict=True):
        line = helpful_line(question_terms, passage, view)
        name_lines.append(line)
        texts.append(line + view.text)

    scores = []
    of_texts = cross_encoder.score(question, texts)
    for of_text, line in zip(of_texts, name_lines, strict=True):
        scores.append(of_text.without_start(len(line)))
    return scores


def helpful_line(
    question_terms: frozenset[str],
    passage: Passage,
    view: View,
) -> str:
    """Returns the name line as a view has a heading; empty: it has nothing that the view lacks."""
    line = name_line(passage.document)
    missing_terms = question_terms - set(terms(view.text))
    if missing_terms.isdisjoint(terms(line)):
        return ""
    return f"{line}:\n"
