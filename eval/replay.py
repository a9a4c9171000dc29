"""An answer as results.jsonl has it becomes an `Answer` again, to be scored as if it had just been given."""

from collections.abc import Mapping
from typing import Any

from eval.runs import Row
from qa.errors import RunError
from qa.types import Answer, AnswerSentence, Citation, Document, Passage, RankedPassage, Span, Usage, Why


def answer_of(row: Row, library: Mapping[str, Document]) -> Answer:
    """The answer of a line that holds one. `library`: the documents by name.

    What JSON does not hold is not there again: which words of a sentence are bold. Raises RunError for a line that is
    no answer over these documents.
    """
    try:
        return Answer(
            question=row["question"],
            standalone_question=row["standalone_question"],
            text=row["answer"],
            reason=row["reason"],
            confidence=row["confidence"],
            sentences=tuple(map(_sentence, row["sentences"])),
            passages=tuple(_passage(one, library) for one in row["passages"]),
            engine=row["engine"],
            timings=dict(row["timings"]),
            notices=tuple(row["notices"]),
            usage=Usage(**row["usage"]) if "usage" in row else None,
        )
    except (KeyError, TypeError) as error:
        raise RunError(f"The result of {row['id']} is no answer over these documents: {error!r}.") from error


def _sentence(row: Mapping[str, Any]) -> AnswerSentence:
    citations = tuple(Citation(**one) for one in row["citations"])
    return AnswerSentence(row["text"], row["support"], citations, Citation(**row["span"]) if row["span"] else None)


def _passage(row: Mapping[str, Any], library: Mapping[str, Document]) -> RankedPassage:
    passage = Passage(library[row["document"]], Span(row["start"], row["end"]))
    return RankedPassage(passage, row["score"], Why(**row["why"]))
