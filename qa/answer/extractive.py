"""The built-in engine: answers with one to three sentences of the documents, in their order."""

import re
from collections.abc import Sequence
from statistics import median

from qa.answer.antecedents import find_antecedent, points_back
from qa.answer.code_answer import introduced_code, neighbouring_code, show_code
from qa.answer.units import ItemList, is_numbered, list_of, show_list, show_unit
from qa.documents.context import introduces
from qa.library.snapshot import Snapshot
from qa.reader.kinds import expected_kind
from qa.reader.reader import Candidate, Reading
from qa.text.words import terms
from qa.types import AnswerSentence

MAX_SENTENCES = 3
MAX_SCORE_LOSS = 1.0
"""How far below the best sentence's score a further sentence of a list may be, in log-odds."""
MAX_MARGIN_LOSS = 2.0
"""How far below the best sentence's margin its margin may be, in log-odds."""
MAX_ITEM_LOSS = 5.0
"""How far below the best item's margin the other items' may be, in log-odds, where all answer.

Chosen on 26 questions over documents that were written for training and kept apart from it. The
middle one of the other items loses 1.7 to 4.8 where the list answers (5 questions), and 1.3 to 11.6
where one item does (21). So the margins exclude most single items, and the question's words must
exclude the rest: two of the 21 are shown with their list.
"""
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
_WHAT = re.compile(r"\b(?:what|which)\b", re.IGNORECASE)
_ASKS_FOR_STEPS = re.compile(
    r"\bhow\s+(?:do|does|can|could|should|must|is|are|to)\b"
    r"|\bwhat\s+(?:do|should|must)\s+\w+\s+(?:have\s+to\s+)?do\b",
    re.IGNORECASE,
)


def compose(question: str, reading: Reading, snapshot: Snapshot) -> tuple[AnswerSentence, ...]:
    """Returns the answer's sentences in the documents' order; each is cited whole, and only once.

    A sentence comes with what it cannot be understood without: the sentence before it, its
    question, its lead-in, the names of its columns. A question for several things is answered by
    all items of a list, and a how-to by all steps. `reading` has at least one candidate.
    """
    several = asks_for_several(question)
    best = reading.candidates[0]
    whole = list_of(best, snapshot)
    if whole and _is_answered_by_list(question, several, whole, reading):
        return (show_list(best, whole),)
    code = best.sentence if best.sentence.kind == "code" else introduced_code(best, snapshot)
    if code:
        return (show_code(best.document, code, snapshot),)

    chosen = _choose(several, question, reading.candidates)
    reason = _reason(question, best, reading.candidates)
    if reason and reason not in chosen:
        chosen.append(reason)
    chosen.sort(key=_document_order)
    answer = list(show_each(chosen, snapshot))
    code = neighbouring_code(best, snapshot) if asks_for_steps(question) else None
    if code and len(answer) == 1:
        is_before = code.span.start < best.sentence.span.start
        index = 0 if is_before else 1
        answer.insert(index, show_code(best.document, code, snapshot))
    return tuple(answer)


def show_each(candidates: Sequence[Candidate], snapshot: Snapshot) -> tuple[AnswerSentence, ...]:
    """Returns the candidates in this order, each with the sentence that it needs before it."""
    used: set[tuple[str, int]] = set()
    answer = []
    for candidate in candidates:
        document = candidate.document
        antecedent = find_antecedent(candidate, snapshot)
        unused = []
        for sentence in (antecedent, candidate.sentence):
            if sentence is None:
                continue
            key = (document.id, sentence.span.start)
            if key not in used:
                used.add(key)
                unused.append(sentence.span)
        if unused:
            answer.append(show_unit(candidate, unused))
    return tuple(answer)


def asks_for_several(question: str) -> bool:
    """Returns whether a question asks for several things: "Which companies took part?"."""
    return bool(_ASKS_FOR_SEVERAL.search(question))


def asks_for_steps(question: str) -> bool:
    """Returns whether a question asks how something is done: "How do I install it?"."""
    return bool(_ASKS_FOR_STEPS.search(question))


