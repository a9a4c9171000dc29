"""Overviews, step 2 of 3: selects the sentences of the documents that carry most.

They answer the request that step 1 recognised (`overview_request.py`), unless step 3 (`gather.py`)
replaces them with supported sentences of a language model.

For a summary, sentences near the mean of their document that do not repeat each other (maximal
marginal relevance, Carbonell and Goldstein 1998). For a topic, the sentences nearest to the topic.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from textwrap import shorten

import numpy as np
from numpy.typing import NDArray

from qa.answer.citations import cite
from qa.answer.overview_request import OverviewRequest
from qa.documents.sentences import Sentence
from qa.library.catalog import Entry
from qa.library.snapshot import Snapshot
from qa.models.embedding import Vectors
from qa.text.words import terms
from qa.types import AnswerSentence, Document, RankedPassage

Encode = Callable[[Sequence[str]], Vectors]
"""Returns the vectors of texts: (texts, dimension), each of length 1."""
Search = Callable[[str, Sequence[Entry]], Sequence[RankedPassage]]
"""Returns the passages of these documents that are nearest to a topic, best first."""
Scores = NDArray[np.floating]
"""A number for each sentence."""

MAX_READ = 200
"""Sentences of a document that are compared; of a longer document, some evenly spread."""
MIN_SENTENCES = 3
"""Sentences of a summary, at least."""
MAX_SENTENCES = 6
"""Sentences of a summary, at most."""
COMPARED_SENTENCES = 3
"""Sentences of each of two documents that are compared."""
MAX_DOCUMENTS = 6
"""Documents of an overview; each of several gives a sentence to a summary."""
TOPIC_SENTENCES = 2
"""Sentences that a document gives to a topic."""
MIN_CHARACTERS = 20
"""Shorter sentences say too little."""
MAX_CHARACTERS = 400
"""Longer sentences say too much at once."""
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

    @property
    def start(self) -> int:
        return self.sentence.span.start


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
        return _document_summary(documents[0], snapshot, encode)

    chosen = []
    for entry in documents[:MAX_DOCUMENTS]:
        document, readable = _readable(entry, snapshot)
        chosen += _central(document, readable, 1, encode)
    cited = {scored.document.id for scored in chosen}
    total = len(documents)
    what = FROM_DOCUMENTS.format(count=len(cited), total=total)
    selection = _selection(chosen, what)
    if not request.is_unclear:
        return selection
    notices = (UNCLEAR, *selection.notices)
    return replace(selection, notices=notices)


def _document_summary(entry: Entry, snapshot: Snapshot, encode: Encode) -> Selection:
    document, readable = _readable(entry, snapshot)
    count = round(len(readable) ** 0.5)
    count = max(MIN_SENTENCES, count)
    count = min(MAX_SENTENCES, count)
    chosen = _central(document, readable, count, encode)
    title = short_title(document)
    what = CENTRAL.format(title=title)
    return _selection(chosen, what)


def _compared(documents: Sequence[Entry], snapshot: Snapshot, encode: Encode) -> Selection:
    chosen = []
    for entry in documents:
        document, readable = _readable(entry, snapshot)
        chosen += _central(document, readable, COMPARED_SENTENCES, encode)
    first, second = documents
    first_title = short_title(first)
    second_title = short_title(second)
    what = BY_DOCUMENT.format(first=first_title, second=second_title)
    return _selection(chosen, what)


def _about(
    request: OverviewRequest, snapshot: Snapshot, encode: Encode, search: Search
) -> Selection:
    """Returns the best sentences about each topic, at most TOPIC_SENTENCES a document."""
    topics = request.topics
    documents = request.documents
    limit = MAX_SENTENCES // len(topics)
    chosen: dict[tuple[str, int], _Scored] = {}
    for topic in topics:
        passages = search(topic, documents)
        candidates = _nearest(topic, passages, snapshot, encode)
        if len(documents) > 1:
            candidates = _few_a_document(candidates)
        for candidate in candidates[:limit]:
            document = candidate.document
            key = (document.id, candidate.start)
            chosen[key] = candidate

    topic_names = "” and “".join(topics)
    what = ABOUT.format(topic=topic_names)
    sentences = list(chosen.values())
    return _selection(sentences, what, by_score=True)


def _few_a_document(candidates: Sequence[_Scored]) -> list[_Scored]:
    """Returns the first TOPIC_SENTENCES candidates of each document."""
    few = []
    counts: Counter[str] = Counter()
    for candidate in candidates:
        document = candidate.document
        counts[document.id] += 1
        if counts[document.id] <= TOPIC_SENTENCES:
            few.append(candidate)
    return few


def _selection(chosen: Sequence[_Scored], what: str, by_score: bool = False) -> Selection:
    """Returns the selection, its sentences by the order of their documents and of the text.

    by_score: the confidence is the best score.
    """
    if not chosen:
        return Selection((), 0.0)
    sentences = []
    for group in _by_document(chosen):
        group.sort(key=attrgetter("start"))
        for scored in group:
            quoted = _quoted(scored)
            sentences.append(quoted)

    confidence = 1.0
    if by_score:
        confidence = _best_score(chosen)
    notice = SELECTION.format(what=what)
    return Selection(tuple(sentences), confidence, (notice,))


def _by_document(chosen: Sequence[_Scored]) -> list[list[_Scored]]:
    """Returns the sentences of each document, in the order in which the documents come."""
    groups: dict[str, list[_Scored]] = {}
    for scored in chosen:
        document = scored.document
        group = groups.setdefault(document.id, [])
        group.append(scored)
    return list(groups.values())


def _best_score(chosen: Sequence[_Scored]) -> float:
    """Returns the best score, as a number from 0 to 1."""
    best = 0.0
    for scored in chosen:
        best = max(best, scored.score)
    return min(1.0, best)


def short_title(document: Document | Entry) -> str:
    """Returns the title on one line, a long title cut between words."""
    return shorten(document.title, MAX_TITLE, placeholder="…")


def _quoted(scored: _Scored) -> AnswerSentence:
    sentence = scored.sentence
    citation = cite(scored.document, sentence.span)
    # A hand-wrapped document has line ends inside its sentences.
    words = citation.quote.split()
    text = " ".join(words)
    return AnswerSentence(text, "verbatim", (citation,))


def _readable(entry: Entry, snapshot: Snapshot) -> tuple[Document, list[Sentence]]:
    """Returns a document, and the sentences that can stand for it, at most MAX_READ."""
    stored = snapshot.stored(entry.id)
    document = stored.document
    readable = []
    complete = []
    for sentence in stored.sentences:
        if not _is_readable(sentence):
            continue
        readable.append(sentence)
        if _is_complete(sentence, document):
            complete.append(sentence)

    # A table or a list has no complete sentences, and is summarised by its rows.
    if len(complete) < MIN_SENTENCES:
        return document, _evenly_spread(readable)
    return document, _evenly_spread(complete)


def _is_readable(sentence: Sentence) -> bool:
    if not sentence.may_answer:
        return False
    length = len(sentence.span)
    return MIN_CHARACTERS <= length <= MAX_CHARACTERS


def _is_complete(sentence: Sentence, document: Document) -> bool:
    """Says whether a sentence can be understood by itself."""
    if sentence.kind != "prose":
        return False
    span = sentence.span
    if len(span) < GOOD_CHARACTERS:
        return False
    leans = _LEANS.match(document.text, span.start)
    return leans is None


def _evenly_spread(sentences: list[Sentence]) -> list[Sentence]:
    count = len(sentences)
    step = math.ceil(count / MAX_READ)
    step = max(1, step)
    return sentences[::step]


def _central(
    document: Document, sentences: Sequence[Sentence], count: int, encode: Encode
) -> list[_Scored]:
    """Returns up to `count` sentences that are near the mean and unlike each other."""
    if not sentences:
        return []
    texts = [document.text_of(sentence.span) for sentence in sentences]
    vectors = encode(texts)
    centrality = _centrality(vectors)

    chosen = []
    for index in _unlike_each_other(vectors, centrality, count):
        score = float(centrality[index])
        scored = _Scored(document, sentences[index], score)
        chosen.append(scored)
    return chosen


def _centrality(vectors: Vectors) -> Scores:
    """Returns how near each sentence is to the mean, with a bonus for the first ones."""
    mean = vectors.mean(axis=0)
    length = float(np.linalg.norm(mean))
    length = max(length, 1e-12)
    direction = mean / length
    nearness = vectors @ direction
    count = len(vectors)
    shares_before = np.arange(count) / count
    bonus = FIRST_BONUS * (1 - shares_before)
    centrality: Scores = nearness + bonus
    return centrality


def _unlike_each_other(vectors: Vectors, centrality: Scores, count: int) -> list[int]:
    """Returns the indexes of up to `count` central sentences, the best first."""
    chosen: list[int] = []
    total = len(vectors)
    repetition = np.zeros(total)
    scores = centrality
    for _ in range(min(count, total)):
        best = int(np.argmax(scores))
        chosen.append(best)
        likeness = vectors @ vectors[best]
        repetition = np.maximum(repetition, likeness)
        gain = CENTRALITY_WEIGHT * centrality
        loss = (1 - CENTRALITY_WEIGHT) * repetition
        scores = gain - loss
        scores[chosen] = -np.inf
    return chosen


def _nearest(
    topic: str, passages: Sequence[RankedPassage], snapshot: Snapshot, encode: Encode
) -> list[_Scored]:
    """Returns the sentences of the passages that are about the topic, best first."""
    candidates = _topic_candidates(passages, snapshot)
    if not candidates:
        return []
    texts = [document.text_of(sentence.span) for document, sentence in candidates]
    vectors = encode([topic, *texts])
    topic_vector = vectors[0]
    cosines = vectors[1:] @ topic_vector
    topic_terms = set(terms(topic))

    nearest = []
    for (document, sentence), text, cosine in zip(candidates, texts, cosines, strict=True):
        score = _topic_score(topic_terms, text, float(cosine))
        if score >= MIN_TOPIC_SCORE:
            scored = _Scored(document, sentence, score)
            nearest.append(scored)
    # Equal scores stay in the order of the passages.
    nearest.sort(key=attrgetter("score"), reverse=True)
    return nearest


def _topic_candidates(
    passages: Sequence[RankedPassage], snapshot: Snapshot
) -> list[tuple[Document, Sentence]]:
    """Returns the sentences of the passages that may answer, each after its document."""
    candidates = []
    for ranked in passages:
        passage = ranked.passage
        for sentence in snapshot.sentences_in(passage):
            is_long_enough = len(sentence.span) >= MIN_CHARACTERS
            if sentence.may_answer and is_long_enough:
                candidates.append((passage.document, sentence))
    return candidates


def _topic_score(topic_terms: set[str], text: str, cosine: float) -> float:
    """Returns how much a text is about a topic, by its meaning and its words."""
    text_terms = set(terms(text))
    common = topic_terms & text_terms
    total = max(1, len(topic_terms))
    shared = len(common) / total
    # A sentence may be about a topic without its words, and have its words in a long sentence.
    mixed = (cosine + shared) / 2
    return max(cosine, mixed)
