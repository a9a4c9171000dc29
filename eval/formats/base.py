"""The types that every format is read into, and the lists of its problems and notes."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eval.dataset import Question
from qa.errors import DocumentError, FootnoteError, QuestionFileError
from qa.types import Document

UNANSWERABLE = "unanswerable"
"""The kind of every question that the documents do not answer."""

REPEATED_EVIDENCE = "Questions with evidence in several places, any of which counts"
"""The words before their number, in a note."""

_QUESTION_WORD = re.compile(
    r"\b(?:(how)\s+(many|much)|(what|who|whom|whose|when|where|which|why|how))\b", re.IGNORECASE
)
_SAME_KIND = {"whom": "who", "whose": "who"}
_MAX_IDS = 5
"""Ids that a note lists."""
_MAX_PROBLEMS = 200
"""Problems that a message lists. A set with more problems is in another format."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The options of an import. Each format takes some of them (`Format.takes`)."""

    documents: tuple[Path, ...] = ()
    """The person's own documents, for a set that has none."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """The name of the column of each field (`csv_table.FIELDS`)."""
    separator: str = ""
    """Stands between the values of one cell; "": `csv_table.SEPARATOR`."""
    qrels: str = ""
    """The file of judgements, by name, stem or path; "": the only one."""


@dataclass(frozen=True, slots=True)
class ImportedSet:
    """A set in our format: names and ids are unique, and each quote is in the documents."""

    documents: tuple[Document, ...]
    questions: tuple[Question, ...]
    notes: tuple[str, ...]
    """What was changed or left out, with counts: a sentence each."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of question sets."""

    read: Callable[[Path, ImportOptions], ImportedSet]
    """Raises QuestionFileError with all problems of the files, and DocumentError."""
    what: str
    """What it reads, for help and messages."""
    takes: frozenset[str] = frozenset()
    """The fields of `ImportOptions` that it uses."""


class Problems:
    """Collects what is wrong with the files of a set, so that one error lists all of it."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, where: str, problem: str) -> None:
        self._lines.append(f"  {where}: {problem}")

    def check(self, path: Path) -> None:
        """Raises QuestionFileError if there are problems."""
        if not self._lines:
            return
        lines = [f"{path} has mistakes. Fix them:", *self._lines[:_MAX_PROBLEMS]]
        remaining = len(self._lines) - _MAX_PROBLEMS
        if remaining > 0:
            lines.append(f"  and {remaining:,} more")
        raise QuestionFileError("\n".join(lines))


class Notes:
    """Counts what was changed or left out, by reason, in the order of the first occurrence."""

    def __init__(self) -> None:
        self._left_out: dict[str, list[str]] = defaultdict(list)
        self._counts: dict[str, int] = defaultdict(int)

    def leave_out(self, question: str, reason: str) -> None:
        """Counts a question that cannot be used. `question`: its id."""
        self._left_out[reason].append(question)

    def count(self, event: str) -> None:
        """Counts any other event. `event`: the words before the number."""
        self._counts[event] += 1

    def sentences(self) -> tuple[str, ...]:
        """Returns a sentence for each reason and event."""
        sentences = []
        for reason, ids in self._left_out.items():
            shown = ", ".join(ids[:_MAX_IDS])
            if len(ids) > _MAX_IDS:
                shown += ", …"
            sentences.append(f"Questions left out, {reason}: {len(ids):,} ({shown}).")

        for event, number in self._counts.items():
            sentences.append(f"{event}: {number:,}.")
        return tuple(sentences)


def imported_set(
    path: Path, documents: Sequence[Document], questions: Sequence[Question], notes: Notes
) -> ImportedSet:
    """Returns the set. Raises QuestionFileError if no question is left."""
    sentences = notes.sentences()
    if not questions:
        message = f"{path} holds no question that can be used."
        raise QuestionFileError("\n".join([message, *sentences]))
    return ImportedSet(tuple(documents), tuple(questions), sentences)


def question_kind(question: str) -> str:
    """Returns the kind of an answerable question, by its question word.

    what, who, when, where, which, why, how or how-many; other: no English question word.
    """
    match = _QUESTION_WORD.search(question)
    if not match:
        return "other"
    word = (match[3] or "how-many").lower()
    return _SAME_KIND.get(word, word)


def load_documents(paths: Sequence[Path]) -> tuple[Document, ...]:
    """Returns a person's own documents.

    Raises DocumentError for a file that cannot be read, and for two documents with one name.
    """
    # Imported here: it brings llama-index, which takes a second.
    from qa.documents.load import load

    loaded = load(paths)
    if loaded.failures:
        raise DocumentError("\n".join(map(str, loaded.failures)))

    counts = Counter(document.name for document in loaded.documents)
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise DocumentError(
            f"Two documents have the name {', '.join(repeated)}. "
            "Give the folder that holds both of them instead."
        )
    return loaded.documents


def require(value: object, flag: str, reason: str) -> None:
    """Raises FootnoteError for an option that is missing."""
    if not value:
        raise FootnoteError(f"{reason}: {flag}")
