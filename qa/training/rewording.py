"""Asks a question as people type it: as search words, with a slip, without capitals, politely.

Also makes yes-or-no questions of statements. Nothing here changes what a question asks for, so its
answers stay the same.
"""

import random
import re

from qa.text.english import STOP_WORDS

SHARE_REWORDED = 0.4
"""Questions that are not asked as they were written."""
MIN_SLIP_LETTERS = 5
"""A shorter word gets no slip of the keyboard: it would become another word."""
MIN_SEARCH_WORDS = 2
MAX_SUBJECT_WORDS = 6
"""Words before the verb of a statement that is turned into a question."""
_OPENINGS = (
    "Could you tell me: {question}",
    "I would like to know {question}",
    "Hi, a quick question. {question}",
    "Sorry to ask again, but {question}",
    "A colleague wants to know: {question} Thanks!",
    "{question} I could not find it.",
)
_STATEMENT = re.compile(
    r"^(?P<subject>[^,;:.]+?) (?P<verb>is|was|are|were|can|could|will|would|has been|have been)"
    r" (?P<rest>.+?)[.!]?$"
)
_WORD = re.compile(r"[^\W\d_]+")
_LOWERED = frozenset("The A An This That These Those It He She They His Her Its Their".split())
"""First words of a statement that lose their capital inside a question."""


def reworded(question: str, rng: random.Random) -> str:
    """Returns the question, or in some cases what a person would type for it."""
    if rng.random() >= SHARE_REWORDED:
        return question
    ways = (_as_search_words, _with_slip, _without_capitals, _politely)
    way = rng.choices(ways, weights=(3, 2, 3, 2))[0]
    return way(question, rng)


def yes_no_question(statement: str) -> str | None:
    """Returns whether a statement holds as a question; None for a statement of another form."""
    match = _STATEMENT.match(statement.strip())
    if not match:
        return None
    subject_words = match["subject"].split()
    if len(subject_words) > MAX_SUBJECT_WORDS:
        return None
    if subject_words[0] in _LOWERED:
        subject_words[0] = subject_words[0].lower()

    # "has been" parts: "Has it been …".
    first_verb, *other_verbs = match["verb"].split()
    words = [first_verb.capitalize(), *subject_words, *other_verbs, match["rest"]]
    return " ".join(words) + "?"


def _as_search_words(question: str, rng: random.Random) -> str:
    search_words = []
    for word in question.rstrip("?. ").split():
        bare = word.strip("'\",").casefold()
        if bare not in STOP_WORDS:
            search_words.append(word)
    if len(search_words) < MIN_SEARCH_WORDS:
        return question
    if rng.random() < 0.3:
        # People name the thing first and then what they want of it, or the other way round.
        index = rng.randrange(1, len(search_words))
        search_words = search_words[index:] + search_words[:index]
    return " ".join(search_words).casefold()


def _with_slip(question: str, rng: random.Random) -> str:
    long_words = []
    for match in _WORD.finditer(question):
        if len(match[0]) >= MIN_SLIP_LETTERS:
            long_words.append(match)
    if not long_words:
        return question
    match = rng.choice(long_words)
    word = match[0]
    index = rng.randrange(1, len(word) - 1)
    left = word[:index]
    letter = word[index]
    right = word[index + 1 :]
    slips = (
        left + right,
        left + letter + letter + right,
        left + right[0] + letter + right[1:],
    )
    slip = rng.choice(slips)
    return question[: match.start()] + slip + question[match.end() :]


def _without_capitals(question: str, rng: random.Random) -> str:
    lowered = question.casefold()
    return lowered.rstrip("?") if rng.random() < 0.7 else lowered


def _politely(question: str, rng: random.Random) -> str:
    opening = rng.choice(_OPENINGS)
    return opening.format(question=question)
