"""The kind of thing that a question asks for, and where a sentence has a new thing of that kind."""

import re
from typing import Literal

from qa.text.english import MONTHS, WEEKDAYS
from qa.text.words import words

AnswerKind = Literal["money", "share", "count", "date", "time", "reason", "name", "any"]
WINDOW = 40
"""Characters on either side of such a thing in which the question's other words should stand."""

_QUESTIONS: dict[AnswerKind, str] = {
    "money": r"""
        \bhow[ ]much[ ](?:money|cash|funding|did|does|do|is|was|will|has|have|would)\b.*
        \b(?:money|cost|pa(?:y|id)|invest\w*|worth|spen[dt]|price|earn\w*|fund\w*|loan|
        lend|budget)\b |
        \bhow[ ]much[ ]money\b | \b(?:cost|price|worth|salary|budget|fee)\b""",
    "share": r"""
        \bpercent(?:age)?\b | \bwhat[ ](?:share|proportion|fraction)\b | \bat[ ]what[ ]rate\b""",
    "count": r"""
        \bhow[ ](?:many|much|large|big|long|old|far|tall|often|deep|high|fast|heavy)\b |
        \bnumber[ ]of\b | \bwhat[ ](?:number|amount)\b""",
    "date": r"""\b(?:what|which)[ ](?:year|month|date|decade|century)\b | \bdate\b""",
    "time": r"""\bwhen\b | \b(?:what|which)[ ](?:day|time|weekday)\b""",
    "reason": r"""
        \bwhy\b | \bwhat[ ]for\b | \breasons?\b | \bhow[ ]come\b | \bfor[ ]what[ ]purpose\b |
        \bwhat[ ](?:causes|caused|led|made)\b""",
    "name": r"""
        \bwho(?:m|se)?\b | \bwhere\b |
        \b(?:what|which)[ ](?:\w+[ ])?(?:countr|cit|person|place|compan|state|town|region|province|
        organi[sz]ation|official|nation|agency|team|band|universit|bank|minister)""",
}
"""The words of a question that asks for a kind; the first kind that matches counts."""

_NUMBER = r"""(?:\d[\d.,]*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|
    dozens?|hundreds?|thousands?|millions?|billions?|trillions?|half|twice|once|several|third|
    quarter)\b)"""
_DATE = rf"\b(?:1\d|20)\d\d s?\b | \b(?:{'|'.join(MONTHS)})\b | \b(?:century|centuries)\b"

_ANSWERS: dict[AnswerKind, re.Pattern[str]] = {
    "money": re.compile(
        rf"""[$€£¥]\s?\d[\d.,]* |
            {_NUMBER}[ ](?:\w+[ ])?(?:dollars?|euros?|pounds?|yen|rupees|cents)\b""",
        re.IGNORECASE | re.VERBOSE,
    ),
    "share": re.compile(
        rf"{_NUMBER}\s?(?:%|per[ ]?cent) | \b(?:half|third|quarter|majority|most)\b",
        re.IGNORECASE | re.VERBOSE,
    ),
    "count": re.compile(_NUMBER, re.IGNORECASE | re.VERBOSE),
    "date": re.compile(_DATE, re.VERBOSE),
    "time": re.compile(
        rf"""{_DATE} | \b(?:{"|".join(WEEKDAYS)})\b |
            \b(?:yesterday|today|tomorrow|tonight|decades?|years?|months?|weeks?|days?|morning|
            evening|night|noon|ago|era|BC|AD|recent(?:ly)?|spring|summer|autumn|winter)\b""",
        re.VERBOSE,
    ),
    "reason": re.compile(
        r"""\b(?:because|since|due|so[ ]that|in[ ]order|owing|thanks[ ]to|therefore|hence|result\w*|
            caus\w+|reason\w*|aim\w*|meant|to[ ][a-z]{3,}|for[ ][a-z]+ing|by[ ][a-z]+ing|as|given|
            amid|driv\w+|lead\w*|led|allow\w*|help\w*|could|would|goal|purpose|intend\w*)\b""",
        re.IGNORECASE | re.VERBOSE,
    ),
    # A word with a capital that does not open a sentence.
    "name": re.compile(r"(?<![.!?“\"\n][ ])(?<!^)\b[A-Z][\w’'-]+", re.VERBOSE),
}
"""The words of a sentence that are a thing of a kind."""


def expected_kind(question: str) -> AnswerKind:
    """Returns the kind of thing that a question asks for; "any" when its words do not say."""
    lowered = question.casefold()
    for kind, pattern in _QUESTIONS.items():
        if re.search(pattern, lowered, re.VERBOSE):
            return kind
    return "any"


def spans_of_kind(question: str, kind: AnswerKind, sentence: str) -> list[tuple[int, int]]:
    """Returns where a sentence has things of a kind that the question does not have.

    Each span is the offsets of the thing and of `WINDOW` characters on either side of it.
    """
    if kind == "any":
        return []

    question_words = set(words(question))
    spans = []
    for match in _ANSWERS[kind].finditer(sentence):
        if not question_words.isdisjoint(words(match.group(0))):
            continue
        start = max(0, match.start() - WINDOW)
        end = min(len(sentence), match.end() + WINDOW)
        spans.append((start, end))
    return spans
