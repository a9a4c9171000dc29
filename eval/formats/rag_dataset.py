"""llama-index's LabelledRagDataset: `rag_dataset.json`, alone or in its folder beside `source_files/`."""

from pathlib import Path
from typing import Any

from eval.dataset import Question
from eval.formats.base import (
    ForeignSet,
    Format,
    Notes,
    Options,
    Problems,
    foreign_set,
    own_documents,
)
from eval.formats.canonical import canonical
from eval.formats.paragraphs import Articles
from eval.formats.parsing import ANY_TEXT, LIST, OBJECT, TEXT, TEXTS, fits, whole_json
from eval.formats.quotes import Quotes
from qa.types import Document

NAME = "rag-dataset"
FILE, SOURCES = "rag_dataset.json", "source_files"
_EXAMPLE = {
    "query": TEXT,
    "query_by": OBJECT,
    "reference_contexts": TEXTS,
    "reference_answer": ANY_TEXT,
}


def read(path: Path, options: Options) -> ForeignSet:
    """The evidence: the reference contexts, whole. The documents: the person's, or `source_files/`, or the contexts."""
    problems, notes = Problems(), Notes()
    file = path / FILE if path.is_dir() else path
    examples = _examples(whole_json(file), problems)
    problems.check(file)
    sources = options.documents or ((path / SOURCES,) if (path / SOURCES).is_dir() else ())
    documents = own_documents(sources) if sources else _of_contexts(examples, notes)
    quotes = Quotes(documents)
    found = [
        _question(f"q{number}", row, quotes, notes) for number, row in enumerate(examples, start=1)
    ]
    return foreign_set(file, documents, [question for question in found if question], notes)


FORMAT = Format(
    read, f"llama-index: {FILE}, or its folder with {SOURCES}/", frozenset({"documents"})
)


def _examples(root: Any, problems: Problems) -> list[dict[str, Any]]:
    if not fits(root, {"examples": LIST}, "the file", problems):
        return []
    return [
        row
        for at, row in enumerate(root["examples"])
        if fits(row, _EXAMPLE, f"examples[{at}]", problems)
    ]


def _of_contexts(examples: list[dict[str, Any]], notes: Notes) -> tuple[Document, ...]:
    articles = Articles(NAME, notes)
    contexts = dict.fromkeys(
        context for row in examples for context in row.get("reference_contexts") or ()
    )
    for number, context in enumerate(contexts, start=1):
        articles.add(number, f"Context {number}", context)
    return articles.documents()


def _question(key: str, row: dict[str, Any], quotes: Quotes, notes: Notes) -> Question | None:
    contexts = [
        canonical(context) for context in row.get("reference_contexts") or () if context.strip()
    ]
    found = [quotes.verbatim(context) for context in contexts]
    evidence = tuple(dict.fromkeys(quote for quote in found if quote))
    if not contexts:
        notes.leave_out(key, "without a reference context")
        return None
    if not all(found):
        notes.leave_out(key, "a reference context is not in the documents, or more than once")
        return None
    answer = canonical(row.get("reference_answer") or "").strip()
    holding = quotes.holding(evidence)
    return Question(
        id=key,
        question=canonical(row["query"]).strip(),
        answerable=True,
        answers=(answer,) if answer else (),
        evidence=evidence,
        kind=_kind(row),
        # Where it is not known what a right answer says, the documents of its evidence are what is right.
        relevant={} if answer else dict.fromkeys(holding, 1),
        group=holding[0],
    )


def _kind(row: dict[str, Any]) -> str:
    """Who wrote the question: human, ai, or unknown."""
    by = (row.get("query_by") or {}).get("type")
    return by if by in ("human", "ai") else "unknown"
