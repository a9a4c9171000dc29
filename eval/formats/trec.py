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
from eval.formats.parsing import at_line, read_text, text_lines
from eval.formats.relevance import (
    Corpus,
    DocumentNames,
    Documents,
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
Paths = Sequence[Path]
Topic = tuple[int, str, str]
"""Line, id and query; "" for a part that is missing."""


def read(path: Path, options: ImportOptions) -> ImportedSet:
    """Reads a question from each judged topic.

    path: a folder with one file topics*, one file qrels* and perhaps corpus*; or the file of the
    topics, with `options.qrels` and `options.documents`.
    """
    topics, qrels, corpus = _files(path, options)
    require(corpus, "--documents PATH", f"{path} has no documents. Name their folder")
    problems = Problems()
    notes = Notes()
    # Every file is read before the check, so that one error lists the problems of all of them.
    queries = _queries(topics, problems)
    documents, names = _documents(corpus, problems, notes)
    judgements = _judgements(qrels, problems)
    positive = positive_judgements(qrels, judgements, problems)
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


def _files(path: Path, options: ImportOptions) -> tuple[Path, Path, Paths]:
    """Returns the file of the topics, the file of the judgements, and the documents."""
    if not path.is_dir():
        reason = f"{path} has only the topics. Name the file of the judgements"
        require(options.qrels, "--qrels FILE", reason)
        return path, Path(options.qrels), options.documents

    topics = _only_file(path, "topics", "")
    qrels = _only_file(path, "qrels", options.qrels)
    corpus = options.documents or sorted(path.glob("corpus*"))
    return topics, qrels, corpus


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
    names = ", ".join(file.name for file in files)
    choice = f": {names}" if files else ""
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


def _topics(path: Path, problems: Problems) -> Iterator[Topic]:
    if _is_sgml(path):
        yield from _sgml_topics(path, problems)
        return
    for number, line in text_lines(path, problems):
        key, _, query = line.partition("\t")
        words = query.split()
        yield number, one_line(key), " ".join(words)


def _sgml_topics(path: Path, problems: Problems) -> Iterator[Topic]:
    before, *topics = _TOPIC.split(read_text(path))
    if not topics:
        problems.add(at_line(path, 1), "begins as SGML, but has no <top>")

    line_number = 1 + before.count("\n")
    for topic in topics:
        content, *_after = _TOPIC_END.split(topic, maxsplit=1)
        fields = _topic_fields(content)
        key = fields.get("num", "")
        # The narrative is left out: it says what is not relevant, too.
        query = fields.get("title") or fields.get("desc", "")
        yield line_number, key, query
        line_number += topic.count("\n")


def _topic_fields(topic: str) -> dict[str, str]:
    """Returns the first of each field.

    A field ends where the next one starts: the classic topics have no closing tags.
    """
    # Split by the pattern's group: what is before the first field, then name and content in turn.
    _before, *parts = _FIELD.split(topic)
    names = parts[::2]
    contents = parts[1::2]

    fields: dict[str, str] = {}
    for name, content in zip(names, contents, strict=True):
        fields.setdefault(name.lower(), _plain_text(content))
    return fields


def _plain_text(markup: str) -> str:
    # A tag stands for a space: "<b>two</b><b>words</b>".
    without_tags = _TAG.sub(" ", markup)
    words = html.unescape(without_tags).split()
    return " ".join(words)


def _is_sgml(path: Path) -> bool:
    # The problems are dropped here: they are reported when the lines are read again.
    first_lines = text_lines(path, Problems())
    _, line = next(first_lines, (0, ""))
    return line.lstrip().startswith("<")


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
) -> tuple[Documents, DocumentNames]:
    """Returns the documents, and our names by every name that judgements may use."""
    corpora: list[Path] = []
    own_paths: list[Path] = []
    for path in paths:
        # Files that `qa` reads are a person's documents; any other file is a corpus in SGML.
        is_corpus = path.is_file() and path.suffix.lower() not in READABLE_SUFFIXES
        if is_corpus:
            corpora.append(path)
        else:
            own_paths.append(path)
    own_documents = load_documents(own_paths) if own_paths else ()

    corpus = Corpus(NAME, notes)
    for path in corpora:
        _add_corpus(path, corpus, problems)
    corpus_documents, corpus_names = corpus.documents(taken_by=own_documents)
    own_names = _names_in_judgements(own_documents)
    return (*own_documents, *corpus_documents), {**own_names, **corpus_names}


def _names_in_judgements(documents: Sequence[Document]) -> DocumentNames:
    """Returns the documents' names, by name and by unambiguous name without suffix."""
    stems = {}
    for document in documents:
        path = PurePosixPath(document.name)
        stems[document.name] = str(path.with_suffix(""))
    counts = Counter(stems.values())

    names: DocumentNames = {}
    for name, stem in stems.items():
        if counts[stem] == 1:
            names[stem] = name
    # A full name comes before a stem that another document has as its name.
    for name in stems:
        names[name] = name
    return names


def _add_corpus(path: Path, corpus: Corpus, problems: Problems) -> None:
    for line, markup in _records(path, problems):
        where = at_line(path, line)
        key = _first_element(markup, "DOCNO")
        if not key:
            problems.add(where, "a document without <DOCNO>")
            continue
        if key in corpus:
            problems.add(where, f"the document {key!r} is there already")
            continue

        # Each collection of TREC has its own name for the headline.
        titles = [_first_element(markup, name) for name in _TITLE_ELEMENTS]
        title = next(filter(None, titles), "")
        corpus.add(key, title, _body(markup) or title)


def _records(path: Path, problems: Problems) -> Iterator[tuple[int, str]]:
    """Yields (line of <DOC>, content) of each record; <DOC> and </DOC> stand alone on a line."""
    start = 0
    lines: list[str] = []
    for number, line in text_lines(path, problems):
        tag = line.strip().upper()
        if tag == "<DOC>":
            start = number
            lines = []
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
        without_tags = _TAG.sub("", part)
        text = html.unescape(without_tags)
        paragraphs.append(text.strip("\n"))
    return "\n\n".join(paragraphs)


def _elements(markup: str, name: str) -> Iterator[str]:
    """Yields the content of each closed element of this name."""
    _before, *parts = re.split(f"<{name}>", markup, flags=re.IGNORECASE)
    for part in parts:
        content, *rest = re.split(f"</{name}>", part, maxsplit=1, flags=re.IGNORECASE)
        if rest:
            yield content
