"""Reads public questions over documents, as the fit and its metrics need them.

Paragraphs of one article are joined to a document of the length of a news article. A question that
its own paragraph does not answer, or that was asked about another document of its article, is one
that the document does not answer.
"""

import logging
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.library.search import Nearest, retrieve
from qa.library.snapshot import Snapshot
from qa.library.word_index import Hit
from qa.models.embedding import Embedder, Encoding, Vectors
from qa.models.spans import SpanModel
from qa.reader.features import analyse, sentence_features
from qa.reader.named_views import score_views
from qa.training.sources import Part, QuestionsBySource, TrainingQuestion, of_part
from qa.training.written import WrittenDocument
from qa.types import Document, Span

SEED = 20
READING_SOURCES = ("squad2_half", "squad_train_a", "squadshifts_new_wiki", "onestop_news")
"""Sources whose passages are joined to documents."""
PARAGRAPHS = 12
"""Paragraphs of a document, about as many as in a news article."""
PASSAGES_READ = 5
"""As many as an answer is looked for in, see `Settings.top_k`."""
MAX_DOCUMENTS: Mapping[Part, int] = {"fit": 12, "report": 3}
"""Documents taken from a source, by part."""
MAX_QUESTIONS_OF_DOCUMENT = 24
LIBRARY_SOURCES = ("squad_train_a", "squadshifts_new_wiki")
"""Sources whose paragraphs are put together into one library."""
LIBRARY_PARAGRAPHS = 240
MAX_LIBRARY_QUESTIONS = 250
LIBRARY_DOCUMENTS = 20
"""Ordinary documents of a library, at least."""
LIBRARY_DOCUMENTS_OF_FORM = 6
MAX_QUESTIONS_OF_WRITTEN = 3
"""Questions of each of them, but for the documents that were written by hand: all."""
_log = logging.getLogger(__name__)

Rows = NDArray[np.float64]
"""(sentences, features)."""
Labels = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FitCase:
    """A question that was read over documents."""

    source: str
    rows: Rows
    right: Labels
    """Which of the sentences answer."""
    answered: bool
    """Whether the documents answer the question."""


@dataclass(frozen=True, slots=True)
class Models:
    """The models that read."""

    embedder: Embedder
    cross_encoder: SpanModel


def document_cases(
    questions: QuestionsBySource,
    part: Part,
    models: Models,
    max_documents: Mapping[Part, int] = MAX_DOCUMENTS,
) -> Iterator[FitCase]:
    """Yields the questions of a part, each read over its document, in a fixed order."""
    rng = random.Random(SEED)
    of_source = of_part(questions, part)
    for source in READING_SOURCES:
        articles = list(_joined_documents(of_source[source], PARAGRAPHS))
        rng.shuffle(articles)
        chosen = articles[: max_documents.get(part)]

        for joined in chosen:
            siblings = []
            for sibling in articles:
                if sibling.article == joined.article and sibling is not joined:
                    siblings.append(sibling)

            library = _library([_as_document(joined)], models)
            document = library.documents[0]
            for question, spans in _questions_of(joined, siblings, rng):
                gold = _gold(document, spans)
                yield from _read(source, question, gold, library, models)
        _log.info("%s, %s: %d documents", source, part, len(chosen))


def library_cases(
    questions: QuestionsBySource,
    part: Part,
    models: Models,
) -> Iterator[FitCase]:
    """Yields questions read over paragraphs of many encyclopedia articles in one library."""
    of_source = of_part(questions, part)
    rows = []
    for source in LIBRARY_SOURCES:
        rows += of_source[source]
    articles = {row.group for row in rows}
    paragraphs_each = LIBRARY_PARAGRAPHS // len(articles)

    # From the last to the first, so that the first document of each article stays.
    joined_documents = list(_joined_documents(rows, paragraphs_each))
    first_of_article: dict[str, _JoinedDocument] = {}
    for joined in reversed(joined_documents):
        first_of_article[joined.article] = joined
    chosen = list(first_of_article.values())
    library = _library(list(map(_as_document, chosen)), models)

    answerable = []
    for document, joined in zip(library.documents, chosen, strict=True):
        for row, spans in joined.questions:
            if spans:
                answerable.append((row.question, _gold(document, spans)))
    rng = random.Random(SEED)
    sample_size = min(MAX_LIBRARY_QUESTIONS, len(answerable))
    for question, gold in rng.sample(answerable, sample_size):
        yield from _read("paragraphs together", question, gold, library, models)


