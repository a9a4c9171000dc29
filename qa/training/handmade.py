"""Reads the documents that were written for this project's training, with their questions.

`handmade_documents/` has a file for each subject. Each line is a document: a name with the suffix
of its format, its text, and questions with the words of the text that answer them.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from qa.documents.load import from_bytes
from qa.errors import DocumentError
from qa.training.sources import Part, part_of_index
from qa.training.written import WrittenDocument, WrittenQuestion
from qa.types import Document, Span

FOLDER = Path(__file__).with_name("handmade_documents")
SOURCE = "handmade"
REPORT_EVERY = 8
"""Of the documents of a subject in order, the first and every eighth after it are reported on."""
SEED = 40
REGION_KINDS = frozenset({"list", "yesno", "howto"})
"""Kinds of questions whose answers are sentences, lines or items as a whole."""


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """Words of a document that answer."""

    words: str
    occurrence: int = 1
    """Which occurrence of these words in the document, from 1."""


@dataclass(frozen=True, slots=True)
class HandmadeQuestion:
    """A question; without answers, the document does not answer it."""

    question: str
    answers: tuple[AnswerWords, ...]
    kind: str = ""
    """"list", "yesno", "howto", "which", "long", or nothing in particular."""
    right_claim: str = ""
    """A sentence that answers, and that the document supports; empty: there is none."""
    wrong_claim: str = ""
    """A sentence that a careless language model may answer with; not supported."""


@dataclass(frozen=True, slots=True)
class HandmadeDocument:
    """A line of a file."""

    name: str
    """Its suffix says how the text is read."""
    text: str
    questions: tuple[HandmadeQuestion, ...]


_DOCUMENT = TypeAdapter(HandmadeDocument)


def handmade_documents(part: Part, folder: Path = FOLDER) -> Iterator[WrittenDocument]:
    """Yields the documents of a part with their questions, in a fixed order.

    Raises DocumentError for a line that is not valid, a document that cannot be read, or an answer
    that is not in its document.
    """
    for handmade, document in read_handmade(part, folder):
        yield _written(handmade, document, part)


def read_handmade(part: Part, folder: Path = FOLDER) -> Iterator[tuple[HandmadeDocument, Document]]:
    """Yields the lines of the files of a part, each with its document, in a fixed order.

    Raises DocumentError for a line that is not valid, or a document that cannot be read.
    """
    for file in sorted(folder.glob("*.jsonl")):
        lines = file.read_text(encoding="utf-8").splitlines()
        for line_index, line in enumerate(lines):
            if part_of_index(line_index, REPORT_EVERY) != part:
                continue
            try:
                handmade = _DOCUMENT.validate_json(line)
            except ValidationError as error:
                raise DocumentError(
                    f"{file.name}, line {line_index + 1} is not a document with questions: {error}"
                ) from error
            document = from_bytes(handmade.name, handmade.text.encode())
            # Documents of two subjects may have the same name.
            yield handmade, replace(document, source=f"{file.stem}/{handmade.name}")


def _written(handmade: HandmadeDocument, document: Document, part: Part) -> WrittenDocument:
    written = []
    for question in handmade.questions:
        spans = tuple(span_of(answer, document) for answer in question.answers)
        region = question.kind in REGION_KINDS
        written.append(WrittenQuestion(question.question, spans, region))
    # The unanswerable questions are the last ones of each document.
    random.Random(f"{SEED} {handmade.name}").shuffle(written)
    return WrittenDocument(
        source=SOURCE,
        group=document.source,
        text=document.text,
        questions=tuple(written),
        part=part,
        file=document,
    )


def span_of(answer: AnswerWords, document: Document) -> Span:
    """Returns where the document has the words of an answer, with any white space between them.

    Raises DocumentError where it does not have them so often.
    """
    words = [re.escape(word) for word in answer.words.split()]
    matches = list(re.finditer(r"\s+".join(words), document.text))
    count = len(matches)
    if not words or count < answer.occurrence:
        raise DocumentError(
            f"{document.name} has the words {answer.words!r} {count} times, and the question "
            f"names place {answer.occurrence}. Correct the answer."
        )
    match = matches[answer.occurrence - 1]
    return Span(match.start(), match.end())
