"""The plain stack to compare with: it ranks sentences by cosine and BM25, and nothing more."""

from collections.abc import Sequence
from dataclasses import replace

from qa.library.bm25 import Bm25
from qa.library.search import RRF_K
from qa.library.snapshot import Snapshot
from qa.models.embedding import Embedder, Encoding
from qa.reader.reader import Candidate, Reading
from qa.types import RankedPassage


class PlainReader:
    """Fuses the two rankings by reciprocal rank; the confidence is the best cosine.

    It replaces `qa.reader.reader.TrainedReader`; documents, passages and retrieval are the same.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def read(
        self,
        question: str,
        encoding: Encoding,
        ranked: Sequence[RankedPassage],
        snapshot: Snapshot,
    ) -> Reading:
        """Returns every sentence that may answer, best first; the passages keep their order."""
        unscored = []
        texts = []
        for passage in ranked:
            for sentence in snapshot.sentences_in(passage.passage):
                if sentence.may_answer:
                    candidate = Candidate(passage, sentence, 0.0)
                    unscored.append(candidate)
                    texts.append(candidate.text)
        if not unscored:
            return Reading((), tuple(ranked), 0.0)

        cosines = []
        for encoded in self._embedder.encode(texts):
            cosines.append(float(encoding.vector @ encoded.vector))
        dense = _ranks(cosines)
        lexical = _ranks(Bm25(texts).scores(question))
        candidates = []
        for index, candidate in enumerate(unscored):
            score = 1 / (RRF_K + dense[index]) + 1 / (RRF_K + lexical[index])
            candidates.append(replace(candidate, score=score))
        candidates.sort(key=lambda candidate: -candidate.score)
        # A cosine may be below 0, a confidence may not.
        confidence = max(0.0, *cosines)
        return Reading(tuple(candidates), tuple(ranked), confidence)


def _ranks(scores: Sequence[float]) -> list[int]:
    """Returns the rank of each score, highest first, counted from 1."""
    best_first = sorted(range(len(scores)), key=lambda index: -scores[index])
    ranks = [0] * len(scores)
    for rank, index in enumerate(best_first, start=1):
        ranks[index] = rank
    return ranks
