"""llama-index's LabelledRagDataset: `rag_dataset.json`, alone or next to `source_files/`."""

from pathlib import Path
from typing import Any

from eval.dataset import Question
from eval.formats.base import (
    REPEATED_EVIDENCE,
    Format,
    ImportedSet,
    ImportOptions,
    Notes,
    Problems,
    imported_set,
    load_documents,
)
from eval.formats.canonical import canonical
from eval.formats.paragraphs import ArticleBuilder
from eval.formats.parsing import ANY_TEXT, LIST, OBJECT, TEXT, TEXTS, is_valid, read_json
from eval.formats.quotes import QuoteFinder
from qa.types import Document

NAME = "rag-dataset"
FILE, SOURCES = "rag_dataset.json", "source_files"
_EXAMPLE = {
    "query": TEXT,
    "query_by": OBJECT,
    "reference_contexts": TEXTS,
    "reference_answer": ANY_TEXT,
}


def read(path: Path, options: ImportOptions) -> ImportedSet:
    """Reads a question from each example. Evidence: the whole reference contexts.

    Documents: the person's own, otherwise `source_files/`, otherwise the contexts.
    """
    problems, notes = Problems(), Notes()
    file = path / FILE if path.is_dir() else path
    examples = _examples(read_json(file), problems)
    problems.check(file)

    sources = options.documents
    if not sources and (path / SOURCES).is_dir():
        sources = (path / SOURCES,)
    documents = load_documents(sources) if sources else _context_documents(examples, notes)

    finder = QuoteFinder(documents)
    questions = []
    for number, example in enumerate(examples, start=1):
        question = _question(f"q{number}", example, finder, notes)
        if question:
            questions.append(question)
    return imported_set(file, documents, questions, notes)


FORMAT = Format(
    read, f"llama-index: {FILE}, or its folder with {SOURCES}/", frozenset({"documents"})
)


def _examples(root: Any, problems: Problems) -> list[dict[str, Any]]:
    if not is_valid(root, {"examples": LIST}, "the file", problems):
        return []
    examples = []
    for number, example in enumerate(root["examples"]):
        if is_valid(example, _EXAMPLE, f"examples[{number}]", problems):
            examples.append(example)
    return examples


def _context_documents(examples: list[dict[str, Any]], notes: Notes) -> tuple[Document, ...]:
    """Returns a document for each distinct reference context."""
    contexts: dict[str, None] = {}
    for example in examples:
        for context in example.get("reference_contexts") or ():
            contexts[context] = None

    articles = ArticleBuilder(NAME, notes)
    for number, context in enumerate(contexts, start=1):
        articles.add(number, f"Context {number}", context)
    return articles.documents()


def _question(
    key: str, example: dict[str, Any], finder: QuoteFinder, notes: Notes
) -> Question | None:
    quotes = []
    for context in example.get("reference_contexts") or ():
        if context.strip():
            quotes.append(finder.verbatim(canonical(context)))
    if not quotes:
        notes.leave_out(key, "without a reference context")
        return None
    if not all(quotes):
        notes.leave_out(key, "a reference context is not in the documents")
        return None

    evidence = tuple(dict.fromkeys(quote for quote in quotes if quote))
    if finder.stands_in_several(evidence):
        notes.count(REPEATED_EVIDENCE)
    answer = canonical(example.get("reference_answer") or "").strip()
    relevant = finder.documents_with(evidence)
    return Question(
        id=key,
        question=canonical(example["query"]).strip(),
        answerable=True,
        answers=(answer,) if answer else (),
        evidence=evidence,
        kind=_kind(example),
        # Without an answer to compare with, the documents of the evidence are the right ones.
        relevant={} if answer else dict.fromkeys(relevant, 1),
        group=relevant[0],
    )


def _kind(example: dict[str, Any]) -> str:
    """Returns who wrote the question: human, ai or unknown."""
    writer = (example.get("query_by") or {}).get("type")
    return writer if writer in ("human", "ai") else "unknown"
