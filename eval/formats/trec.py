"""TREC: topics and relevance judgements, over the person's documents or a corpus in TREC's SGML.

Topics are SGML, or lines of id, tab and query.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from eval.formats.base import (
    Format,
    ImportedSet,
    ImportOptions,
    Notes,
    Problems,
    imported_set,
    load_documents,
    require,
)
from eval.formats.canonical import one_line
from eval.formats.paragraphs import ArticleBuilder
from eval.formats.parsing import at_line, read_text, text_lines
from eval.formats.relevance import (
    RelevanceJudgement,
    judged_questions,
    positive_judgements,
    relevant_documents,
)
from qa.documents.load import READABLE_SUFFIXES
from qa.errors import QuestionFileError
from qa.types import Document

NAME = "trec"
_TOPIC = re.compile("<top>", re.IGNORECASE)
_TOPIC_END = re.compile("</top>", re.IGNORECASE)
_FIELD = re.compile(
    r"<(num|title|desc|narr)>\s*(?:Number|Topic|Description|Narrative)?\s*:?", re.IGNORECASE
)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_TITLE_ELEMENTS = ("HEADLINE", "TITLE", "HEAD", "HL", "TTL", "TI")
_JUDGEMENT_COLUMNS = 4


def read(path: Path, options: ImportOptions) -> ImportedSet:
    """Reads a question from each judged topic.

    path: a folder with one file topics*, one file qrels* and perhaps corpus*; or the file of the
    topics, with `options.qrels` and `options.documents`.
    """
    topics, qrels, corpus = _files(path, options)
    require(corpus, "--documents PATH", f"{path} has no documents. Name their folder")
    problems, notes = Problems(), Notes()
    queries = _queries(topics, problems)
    documents, names = _documents(corpus, problems, notes)
    positive = positive_judgements(qrels, _judgements(qrels, problems), problems)
    grades = relevant_documents(qrels, positive, names, problems, notes)
    problems.check(path)

    questions = judged_questions(queries, grades, "dev", notes)
    return imported_set(path, documents, questions, notes)


FORMAT = Format(
    read,
    "TREC: a folder with topics*, qrels* and corpus*, or the topics with --qrels FILE and "
    "--documents",
    frozenset({"documents", "qrels"}),
)


def _files(path: Path, options: ImportOptions) -> tuple[Path, Path, tuple[Path, ...]]:
    """Returns the file of the topics, the file of the judgements, and the documents."""
    if not path.is_dir():
        reason = f"{path} has only the topics. Name the file of the judgements"
        require(options.qrels, "--qrels FILE", reason)
        return path, Path(options.qrels), options.documents

    corpus = options.documents or tuple(sorted(path.glob("corpus*")))
    return _only_file(path, "topics", ""), _only_file(path, "qrels", options.qrels), corpus


def _only_file(folder: Path, prefix: str, wanted: str) -> Path:
    """Returns the wanted file, by name, stem or path; otherwise the only file of this prefix."""
    files = [file for file in sorted(folder.glob(f"{prefix}*")) if file.is_file()]
    for file in files:
        if wanted and wanted in (file.name, file.stem):
            return file
    if wanted and Path(wanted).is_file():
        return Path(wanted)
    if len(files) == 1 and not wanted:
        return files[0]

    problem = f"must have one file {prefix}*, not {len(files)}"
    if wanted:
        problem = f"has no {wanted!r}"
    choice = f": {', '.join(file.name for file in files)}" if files else ""
    raise QuestionFileError(
        f"{folder} {problem}. Give the file itself, with --qrels and --documents{choice}"
    )


def _queries(path: Path, problems: Problems) -> dict[str, str]:
    """Returns the query of each topic, in order: its title, or its description without one."""
    queries: dict[str, str] = {}
    lines: dict[str, int] = {}
    for line, key, query in _topics(path, problems):
        where = at_line(path, line)
        if not key or not query:
            problems.add(
                where, "a topic must have a number and a title, or an id, a tab and a query"
            )
        elif key in queries:
            problems.add(where, f"line {lines[key]} has the topic {key!r} too")
        else:
            queries[key] = query
            lines[key] = line
    return queries


def _topics(path: Path, problems: Problems) -> Iterator[tuple[int, str, str]]:
    """Yields (line, id, query) of each topic; "" for a part that is missing."""
    if not _is_sgml(path):
        for number, line in text_lines(path, problems):
            key, _, query = line.partition("\t")
            yield number, one_line(key), " ".join(query.split())
        return

    before, *topics = _TOPIC.split(read_text(path))
    if not topics:
        problems.add(at_line(path, 1), "begins as SGML, but has no <top>")
    line_number = 1 + before.count("\n")
    for topic in topics:
        fields = _topic_fields(_TOPIC_END.split(topic, maxsplit=1)[0])
        query = fields.get("title") or fields.get("desc", "")
        yield line_number, fields.get("num", ""), query
        line_number += topic.count("\n")


def _topic_fields(topic: str) -> dict[str, str]:
    """Returns the first of each field.

    A field ends where the next one starts: the classic topics have no closing tags.
    """
    starts = list(_FIELD.finditer(topic))
    ends = [start.start() for start in starts[1:]]
    ends.append(len(topic))

    fields: dict[str, str] = {}
    for start, end in zip(starts, ends, strict=True):
        fields.setdefault(start[1].lower(), _plain_text(topic[start.end() : end]))
    return fields


def _plain_text(markup: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", markup)).split())


def _is_sgml(path: Path) -> bool:
    # The problems are dropped here: they are reported when the lines are read again.
    for _, line in text_lines(path, Problems()):
        return line.lstrip().startswith("<")
    return False


def _judgements(path: Path, problems: Problems) -> Iterator[RelevanceJudgement]:
    for number, line in text_lines(path, problems):
        cells = line.split()
        if len(cells) == _JUDGEMENT_COLUMNS:
            topic, _iteration, document, grade = cells
            yield RelevanceJudgement(number, topic, document, grade)
        else:
            problems.add(
                at_line(path, number),
                "must be topic, iteration, document and grade, with spaces between them",
            )


def _documents(
    paths: Sequence[Path], problems: Problems, notes: Notes
) -> tuple[tuple[Document, ...], dict[str, str | None]]:
    """Returns the documents, and our names by every name that judgements may use.

    None: a blank document.
    """
    corpora, own_paths = [], []
    for path in paths:
        is_corpus = path.is_file() and path.suffix.lower() not in READABLE_SUFFIXES
        (corpora if is_corpus else own_paths).append(path)
    own_documents = load_documents(own_paths) if own_paths else ()

    articles = ArticleBuilder(NAME, notes)
    numbers: dict[str, int | None] = {}
    for path in corpora:
        _add_corpus(path, articles, numbers, problems, notes)
    corpus_documents = articles.documents(by_key=True, taken_by=own_documents)

    names: dict[str, str | None] = dict(_names_in_judgements(own_documents))
    for key, number in numbers.items():
        names[key] = None if number is None else corpus_documents[number].name
    return (*own_documents, *corpus_documents), names


def _names_in_judgements(documents: Sequence[Document]) -> dict[str, str]:
    """Returns the documents' names, by name and by unambiguous name without suffix."""
    stems = {}
    for document in documents:
        stems[document.name] = str(PurePosixPath(document.name).with_suffix(""))
    counts = Counter(stems.values())

    names = {}
    for name, stem in stems.items():
        if counts[stem] == 1:
            names[stem] = name
    # A full name comes before a stem that another document has as its name.
    names.update({document.name: document.name for document in documents})
    return names


