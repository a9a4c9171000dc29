"""Makes a follow-up question stand alone: by rule, or with one short call of the language model.

"What did he praise?" becomes "What did Eric Meyer praise?". Retrieval knows no conversation, so
what a question leaves out is put into it from the turns before.
"""

import logging
import re
import threading
from collections.abc import Sequence

from qa.answer.completeness import PERSON_PRONOUN, completeness, content_words
from qa.answer.prompts import rewrite_messages
from qa.answer.substitute import replace_pronoun, substituted
from qa.errors import LanguageModelError, StoppedError
from qa.llm.model import LanguageModel, without_thinking
from qa.text.english import MONTHS, QUESTION_WORDS
from qa.text.facts import missing_names, names_in
from qa.text.numbers import numbers_in
from qa.text.words import terms
from qa.types import Turn

MAX_QUESTION_TOKENS = 80
MAX_QUESTION_CHARACTERS = 400
_log = logging.getLogger(__name__)

_ASKS_WHO = re.compile(r"\s*whom?\b", re.IGNORECASE)
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
    """Returns the forms in which a question may stand alone, the likeliest first.

    `history` is oldest first.

    | question                              | forms                                    |
    |---------------------------------------|------------------------------------------|
    | complete, or without a history        | the question                             |
    | incomplete, with a person's pronoun   | the question with the last person's name |
    | incomplete, `substituted` completes it | completed; with the last question       |
    | incomplete                            | with the last question; the question     |
    | unsure                                | the question; with the last question     |

    "With the last question" has it in parentheses behind the question.
    """
    kind = completeness(question) if history else "complete"
    if kind == "complete":
        return (question,)
    pronoun = PERSON_PRONOUN.search(question)
    name = _last_name(history) if kind == "incomplete" and pronoun else None
    if pronoun and name:
        return (replace_pronoun(question, pronoun, name),)

    previous_question = last_standalone_question(history)
    appended = f"{question.rstrip()} ({_topic(history, previous_question)})"
    if kind == "unsure":
        return question, appended
    completed = substituted(question, previous_question)
    return (completed, appended) if completed else (appended, question)


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
    if _adds_last_subject(rewritten, question, history):
        return None
    return rewritten if _keeps_meaning(rewritten, question, history) else None


def forms_with_model(question: str, rewritten: str) -> tuple[str, ...]:
    """Returns the forms of a question that a model rewrote, the likeliest first.

    A question that may be complete is read as it is too.
    """
    if rewritten != question and completeness(question) == "unsure":
        return question, rewritten
    return (rewritten,)


def last_standalone_question(history: Sequence[Turn]) -> str:
    """Returns the last question, completed as far as the rules can; at worst the first question."""
    # Of the last question that may stand alone; the rules complete what follows it.
    first_index = 0
    for index, turn in enumerate(history):
        if completeness(turn.question) != "incomplete":
            first_index = index
    question = history[first_index].question.strip()
    for turn in history[first_index + 1 :]:
        question = substituted(turn.question, question) or question
    return question


def _topic(history: Sequence[Turn], previous_question: str) -> str:
    """Returns the last question that is complete: it names more of what the conversation is about.

    Without a complete question, returns `previous_question`.
    """
    for turn in reversed(history):
        if completeness(turn.question) == "complete":
            return turn.question.strip()
    return previous_question


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
        before = text[max(0, match.start() - 2) : match.start()].rstrip()
        opens_sentence = not before or before[-1] in ".?!"
        opens_text = opens_sentence and " " not in name
        is_question_word = name.split()[0].casefold() in QUESTION_WORDS
        if not opens_text and not is_question_word and not _NOT_A_PERSON.fullmatch(name):
            person_names.append(name)
    return person_names


def _adds_last_subject(rewritten: str, question: str, history: Sequence[Turn]) -> bool:
    """Returns whether a rewritten question asks for the last subject too, without need.

    To a complete question it must add no term of the conversation. To a question that may be
    complete it must not add every term of the last question: "Who is the landlord, and how much
    is the rent?"
    """
    kind = completeness(question)
    if kind == "incomplete" or not history:
        return False
    added_words = set(content_words(rewritten)) - set(content_words(question))
    if kind == "complete":
        conversation = " ".join(f"{turn.question} {turn.answer}" for turn in history)
        return not added_words.isdisjoint(content_words(conversation))
    last_words = set(content_words(history[-1].question))
    return bool(last_words) and last_words <= added_words


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
    if missing_names(names_in(part), text):
        return False
    available = numbers_in(text, include_ones=True)
    return all(number.is_among(available) for number in numbers_in(part))
