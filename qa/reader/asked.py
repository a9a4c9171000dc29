"""The words of a question that name what it asks for: "population" in "What is its population?".

They stand behind the question word. A sentence that has everything but them answers another
question.
"""

import re

from qa.text.english import STOP_WORDS
from qa.types import Span

MAX_WORDS = 4
_WORD = re.compile(r"[^\W_][\w-]*")
_POSSESSIVE = re.compile(r"['’]s\b")
_QUESTION_WORD = re.compile(
    r"\b(?:what|which|who(?:m|se)?|when|where|why|how(?: (?:many|much|long|often))?)\b",
    re.IGNORECASE,
)


def asked_words(question: str) -> tuple[Span, ...]:
    """Returns the words that carry meaning next behind the question word, in order.

    Without a question word, those at the beginning. "Sven Jansen's extension" is one group of
    words; any other word without meaning ends the group.
    """
    opening = _QUESTION_WORD.search(question)
    start = opening.end() if opening else 0
    joined = _POSSESSIVE.sub(lambda match: " " * len(match[0]), question)

    found: list[Span] = []
    for match in _WORD.finditer(joined, start):
        is_stop_word = match[0].casefold() in STOP_WORDS
        if is_stop_word and found:
            break
        if not is_stop_word:
            found.append(Span(match.start(), match.end()))
    return tuple(found[:MAX_WORDS])