def ordinary_cases(
    documents: Iterable[WrittenDocument],
    models: Models,
    max_libraries: int,
) -> Iterator[FitCase]:
    """Yields questions read over libraries of tables, cards, lists, FAQs and notes together.

    A library has documents of every form and no two of one group, so that a question of which a
    document lacks the answer is not answered by another document.
    """
    rng = random.Random(SEED)
    remaining = list(documents)
    rng.shuffle(remaining)
    for _ in range(max_libraries):
        chosen, remaining = _mixed_forms(remaining)
        if len(chosen) < LIBRARY_DOCUMENTS:
            return
        library = _library([document.as_document() for document in chosen], models)
        for document, written in zip(library.documents, chosen, strict=True):
            max_questions = None if written.file else MAX_QUESTIONS_OF_WRITTEN
            for question in written.questions[:max_questions]:
                gold = _gold(document, question.answers)
                yield from _read(written.source, question.question, gold, library, models)
        _log.info("a library of %d ordinary documents", len(chosen))


def _mixed_forms(
    documents: Sequence[WrittenDocument],
) -> tuple[list[WrittenDocument], list[WrittenDocument]]:
    """Returns documents for a library, as many of each form, and the documents that are left."""
    count_of: Counter[str] = Counter()
    groups = set()
    chosen = []
    left = []
    for document in documents:
        is_full = count_of[document.source] >= LIBRARY_DOCUMENTS_OF_FORM
        if is_full or document.group in groups or not document.questions:
            left.append(document)
            continue
        count_of[document.source] += 1
        groups.add(document.group)
        chosen.append(document)
    return chosen, left


_Gold = Sequence[tuple[str, Span]]
"""Ids of documents, each with a span in it that answers."""


def _gold(document: Document, spans: Sequence[Span]) -> _Gold:
    gold = []
    for span in spans:
        gold.append((document.id, span))
    return gold


@dataclass(frozen=True, slots=True)
class _JoinedDocument:
    """Consecutive paragraphs of an article."""

    article: str
    text: str
    questions: tuple[tuple[TrainingQuestion, "_Spans"], ...]
    """Each question with its answers' spans in the joined text."""


def _joined_documents(
    rows: Sequence[TrainingQuestion], paragraphs_each: int
) -> Iterator[_JoinedDocument]:
    articles: dict[str, _Paragraphs] = {}
    for row in rows:
        paragraphs = articles.setdefault(row.group, {})
        # A paragraph is one line of the joined text.
        line = row.context.replace("\n", " ")
        paragraphs.setdefault(line, []).append(row)

    for article, paragraphs in sorted(articles.items()):
        lines = list(paragraphs)
        for first in range(0, len(lines), paragraphs_each):
            chosen = lines[first : first + paragraphs_each]
            yield _joined(article, chosen, paragraphs)


_Paragraphs = dict[str, list[TrainingQuestion]]
"""The paragraphs of an article, each with its questions."""


def _joined(
    article: str,
    lines: Sequence[str],
    paragraphs: _Paragraphs,
) -> _JoinedDocument:
    """Returns some paragraphs of an article as one document."""
    questions = []
    line_start = 0
    for line in lines:
        for row in paragraphs[line]:
            spans = []
            for answer in row.answers:
                start = line_start + answer.start
                spans.append(Span(start, start + len(answer)))
            questions.append((row, tuple(spans)))
        # The next paragraph begins after a line end.
        line_start += len(line) + 1
    text = "\n".join(lines)
    return _JoinedDocument(article, text, tuple(questions))


_Spans = tuple[Span, ...]
_QuestionSpans = tuple[str, _Spans]
"""A question, and the spans of the document that answer it; none where it does not."""


