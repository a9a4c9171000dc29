"""Recognises what a language model writes that is not an answer: declining, and empty sentences."""

import re

from qa.answer.prompts import DECLINE_SENTENCE, INSTRUCTIONS
from qa.text.english import AUXILIARIES, STOP_WORDS
from qa.text.facts import folded
from qa.text.words import terms, words

_SOURCES = r"(?:documents?|passages?|texts?|sentences?|sources?|context)"
_ADDED = r"(?:\s+(?:provided|given|above|available))?"
_ANY_SOURCES = rf"(?:(?:the|these|this|any|all|provided|given|available|of)\s+)*{_SOURCES}{_ADDED}"
"""A noun for the sources, with or without an article: "the provided documents", "context"."""
_THE_SOURCES = rf"(?:(?:the|these|this|any|provided|given|of)\s+)+{_SOURCES}{_ADDED}"
_APOLOGY = (
    r"(?:(?:(?:i am|i'm)\s+)?(?:very\s+)?(?:sorry|afraid)|unfortunately|i apologi[sz]e)\W+"
    r"(?:(?:but|that)\s+)?"
)
_INTRODUCTION = re.compile(
    rf"^[*_\W]*(?:answer:\W*)?(?:{_APOLOGY})?"
    rf"(?:(?:based (?:solely |only )?on|according to|from|in)\s+{_ANY_SOURCES}\W+)?",
    re.IGNORECASE,
)
"""An apology and "Based on the provided sources,", each of which may be missing."""
_DECLINE = re.compile(
    rf"^[\W_]*(?:{_APOLOGY})?"
    r"(?:(?:the|these|provided|given)\s+)+(?:documents?|passages?)\s+do(?:es)?\s*(?:not|n't)\s+"
    r"answer\s+(?:this|that|the|your)(?:\s+question)?\s*(?:[^\w\s]|$)",
    re.IGNORECASE,
)
"""Small models put an apology before the sentence, or change a word of it."""
_NOT = r"(?:\s+not|n't)"
_LACKS = re.compile(
    # "None of the provided sources mention the price."
    rf"none of {_ANY_SOURCES}\b"
    # "The passages do not mention the price." "The sources are not helpful."
    rf"|{_THE_SOURCES}\s+(?:do(?:es)?{_NOT}\s+(?:\w+ly\s+)?"
    r"(?:mention|contain|provide|specify|state|include|say|give|answer|tell|indicate|address|have)"
    rf"|(?:is|are){_NOT}\s+(?:helpful|useful|relevant|sufficient))\b"
    # "There is no information about the price."
    r"|there (?:is|are) no (?:\w+ )?(?:information|mention|details?|answer|evidence|data)"
    r"(?:\W*$|\s+(?:about|available|concerning|given|in|on|provided|regarding|that)\b)"
    # "There is no price in the passages."
    rf"|there (?:is|are) no\b.*\bin {_THE_SOURCES}\b"
    # "I cannot answer this."
    r"|(?:i|we) (?:(?:cannot|can't|could not|couldn't)|(?:am|are) (?:unable|not able) to)\s+"
    r"(?:answer|find|determine|provide)\b"
    r"|it is (?:not possible|impossible) to (?:answer|determine|say|tell)\b",
    re.IGNORECASE,
)
"""Small models decline in words of their own; matched behind the introduction."""
_NOT_GIVEN = re.compile(
    # "The price is not mentioned in the passages."
    r"\b(?:not|n't)\s+(?:\w+ly\s+)?(?:mentioned|provided|specified|stated|included|given|found)\s+"
    rf"in {_THE_SOURCES}\b",
    re.IGNORECASE,
)
_QUOTATION = re.compile(r"^\s*[\"“„«]")
_ALTERNATIVES = re.compile(r"\bor\b", re.IGNORECASE)

_ABOUT_SOURCES = frozenset(
    """answer answers based context data details document documents following found given
    information mention mentioned mentions passage passages provide provided provides question
    section sentence sentences source sources stated states text texts
    above below""".split()
)
"""Words about the sources and the answer itself; a sentence of only such words says nothing."""
MIN_COPIED_WORDS = 5
"""Words in a row that a sentence must share with the prompt to be a copy of it."""
MIN_REPEATED = 0.8
"""Share of a question's words that a sentence has which only repeats the question."""


def declines(text: str) -> bool:
    """Returns whether an answer begins with the sentence to decline with, or nearly."""
    plain = folded(text)
    if plain.startswith(folded(DECLINE_SENTENCE)):
        return True
    return _DECLINE.match(plain) is not None


def says_nothing(sentence: str) -> bool:
    """Returns whether a sentence states nothing that a document could support.

    Such are words about the answer (“Here is the answer:”), the sentence to decline with after an
    answer, words that the sources lack something, and sentences copied from the instructions.
    """
    if declines(sentence) or _lacks_something(sentence) or _repeats_prompt(sentence):
        return True
    content = [word for word in words(sentence) if word not in STOP_WORDS]
    about_sources = [word for word in content if word in _ABOUT_SOURCES]
    return bool(about_sources) and len(about_sources) == len(content)


def repeats_question(sentence: str, question: str) -> bool:
    """Returns whether a sentence has the words of a question and no other: it answers nothing.

    To a yes-or-no question, and to a question that gives the possible answers, the words of the
    question may be the answer.
    """
    first_word, *_ = [*words(question), ""]
    if first_word in AUXILIARIES or _ALTERNATIVES.search(question):
        return False
    question_terms = set(terms(question))
    own_terms = set(terms(sentence))
    has_no_other = bool(own_terms) and own_terms <= question_terms
    return has_no_other and len(own_terms) >= MIN_REPEATED * len(question_terms)


def _lacks_something(sentence: str) -> bool:
    """Returns whether a sentence says that the sources lack something."""
    plain = folded(sentence)
    if _NOT_GIVEN.search(plain):
        return True
    # A person who is quoted may say the same of something else.
    if _QUOTATION.match(sentence):
        return False
    introduction = _INTRODUCTION.match(plain)
    start = introduction.end() if introduction else 0
    return _LACKS.match(plain, start) is not None


def _repeats_prompt(sentence: str) -> bool:
    own_words = " ".join(words(sentence))
    if len(own_words.split()) < MIN_COPIED_WORDS:
        return False
    return own_words in _PROMPT_WORDS


_PROMPT_WORDS = " ".join(words(" ".join(INSTRUCTIONS)))