def _add_corpus(
    path: Path,
    articles: ArticleBuilder,
    numbers: dict[str, int | None],
    problems: Problems,
    notes: Notes,
) -> None:
    for line, markup in _records(path, problems):
        key = _first_element(markup, "DOCNO")
        if not key:
            problems.add(at_line(path, line), "a document without <DOCNO>")
            continue
        if key in numbers:
            problems.add(at_line(path, line), f"the document {key!r} is there already")
            continue

        titles = [_first_element(markup, name) for name in _TITLE_ELEMENTS]
        title = next(filter(None, titles), "")
        place = articles.add(key, title or key, _body(markup) or title)
        numbers[key] = place.document if place else None
        if not place:
            notes.count("Blank documents, left out")


def _records(path: Path, problems: Problems) -> Iterator[tuple[int, str]]:
    """Yields (line of <DOC>, content) of each record; <DOC> and </DOC> stand alone on a line."""
    start, lines = 0, list[str]()
    for number, line in text_lines(path, problems):
        tag = line.strip().upper()
        if tag == "<DOC>":
            start, lines = number, []
        elif tag == "</DOC>" and start:
            yield start, "\n".join(lines)
            start = 0
        elif start:
            lines.append(line)
    if start:
        problems.add(at_line(path, start), "a <DOC> without an end: the file is cut off")


def _first_element(markup: str, name: str) -> str:
    """Returns the text of the first element of this name on one line; "" without one."""
    return _plain_text(next(_elements(markup, name), ""))


def _body(markup: str) -> str:
    """Returns the text of every TEXT element, without its markup."""
    paragraphs = []
    for part in _elements(markup, "TEXT"):
        paragraphs.append(html.unescape(_TAG.sub("", part)).strip("\n"))
    return "\n\n".join(paragraphs)


def _elements(markup: str, name: str) -> Iterator[str]:
    """Yields the content of each closed element of this name."""
    for part in re.split(f"<{name}>", markup, flags=re.IGNORECASE)[1:]:
        content, *rest = re.split(f"</{name}>", part, maxsplit=1, flags=re.IGNORECASE)
        if rest:
            yield content
