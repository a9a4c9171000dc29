"""Makes a follow-up question stand alone: by rule, or with one short call of the language model.

"What did he praise?" becomes "What did Eric Meyer praise?". Retrieval knows no conversation, so
what a question leaves out is put into it from the turns before.
"""

import logging
import re
import threading
from collections.abc import Sequence

from qa.answer.prompts import rewrite_messages
from qa.errors import LanguageModelError, StoppedError
from qa.llm.client import LanguageModel, without_thinking
from qa.text.english import MONTHS, QUESTION_WORDS, STOP_WORDS
from qa.text.facts import missing_names, names
from qa.text.numbers import numbers
from qa.text.words import terms, words
from qa.types import Turn

MAX_QUESTION_TOKENS = 80
MAX_QUESTION_CHARACTERS = 400
MIN_CONTENT_WORDS = 3
"""A question with fewer content words than this may depend on the questions before it."""

_log = logging.getLogger(__name__)

_PERSON_PRONOUN = re.compile(r"\b(he|she|him|her|his|hers)\b(?!['’])", re.IGNORECASE)
_THING_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|that|these|those|there|ones?|both|others?|the same)\b"
    r"(?!['’])",
    re.IGNORECASE,
)
_CONTINUATION = re.compile(
    r"^\s*(?:and|but|or|so|then|also|what about|how about|what else|who else)\b", re.IGNORECASE
)
_ASKS_WHO = re.compile(r"\s*whom?\b", re.IGNORECASE)
_GENERIC_WORDS = STOP_WORDS | frozenset(
    """affect bad best better common compare describe difference different effect example explain
    good happen important interesting kind know like main make many mean more most much ok okay
    other reason same thing think type use used want way work""".split()
)
"""Words that do not show what a question is about."""

_NAME = re.compile(r"\b[A-Z][\w’'-]*(?:\s+(?:(?:of|the|and|for)\s*)?[A-Z][\w’'-]*)*")
# "May" is a first name too.
_OTHER_MONTHS = "|".join(month for month in MONTHS if month != "May")
_NOT_A_PERSON = re.compile(
    r"\w{3,}(?:ian|ican|ish|ese|stani|raqi|sraeli)|German|\w+day"
    rf"|{_OTHER_MONTHS}|I|The|US|UK|EU|UN"
)
"""Nationalities, weekdays, months, and words that are written with a capital anyway."""

_LABEL = re.compile(
    r"^(?:(?:standalone|next|rewritten|new|follow-up)\s+)*question\s*:\s*", re.IGNORECASE
)
"""Models often repeat the prompt's label: "Standalone question: Whom did …"."""
_WRAPPING = "\"“”'* "
"""Quotation marks and Markdown emphasis that models put around the question."""


def standalone_by_rule(question: str, history: Sequence[Turn]) -> tuple[str, ...]:
    """Returns the candidates for the standalone question; the reader chooses.

    `history` is oldest first. Without a history, or for a question that needs none, the only
    candidate is the question. A pronoun for a person is replaced by the name mentioned
    most recently, which gives one candidate too. Any other follow-up has two: the question as it
    is, and the question with the last standalone question in parentheses behind it.
    """
    if not history or not _depends_on_history(question):
        return (question,)
    pronoun = _PERSON_PRONOUN.search(question)
    name = _last_name(history)
    if pronoun and name:
        return (_replace_pronoun(question, pronoun, name),)
    return question, f"{question.rstrip()} ({_last_standalone_question(history)})"


def standalone_by_model(
    question: str, history: Sequence[Turn], model: LanguageModel, stop: threading.Event
) -> str | None:
    """Returns the standalone question that the model writes; None if it fails or changes too much.

    Raises StoppedError, without the words of the half question, once `stop` is set.
    """
    pieces = model.stream(rewrite_messages(question, history), MAX_QUESTION_TOKENS, stop)
    try:
        written = "".join(without_thinking(pieces))
    except StoppedError as error:
        error.streamed = ""  # a half question is not part of an answer
        raise
    except LanguageModelError as error:
        # A model that thinks for longer than this call allows may answer well all the same.
        _log.warning("Rewriting the question by rule: %s", error)
        return None

    lines = [line for line in written.splitlines() if line.strip()]
    if len(lines) != 1:
        return None
    line = lines[0].strip().strip(_WRAPPING)
    rewritten = _LABEL.sub("", line).strip(_WRAPPING)
    return rewritten if _keeps_meaning(rewritten, question, history) else None


def _depends_on_history(question: str) -> bool:
    """Returns whether a question has a pronoun, continues another, or has few content words."""
    if _PERSON_PRONOUN.search(question) or _THING_PRONOUN.search(question):
        return True
    if _CONTINUATION.match(question):
        return True
    content_words = [word for word in words(question) if word not in _GENERIC_WORDS]
    return len(content_words) < MIN_CONTENT_WORDS


def _replace_pronoun(question: str, pronoun: re.Match[str], name: str) -> str:
    before = question[: pronoun.start()]
    after = question[pronoun.end() :]
    word = pronoun[1].lower()
    # "her report" against "ask her".
    her_before_noun = word == "her" and re.match(r"\s+\w", after)
    if word in ("his", "hers") or her_before_noun:
        name += "’s"
    return before + name + after


def _last_standalone_question(history: Sequence[Turn]) -> str:
    """Returns the last question that stands alone; if there is none, the first question."""
    for turn in reversed(history):
        if not _depends_on_history(turn.question):
            return turn.question.strip()
    return history[0].question.strip()


def _last_name(history: Sequence[Turn]) -> str | None:
    """Returns the name that the last turn with any name is about.

    After "Who …?" it is the first name of the answer, otherwise the first name of the question.
    """
    for turn in reversed(history):
        in_question = _person_names(turn.question)
        in_answer = _person_names(turn.answer)
        candidates = in_question + in_answer
        if _ASKS_WHO.match(turn.question):
            candidates = in_answer + in_question
        if candidates:
            return candidates[0]
    return None


def _person_names(text: str) -> list[str]:
    """Returns the runs of capitalised words that may name a person, in order.

    Not the word that opens a question or a sentence, nor nationalities, days and months.
    """
    person_names = []
    for match in _NAME.finditer(text):
        name = match.group(0)
        opens_text = match.start() == 0 and " " not in name
        is_question_word = name.split()[0].casefold() in QUESTION_WORDS
        if not opens_text and not is_question_word and not _NOT_A_PERSON.fullmatch(name):
            person_names.append(name)
    return person_names


def _keeps_meaning(rewritten: str, question: str, history: Sequence[Turn]) -> bool:
    """Returns whether a rewritten question loses nothing of the question and invents nothing.

    It must have every name and number of the question and at least half of its other terms, and
    no name or number that neither the question nor the conversation has.
    """
    if not rewritten or len(rewritten) > MAX_QUESTION_CHARACTERS:
        return False
    parts = [question]
    for turn in history:
        parts += [turn.question, turn.answer]
    conversation = " ".join(parts)

    question_terms = set(terms(question))
    shared_terms = question_terms & set(terms(rewritten))
    return (
        _has_names_and_numbers(rewritten, question)
        and _has_names_and_numbers(conversation, rewritten)
        and 2 * len(shared_terms) >= len(question_terms)
    )


def _has_names_and_numbers(text: str, part: str) -> bool:
    """Returns whether a text has every name and every number of another."""
    if missing_names(names(part), text):
        return False
    available = numbers(text, ones=True)
    return all(number.is_among(available) for number in numbers(part))
