"""The plain stack, to compare with: the sentence nearest by meaning and best by words, and no more than that."""

from collections.abc import Sequence

from qa.library.bm25 import Bm25
from qa.library.search import RRF_K
from qa.library.snapshot import Snapshot
from qa.models.embedding import Embedder, Encoding
from qa.reader.reader import Candidate, Reading
from qa.types import RankedPassage


class PlainReader:
    """Ranks sentences by cosine and BM25, fused by reciprocal rank; as sure as the best cosine is high.

    It stands in the place of `qa.reader.reader.Reader`: documents, passages, retrieval and answer are the same.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def read(
        self, question: str, encoding: Encoding, ranked: Sequence[RankedPassage], snapshot: Snapshot
    ) -> Reading:
        """Every sentence that may answer, best first; the passages stay as they were ranked."""
        pairs = [
            (one, s) for one in ranked for s in snapshot.sentences_in(one.passage) if s.may_answer
        ]
        if not pairs:
            return Reading((), tuple(ranked), 0.0)
        texts = [one.passage.document.text[s.span.start : s.span.end] for one, s in pairs]
        cosines = [float(encoding.vector @ found.vector) for found in self._embedder.encode(texts)]
        fused = [
            1 / (RRF_K + dense) + 1 / (RRF_K + lexical)
            for dense, lexical in zip(
                _ranks(cosines), _ranks(Bm25(texts).scores(question)), strict=True
            )
        ]
        candidates = [
            Candidate(one, s, score) for (one, s), score in zip(pairs, fused, strict=True)
        ]
        candidates.sort(key=lambda candidate: -candidate.score)
        return Reading(tuple(candidates), tuple(ranked), max(0.0, max(cosines)))


def _ranks(scores: Sequence[float]) -> list[int]:
    """The rank of each score, highest first, counted from 1."""
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    ranks = [0] * len(scores)
    for rank, place in enumerate(order, start=1):
        ranks[place] = rank
    return ranks