def _questions_of(
    joined: _JoinedDocument,
    siblings: Sequence[_JoinedDocument],
    rng: random.Random,
) -> list[_QuestionSpans]:
    """Returns questions of a document, and half as many of its article that it does not answer."""
    present: list[_QuestionSpans] = []
    for row, spans in joined.questions:
        present.append((row.question, spans))

    absent: list[_QuestionSpans] = []
    for sibling in siblings:
        for row, _ in sibling.questions:
            if row.answers and not _has_answer(joined.text, row):
                absent.append((row.question, ()))
    rng.shuffle(present)
    rng.shuffle(absent)
    return present[:MAX_QUESTIONS_OF_DOCUMENT] + absent[: MAX_QUESTIONS_OF_DOCUMENT // 2]


def _has_answer(text: str, question: TrainingQuestion) -> bool:
    folded_text = text.casefold()
    return any(answer.casefold() in folded_text for answer in question.answer_texts)


@dataclass(frozen=True, slots=True)
class _Library:
    """Documents, with the encodings of their passages by passage id."""

    documents: tuple[Document, ...]
    snapshot: Snapshot
    encodings: dict[str, Encoding]


def _as_document(joined: _JoinedDocument) -> Document:
    # Some sets name an article `prefix:Title_with_underscores`.
    _, _, last_part = joined.article.rpartition(":")
    return Document(
        name=joined.article,
        # Several documents of one article need ids of their own.
        source=f"{joined.article} {joined.text[:40]}",
        title=last_part.replace("_", " "),
        text=joined.text,
    )


def _library(documents: Sequence[Document], models: Models) -> _Library:
    snapshot = Snapshot.in_memory(documents, models.embedder.count_tokens)
    passages = snapshot.all_passages()
    texts = [snapshot.embedded_text(passage) for passage in passages]
    encodings = models.embedder.encode(texts)
    by_passage = {}
    for passage, encoding in zip(passages, encodings, strict=True):
        by_passage[passage.id] = encoding
    return _Library(tuple(documents), snapshot, by_passage)


def _read(
    source: str,
    question: str,
    gold: _Gold,
    library: _Library,
    models: Models,
) -> Iterator[FitCase]:
    """Yields the question as it was read; nothing where no sentence was read."""
    (encoding,) = models.embedder.encode([question])
    snapshot = library.snapshot
    nearest = _nearest(library)
    ranked = retrieve(question, encoding.vector, snapshot, nearest, PASSAGES_READ)

    passages = [retrieved.passage for retrieved in ranked]
    views = []
    encodings = []
    sentences = []
    for passage in passages:
        views.append(snapshot.view_of(passage))
        encodings.append(library.encodings[passage.id])
        in_passage = snapshot.sentences_in(passage)
        sentences.append([sentence for sentence in in_passage if sentence.is_candidate])
    features = sentence_features(
        analyse(question, encoding),
        ranked,
        views,
        encodings,
        score_views(models.cross_encoder, question, passages, views),
        sentences,
        snapshot.frequencies,
    )

    rows = []
    right = []
    for retrieved, in_passage, passage_rows in zip(ranked, sentences, features, strict=True):
        rows += passage_rows
        for sentence in in_passage:
            right.append(_answers(retrieved.passage.document, sentence.span, gold))
    if rows:
        yield FitCase(
            source=source,
            rows=np.stack(rows),
            right=np.array(right),
            answered=bool(gold),
        )


def _answers(
    document: Document,
    sentence: Span,
    gold: _Gold,
) -> bool:
    """Returns whether a sentence shares half of itself, or of a gold span, with that span."""
    for document_id, span in gold:
        shorter = min(len(sentence), len(span))
        shares_half = 2 * sentence.overlap(span) >= max(1, shorter)
        if document_id == document.id and shares_half:
            return True
    return False


def _nearest(library: _Library) -> Nearest:
    """Returns an exact search over the passages' vectors, in place of the store's."""
    passages = library.snapshot.all_passages()
    matrix = np.stack([library.encodings[passage.id].vector for passage in passages])

    def nearest(vector: Vectors, count: int, _: Any) -> list[Hit]:
        cosines = matrix @ vector
        best = np.argsort(-cosines)[:count]
        return [Hit.of(passages[index], float(cosines[index])) for index in best]

    return nearest
