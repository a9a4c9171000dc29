"""A follow-up question becomes one that stands alone, by rule: what it leaves out comes from the last turns."""

import re
from collections.abc import Sequence

from qa.lexical import terms
from qa.types import Turn

_PERSON = re.compile(r"\b(he|she|him|her|his|hers)\b(?!['’])", re.IGNORECASE)
_THING = re.compile(r"\b(it|its|they|them|their|theirs|this|that|these|those|there)\b(?!['’])", re.IGNORECASE)
_OPENING = re.compile(r"^\s*(?:and|but|or|so|then|also|what about|how about|what else|who else|why|when|where)\b", re.I)
_NAME = re.compile(r"\b[A-Z][\w’'-]*(?:\s+(?:of|the|and|for)?\s*[A-Z][\w’'-]*)*")
_NO_PERSON = re.compile(
    r"\w{3,}(?:ian|ican|ish|ese|stani|raqi|sraeli)|German|\w+day|January|February|March|April|June|July|August|September|October|"
    r"November|December|I|The|US|UK|EU|UN"
)
_ASKING = frozenset("who what when where why how which did does do is are was were can could has have".split())
FEW = 3
"""A question with no more meaning words than this may lean on the one before it."""


def standalone(question: str, history: Sequence[Turn]) -> str:
    """The question with what it refers to put in; as it is when nothing came before or it needs nothing.

    A pronoun for a person is replaced by the last name of the conversation; anything else that points back gets the
    previous question beside it, in parentheses.
    """
    if not history or not _leans(question):
        return question
    person = _PERSON.search(question)
    name = _last_name(history)
    if person and name:
        possessive = person.group(1).lower() in ("his", "hers") or _owns(question, person)
        return question[: person.start()] + name + ("’s" if possessive else "") + question[person.end() :]
    return f"{question.rstrip()} ({history[-1].question.strip()})"


def _leans(question: str) -> bool:
    pointing = _PERSON.search(question) or _THING.search(question)
    brief = _OPENING.match(question) and len(terms(question)) <= FEW
    return bool(pointing or brief or len(terms(question)) < FEW)


def _owns(question: str, pronoun: re.Match[str]) -> bool:
    """Whether "her" stands before a noun."""
    return pronoun.group(1).lower() == "her" and bool(re.match(r"\s+\w", question[pronoun.end() :]))


def _last_name(history: Sequence[Turn]) -> str | None:
    """Whom the last turns speak of: the answer to "who", else the first name asked about, else the first told."""
    for turn in reversed(history):
        asked, told = _names(turn.question), _names(turn.answer)
        names = [*told, *asked] if re.match(r"\s*whom?\b", turn.question, re.IGNORECASE) else [*asked, *told]
        if names:
            return names[0]
    return None


def _names(text: str) -> list[str]:
    """Runs of capitalised words; not the one that opens a question, nor nationalities, days and months."""
    found = [match for match in _NAME.finditer(text) if match.group(0).split()[0].casefold() not in _ASKING]
    return [
        match.group(0)
        for match in found
        if (match.start() > 0 or " " in match.group(0)) and not _NO_PERSON.fullmatch(match.group(0))
    ]
