"""Puts what a follow-up names into the question before it, or what that question names into it.

"And the deposit?" after "How much is the rent?" becomes "How much is the deposit?", and "Where is
it?" after "Who owns the bakery?" becomes "Where is the bakery?". Only the same kind of thing is
exchanged: a year for a year, a name for a name. The rules read English word order, not grammar.
"""

import re
from dataclasses import dataclass

from qa.answer.leaning import (
    PERSON_PRONOUN,
    THING_PRONOUN,
    content_words,
    is_fragment,
    without_continuation,
)
from qa.text.english import (
    AUXILIARIES,
    MONTHS,
    PREDICATES,
    PREPOSITIONS,
    QUESTION_WORDS,
    WEEKDAYS,
)

_END_MARKS = "?!. "
_WORD = re.compile(r"[\w’'-]+(?:[.,]\d+)*")
_DETERMINER = re.compile(r"^(?:the|a|an|my|our|your|this|that|these|those)\b\s*", re.IGNORECASE)

_KINDS = (
    re.compile(r"\b(?:1[5-9]|20)\d\d\b"),
    re.compile(rf"\b(?:{'|'.join(WEEKDAYS)})s?\b", re.IGNORECASE),
    re.compile(rf"\b(?:{'|'.join(MONTHS)})\b"),
    re.compile(r"\b[A-Za-z]{1,4}-?\d+\w*\b"),
    re.compile(r"\b\d+(?:[.,]\d+)*\b"),
    re.compile(r"(?<!^)\b[A-Z][\w-]*(?:\s+[A-Z0-9][\w-]*)*"),
)
"""Years, weekdays, months, codes, numbers and names: each is exchanged only for its own kind."""
_NAMES = _KINDS[-1]
_NO_SUBJECT = frozenset("it they he she there this that these those you i we one".split())
_DO = frozenset("do does did".split())
_BE = frozenset("is are was were".split())
_TOPIC = re.compile(r"^(?:please\s+)?(?:tell\s+me\s+(?:more\s+)?about|describe|explain)\s+", re.I)
_QUANTITY = re.compile(r"(?:how\s+(?:many|much)|which|what)\s+(?P<noun>\w+)", re.IGNORECASE)
_COUNTED = re.compile(r"^how\s+(?:many|much)\s+(?P<noun>.+?)\s+\w+\s+there\b", re.IGNORECASE)
_COMPANION = re.compile(r"\bof\s+(?P<noun>(?:(?:the|an?)\s+)?[\w’'-]+(?:\s+[A-Z][\w’'-]*)*)")
_ASKS_WHO_IS = re.compile(r"^who\s+(?:is|are|was|were)\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")
_SUPERLATIVE = re.compile(r"the\s+(?:\w{2,}est|best|worst|most|least)\b", re.IGNORECASE)
_ONE = re.compile(r"\bones?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A part of a question."""

    text: str
    start: int
    end: int


def substituted(question: str, frame: str) -> str | None:
    """Returns the follow-up, completed from the question before it (`frame`).

    None: the rules find no place for it.
    """
    if is_fragment(question):
        fragment = without_continuation(question).strip(_END_MARKS)
        if not fragment:
            return None
        if fragment.split()[0].casefold() in QUESTION_WORDS:
            return _with_quantity(frame.strip(), fragment)
        return _with_fragment(frame.strip(), fragment)
    return _with_antecedent(question, frame.strip())


def _with_fragment(frame: str, fragment: str) -> str | None:
    """Returns the frame with the fragment in the place of what is like it."""
    opening, _, value = fragment.partition(" ")
    if opening.casefold() in PREPOSITIONS and value:
        fragment = f"{opening.casefold()} {value}"
        return _with_adverbial(frame, fragment, opening, value)

    bare = _DETERMINER.sub("", fragment, count=1)
    kind = _kind(bare)
    if kind:
        place = _last(kind, frame)
        return _exchange(frame, place, bare) if place else None
    return _with_noun(frame, fragment)


def _with_quantity(frame: str, fragment: str) -> str | None:
    """Returns the frame with "how much copper" in the place of "how much gold"."""
    quantity = _QUANTITY.fullmatch(fragment)
    place = _QUANTITY.match(frame)
    if not quantity or not place:
        return None
    return frame[: place.start("noun")] + quantity["noun"] + frame[place.end("noun") :]


def _with_adverbial(frame: str, fragment: str, preposition: str, value: str) -> str:
    """Returns the frame with "in 2020" or "for a child" in it, in a like place or at its end."""
    kind = _kind(_DETERMINER.sub("", value, count=1))
    place = _last(kind, frame) if kind else None
    if place:
        return _exchange(frame, place, value)
    same = re.compile(rf"\b{re.escape(preposition)}\s+(?:(?:the|an?)\s+)?[\w-]+", re.IGNORECASE)
    place = _last(same, frame)
    if place and not kind:
        return _exchange(frame, place, fragment)
    return f"{frame.rstrip(_END_MARKS)} {fragment}?"


def _with_noun(frame: str, fragment: str) -> str | None:
    """Returns the frame with another noun as its subject."""
    subject = subject_of(frame)
    if subject is None:
        return None
    bare_subject = _DETERMINER.sub("", subject.text, count=1)
    # A name or a code is not exchanged for a common noun.
    if _kind(bare_subject) or any(kind.search(bare_subject) for kind in _KINDS[:-1]):
        return None
    head = bare_subject.split()[-1]
    noun = _ONE.sub(head, fragment)
    if _SUPERLATIVE.fullmatch(noun) and _SUPERLATIVE.match(subject.text):
        # And the highest: the noun is that of "the lowest temperature".
        noun += f" {head}"
    return _exchange(frame, subject, noun)


def _with_antecedent(question: str, frame: str) -> str | None:
    """Returns the question with the frame's subject in the place of its pronoun."""
    person = PERSON_PRONOUN.search(question)
    pronoun = person or THING_PRONOUN.search(question)
    if not pronoun:
        return None
    if not person and _ASKS_WHO_IS.match(frame):
        # Who is the head of the company: "it" is the company.
        companion = _COMPANION.search(frame)
        antecedent = companion["noun"] if companion else None
    else:
        antecedent = _antecedent(frame)
    if not antecedent:
        return None
    completed = without_continuation(replace_pronoun(question, pronoun, antecedent))
    return completed[:1].upper() + completed[1:]


def _antecedent(frame: str) -> str | None:
    """Returns the subject of a question, as far as a pronoun may stand for it."""
    subject = subject_of(frame)
    if subject is None or not content_words(subject.text):
        return None
    owner, possessive, _ = subject.text.partition("’s ")
    if possessive:
        return owner
    companion = _COMPANION.match(frame, subject.end + 1)
    if companion and frame[subject.end : subject.end + 1].isspace():
        return frame[subject.start : companion.end("noun")]
    return subject.text


def replace_pronoun(question: str, pronoun: re.Match[str], name: str) -> str:
    """Returns the question with a name, in the form that the pronoun has, in its place."""
    before = question[: pronoun.start()]
    after = question[pronoun.end() :]
    word = pronoun[1].lower()
    # "her report" against "ask her".
    her_before_noun = word == "her" and re.match(r"\s+\w", after)
    if word in ("his", "hers", "its", "their", "theirs") or her_before_noun:
        name += "’s"
    return before + name + after


def subject_of(question: str) -> _Phrase | None:
    """Returns the noun phrase that a question is about, by its place after the auxiliary verb."""
    sentences = _SENTENCE_END.split(question.strip())
    if len(sentences) > 1:
        return None
    topic = _TOPIC.match(question)
    if topic:
        return _phrase(question, topic.end(), "")
    counted = _COUNTED.match(question)
    if counted:
        return _Phrase(counted["noun"], counted.start("noun"), counted.end("noun"))

    found_words = list(_WORD.finditer(question))
    if not found_words or found_words[0][0].casefold() not in QUESTION_WORDS:
        return None
    for word in found_words:
        if word[0].casefold() in AUXILIARIES:
            return _phrase(question, word.end(), word[0].casefold())
    # Who owns the bakery: the object follows the verb.
    if len(found_words) > 2:
        return _phrase(question, found_words[1].end(), "")
    return None


def _phrase(question: str, start: int, auxiliary: str) -> _Phrase | None:
    """Returns the noun phrase at an offset. After an auxiliary its verb is left out."""
    phrase_words: list[re.Match[str]] = []
    for word in _WORD.finditer(question, start):
        folded = word[0].casefold()
        gap = question[phrase_words[-1].end() : word.start()] if phrase_words else ""
        ends = folded in PREPOSITIONS or folded in AUXILIARIES or folded in QUESTION_WORDS
        if ends or gap.strip():
            break
        phrase_words.append(word)
    while phrase_words and phrase_words[-1][0].casefold() in ("and", "or"):
        phrase_words.pop()
    if not phrase_words:
        return None

    has_determiner = _DETERMINER.match(phrase_words[0][0] + " ") is not None
    nouns = len(phrase_words) - has_determiner
    last = phrase_words[-1][0].casefold()
    is_predicate = last.endswith("ed") or last in PREDICATES
    ends_with_verb = is_predicate if auxiliary in _BE else bool(auxiliary)
    if ends_with_verb and nouns > 1:
        phrase_words.pop()
        nouns -= 1
    if not nouns or phrase_words[0][0].casefold() in _NO_SUBJECT:
        return None
    begin = phrase_words[0].start()
    end = phrase_words[-1].end()
    return _Phrase(question[begin:end], begin, end)


def _kind(text: str) -> re.Pattern[str] | None:
    """Returns the pattern of the kind of thing that a text is; None: a common noun."""
    for kind in _KINDS[:-1]:
        if kind.fullmatch(text):
            return kind
    # At its beginning a name pattern never matches.
    return _NAMES if _NAMES.fullmatch(f" {text}", 1) else None


def _last(kind: re.Pattern[str], frame: str) -> _Phrase | None:
    places = list(kind.finditer(frame))
    if not places:
        return None
    place = places[-1]
    return _Phrase(place[0], place.start(), place.end())


def _exchange(frame: str, place: _Phrase, replacement: str) -> str:
    return frame[: place.start] + replacement + frame[place.end :]
