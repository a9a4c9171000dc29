"""BEIR: a folder with corpus.jsonl, queries.jsonl and qrels/*.tsv.

Thakur et al. 2021, arXiv:2104.08663.
"""

from collections.abc import Iterator
from pathlib import Path

from eval.dataset import Split
from eval.formats.base import Format, ImportedSet, ImportOptions, Notes, Problems, imported_set
from eval.formats.paragraphs import ArticleBuilder
from eval.formats.parsing import ANY_TEXT, ID, TEXT, at_line, is_valid, json_lines, text_lines
from eval.formats.relevance import (
    RelevanceJudgement,
    judged_questions,
    positive_judgements,
    relevant_documents,
)
from qa.errors import QuestionFileError
from qa.types import Document

NAME = "beir"
CORPUS, QUERIES, QRELS, SUFFIX = "corpus.jsonl", "queries.jsonl", "qrels", ".tsv"
_HEADER = ("query-id", "corpus-id", "score")
_DOCUMENT = {"_id": ID, "title": ANY_TEXT, "text": ANY_TEXT}
_QUERY = {"_id": ID, "text": TEXT}


def read(path: Path, options: ImportOptions) -> ImportedSet:
    """Reads a document from each line of the corpus, and a question from each judged query."""
    qrels = _qrels_file(path, options.qrels)
    problems, notes = Problems(), Notes()
    documents, names = _documents(path / CORPUS, problems, notes)
    queries = _queries(path / QUERIES, problems)
    positive = positive_judgements(qrels, _judgements(qrels, problems), problems)
    grades = relevant_documents(qrels, positive, names, problems, notes)
    problems.check(path)

    split: Split = "test" if qrels.stem == "test" else "dev"
    questions = judged_questions(queries, grades, split, notes)
    return imported_set(path, documents, questions, notes)


FORMAT = Format(
    read, f"BEIR: a folder with {CORPUS}, {QUERIES} and {QRELS}/*{SUFFIX}", frozenset({"qrels"})
)


def _qrels_file(path: Path, wanted: str) -> Path:
    """Returns the wanted file of judgements, or the only one."""
    files = {file.stem: file for file in sorted((path / QRELS).glob(f"*{SUFFIX}"))}
    name = wanted.removesuffix(SUFFIX)
    if name in files:
        return files[name]
    if not wanted and len(files) == 1:
        return next(iter(files.values()))

    if not files:
        raise QuestionFileError(
            f"{path / QRELS} holds no file of judgements, *{SUFFIX}. Check the path."
        )
    problem = f"has no judgements {wanted!r}" if wanted else "has several files of judgements"
    raise QuestionFileError(f"{path} {problem}. Choose: --qrels {'|'.join(files)}")


def _documents(
    path: Path, problems: Problems, notes: Notes
) -> tuple[tuple[Document, ...], dict[str, str | None]]:
    """Returns the documents, and their names by the ids of the file; None: a blank document."""
    articles = ArticleBuilder(NAME, notes)
    numbers: dict[str, int | None] = {}
    for line, row in json_lines(path, problems):
        if not is_valid(row, _DOCUMENT, at_line(path, line), problems):
            continue
        key = str(row["_id"])
        if key in numbers:
            problems.add(at_line(path, line), f'an earlier line has the "_id" {key!r} too')
            continue

        title = row.get("title") or ""
        text = row.get("text") or ""
        place = articles.add(key, title or key, text if text.strip() else title)
        numbers[key] = place.document if place else None
        if not place:
            notes.count("Blank documents, left out")

    documents = articles.documents(by_key=True)
    names: dict[str, str | None] = {}
    for key, number in numbers.items():
        names[key] = None if number is None else documents[number].name
    return documents, names


def _queries(path: Path, problems: Problems) -> dict[str, str]:
    """Returns the text of each query, by its id."""
    queries: dict[str, str] = {}
    for line, row in json_lines(path, problems):
        if not is_valid(row, _QUERY, at_line(path, line), problems):
            continue
        key = str(row["_id"])
        if key in queries:
            problems.add(at_line(path, line), f'an earlier line has the "_id" {key!r} too')
        queries[key] = row["text"]
    return queries


def _judgements(path: Path, problems: Problems) -> Iterator[RelevanceJudgement]:
    for number, line in text_lines(path, problems):
        cells = tuple(cell.strip() for cell in line.split("\t"))
        if number == 1 and cells == _HEADER:
            continue
        if len(cells) == len(_HEADER) and all(cells):
            yield RelevanceJudgement(number, *cells)
        else:
            columns = ", ".join(_HEADER)
            problems.add(at_line(path, number), f"must be {columns}, with tabs between them")
