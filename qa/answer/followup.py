"""A follow-up question becomes one that stands alone, by rule: what it leaves out comes from the turns before."""

import re
from collections.abc import Sequence

from qa.text.words import STOPWORDS, words
from qa.types import Turn

_PERSON = re.compile(r"\b(he|she|him|her|his|hers)\b(?!['’])", re.IGNORECASE)
_THING = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|that|these|those|there|ones?|both|others?|the same)\b(?!['’])",
    re.I,
)
_OPENING = re.compile(
    r"^\s*(?:and|but|or|so|then|also|what about|how about|what else|who else)\b", re.I
)
_NAME = re.compile(r"\b[A-Z][\w’'-]*(?:\s+(?:of|the|and|for)?\s*[A-Z][\w’'-]*)*")
_NO_PERSON = re.compile(
    r"\w{3,}(?:ian|ican|ish|ese|stani|raqi|sraeli)|German|\w+day|January|February|March|April|June|July|August|"
    r"September|October|November|December|I|The|US|UK|EU|UN"
)
_ASKING = frozenset(
    "who what when where why how which did does do is are was were can could has have".split()
)
_GENERIC = STOPWORDS | frozenset(
    """affect bad best better common compare describe difference different effect example explain good happen important
    interesting kind know like main make many mean more most much ok okay other reason same thing think type use used
    want way work""".split()
)
"""Words that a question may have without telling what it is about."""
FEW = 3
"""A question that tells of fewer things than this may lean on the ones before it."""


def forms(question: str, history: Sequence[Turn]) -> tuple[str, ...]:
    """The ways to understand a question after these turns, the likeliest by rule last; the reader chooses.

    A question that nothing came before, or that needs nothing, has one form: itself. In one with a pronoun for a
    person, the last name of the conversation stands for it, and that is the only form. Any other that leans on the
    conversation has two: itself, and with the last question that told what it was about beside it, in parentheses.
    """
    if not history or not leans(question):
        return (question,)
    person = _PERSON.search(question)
    name = _last_name(history)
    if person and name:
        possessive = person.group(1).lower() in ("his", "hers") or _owns(question, person)
        return (
            question[: person.start()]
            + name
            + ("’s" if possessive else "")
            + question[person.end() :],
        )
    return question, f"{question.rstrip()} ({_anchor(history)})"


def leans(question: str) -> bool:
    """Whether a question points back, opens as a continuation, or tells of too few things to stand alone."""
    told = [word for word in words(question) if word not in _GENERIC]
    pointing = _PERSON.search(question) or _THING.search(question) or _OPENING.match(question)
    return bool(pointing) or len(told) < FEW


def _anchor(history: Sequence[Turn]) -> str:
    """The last question that stood alone; where none did, the first."""
    alone = [turn.question.strip() for turn in history if not leans(turn.question)]
    return alone[-1] if alone else history[0].question.strip()


def _owns(question: str, pronoun: re.Match[str]) -> bool:
    """Whether "her" stands before a noun."""
    return pronoun.group(1).lower() == "her" and bool(re.match(r"\s+\w", question[pronoun.end() :]))


def _last_name(history: Sequence[Turn]) -> str | None:
    """Whom the last turns speak of: the answer to "who", else the first name asked about, else the first told."""
    for turn in reversed(history):
        asked, told = _names(turn.question), _names(turn.answer)
        names = (
            [*told, *asked]
            if re.match(r"\s*whom?\b", turn.question, re.IGNORECASE)
            else [*asked, *told]
        )
        if names:
            return names[0]
    return None


def _names(text: str) -> list[str]:
    """Runs of capitalised words; not the one that opens a question, nor nationalities, days and months."""
    found = [
        match
        for match in _NAME.finditer(text)
        if match.group(0).split()[0].casefold() not in _ASKING
    ]
    return [
        match.group(0)
        for match in found
        if (match.start() > 0 or " " in match.group(0)) and not _NO_PERSON.fullmatch(match.group(0))
    ]
