"""Recognises a refusal of `CitationQueryEngine`: its model says that the sources do not answer.

Footnote's own rules (`qa.answer.empty_words`) know what its prompt asks for. The prompt of the
engine asks the model to "indicate" that "none of the sources are helpful", which is said in other
words; without these a refusal of the engine would count as a wrong answer.
"""

import re

from eval.bench.marked_text import without_markers
from qa.answer.empty_words import declines, says_nothing
from qa.documents.sentences import segment
from qa.text.facts import folded
from qa.types import Document

EMPTY_RESPONSE = "Empty Response"
"""What llama-index answers if nothing was retrieved."""

_SOURCES = r"(?:(?:the|these|this|any|all|provided|given|available|above|of)\s+)*sources?"
_SOURCES += r"(?:\s+(?:provided|given|above|available))?"
_INTRODUCTION = re.compile(
    r"^\W*(?:answer:\W*)?"
    r"(?:(?:(?:i am|i'm)\s+)?(?:very\s+)?(?:sorry|afraid)|unfortunately|i apologi[sz]e)?\W*"
    r"(?:(?:but|that)\s+)?"
    rf"(?:(?:based (?:solely |only )?on|according to|from|in)\s+{_SOURCES}\W+)?",
    re.IGNORECASE,
)
"""An apology and "Based on the provided sources,", each of which may be missing."""
_NOT = r"(?:\s+not|n't)"
_LACKS = re.compile(
    # "None of the provided sources mention the price."
    rf"none of {_SOURCES}\b"
    # "The sources provided do not mention the price." "The sources are not helpful."
    rf"|{_SOURCES}\s+(?:do(?:es)?{_NOT}\s+(?:\w+ly\s+)?"
    r"(?:mention|contain|provide|specify|state|include|say|give|answer|tell|indicate|address|have)"
    rf"|(?:is|are){_NOT}\s+(?:helpful|useful|relevant|sufficient))\b"
    # "There is no information about the price."
    r"|there (?:is|are) no (?:\w+ )?(?:information|mention|details?|answer|evidence|data)"
    r"(?:\W*$|\s+(?:about|available|concerning|for|given|in|of|on|provided|regarding|that|to)\b)"
    # "I cannot answer this." "It is not possible to say who paid."
    r"|(?:i|we) (?:cannot|can't|could not|couldn't|am (?:unable|not able) to)\s+"
    r"(?:answer|find|determine|provide|say|tell|give)\b"
    r"|it is (?:not possible|impossible) to (?:answer|determine|say|tell)\b",
    re.IGNORECASE,
)
"""How models refuse with the prompt of the engine; matched after the introduction."""


def is_refusal(text: str) -> bool:
    """Returns whether an answer says that the sources do not answer the question.

    The whole text decides, and its first sentence: "It cost 48 million [1]. Its length is not
    mentioned in the sources." is an answer.
    """
    if text == EMPTY_RESPONSE:
        return True
    clean = without_markers(text)
    if declines(clean):
        return True
    plain = folded(clean)
    introduction = _INTRODUCTION.match(plain)
    rest = plain[introduction.end() :] if introduction else plain
    if _LACKS.match(rest):
        return True
    return says_nothing(clean) and says_nothing(_first_sentence(clean))


def _first_sentence(text: str) -> str:
    document = Document("", "", "", text)
    for sentence in segment(document):
        return document.text_of(sentence.span)
    return text
