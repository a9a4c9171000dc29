"""The built-in engine: an answer in the documents' own sentences, one to three of them, in the documents' order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qa.answer.citations import cite
from qa.documents.sentences import Sentence
from qa.library.snapshot import Snapshot
from qa.reader.reader import Candidate, Reading
from qa.text.words import terms
from qa.types import AnswerSentence, Document, Span

MOST = 3
NEAR = 1.0
"""How far below the best a further sentence of a list may score, in log-odds."""
NEAR_MARGIN = 2.0
"""How far below the best's its own answer's margin over "not here" may be, in log-odds."""
LOOK_BACK = 6
"""How many sentences back the name may stand that a pronoun means."""

_NO_PLURAL = (
    r"is|was|does|has|had|this|its|his|us|news|series|business|goes|makes|takes|gives|says|happens|causes|means|comes|"
    r"needs|wants|gets|runs|works|helps|leads|lies|stands|shows|keeps|lets|puts|holds|likes|uses|becomes|ends|starts"
)
"""Words on s that follow "what" or "which" without asking for several things."""
_BETWEEN = rf"(?!(?:{_NO_PLURAL}|did|do|will|would|can|could|should|kind|sort|type)\b)\w+\s+"
_LIST = re.compile(
    rf"^\s*(?:list|name|enumerate)\b|\b(?:what|which)\s+(?:are|were)\b|\bwho\s+(?:all|else|are|were|attended)\b|"
    rf"\b(?:what|which)\s+(?:{_BETWEEN}){{0,2}}(?!(?:{_NO_PLURAL})\b)\w{{2,}}[^\Wsui]s\b|"
    rf"\b(?:countries|reasons|things|ways|examples|types|kinds|several)\b",
    re.IGNORECASE,
)
_OPENS_PERSON = re.compile(r"^[“\"‘'(\[]*(?:he|she|they|his|her|their)\b", re.IGNORECASE)
_OPENS_THING = re.compile(r"^[“\"‘'(\[]*(?:it|its|this|that|these|those)\b(?!['’])", re.IGNORECASE)
_SPEAKS = (
    r"(?:said|says|added|adds|argued|explained|noted|told|stated|continued|warned|stressed|insisted|claimed|wrote|"
    r"asked|replied|concluded|emphasi[sz]ed|observed|pointed|recalled|suggested)"
)
_HE_SAID = re.compile(
    rf"[,”\"’]\s*(?:he|she|they)\s+(?:also\s+|then\s+)?{_SPEAKS}\b", re.IGNORECASE
)
_NAMED_SPEAKER = re.compile(rf"\b{_SPEAKS}\s+[A-Z]|[,”\"]\s*(?:[A-Z][\w’'-]+\s+)+{_SPEAKS}\b")
_ONLY_QUOTED = re.compile(r"^[“\"][^“”\"]*[”\"]$")
_CAPITALISED = re.compile(r"\b[A-Z][\w’'-]+")
_TURN = re.compile(r"^\s*[A-Z][\w. ]{0,30}:\s")
"""Who speaks, at the beginning of a turn of an interview."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A sentence of the answer, with the one that says whom or what it speaks of."""

    candidate: Candidate
    before: Sentence | None

    @property
    def document(self) -> Document:
        return self.candidate.passage.passage.document


def compose(question: str, reading: Reading, snapshot: Snapshot) -> tuple[AnswerSentence, ...]:
    """The answer's sentences, in the documents' order; each is cited whole and given once."""
    chosen = [
        _with_antecedent(candidate, snapshot) for candidate in _choose(question, reading.candidates)
    ]
    chosen.sort(key=lambda one: (one.document.name, one.candidate.sentence.span.start))
    given: set[tuple[str, int]] = set()
    sentences = []
    for one in chosen:
        parts = [part for part in (one.before, one.candidate.sentence) if part]
        parts = [part for part in parts if (one.document.id, part.span.start) not in given]
        given |= {(one.document.id, part.span.start) for part in parts}
        if parts:
            sentences.append(_sentence(one, parts))
    return tuple(sentences)


