"""BEIR: a folder with corpus.jsonl, queries.jsonl and qrels/*.tsv.

Thakur et al. 2021, arXiv:2104.08663.
"""

from collections.abc import Iterator
from pathlib import Path

from eval.dataset import Split
from eval.formats.base import Format, ImportedSet, ImportOptions, Notes, Problems, imported_set
from eval.formats.parsing import ANY_TEXT, ID, TEXT, at_line, is_valid, json_lines, text_lines
from eval.formats.relevance import (
    Corpus,
    DocumentNames,
    Documents,
    RelevanceJudgement,
    judged_questions,
    positive_judgements,
    relevant_documents,
)
from qa.errors import QuestionFileError

NAME = "beir"
CORPUS = "corpus.jsonl"
QUERIES = "queries.jsonl"
QRELS = "qrels"
SUFFIX = ".tsv"
_HEADER = ["query-id", "corpus-id", "score"]
_DOCUMENT = {"_id": ID, "title": ANY_TEXT, "text": ANY_TEXT}
_QUERY = {"_id": ID, "text": TEXT}


def read(path: Path, options: ImportOptions) -> ImportedSet:
    """Reads a document from each line of the corpus, and a question from each judged query."""
    qrels = _qrels_file(path, options.qrels)
    problems = Problems()
    notes = Notes()
    # Every file is read before the check, so that one error lists the problems of all of them.
    documents, names = _documents(path / CORPUS, problems, notes)
    queries = _queries(path / QUERIES, problems)
    judgements = _judgements(qrels, problems)
    positive = positive_judgements(qrels, judgements, problems)
    grades = relevant_documents(qrels, positive, names, problems, notes)
    problems.check(path)

    split: Split = "test" if qrels.stem == "test" else "dev"
    questions = judged_questions(queries, grades, split, notes)
    return imported_set(path, documents, questions, notes)


FORMAT = Format(
    read,
    what=f"BEIR: a folder with {CORPUS}, {QUERIES} and {QRELS}/*{SUFFIX}",
    takes=frozenset({"qrels"}),
)


def _qrels_file(path: Path, wanted: str) -> Path:
    """Returns the wanted file of judgements, or the only one."""
    folder = path / QRELS
    files = {}
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        files[file.stem] = file

    # A person may name the file with or without its suffix.
    name = wanted.removesuffix(SUFFIX)
    if name in files:
        return files[name]
    if not wanted and len(files) == 1:
        (only_file,) = files.values()
        return only_file

    if not files:
        raise QuestionFileError(f"{folder} holds no file of judgements, *{SUFFIX}. Check the path.")
    problem = f"has no judgements {wanted!r}" if wanted else "has several files of judgements"
    choice = "|".join(files)
    raise QuestionFileError(f"{path} {problem}. Choose: --qrels {choice}")


def _documents(path: Path, problems: Problems, notes: Notes) -> tuple[Documents, DocumentNames]:
    """Returns the documents, and their names by the ids of the file."""
    corpus = Corpus(NAME, notes)
    for line, row in json_lines(path, problems):
        where = at_line(path, line)
        if not is_valid(row, _DOCUMENT, where, problems):
            continue
        # Some exports have ids that are numbers.
        key = str(row["_id"])
        if key in corpus:
            problems.add(where, f'an earlier line has the "_id" {key!r} too')
            continue

        title = row.get("title") or ""
        text = row.get("text") or ""
        # A record may have nothing but a title.
        corpus.add(key, title, text if text.strip() else title)
    return corpus.documents()


def _queries(path: Path, problems: Problems) -> dict[str, str]:
    """Returns the text of each query, by its id."""
    queries: dict[str, str] = {}
    for line, row in json_lines(path, problems):
        where = at_line(path, line)
        if not is_valid(row, _QUERY, where, problems):
            continue
        key = str(row["_id"])
        if key in queries:
            problems.add(where, f'an earlier line has the "_id" {key!r} too')
        queries[key] = row["text"]
    return queries


def _judgements(path: Path, problems: Problems) -> Iterator[RelevanceJudgement]:
    columns = ", ".join(_HEADER)
    for number, line in text_lines(path, problems):
        cells = [cell.strip() for cell in line.split("\t")]
        if number == 1 and cells == _HEADER:
            continue

        if len(cells) == len(_HEADER) and all(cells):
            query, document, grade = cells
            yield RelevanceJudgement(number, query, document, grade)
        else:
            where = at_line(path, number)
            problems.add(where, f"must be {columns}, with tabs between them")
