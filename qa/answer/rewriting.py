"""A follow-up question made standalone by a language model, in one short call, and checked."""

import logging
import re
import threading
from collections.abc import Sequence

from qa.answer.generate import spoken
from qa.answer.prompts import rewriting
from qa.errors import LanguageModelError, StoppedError
from qa.llm.client import LanguageModel
from qa.text.facts import named, names, numbers
from qa.text.words import terms
from qa.types import Turn

QUESTION_TOKENS = 80
LONGEST = 400
"""Characters of a rewritten question."""
_LABEL = re.compile(
    r"^(?:(?:standalone|next|rewritten|new|follow-up)\s+)*question\s*:\s*", re.IGNORECASE
)
_log = logging.getLogger(__name__)
_AROUND = "\"“”'* "


def rewritten(
    question: str, history: Sequence[Turn], model: LanguageModel, stop: threading.Event
) -> str | None:
    """The question as the model puts it; None when that does not keep to what was said.

    It must have every name and number of the question and half of its other words at least, and no name or number
    that neither the question nor the conversation has. None too when the model fails: one that thinks for longer says
    nothing here, and answers well. Raises StoppedError, which carries no words.
    """
    try:
        written = "".join(
            spoken(model.stream(rewriting(question, history), QUESTION_TOKENS, stop))
        ).strip()
    except StoppedError as error:
        error.streamed = ""  # a half question is no part of an answer
        raise
    except LanguageModelError as error:
        _log.warning("The question is understood by rule: %s", error)
        return None
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    if len(lines) != 1:
        return None
    form = _LABEL.sub("", lines[0].strip(_AROUND)).strip(_AROUND)
    told = " ".join([question, *(f"{turn.question} {turn.answer}" for turn in history)])
    own = set(terms(question))
    kept = _has(form, question) and _has(told, form) and 2 * len(own & set(terms(form))) >= len(own)
    return form if kept and form and len(form) <= LONGEST else None


def _has(text: str, part: str) -> bool:
    """Whether a text has every name and every number of another."""
    found = numbers(text, ones=True)
    return all(named(name, text) for name in names(part)) and all(
        number.told_by(found) for number in numbers(part)
    )