def _is_answered_by_list(question: str, several: bool, whole: ItemList, reading: Reading) -> bool:
    """Returns whether all items of the best sentence's list answer, and not this sentence alone."""
    best = reading.candidates[0]
    if several or introduces(best.text) or _asks_for_all_steps(question, best, whole):
        return True
    return _asks_what(question) and _items_answer_alike(best, whole, reading.candidates)


def _asks_what(question: str) -> bool:
    """Returns whether a question asks for things: not for a number, a time or a person."""
    return bool(_WHAT.search(question)) and expected_kind(question) == "any"


def _items_answer_alike(best: Candidate, whole: ItemList, candidates: Sequence[Candidate]) -> bool:
    """Returns whether the other items of a list answer nearly as well as the best one.

    "What should be packed?": the cross-encoder cannot say which of the items it is. It measures the
    middle one of the other items.
    """
    margins = []
    for candidate in candidates:
        span = candidate.sentence.span
        is_item = candidate.document.id == best.document.id and any(
            span.overlap(item) for item in whole.items
        )
        if is_item and candidate is not best:
            margins.append(candidate.margin)
    return bool(margins) and median(margins) >= best.margin - MAX_ITEM_LOSS


def _asks_for_all_steps(question: str, best: Candidate, steps: ItemList) -> bool:
    """Returns whether a question asks for all steps of a how-to, and not for the best step alone.

    It does if it names what the headings and the lead-in name, and the best step does not: "How do
    I clean the filter?" is about the list "Cleaning the filter", not about one of its steps.
    """
    document = best.document
    if not asks_for_steps(question):
        return False
    if not all(is_numbered(document, step) for step in steps.items):
        return False
    named = set(terms(document.title))
    for span in best.sentence.context:
        named |= set(terms(document.text_of(span)))
    asked_of_list = set(terms(question)) & named
    return not asked_of_list <= set(terms(best.text))


def _choose(several: bool, question: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Returns the best sentence and, for a question for several things, those that continue it.

    A further sentence must be nearly as good, and add an answer of its own.
    """
    best = candidates[0]
    chosen = [best]
    if not several:
        return chosen
    known_terms = set(terms(best.text)) | set(terms(question))
    for candidate in candidates[1:]:
        if len(chosen) == MAX_SENTENCES:
            break
        # Code is an answer by itself, and does not continue a sentence.
        if candidate.sentence.kind == "code":
            continue
        new_terms = set(terms(candidate.text)) - known_terms
        good_score = candidate.score >= best.score - MAX_SCORE_LOSS
        good_margin = candidate.margin >= best.margin - MAX_MARGIN_LOSS
        adds_enough = len(new_terms) >= MIN_NEW_TERMS
        if good_score and good_margin and adds_enough and _continues(best, candidate):
            chosen.append(candidate)
            known_terms |= new_terms
    return chosen


def _reason(question: str, best: Candidate, candidates: Sequence[Candidate]) -> Candidate | None:
    """Returns a later sentence of the paragraph that says of the subject what the question asks.

    "Which laptop is waterproof?": "The Stratos costs 949 dollars." names it, and the next sentence,
    "It is waterproof.", has the term of the question that the best one lacks.
    """
    missing = set(terms(question)) - set(terms(best.text))
    paragraph = best.sentence.paragraph
    for candidate in candidates:
        sentence = candidate.sentence
        is_next = best.document.id == candidate.document.id and sentence.paragraph == paragraph
        if not is_next or sentence.span.start < best.sentence.span.end:
            continue
        if points_back(candidate.text) and missing & set(terms(candidate.text)):
            return candidate
    return None


def _continues(best: Candidate, candidate: Candidate) -> bool:
    """Returns whether a sentence follows the best one in its document, or is in its paragraph.

    So the best sentence leads the answer, or is part of one list with the sentence before it.
    """
    if best.document.id != candidate.document.id:
        return False
    sentence = candidate.sentence
    follows = sentence.span.start > best.sentence.span.start
    return follows or sentence.paragraph == best.sentence.paragraph


def _document_order(candidate: Candidate) -> tuple[str, int]:
    return candidate.document.name, candidate.sentence.span.start
