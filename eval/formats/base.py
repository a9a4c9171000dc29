"""What every foreign format is read into, and how what was left out on the way is counted."""

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
_ASKING = re.compile(
    r"\b(?:(how)\s+(many|much)|(what|who|whom|whose|when|where|which|why|how))\b", re.IGNORECASE
)
_KINDS = {"whom": "who", "whose": "who"}
_NAMED = 5
"""How many of the questions left out for one reason a note names."""
_LISTED = 200
"""How many problems a message lists; a set with more is wrong as a whole."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a person says beside the path. Each format takes some of it (`Format.takes`)."""

    documents: tuple[Path, ...] = ()
    """Their own documents, for a set that comes without."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """By field of ours (`csv_table.FIELDS`), the name of the column that has it."""
    separator: str = ""
    """What stands between the several answers, quotes or documents of one cell; "": `csv_table.SEPARATOR`."""
    qrels: str = ""
    """Which of several files of judgements: its name, with or without suffix, or its path; "": the only one."""


@dataclass(frozen=True, slots=True)
class ForeignSet:
    """A set as ours: names of documents and ids of questions are unique, every quote stands exactly once."""

    documents: tuple[Document, ...]
    questions: tuple[Question, ...]
    notes: tuple[str, ...]
    """What was changed or left out, with counts: a sentence each."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format that is read."""

    read: Callable[[Path, Options], ForeignSet]
    """Raises QuestionFileError with everything that is wrong with the files, and DocumentError."""
    what: str
    takes: frozenset[str] = frozenset()
    """The fields of `Options` that mean something to it."""


class Problems:
    """What is wrong with the files of a set, gathered so that it is told at once."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def add(self, where: str, what: str) -> None:
        self._found.append(f"  {where}: {what}")

    def check(self, path: Path) -> None:
        """Raises QuestionFileError if there is any."""
        if not self._found:
            return
        more = len(self._found) - _LISTED
        rest = [f"  and {more:,} more"] if more > 0 else []
        raise QuestionFileError(
            "\n".join([f"{path} has mistakes. Mend them:", *self._found[:_LISTED], *rest])
        )


class Notes:
    """What was changed or left out, counted by reason, in the order in which the reasons came up."""

    def __init__(self) -> None:
        self._left_out: dict[str, list[str]] = defaultdict(list)
        self._counts: dict[str, int] = defaultdict(int)

    def leave_out(self, question: str, why: str) -> None:
        """Counts a question that cannot be used, by its id."""
        self._left_out[why].append(question)

    def count(self, what: str) -> None:
        """Counts anything else. `what`: the words before the number."""
        self._counts[what] += 1

    def told(self) -> tuple[str, ...]:
        left_out = (
            f"Questions left out, {why}: {len(ids):,} ({_some(ids)})."
            for why, ids in self._left_out.items()
        )
        return (*left_out, *(f"{what}: {number:,}." for what, number in self._counts.items()))


def foreign_set(
    path: Path, documents: Sequence[Document], questions: Sequence[Question], notes: Notes
) -> ForeignSet:
    """Raises QuestionFileError for a set of which nothing is left."""
    found = ForeignSet(tuple(documents), tuple(questions), notes.told())
    if not questions:
        raise QuestionFileError(
            "\n".join([f"{path} holds no question that can be used.", *found.notes])
        )
    return found


def asking_word(question: str) -> str:
    """The kind of an answerable question: what, who, when, where, which, why, how, how-many; other (not English)."""
    found = _ASKING.search(question)
    if not found:
        return "other"
    word = (found[3] or "how-many").lower()
    return _KINDS.get(word, word)


def own_documents(paths: Sequence[Path]) -> tuple[Document, ...]:
    """A person's own documents. Raises DocumentError for any that cannot be read, and for two of one name."""
    from qa.documents.load import load  # brings llama-index, which takes its time

    loaded = load(paths)
    if loaded.failures:
        raise DocumentError("\n".join(map(str, loaded.failures)))
    names = Counter(document.name for document in loaded.documents)
    if twice := [name for name, count in names.items() if count > 1]:
        raise DocumentError(
            f"Two documents are called {', '.join(twice)}. Give the folder that holds both instead."
        )
    return loaded.documents


def needed(given: object, flag: str, why: str) -> None:
    """Raises FootnoteError for an argument that was not given."""
    if not given:
        raise FootnoteError(f"{why}: {flag}")


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_NAMED]) + (", …" if len(ids) > _NAMED else "")
