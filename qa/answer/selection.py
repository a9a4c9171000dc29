"""Answers an overview request with sentences of the documents: those that carry most.

For a summary, sentences near the mean of their document that do not repeat each other (maximal
marginal relevance, Carbonell and Goldstein 1998). For a topic, the sentences nearest to the topic.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from textwrap import shorten

import numpy as np

from qa.answer.citations import cite
from qa.answer.overview_request import OverviewRequest
from qa.documents.sentences import Sentence
from qa.library.snapshot import Snapshot
from qa.models.embedding import Vectors
from qa.text.words import terms
from qa.types import AnswerSentence, Document, RankedPassage

Encode = Callable[[Sequence[str]], Vectors]
"""Returns the vectors of texts: (texts, dimension), each of length 1."""
Search = Callable[[str, Sequence[Document]], Sequence[RankedPassage]]
"""Returns the passages of these documents that are nearest to a topic, best first."""

MAX_READ = 200
"""Sentences of a document that are compared; of a longer document, some evenly spread."""
MIN_SENTENCES, MAX_SENTENCES = 3, 6
"""Sentences of a summary."""
COMPARED_SENTENCES = 3
"""Sentences of each of two documents that are compared."""
MAX_DOCUMENTS = 6
"""Documents of an overview; each of several gives a sentence to a summary."""
TOPIC_SENTENCES = 2
"""Sentences that a document gives to a topic."""
MIN_CHARACTERS, MAX_CHARACTERS = 20, 400
"""Shorter sentences say too little, longer ones too much at once."""
GOOD_CHARACTERS = 40
"""Shorter sentences stand for a document only if it has few longer ones."""
MIN_TOPIC_SCORE = 0.4
"""Below it, a sentence is not about a topic."""
CENTRALITY_WEIGHT = 0.7
"""How much being near the mean counts, against being unlike the sentences chosen before."""
FIRST_BONUS = 0.1
"""For the first sentence of a document, falling to 0 at its end: texts begin with what matters."""

MAX_TITLE = 80
"""Characters of a title in a notice."""

_LEANS = re.compile(
    r"(?:He|She|It|They|This|That|These|Those|His|Her|Its|Their|But|And|So|Then|However|Instead"
    r"|Also|Such|There|Both|Yes|No)\b"
)
"""A sentence that begins so cannot be understood by itself."""

SELECTION = "These sentences are a selection: {what}."
CENTRAL = "those of “{title}” that carry most"
FROM_DOCUMENTS = "from {count} of {total} documents"
BY_DOCUMENT = "first from “{first}”, then from “{second}”"
ABOUT = "those that are nearest to “{topic}”"
UNCLEAR = "It is not clear which document you mean. These are sentences from all of them."


@dataclass(frozen=True, slots=True)
class Selection:
    """Sentences of the documents, with how they were selected."""

    sentences: tuple[AnswerSentence, ...]
    """Empty: no sentence is about the topic."""
    confidence: float
    """1 for documents; for a topic, 0 to 1, how near its best sentence is."""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Scored:
    document: Document
    sentence: Sentence
    score: float


def select_sentences(
    request: OverviewRequest, snapshot: Snapshot, encode: Encode, search: Search
) -> Selection:
    """Returns the sentences that answer a request, grouped by document and in its order."""
    if request.topics:
        return _about(request, snapshot, encode, search)
    if request.kind == "comparison":
        return _compared(request.documents, snapshot, encode)
    return _summary(request, snapshot, encode)


def _summary(request: OverviewRequest, snapshot: Snapshot, encode: Encode) -> Selection:
    documents = request.documents
    if len(documents) == 1:
        (document,) = documents
        readable = _readable(document, snapshot)
        count = round(len(readable) ** 0.5)
        count = min(MAX_SENTENCES, max(MIN_SENTENCES, count))
        chosen = _central(document, readable, count, encode)
        return _selection(chosen, CENTRAL.format(title=short_title(document)))

    chosen = []
    for document in documents[:MAX_DOCUMENTS]:
        chosen += _central(document, _readable(document, snapshot), 1, encode)
    cited = len({scored.document.id for scored in chosen})
    what = FROM_DOCUMENTS.format(count=cited, total=len(documents))
    selection = _selection(chosen, what)
    notices = (UNCLEAR, *selection.notices) if request.is_unclear else selection.notices
    return Selection(selection.sentences, selection.confidence, notices)


def _compared(documents: Sequence[Document], snapshot: Snapshot, encode: Encode) -> Selection:
    chosen = []
    for document in documents:
        readable = _readable(document, snapshot)
        chosen += _central(document, readable, COMPARED_SENTENCES, encode)
    first, second = documents
    return _selection(
        chosen, BY_DOCUMENT.format(first=short_title(first), second=short_title(second))
    )


def _about(
    request: OverviewRequest, snapshot: Snapshot, encode: Encode, search: Search
) -> Selection:
    """Returns the best sentences about each topic, at most TOPIC_SENTENCES a document."""
    chosen: dict[tuple[str, int], _Scored] = {}
    for topic in request.topics:
        scored = _nearest(topic, search(topic, request.documents), snapshot, encode)
        counts: dict[str, int] = {}
        limit = MAX_SENTENCES // len(request.topics)
        for candidate in scored:
            document = candidate.document
            is_full = counts.get(document.id, 0) == TOPIC_SENTENCES and len(request.documents) > 1
            if limit and not is_full:
                limit -= 1
                counts[document.id] = counts.get(document.id, 0) + 1
                chosen[document.id, candidate.sentence.span.start] = candidate

    topics = "” and “".join(request.topics)
    return _selection(list(chosen.values()), ABOUT.format(topic=topics), by_score=True)


def _selection(chosen: Sequence[_Scored], what: str, by_score: bool = False) -> Selection:
    """Returns the selection, its sentences by the order of their documents and of the text.

    by_score: the confidence is the best score.
    """
    if not chosen:
        return Selection((), 0.0)
    # A dict keeps the order in which the documents come.
    groups: dict[str, list[_Scored]] = {}
    for scored in chosen:
        groups.setdefault(scored.document.id, []).append(scored)

    sentences = []
    for group in groups.values():
        group.sort(key=lambda scored: scored.sentence.span.start)
        sentences += [_quoted(scored) for scored in group]
    best = max(scored.score for scored in chosen)
    confidence = min(1.0, max(0.0, best)) if by_score else 1.0
    return Selection(tuple(sentences), confidence, (SELECTION.format(what=what),))


def short_title(document: Document) -> str:
    """Returns the title on one line, a long title cut between words."""
    return shorten(document.title, MAX_TITLE, placeholder="…")


def _quoted(scored: _Scored) -> AnswerSentence:
    citation = cite(scored.document, scored.sentence.span)
    # A hand-wrapped document has line ends inside its sentences.
    text = " ".join(citation.quote.split())
    return AnswerSentence(text, "verbatim", (citation,))


def _readable(document: Document, snapshot: Snapshot) -> list[Sentence]:
    """Returns the sentences of a document that can stand for it, at most MAX_READ."""
    readable = []
    complete = []
    for sentence in snapshot.sentences[document.id]:
        length = len(sentence.span)
        if not sentence.may_answer or not MIN_CHARACTERS <= length <= MAX_CHARACTERS:
            continue
        readable.append(sentence)
        leans = _LEANS.match(document.text, sentence.span.start)
        if sentence.kind == "prose" and length >= GOOD_CHARACTERS and not leans:
            complete.append(sentence)

    # A table or a list has no complete sentences, and is summarised by its rows.
    usable = complete if len(complete) >= MIN_SENTENCES else readable
    step = max(1, -(-len(usable) // MAX_READ))
    return list(islice(usable, 0, None, step))


def _central(
    document: Document, sentences: Sequence[Sentence], count: int, encode: Encode
) -> list[_Scored]:
    """Returns up to `count` sentences that are near the mean and unlike each other."""
    if not sentences:
        return []
    vectors = encode([document.text_of(sentence.span) for sentence in sentences])
    mean = vectors.mean(axis=0)
    centrality = vectors @ (mean / max(float(np.linalg.norm(mean)), 1e-12))
    places = np.arange(len(sentences)) / len(sentences)
    centrality = centrality + FIRST_BONUS * (1 - places)

    chosen: list[_Scored] = []
    repetition = np.zeros(len(sentences))
    scores = centrality
    for _ in range(min(count, len(sentences))):
        best = int(np.argmax(scores))
        chosen.append(_Scored(document, sentences[best], float(centrality[best])))
        repetition = np.maximum(repetition, vectors @ vectors[best])
        scores = CENTRALITY_WEIGHT * centrality - (1 - CENTRALITY_WEIGHT) * repetition
        for scored in chosen:
            scores[sentences.index(scored.sentence)] = -np.inf
    return chosen


def _nearest(
    topic: str, passages: Sequence[RankedPassage], snapshot: Snapshot, encode: Encode
) -> list[_Scored]:
    """Returns the sentences of the passages that are about the topic, best first."""
    places: list[tuple[Document, Sentence]] = []
    for ranked in passages:
        for sentence in snapshot.sentences_in(ranked.passage):
            if sentence.may_answer and len(sentence.span) >= MIN_CHARACTERS:
                places.append((ranked.passage.document, sentence))
    if not places:
        return []

    texts = [document.text_of(sentence.span) for document, sentence in places]
    vectors = encode([topic, *texts])
    cosines = vectors[1:] @ vectors[0]
    topic_terms = set(terms(topic))
    scored = []
    for (document, sentence), text, cosine in zip(places, texts, cosines, strict=True):
        shared = len(topic_terms & set(terms(text))) / max(1, len(topic_terms))
        # A sentence may be about a topic without its words, and have its words in a long sentence.
        score = max(float(cosine), (float(cosine) + shared) / 2)
        if score >= MIN_TOPIC_SCORE:
            scored.append(_Scored(document, sentence, score))
    return sorted(scored, key=lambda candidate: -candidate.score)
