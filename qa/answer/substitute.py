"""Puts what a follow-up names into the question before it, or what that question names into it.

"And the deposit?" after "How much is the rent?" becomes "How much is the deposit?", and "Where is
it?" after "Who owns the bakery?" becomes "Where is the bakery?". Only the same kind of thing is
exchanged: a year for a year, a name for a name. The rules read English word order, not grammar.
"""

import re
from dataclasses import dataclass

from qa.answer.completeness import (
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


def _any_case(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_WORD = re.compile(r"[\w’'-]+(?:[.,]\d+)*")
_DETERMINER = _any_case(r"^(?:the|a|an|my|our|your|this|that|these|those)\b\s*")
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")

_WEEKDAY_NAMES = "|".join(WEEKDAYS)
_MONTH_NAMES = "|".join(MONTHS)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_WEEKDAY = _any_case(rf"\b(?:{_WEEKDAY_NAMES})s?\b")
_MONTH = re.compile(rf"\b(?:{_MONTH_NAMES})\b")
_CODE = re.compile(r"\b[A-Za-z]{1,4}-?\d+\w*\b")
_NUMBER = re.compile(r"\b\d+(?:[.,]\d+)*\b")
_NAME = re.compile(r"(?<!^)\b[A-Z][\w-]*(?:\s+[A-Z0-9][\w-]*)*")
_KINDS = (_YEAR, _WEEKDAY, _MONTH, _CODE, _NUMBER)
"""Each is exchanged only for its own kind, and so is a name."""

_NO_SUBJECT = frozenset("it they he she there this that these those you i we one".split())
_BE = ("is", "are", "was", "were")
_CONJUNCTIONS = ("and", "or")
_POSSESSIVES = ("his", "hers", "its", "their", "theirs")
_PHRASE_ENDS = PREPOSITIONS | AUXILIARIES | QUESTION_WORDS
"""Words that end a noun phrase."""

_TOPIC = _any_case(r"^(?:please\s+)?(?:tell\s+me\s+(?:more\s+)?about|describe|explain)\s+")
_QUANTITY = _any_case(r"(?:how\s+(?:many|much)|which|what)\s+(?P<noun>\w+)")
_COUNTED = _any_case(r"^how\s+(?:many|much)\s+(?P<noun>.+?)\s+\w+\s+there\b")
_COMPANION = re.compile(r"\bof\s+(?P<noun>(?:(?:the|an?)\s+)?[\w’'-]+(?:\s+[A-Z][\w’'-]*)*)")
_ASKS_WHO_IS = _any_case(r"^who\s+(?:is|are|was|were)\b")
_SUPERLATIVE = _any_case(r"the\s+(?:\w{2,}est|best|worst|most|least)\b")
_ONE = _any_case(r"\bones?$")
_NEXT_WORD = re.compile(r"\s+\w")


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A part of a question."""

    text: str
    start: int
    end: int


def substituted(question: str, previous_question: str) -> str | None:
    """Returns the follow-up, completed from the previous question.

    None: the rules cannot complete it.
    """
    previous_question = previous_question.strip()
    if not is_fragment(question):
        return _with_antecedent(question, previous_question)

    fragment = without_continuation(question)
    fragment = fragment.strip(_END_MARKS)
    if not fragment:
        return None
    words = fragment.split()
    opening = words[0].casefold()
    if opening in QUESTION_WORDS:
        return _with_quantity(previous_question, fragment)
    return _with_fragment(previous_question, fragment)


def _with_fragment(previous_question: str, fragment: str) -> str | None:
    """Returns the previous question with the fragment instead of what is like it."""
    opening, _, value = fragment.partition(" ")
    preposition = opening.casefold()
    if value and preposition in PREPOSITIONS:
        return _with_adverbial(previous_question, preposition, value)

    bare = _without_determiner(fragment)
    kind = _kind(bare)
    if kind is None:
        return _with_noun(previous_question, fragment)
    phrase = _last(kind, previous_question)
    if phrase is None:
        return None
    return _exchange(previous_question, phrase, bare)


def _with_quantity(previous_question: str, fragment: str) -> str | None:
    """Returns the previous question with "how much copper" instead of "how much gold"."""
    quantity = _QUANTITY.fullmatch(fragment)
    if quantity is None:
        return None
    previous_quantity = _QUANTITY.match(previous_question)
    if previous_quantity is None:
        return None
    noun = _matched(previous_quantity, "noun")
    return _exchange(previous_question, noun, quantity["noun"])


def _with_adverbial(previous_question: str, preposition: str, value: str) -> str:
    """Returns the previous question with "in 2020" or "for a child" in it.

    The words replace words of their kind; without any, they follow at the end.
    """
    adverbial = f"{preposition} {value}"
    bare = _without_determiner(value)
    kind = _kind(bare)
    if kind:
        replacement = value
        phrase = _last(kind, previous_question)
    else:
        replacement = adverbial
        phrase = _last_adverbial(preposition, previous_question)
    if phrase:
        return _exchange(previous_question, phrase, replacement)
    statement = previous_question.rstrip(_END_MARKS)
    return f"{statement} {adverbial}?"


def _last_adverbial(preposition: str, previous_question: str) -> _Phrase | None:
    """Returns the last phrase of the previous question with this preposition and a noun."""
    escaped = re.escape(preposition)
    adverbial = _any_case(rf"\b{escaped}\s+(?:(?:the|an?)\s+)?[\w-]+")
    return _last(adverbial, previous_question)


def _with_noun(previous_question: str, fragment: str) -> str | None:
    """Returns the previous question with another noun as its subject."""
    subject = subject_of(previous_question)
    if subject is None:
        return None
    bare_subject = _without_determiner(subject.text)
    if not _is_common_noun(bare_subject):
        return None

    subject_words = bare_subject.split()
    head = subject_words[-1]
    noun = _ONE.sub(head, fragment)
    asks_superlative = _SUPERLATIVE.fullmatch(noun)
    had_superlative = _SUPERLATIVE.match(subject.text)
    if asks_superlative and had_superlative:
        # And the highest: the noun is that of "the lowest temperature".
        noun = f"{noun} {head}"
    return _exchange(previous_question, subject, noun)


def _is_common_noun(text: str) -> bool:
    """Says whether a text is not a name and has no code, number or date in it."""
    for kind in _KINDS:
        if kind.search(text):
            return False
    kind_of_all = _kind(text)
    return kind_of_all is None


def _with_antecedent(question: str, previous_question: str) -> str | None:
    """Returns the question with its pronoun replaced by the subject of the previous question."""
    pronoun = PERSON_PRONOUN.search(question)
    if pronoun:
        antecedent = _antecedent(previous_question)
    else:
        pronoun = THING_PRONOUN.search(question)
        antecedent = _thing_antecedent(previous_question)
    if not pronoun:
        return None
    if not antecedent:
        return None

    replaced = replace_pronoun(question, pronoun, antecedent)
    completed = without_continuation(replaced)
    initial = completed[:1]
    return initial.upper() + completed[1:]


def _thing_antecedent(previous_question: str) -> str | None:
    """Returns what "it" stands for."""
    if not _ASKS_WHO_IS.match(previous_question):
        return _antecedent(previous_question)
    # Who is the head of the company: "it" is the company.
    companion = _COMPANION.search(previous_question)
    if companion is None:
        return None
    return companion["noun"]


def _antecedent(previous_question: str) -> str | None:
    """Returns the subject of a question, as far as a pronoun may stand for it."""
    subject = subject_of(previous_question)
    if subject is None:
        return None
    text = subject.text
    if not content_words(text):
        return None
    owner, possessive, _ = text.partition("’s ")
    if possessive:
        return owner

    next_start = subject.end + 1
    gap = previous_question[subject.end : next_start]
    if not gap.isspace():
        return text
    companion = _COMPANION.match(previous_question, next_start)
    if companion is None:
        return text
    end = companion.end("noun")
    return previous_question[subject.start : end]


def replace_pronoun(question: str, pronoun: re.Match[str], name: str) -> str:
    """Returns the question with a name, or its possessive, instead of the pronoun."""
    start, end = pronoun.span()
    before = question[:start]
    after = question[end:]
    word = pronoun[1]
    if _is_possessive(word.lower(), after):
        name += "’s"
    return before + name + after


def _is_possessive(pronoun: str, after: str) -> bool:
    if pronoun != "her":
        return pronoun in _POSSESSIVES
    # "her report" against "ask her".
    next_word = _NEXT_WORD.match(after)
    return next_word is not None


def subject_of(question: str) -> _Phrase | None:
    """Returns the noun phrase that a question is about; it mostly follows the auxiliary verb."""
    stripped = question.strip()
    if _SENTENCE_END.search(stripped):
        return None
    topic = _TOPIC.match(question)
    if topic:
        start = topic.end()
        return _phrase(question, start)
    counted = _COUNTED.match(question)
    if counted:
        return _matched(counted, "noun")
    return _subject_after_verb(question)


def _subject_after_verb(question: str) -> _Phrase | None:
    words = list(_WORD.finditer(question))
    if not words:
        return None
    opening = _folded(words[0])
    if opening not in QUESTION_WORDS:
        return None
    for word in words:
        auxiliary = _folded(word)
        if auxiliary in AUXILIARIES:
            start = word.end()
            return _phrase(question, start, auxiliary)

    # Who owns the bakery: the object follows the verb.
    if len(words) <= 2:
        return None
    verb = words[1]
    start = verb.end()
    return _phrase(question, start)


def _phrase(question: str, start: int, auxiliary: str = "") -> _Phrase | None:
    """Returns the noun phrase at an offset. After an auxiliary its verb is left out."""
    words = _phrase_words(question, start)
    if not words:
        return None
    first = words[0]
    opening = _folded(first)
    if opening in _NO_SUBJECT:
        return None

    nouns = len(words)
    if _DETERMINER.match(opening):
        nouns -= 1
    if nouns == 0:
        return None
    last = words[-1]
    if nouns > 1 and _is_verb(last, auxiliary):
        last = words[-2]
    begin = first.start()
    end = last.end()
    text = question[begin:end]
    return _Phrase(text, begin, end)


def _phrase_words(question: str, start: int) -> list[re.Match[str]]:
    """Returns the words from an offset to a word or a sign that ends a noun phrase."""
    words: list[re.Match[str]] = []
    end = None
    for word in _WORD.finditer(question, start):
        if _folded(word) in _PHRASE_ENDS:
            break
        gap = "" if end is None else question[end : word.start()]
        if gap.strip():
            break
        words.append(word)
        end = word.end()

    while words:
        last = _folded(words[-1])
        if last not in _CONJUNCTIONS:
            break
        words.pop()
    return words


def _is_verb(last_word: re.Match[str], auxiliary: str) -> bool:
    """Says whether the last word after an auxiliary is its verb."""
    if auxiliary not in _BE:
        return auxiliary != ""
    word = _folded(last_word)
    if word.endswith("ed"):
        return True
    return word in PREDICATES


def _folded(word: re.Match[str]) -> str:
    text = word[0]
    return text.casefold()


def _without_determiner(text: str) -> str:
    return _DETERMINER.sub("", text, count=1)


def _kind(text: str) -> re.Pattern[str] | None:
    """Returns the pattern of the kind of thing that a text is; None: a common noun."""
    for kind in _KINDS:
        if kind.fullmatch(text):
            return kind
    # At its beginning a name pattern never matches.
    indented = f" {text}"
    if _NAME.fullmatch(indented, 1):
        return _NAME
    return None


def _last(kind: re.Pattern[str], question: str) -> _Phrase | None:
    """Returns the last part of a question that the pattern matches."""
    matches = list(kind.finditer(question))
    if not matches:
        return None
    return _matched(matches[-1])


def _matched(match: re.Match[str], group: str | int = 0) -> _Phrase:
    text = match[group]
    start, end = match.span(group)
    return _Phrase(text, start, end)


def _exchange(question: str, phrase: _Phrase, replacement: str) -> str:
    """Returns a question with this phrase of it replaced."""
    before = question[: phrase.start]
    after = question[phrase.end :]
    return before + replacement + after
