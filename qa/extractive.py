"""The built-in engine: an answer in the documents' own sentences, one to three of them, in the documents' order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qa.citations import cite
from qa.lexical import terms
from qa.reader import Candidate, Reading
from qa.retrieval import Library
from qa.sentences import Sentence
from qa.types import AnswerSentence, Document

MOST = 3
NEAR = 1.0
"""How far below the best a further sentence of a list may score, in log-odds."""
LOOK_BACK = 6
"""How many sentences back the name may stand that a pronoun means."""

_SINGULAR = r"is|was|does|did|do|has|had|will|would|can|could|should|this|its|his|kind|sort|type"
_LIST = re.compile(
    rf"^\s*(?:list|name|enumerate)\b|\b(?:what|which)\s+(?:are|were)\b|\bwho\s+(?:all|else|are|were|attended)\b|"
    rf"\b(?:what|which)\s+(?:(?!(?:{_SINGULAR})\b)\w+\s+){{0,2}}(?!(?:{_SINGULAR}|us|news|series|business)\b)"
    rf"\w{{2,}}[^\Wsui]s\b|\b(?:countries|reasons|things|ways|examples|types|kinds|several)\b",
    re.IGNORECASE,
)
_OPENS_PERSON = re.compile(r"^[“\"‘'(\[]*(?:he|she|they|his|her|their)\b", re.IGNORECASE)
_OPENS_THING = re.compile(r"^[“\"‘'(\[]*(?:it|its|this|that|these|those)\b(?!['’])", re.IGNORECASE)
_SPEAKS = (
    r"(?:said|says|added|adds|argued|explained|noted|told|stated|continued|warned|stressed|insisted|claimed|wrote|"
    r"asked|replied|concluded|emphasi[sz]ed|observed|pointed|recalled|suggested)"
)
_HE_SAID = re.compile(rf"[,”\"’]\s*(?:he|she|they)\s+(?:also\s+|then\s+)?{_SPEAKS}\b", re.IGNORECASE)
_ONLY_QUOTED = re.compile(r"^[“\"][^“”\"]*[”\"]$")
_NAME = re.compile(r"\b[A-Z][\w-]+")


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A sentence of the answer, with the one that says whom or what it speaks of."""

    candidate: Candidate
    before: Sentence | None

    @property
    def document(self) -> Document:
        return self.candidate.passage.passage.document


def compose(question: str, reading: Reading, library: Library) -> tuple[AnswerSentence, ...]:
    """The answer's sentences, in the documents' order; each is cited whole and given once."""
    chosen = [_with_antecedent(candidate, library) for candidate in _choose(question, reading.candidates)]
    chosen.sort(key=lambda one: (one.document.name, one.candidate.sentence.span.start))
    given: set[tuple[str, int]] = set()
    sentences = []
    for one in chosen:
        parts = [part for part in (one.before, one.candidate.sentence) if part]
        parts = [part for part in parts if (one.document.id, part.span.start) not in given]
        given |= {(one.document.id, part.span.start) for part in parts}
        if parts:
            sentences.append(_sentence(one.document, parts))
    return tuple(sentences)


def _choose(question: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The best sentence; for a question that asks for several things, those near it that add to it."""
    chosen: list[Candidate] = [candidates[0]]
    if not _LIST.search(question):
        return chosen
    seen = set(terms(candidates[0].text)) | set(terms(question))
    for candidate in candidates[1:]:
        new = set(terms(candidate.text)) - seen
        if candidate.score >= candidates[0].score - NEAR and len(new) >= 3 and len(chosen) < MOST:
            chosen.append(candidate)
            seen |= new
    return chosen


def _with_antecedent(candidate: Candidate, library: Library) -> _Chosen:
    """The sentence and, if it opens with a word or ends with a "he said" that points back, what that points to."""
    document = candidate.passage.passage.document
    sentences = library.sentences[document.id]
    place = sentences.index(candidate.sentence)
    text = candidate.text
    before = [s for s in sentences[max(0, place - LOOK_BACK) : place] if s.answers][::-1]
    if _ONLY_QUOTED.match(text):
        return _Chosen(candidate, next((s for s in before if s.paragraph == candidate.sentence.paragraph), None))
    if _OPENS_PERSON.match(text) or _HE_SAID.search(text):
        return _Chosen(candidate, next((s for s in before if _names_someone(_words(document, s))), None))
    if _OPENS_THING.match(text):
        return _Chosen(candidate, next((s for s in before if s.paragraph >= candidate.sentence.paragraph - 1), None))
    return _Chosen(candidate, None)


def _names_someone(text: str) -> bool:
    """Whether a sentence has a name and does not itself point back."""
    return bool(_NAME.search(text)) and not (_OPENS_PERSON.match(text) or _HE_SAID.search(text))


def _words(document: Document, sentence: Sentence) -> str:
    return document.text[sentence.span.start : sentence.span.end]


def _sentence(document: Document, parts: Sequence[Sentence]) -> AnswerSentence:
    """White space inside a sentence (a hand-wrapped line's end) is shown as a space; the quote keeps it."""
    citations = tuple(cite(document, part.span) for part in parts)
    return AnswerSentence(" ".join(" ".join(c.quote.split()) for c in citations), "verbatim", citations)
