"""A BEIR folder: corpus.jsonl, queries.jsonl and qrels/*.tsv (Thakur et al. 2021, arXiv:2104.08663)."""

from collections.abc import Iterator
from pathlib import Path

from eval.dataset import Split
from eval.formats.base import ForeignSet, Format, Notes, Options, Problems, foreign_set
from eval.formats.paragraphs import Articles
from eval.formats.parsing import ANY_TEXT, ID, TEXT, at_line, fits, json_lines, text_lines
from eval.formats.relevance import Judgement, grades, questions, relevant
from qa.errors import QuestionFileError
from qa.types import Document

NAME = "beir"
CORPUS, QUERIES, QRELS, SUFFIX = "corpus.jsonl", "queries.jsonl", "qrels", ".tsv"
_HEADER = ("query-id", "corpus-id", "score")
_DOCUMENT = {"_id": ID, "title": ANY_TEXT, "text": ANY_TEXT}
_QUERY = {"_id": ID, "text": TEXT}


def read(path: Path, options: Options) -> ForeignSet:
    """One document for each line of the corpus; a query's relevant documents, with their grades."""
    file = _qrels(path, options.qrels)
    problems, notes = Problems(), Notes()
    documents, names = _corpus(path / CORPUS, problems, notes)
    queries = _queries(path / QUERIES, problems)
    found = relevant(
        file, grades(file, _judgements(file, problems), problems), names, problems, notes
    )
    problems.check(path)
    split: Split = "test" if file.stem == "test" else "dev"
    return foreign_set(path, documents, questions(queries, found, split, notes), notes)


FORMAT = Format(
    read, f"BEIR: a folder with {CORPUS}, {QUERIES} and {QRELS}/*{SUFFIX}", frozenset({"qrels"})
)


def _qrels(path: Path, wanted: str) -> Path:
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
    told = f"has no judgements {wanted!r}" if wanted else "has several files of judgements"
    raise QuestionFileError(f"{path} {told}. Choose: --qrels {'|'.join(files)}")


def _corpus(
    path: Path, problems: Problems, notes: Notes
) -> tuple[tuple[Document, ...], dict[str, str | None]]:
    """The documents, and our names of them by theirs; None for one without a word."""
    articles = Articles(NAME, notes)
    places: dict[str, int | None] = {}
    for number, row in json_lines(path, problems):
        if not fits(row, _DOCUMENT, at_line(path, number), problems):
            continue
        key, title = str(row["_id"]), row.get("title") or ""
        if key in places:
            problems.add(at_line(path, number), f'the "_id" {key!r} is that of an earlier line too')
            continue
        text = row.get("text") or ""
        place = articles.add(key, title or key, text if text.strip() else title)
        places[key] = place.document if place else None
        if not place:
            notes.count("Documents without a word, left out")
    documents = articles.documents(by_key=True)
    return documents, {
        key: None if at is None else documents[at].name for key, at in places.items()
    }


def _queries(path: Path, problems: Problems) -> dict[str, str]:
    queries: dict[str, str] = {}
    for number, row in json_lines(path, problems):
        if not fits(row, _QUERY, at_line(path, number), problems):
            continue
        key = str(row["_id"])
        if key in queries:
            problems.add(at_line(path, number), f'the "_id" {key!r} is that of an earlier line too')
        queries[key] = row["text"]
    return queries


def _judgements(path: Path, problems: Problems) -> Iterator[Judgement]:
    for number, line in text_lines(path, problems):
        cells = tuple(cell.strip() for cell in line.split("\t"))
        if number == 1 and cells == _HEADER:
            continue
        if len(cells) == len(_HEADER) and all(cells):
            yield Judgement(number, *cells)
        else:
            problems.add(
                at_line(path, number), f"must be {', '.join(_HEADER)}, with tabs between them"
            )
