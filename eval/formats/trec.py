"""TREC: topics (SGML, or lines of id, tab, query) and judgements, over the person's documents or TREC's own SGML."""

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from eval.formats.base import (
    ForeignSet,
    Format,
    Notes,
    Options,
    Problems,
    foreign_set,
    needed,
    own_documents,
)
from eval.formats.canonical import one_line
from eval.formats.paragraphs import Articles
from eval.formats.parsing import at_line, text_lines, whole_text
from eval.formats.relevance import Judgement, grades, questions, relevant
from qa.documents.load import READABLE_SUFFIXES
from qa.errors import QuestionFileError
from qa.types import Document

NAME = "trec"
_TOPIC, _TOPIC_END = re.compile("<top>", re.IGNORECASE), re.compile("</top>", re.IGNORECASE)
_FIELD = re.compile(
    r"<(num|title|desc|narr)>\s*(?:Number|Topic|Description|Narrative)?\s*:?", re.IGNORECASE
)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_TITLES = ("HEADLINE", "TITLE", "HEAD", "HL", "TTL", "TI")


def read(path: Path, options: Options) -> ForeignSet:
    """`path`: a folder with one file topics*, qrels* and perhaps corpus*; or the topics, then with `options.qrels`."""
    topics, qrels, corpus = _files(path, options)
    needed(corpus, "--documents PATH", f"{path} comes without documents. Say where they are")
    problems, notes = Problems(), Notes()
    queries = _queries(topics, problems)
    documents, names = _documents(corpus, problems, notes)
    found = relevant(
        qrels, grades(qrels, _judgements(qrels, problems), problems), names, problems, notes
    )
    problems.check(path)
    return foreign_set(path, documents, questions(queries, found, "dev", notes), notes)


FORMAT = Format(
    read,
    "TREC: a folder with topics*, qrels* and corpus*, or the topics with --qrels FILE and --documents",
    frozenset({"documents", "qrels"}),
)


def _files(path: Path, options: Options) -> tuple[Path, Path, tuple[Path, ...]]:
    """The topics, the judgements, and the documents."""
    if not path.is_dir():
        needed(
            options.qrels,
            "--qrels FILE",
            f"{path} has the topics only. Say where the judgements are",
        )
        return path, Path(options.qrels), options.documents
    corpus = options.documents or tuple(sorted(path.glob("corpus*")))
    return _only(path, "topics", ""), _only(path, "qrels", options.qrels), corpus


def _only(folder: Path, what: str, wanted: str) -> Path:
    """The one file whose name begins with `what`, or the one wanted, by its name or path."""
    files = [file for file in sorted(folder.glob(f"{what}*")) if file.is_file()]
    named = [file for file in files if wanted in (file.name, file.stem)]
    if wanted and (named or Path(wanted).is_file()):
        return named[0] if named else Path(wanted)
    if len(files) == 1 and not wanted:
        return files[0]
    told = f"has no {wanted!r}" if wanted else f"must have one file {what}*, not {len(files)}"
    choose = f": {', '.join(file.name for file in files)}" if files else ""
    raise QuestionFileError(
        f"{folder} {told}. Give the file itself, with --qrels and --documents{choose}"
    )


def _queries(path: Path, problems: Problems) -> dict[str, str]:
    """The queries by topic, in their order: a topic's title, or its description where it has none."""
    queries: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, key, query in _topics(path, problems):
        if not key or not query:
            problems.add(
                at_line(path, number),
                "a topic must have a number and a title, or an id, a tab and a query",
            )
        elif key in queries:
            problems.add(
                at_line(path, number), f"the topic {key!r} is that of line {lines[key]} too"
            )
        else:
            queries[key], lines[key] = query, number
    return queries


def _topics(path: Path, problems: Problems) -> Iterator[tuple[int, str, str]]:
    """Line, id and query of each topic; "" for what is missing."""
    if not _is_sgml(path):
        for number, line in text_lines(path, problems):
            key, _, query = line.partition("\t")
            yield number, one_line(key), " ".join(query.split())
        return
    before, *topics = _TOPIC.split(whole_text(path))
    if not topics:
        problems.add(at_line(path, 1), "begins as SGML, but has no <top>")
    at = 1 + before.count("\n")
    for topic in topics:
        fields = _fields(_TOPIC_END.split(topic, maxsplit=1)[0])
        yield at, fields.get("num", ""), fields.get("title") or fields.get("desc", "")
        at += topic.count("\n")