def _choose(question: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The best sentence; for a question that asks for several things, those near it that add an answer of their own.

    They follow the best one in its document, or stand in its paragraph, so that the best one leads the answer or is
    part of one list with what does.
    """
    best = candidates[0]
    chosen = [best]
    if not _LIST.search(question):
        return chosen
    seen = set(terms(best.text)) | set(terms(question))
    for candidate in candidates[1:]:
        new = set(terms(candidate.text)) - seen
        near = (
            candidate.score >= best.score - NEAR and candidate.margin >= best.margin - NEAR_MARGIN
        )
        if near and _continues(best, candidate) and len(new) >= 3 and len(chosen) < MOST:
            chosen.append(candidate)
            seen |= new
    return chosen


def _continues(best: Candidate, other: Candidate) -> bool:
    same = best.passage.passage.document.id == other.passage.passage.document.id
    after = other.sentence.span.start > best.sentence.span.start
    return same and (after or other.sentence.paragraph == best.sentence.paragraph)


def _with_antecedent(candidate: Candidate, snapshot: Snapshot) -> _Chosen:
    """The sentence with what it cannot be understood without, if that stands shortly before it.

    That is: the sentence that names whom or what its first word points to; who spoke, for a sentence all in quotes;
    and the question, for the first words of an answer in an interview.
    """
    document = candidate.passage.passage.document
    sentences = snapshot.sentences[document.id]
    place = sentences.index(candidate.sentence)
    text = candidate.text
    before = _section(sentences[max(0, place - LOOK_BACK) : place])
    if before and before[0].is_question and _opens_turn(document, before[0], candidate.sentence):
        return _Chosen(candidate, before[0])
    told = [s for s in before if s.may_answer and s.kind == candidate.sentence.kind]
    if _ONLY_QUOTED.match(text):
        return _Chosen(
            candidate, next((s for s in told if s.paragraph == candidate.sentence.paragraph), None)
        )
    if (_OPENS_PERSON.match(text) and not _NAMED_SPEAKER.search(text)) or _HE_SAID.search(text):
        names = _names(document)
        return _Chosen(
            candidate, next((s for s in told if _names_someone(_words(document, s), names)), None)
        )
    if _OPENS_THING.match(text):
        return _Chosen(
            candidate,
            next((s for s in told if s.paragraph >= candidate.sentence.paragraph - 1), None),
        )
    return _Chosen(candidate, None)


def _section(before: Sequence[Sentence]) -> list[Sentence]:
    """The sentences before one, nearest first, back to the last heading."""
    found: list[Sentence] = []
    for sentence in reversed(before):
        if sentence.kind == "heading":
            break
        found.append(sentence)
    return found


def _opens_turn(document: Document, question: Sentence, sentence: Sentence) -> bool:
    """Whether a sentence is the first of an answer to a question that is a paragraph, or a turn, of its own."""
    start = document.text.rfind("\n", 0, question.span.start) + 1
    own_line = question.span.start - start < 4 or bool(
        _TURN.match(document.text[start : question.span.end])
    )
    return own_line and question.paragraph == sentence.paragraph - 1


def _names(document: Document) -> frozenset[str]:
    """The words that the document writes with a capital inside a sentence."""
    return frozenset(re.findall(r"(?<=[\w,;] )[A-Z][\w’'-]+", document.text))


def _names_someone(text: str, names: frozenset[str]) -> bool:
    """Whether a sentence has a name and does not itself point back; its first word only if it is one elsewhere."""
    if _OPENS_PERSON.match(text) or _HE_SAID.search(text):
        return False
    found = list(_CAPITALISED.finditer(text))
    return any(match.start() > 1 or match.group(0) in names for match in found)


def _words(document: Document, sentence: Sentence) -> str:
    return document.text[sentence.span.start : sentence.span.end]


def _sentence(chosen: _Chosen, parts: Sequence[Sentence]) -> AnswerSentence:
    """White space inside a sentence (a hand-wrapped line's end) is shown as a space; the quote keeps it."""
    citations = tuple(cite(chosen.document, part.span) for part in parts)
    text = " ".join(_flat(citation.quote) for citation in citations)
    own, span = citations[-1], chosen.candidate.span
    if span is None or parts[-1] is not chosen.candidate.sentence:
        return AnswerSentence(text, "verbatim", citations)
    answer = cite(chosen.document, span)
    start = len(text) - len(_flat(own.quote[span.start - own.start :]))
    return AnswerSentence(
        text, "verbatim", citations, answer, Span(start, start + len(_flat(answer.quote)))
    )


def _flat(text: str) -> str:
    return " ".join(text.split())
