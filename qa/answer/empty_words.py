"""Recognises what a language model writes that is not an answer: declining, and empty sentences."""

import re

from qa.answer.prompts import DECLINE_SENTENCE, INSTRUCTIONS
from qa.text.english import STOP_WORDS
from qa.text.facts import folded
from qa.text.words import words

_SOURCES = r"(?:documents?|passages?|texts?|sentences?|sources?|context)"
_THE_SOURCES = rf"(?:(?:the|these|this|any|provided|given|of)\s+)+{_SOURCES}"
_DECLINE = re.compile(
    r"^[\W_]*"
    r"(?:(?:(?:(?:i am|i'm) (?:very )?)?(?:sorry|afraid)|unfortunately|i apologi[sz]e)\W+"
    r"(?:(?:but|that) )?)?"
    r"(?:(?:the|these|provided|given)\s+)+(?:documents?|passages?)\s+do(?:es)?\s*(?:not|n't)\s+"
    r"answer\s+(?:this|that|the|your)(?:\s+question)?\s*(?:[^\w\s]|$)",
    re.IGNORECASE,
)
"""Small models put an apology before the sentence, or change a word of it."""
_LACKS = re.compile(
    # "The passages do not mention the price."
    rf"^[\W_]*{_THE_SOURCES}\s+do(?:es)?\s*(?:not|n't)\s+(?:\w+ly\s+)?"
    r"(?:mention|contain|provide|specify|state|include|say|give|answer|tell|indicate)\b"
    # "There is no information about the price in the passages."
    rf"|^[\W_]*there (?:is|are) no\b.*\bin {_THE_SOURCES}\b"
    # "The price is not mentioned in the passages."
    r"|\b(?:not|n't)\s+(?:\w+ly\s+)?(?:mentioned|provided|specified|stated|included|given|found)\s+"
    rf"in {_THE_SOURCES}\b",
    re.IGNORECASE,
)
"""Small models decline in words of their own."""

_ABOUT_SOURCES = frozenset(
    """answer answers based context data details document documents following found given
    information mention mentioned mentions passage passages provide provided provides question
    section sentence sentences source sources stated states text texts
    above below""".split()
)
"""Words about the sources and the answer itself; a sentence of only such words says nothing."""
MIN_COPIED_WORDS = 5
"""Words in a row that a sentence must share with the prompt to be a copy of it."""


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
    if declines(sentence) or _LACKS.search(folded(sentence)) or _repeats_prompt(sentence):
        return True
    content = [word for word in words(sentence) if word not in STOP_WORDS]
    about_sources = [word for word in content if word in _ABOUT_SOURCES]
    return bool(about_sources) and len(about_sources) == len(content)


def _repeats_prompt(sentence: str) -> bool:
    own_words = " ".join(words(sentence))
    if len(own_words.split()) < MIN_COPIED_WORDS:
        return False
    return own_words in _PROMPT_WORDS


_PROMPT_WORDS = " ".join(words(" ".join(INSTRUCTIONS)))
