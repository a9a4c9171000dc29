"""What kind of thing a question asks for, and where a sentence has one that the question does not have."""

import re
from typing import Literal

from qa.text.words import words

Expected = Literal["money", "share", "count", "date", "time", "reason", "name", "any"]

_ASKS: dict[Expected, str] = {
    "money": r"""\bhow[ ]much[ ](?:money|cash|funding|did|does|do|is|was|will|has|have|would)\b.*
        \b(?:money|cost|pa(?:y|id)|invest\w*|worth|spen[dt]|price|earn\w*|fund\w*|loan|lend|budget)\b |
        \bhow[ ]much[ ]money\b | \b(?:cost|price|worth|salary|budget|fee)\b""",
    "share": r"\bpercent(?:age)?\b | \bwhat[ ](?:share|proportion|fraction)\b | \bat[ ]what[ ]rate\b",
    "count": r"""\bhow[ ](?:many|much|large|big|long|old|far|tall|often|deep|high|fast|heavy)\b | \bnumber[ ]of\b |
        \bwhat[ ](?:number|amount)\b""",
    "date": r"\b(?:what|which)[ ](?:year|month|date|decade|century)\b | \bdate\b",
    "time": r"\bwhen\b | \b(?:what|which)[ ](?:day|time|weekday)\b",
    "reason": r"""\bwhy\b | \bwhat[ ]for\b | \breasons?\b | \bhow[ ]come\b | \bfor[ ]what[ ]purpose\b |
        \bwhat[ ](?:causes|caused|led|made)\b""",
    "name": r"""\bwho(?:m|se)?\b | \bwhere\b | \b(?:what|which)[ ](?:\w+[ ])?(?:countr|cit|person|place|compan|state|
        town|region|province|organi[sz]ation|official|nation|agency|team|band|universit|bank|minister)""",
}
"""What a question says when it asks for something of a kind; the first that fits counts."""
_LOOSE = re.IGNORECASE | re.VERBOSE
_NUMBER = r"""(?:\d[\d.,]*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|
    thousands?|millions?|billions?|trillions?|half|twice|once|several|third|quarter)\b)"""
_DATE = r"""\b(?:1\d|20)\d\d s?\b | \b(?:January|February|March|April|May|June|July|August|September|October|November|
    December)\b | \b(?:century|centuries)\b"""
_FITS: dict[Expected, re.Pattern[str]] = {
    "money": re.compile(
        rf"[$€£¥]\s?\d[\d.,]* | {_NUMBER}[ ](?:\w+[ ])?(?:dollars?|euros?|pounds?|yen|rupees|cents)\b",
        _LOOSE,
    ),
    "share": re.compile(
        rf"{_NUMBER}\s?(?:%|per[ ]?cent) | \b(?:half|third|quarter|majority|most)\b", _LOOSE
    ),
    "count": re.compile(_NUMBER, _LOOSE),
    "date": re.compile(_DATE, re.VERBOSE),
    "time": re.compile(
        rf"""{_DATE} | \b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b | \b(?:yesterday|today|tomorrow|tonight|
            decades?|years?|months?|weeks?|days?|morning|evening|night|noon|ago|era|BC|AD|recent(?:ly)?|spring|summer|
            autumn|winter)\b""",
        re.VERBOSE,
    ),
    "reason": re.compile(
        r"""\b(?:because|since|due|so[ ]that|in[ ]order|owing|thanks[ ]to|therefore|hence|result\w*|caus\w+|
            reason\w*|aim\w*|meant|to[ ][a-z]{3,}|for[ ][a-z]+ing|by[ ][a-z]+ing|as|given|amid|driv\w+|lead\w*|led|
            allow\w*|help\w*|could|would|goal|purpose|intend\w*)\b""",
        _LOOSE,
    ),
    "name": re.compile(r"(?<![.!?“\"\n][ ])(?<!^)\b[A-Z][\w’'-]+", re.VERBOSE),
}
WINDOW = 40
"""Characters on either side of a thing of the kind asked for in which the question's other words should stand."""


def expected(question: str) -> Expected:
    """What a question asks for; "any" when its words do not tell."""
    lowered = question.casefold()
    return next(
        (kind for kind, pattern in _ASKS.items() if re.search(pattern, lowered, re.VERBOSE)), "any"
    )


def fitting(question: str, kind: Expected, sentence: str) -> list[tuple[int, int]]:
    """Where the sentence has something of the kind that the question does not have: offsets, with what is around."""
    if kind == "any":
        return []
    asked = set(words(question))
    return [
        (max(0, match.start() - WINDOW), min(len(sentence), match.end() + WINDOW))
        for match in _FITS[kind].finditer(sentence)
        if not set(words(match.group(0))) & asked
    ]
