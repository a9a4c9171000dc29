"""The built-in engine: answers with one to three sentences of the documents, in their order."""

import re
from collections.abc import Sequence

from qa.answer.antecedents import find_antecedent
from qa.answer.citations import cite
from qa.documents.sentences import Sentence
from qa.library.snapshot import Snapshot
from qa.reader.reader import Candidate, Reading
from qa.text.words import terms
from qa.types import AnswerSentence, Document, Span

MAX_SENTENCES = 3
MAX_SCORE_LOSS = 1.0
"""How far below the best sentence's score a further sentence of a list may be, in log-odds."""
MAX_MARGIN_LOSS = 2.0
"""The same for the margin of its own answer over "not here"."""
MIN_NEW_TERMS = 3
"""A further sentence must have so many terms that neither the question nor the answer has."""

_SINGULAR_WORDS_ON_S = (
    r"is|was|does|has|had|this|its|his|us|news|series|business|goes|makes|takes|gives|says|happens|"
    r"causes|means|comes|needs|wants|gets|runs|works|helps|leads|lies|stands|shows|keeps|lets|puts|"
    r"holds|likes|uses|becomes|ends|starts"
)
"""They may follow "what" or "which" in a question for one thing: "What causes rust?"."""
_WORD_BETWEEN = (
    rf"(?!(?:{_SINGULAR_WORDS_ON_S}|did|do|will|would|can|could|should|kind|sort|type)\b)\w+\s+"
)
_ASKS_FOR_SEVERAL = re.compile(
    r"^\s*(?:list|name|enumerate)\b"
    r"|\b(?:what|which)\s+(?:are|were)\b"
    r"|\bwho\s+(?:all|else|are|were|attended)\b"
    # A plural: "Which mining companies took part?"
    rf"|\b(?:what|which)\s+(?:{_WORD_BETWEEN}){{0,2}}"
    rf"(?!(?:{_SINGULAR_WORDS_ON_S})\b)\w{{2,}}[^\Wsui]s\b"
    r"|\b(?:countries|reasons|things|ways|examples|types|kinds|several)\b",
    re.IGNORECASE,
)


def compose(question: str, reading: Reading, snapshot: Snapshot) -> tuple[AnswerSentence, ...]:
    """Returns the answer's sentences in the documents' order; each is cited whole, and only once.

    A sentence comes with the sentence before it that it cannot be understood without, if any.
    `reading` has at least one candidate.
    """
    chosen = _choose(question, reading.candidates)
    chosen.sort(key=_document_order)
    used = set()
    answer = []
    for candidate in chosen:
        document = _document(candidate)
        antecedent = find_antecedent(candidate, snapshot)
        unused = []
        for sentence in (antecedent, candidate.sentence):
            if sentence is None:
                continue
            key = (document.id, sentence.span.start)
            if key not in used:
                used.add(key)
                unused.append(sentence)
        if unused:
            answer.append(_answer_sentence(candidate, unused))
    return tuple(answer)


def asks_for_several(question: str) -> bool:
    """Returns whether a question asks for several things: "Which companies took part?"."""
    return bool(_ASKS_FOR_SEVERAL.search(question))


def _choose(question: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Returns the best sentence and, for a question for several things, those that continue it.

    A further sentence must be nearly as good, and add an answer of its own.
    """
    best = candidates[0]
    chosen = [best]
    if not asks_for_several(question):
        return chosen
    known_terms = set(terms(best.text)) | set(terms(question))
    for candidate in candidates[1:]:
        if len(chosen) == MAX_SENTENCES:
            break
        new_terms = set(terms(candidate.text)) - known_terms
        good_score = candidate.score >= best.score - MAX_SCORE_LOSS
        good_margin = candidate.margin >= best.margin - MAX_MARGIN_LOSS
        adds_enough = len(new_terms) >= MIN_NEW_TERMS
        if good_score and good_margin and adds_enough and _continues(best, candidate):
            chosen.append(candidate)
            known_terms |= new_terms
    return chosen


def _continues(best: Candidate, candidate: Candidate) -> bool:
    """Returns whether a sentence follows the best one in its document, or is in its paragraph.

    So the best sentence leads the answer, or is part of one list with the sentence before it.
    """
    if _document(best).id != _document(candidate).id:
        return False
    sentence = candidate.sentence
    follows = sentence.span.start > best.sentence.span.start
    return follows or sentence.paragraph == best.sentence.paragraph


def _answer_sentence(candidate: Candidate, sentences: Sequence[Sentence]) -> AnswerSentence:
    """Returns these sentences as one sentence of the answer, with the answering words in bold.

    Its text has spaces for the line ends of a hand-wrapped document; the quotes keep them.
    """
    document = _document(candidate)
    citations = tuple(cite(document, sentence.span) for sentence in sentences)
    text = " ".join(_on_one_line(citation.quote) for citation in citations)
    span = candidate.span
    if span is None or sentences[-1] is not candidate.sentence:
        return AnswerSentence(text, "verbatim", citations)

    answer_words = cite(document, span)
    last = citations[-1]
    # Counted from the end: the sentence is the last one, and any sentence may come before it.
    from_answer = _on_one_line(last.quote[span.start - last.start :])
    start = len(text) - len(from_answer)
    length = len(_on_one_line(answer_words.quote))
    bold_span = Span(start, start + length)
    return AnswerSentence(text, "verbatim", citations, answer_words, bold_span)


def _document(candidate: Candidate) -> Document:
    return candidate.passage.passage.document


def _document_order(candidate: Candidate) -> tuple[str, int]:
    return _document(candidate).name, candidate.sentence.span.start


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
