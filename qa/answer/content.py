"""What an answer consists of, whichever engine wrote it, and the words shown for a refusal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from qa.answer.disagreement import find_disagreement
from qa.answer.extractive import compose, show_each
from qa.answer.generate import DraftAnswer
from qa.answer.selection import Selection
from qa.answer.verify import CheckedClaim
from qa.config import BUILT_IN
from qa.library.snapshot import Snapshot
from qa.reader.reader import Candidate, Reading
from qa.types import (
    NO_DOCUMENTS,
    Answer,
    AnswerSentence,
    RankedPassage,
    Reason,
    Signals,
    Usage,
)

REFUSALS: dict[Reason, str] = {
    "no_documents": NO_DOCUMENTS,
    "not_in_documents": "I couldn't find the answer in your documents.",
    "model_declined": "The language model found no answer in your documents.",
}
"""The words shown for a refusal, by its reason; a reply has words of its own."""
NOT_SURE = "Not sure: your documents may not answer this."
"""The words shown for a refusal that shows the nearest sentence."""
NOTHING_SUPPORTED = (
    "The model's answer was not backed by your documents. Here are exact quotes instead."
)
MODEL_FOUND_NONE = "The model found no answer. Here are exact quotes of your documents instead."
LEFT_OUT = "{count} left out: not backed by your documents."


@dataclass(frozen=True, slots=True)
class AnswerContent:
    """The part of an answer that its engine decides."""

    engine: str
    sentences: tuple[AnswerSentence, ...]
    passages: tuple[RankedPassage, ...]
    confidence: float
    """0 to 1: how surely the documents answer with these sentences."""
    reason: Reason | None = None
    """Why there are no sentences; None: there are."""
    notices: tuple[str, ...] = ()
    reply: str = ""
    """The words shown for the reason "conversation", for which there is no fixed text."""
    signals: Signals | None = None
    """What the confidence is made of, if a language model was asked."""
    nearest: AnswerSentence | None = None
    """Of a refusal that was close to an answer, the sentence that came nearest."""

    @property
    def text(self) -> str:
        """The sentences joined, or the words of the refusal or reply."""
        if self.reply:
            return self.reply
        if self.nearest:
            return NOT_SURE
        if self.reason:
            return REFUSALS[self.reason]
        return " ".join(sentence.text for sentence in self.sentences)

    def as_answer(
        self,
        question: str,
        standalone_question: str,
        timings: dict[str, float],
        usage: Usage | None,
    ) -> Answer:
        """Returns the answer with what every engine's answer has."""
        return Answer(
            question=question,
            standalone_question=standalone_question,
            text=self.text,
            reason=self.reason,
            confidence=self.confidence,
            sentences=self.sentences,
            passages=self.passages,
            engine=self.engine,
            timings=timings,
            notices=self.notices,
            usage=usage,
            signals=self.signals,
            nearest=self.nearest,
        )


def reply_answer(
    question: str, reply: str, notices: tuple[str, ...], timings: dict[str, float]
) -> Answer:
    """Returns a reply that rests on no document, for example to a greeting."""
    content = AnswerContent(BUILT_IN, (), (), 0.0, "conversation", notices, reply)
    return content.as_answer(question, question, timings, usage=None)


def extract_answer(question: str, reading: Reading, snapshot: Snapshot) -> AnswerContent:
    """Returns the answer of the built-in engine, in the documents' own sentences.

    Documents that disagree are all cited, the newest first, and a notice says so.
    """
    notices: tuple[str, ...] = ()
    sentences = compose(question, reading, snapshot)
    # A list, steps or several sentences are an answer together: no value of theirs stands alone.
    best_alone = show_each(reading.candidates[:1], snapshot)
    if sentences == best_alone:
        disagreement = find_disagreement(question, reading.candidates)
        if disagreement:
            sentences = show_each(disagreement.candidates, snapshot)
            notices = (disagreement.notice,)
    passages = _with_cited(reading.passages, sentences, snapshot)
    return AnswerContent(BUILT_IN, sentences, passages, reading.confidence, notices=notices)


def model_answer(
    draft: DraftAnswer, checked: Sequence[CheckedClaim], engine: str, strict: bool
) -> AnswerContent:
    """Returns the sentences of a language model; `strict`: without those that nothing supports."""
    sentences = tuple(claim.sentence for claim in checked)
    notices = draft.notices
    if strict:
        backed = tuple(sentence for sentence in sentences if sentence.support != "unsupported")
        left_out = len(sentences) - len(backed)
        sentences = backed
        if left_out:
            count = "1 sentence" if left_out == 1 else f"{left_out} sentences"
            notices = (*notices, LEFT_OUT.format(count=count))
    return AnswerContent(engine, sentences, draft.seen, 0.0, notices=notices)


def quoted_answer(draft: DraftAnswer, quotes: AnswerContent) -> AnswerContent:
    """Returns the documents' own sentences, where the model has no answer that they support."""
    why = NOTHING_SUPPORTED if draft.claims else MODEL_FOUND_NONE
    return replace(quotes, notices=(*draft.notices, why, *quotes.notices))


def declined_answer(draft: DraftAnswer, engine: str) -> AnswerContent:
    """Returns a refusal after the model was asked."""
    reason: Reason = "not_in_documents" if draft.claims else "model_declined"
    return AnswerContent(engine, (), draft.seen, 0.0, reason, draft.notices)


def add_nearest(
    refusal: AnswerContent, question: str, reading: Reading, snapshot: Snapshot
) -> AnswerContent:
    """Returns a refusal that shows the best candidate, if there is one, with its citations."""
    if not reading.candidates:
        return refusal
    best_only = replace(reading, candidates=reading.candidates[:1])
    # A how-to comes with the code next to it, which is a sentence of its own.
    composed = compose(question, best_only, snapshot)
    best = reading.candidates[0]
    nearest = next(filter(partial(_cites, best), composed), composed[0])
    passages = _with_cited(refusal.passages, [nearest], snapshot)
    return replace(refusal, nearest=nearest, passages=passages)


def _cites(candidate: Candidate, sentence: AnswerSentence) -> bool:
    """Returns whether a sentence of an answer cites the sentence of a candidate."""
    start = candidate.sentence.span.start
    return any(citation.start == start for citation in sentence.citations)


def selected_answer(selection: Selection, snapshot: Snapshot) -> AnswerContent:
    """Returns an overview: sentences of the documents, said to be a selection."""
    passages = _with_cited((), selection.sentences, snapshot)
    return AnswerContent(
        BUILT_IN, selection.sentences, passages, selection.confidence, notices=selection.notices
    )


def _with_cited(
    passages: tuple[RankedPassage, ...], sentences: Sequence[AnswerSentence], snapshot: Snapshot
) -> tuple[RankedPassage, ...]:
    """Returns the passages that were read, then those that were only cited."""
    shown = {ranked.passage.id for ranked in passages}
    extra = []
    for sentence in sentences:
        for citation in sentence.citations:
            # A sentence before the answering one is cited where it names whom a pronoun means.
            # It may lie in a passage that was not retrieved.
            document = snapshot.document_named(citation.document)
            passage = snapshot.passage_at(document, citation.start)
            if passage.id not in shown:
                shown.add(passage.id)
                extra.append(RankedPassage.unranked(passage))
    return (*passages, *extra)