def _fields(topic: str) -> dict[str, str]:
    """The first of each field. A field ends where the next begins: classic topics do not close them."""
    starts = list(_FIELD.finditer(topic))
    ends = [*(start.start() for start in starts[1:]), len(topic)]
    fields: dict[str, str] = {}
    for start, end in zip(starts, ends, strict=True):
        fields.setdefault(start[1].lower(), _plain(topic[start.end() : end]))
    return fields


def _plain(markup: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", markup)).split())


def _is_sgml(path: Path) -> bool:
    # What is wrong with a line is told when it is read for good.
    return next((line.lstrip().startswith("<") for _, line in text_lines(path, Problems())), False)


def _judgements(path: Path, problems: Problems) -> Iterator[Judgement]:
    for number, line in text_lines(path, problems):
        cells = line.split()
        if len(cells) == 4:
            yield Judgement(number, cells[0], cells[2], cells[3])
        else:
            problems.add(
                at_line(path, number),
                "must be topic, iteration, document and grade, with spaces between them",
            )


def _documents(
    paths: Sequence[Path], problems: Problems, notes: Notes
) -> tuple[tuple[Document, ...], dict[str, str | None]]:
    """The documents, and our names of them by what judgements may call them; None for one without a word."""
    sgml = [
        path for path in paths if path.is_file() and path.suffix.lower() not in READABLE_SUFFIXES
    ]
    own = (
        own_documents([path for path in paths if path not in sgml])
        if len(sgml) < len(paths)
        else ()
    )
    articles = Articles(NAME, notes)
    places: dict[str, int | None] = {}
    for path in sgml:
        _add_corpus(path, articles, places, problems, notes)
    made = articles.documents(by_key=True, beside=own)
    names = {key: None if at is None else made[at].name for key, at in places.items()}
    return (*own, *made), {**_called(own), **names}


def _called(documents: Sequence[Document]) -> dict[str, str]:
    """The names of documents, with and without suffix; without it only where that says which."""
    names = [document.name for document in documents]
    stems = [str(PurePosixPath(name).with_suffix("")) for name in names]
    counts = Counter(stems)
    return {
        stem: name for stem, name in zip(stems, names, strict=True) if counts[stem] == 1
    } | dict(zip(names, names, strict=True))


def _add_corpus(
    path: Path, articles: Articles, places: dict[str, int | None], problems: Problems, notes: Notes
) -> None:
    for number, markup in _records(path, problems):
        key = _element(markup, "DOCNO")
        if not key or key in places:
            told = f"the document {key!r} is there already" if key else "a document without <DOCNO>"
            problems.add(at_line(path, number), told)
            continue
        title = next(filter(None, (_element(markup, name) for name in _TITLES)), "")
        place = articles.add(key, title or key, _text(markup) or title)
        places[key] = place.document if place else None
        if not place:
            notes.count("Documents without a word, left out")


def _records(path: Path, problems: Problems) -> Iterator[tuple[int, str]]:
    """What stands between <DOC> and </DOC>, each on a line of its own, with the line of the first."""
    begun, lines = 0, list[str]()
    for at, line in text_lines(path, problems):
        bare = line.strip().upper()
        if bare == "<DOC>":
            begun, lines = at, []
        elif bare == "</DOC>" and begun:
            yield begun, "\n".join(lines)
            begun = 0
        elif begun:
            lines.append(line)
    if begun:
        problems.add(at_line(path, begun), "a <DOC> that does not end: the file was cut off")


def _element(markup: str, name: str) -> str:
    """What the first element of that name says, on one line; "" without one."""
    return _plain(next(_elements(markup, name), ""))


def _text(markup: str) -> str:
    """The body: every TEXT element, without its markup."""
    return "\n\n".join(
        html.unescape(_TAG.sub("", part)).strip("\n") for part in _elements(markup, "TEXT")
    )


def _elements(markup: str, name: str) -> Iterator[str]:
    for part in re.split(f"<{name}>", markup, flags=re.IGNORECASE)[1:]:
        inside, *rest = re.split(f"</{name}>", part, maxsplit=1, flags=re.IGNORECASE)
        if rest:
            yield inside
