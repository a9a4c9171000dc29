"""Replies to what is not a question about the documents: greetings, thanks, "What can I ask?".

The rules take whole utterances, never keywords: "Thanks to whom was the bridge built?" is an
ordinary question. A reply cites nothing, so it says nothing that a document would have to prove.
"""

import re
from collections.abc import Sequence

from qa.answer.utterances import (
    ADDRESSEES,
    LEFT_OUT,
    ONLY_FIRST,
    SAME_WORDS,
    UTTERANCES,
    UtteranceKind,
)
from qa.library.catalog import Entry
from qa.types import NO_DOCUMENTS, Turn

MAX_UTTERANCE = 120
"""Characters. What is longer has content."""
MAX_WORDS = 12
"""Words without punctuation between them."""
MAX_TITLES = 20
"""Titles that are listed; the others are counted."""
MAX_NAMED = 3
"""Titles that the reply to "What can I ask?" names, and examples that it gives."""
MAX_LINE = 160
"""Characters of a title or an example that are shown."""

HELLO = "Hello. Ask a question about your documents."
WELCOME = "You're welcome. Ask the next question at any time."
AGREED = "All right. Ask the next question at any time."
GOODBYE = "Goodbye. Your documents stay in the library."
IDENTITY = (
    "I am Footnote, a program that answers questions from your documents and from nothing else. "
    "Each sentence of an answer has a footnote that shows the source's words."
)
ASK = (
    "Ask for a fact in your documents: a name, a number, a date, a place, a reason. "
    "Each sentence of an answer has a footnote that shows the source's words. "
    "If your documents do not answer, I say so."
)
CHECK = (
    "Open the footnotes of the answer: each footnote shows the source's words in their document, "
    "so that you can compare them. I cannot know whether a document itself is right."
)

_BEFORE_OTHERS = ("greeting", "thanks", "agreement", "farewell")
"""Kinds that may precede another utterance without a comma: "ok thanks bye"."""
_BY_IMPORTANCE: tuple[UtteranceKind, ...] = (
    "documents",
    "ask",
    "identity",
    "check",
    "greeting",
    "farewell",
    "thanks",
    "agreement",
)
"""Of several utterances, the reply is to the first of these kinds."""
_PUNCTUATION = re.compile(r"[^\w\s]+|_+|\n")
_APOSTROPHE = re.compile(r"(?<=\w)['’`´](?=\w)")
_LONG_LETTER = re.compile(r"([a-z])\1{2,}")
"""As in "hellooo"."""


def conversation_reply(
    question: str, history: Sequence[Turn], documents: Sequence[Entry]
) -> str | None:
    """Returns the reply to an utterance that asks nothing of the documents; None for a question.

    history: the earlier turns without small talk. documents: those that questions are answered
    from. The reply may have several lines.
    """
    kind = utterance_kind(question, has_answer=bool(history))
    if kind is None:
        return None
    if kind == "documents":
        return _documents_reply(documents)
    if kind == "ask":
        return "\n".join([ASK, *_examples(documents)])
    if kind == "identity":
        return f"{IDENTITY}\n{_documents_line(documents)}"
    if kind == "greeting":
        return f"{HELLO}\n{_documents_line(documents)}"
    return {"check": CHECK, "thanks": WELCOME, "farewell": GOODBYE}.get(kind, AGREED)


def without_small_talk(history: Sequence[Turn]) -> list[Turn]:
    """Returns the turns that a follow-up question can lean on."""
    questions: list[Turn] = []
    for turn in history:
        if utterance_kind(turn.question, has_answer=bool(questions)) is None:
            questions.append(turn)
    return questions


def utterance_kind(text: str, has_answer: bool) -> UtteranceKind | None:
    """Returns what a text says to the program; None: it is a question about the documents.

    has_answer: whether an answer came before. "Is that true?" needs an answer.
    """
    if len(text) > MAX_UTTERANCE:
        return None
    kinds: set[UtteranceKind] = set()
    for part in _PUNCTUATION.split(_APOSTROPHE.sub("", text.casefold())):
        words = _normal_words(part)
        # An addressee may follow a comma: "Good morning, Footnote."
        if not words or (len(words) == 1 and words[0] in ADDRESSEES):
            continue
        part_kinds = _kinds_of(words, has_answer)
        if not part_kinds:
            return None
        kinds |= part_kinds
    for kind in _BY_IMPORTANCE:
        if kind in kinds:
            return kind
    return None


def _normal_words(part: str) -> list[str]:
    """Returns the words of a part of an utterance as `UTTERANCES` has them."""
    words: list[str] = []
    for word in _LONG_LETTER.sub(r"\1", part).split():
        same = SAME_WORDS.get(word, word)
        words += same.split()
    return [word for word in words if word not in LEFT_OUT]


def _kinds_of(words: Sequence[str], has_answer: bool) -> set[UtteranceKind]:
    """Returns the kinds of the utterances that these words consist of; empty: of others too."""
    kind = _kind_of(words, has_answer)
    if kind:
        return {kind}
    # The ways to cut many words are too many to try.
    if len(words) > MAX_WORDS:
        return set()
    # The longest first: "thank you very much" and not "thank you".
    for end in range(len(words) - 1, 0, -1):
        first = _kind_of(words[:end], has_answer)
        if first in _BEFORE_OTHERS:
            following = _kinds_of(words[end:], has_answer)
            if following:
                return {first, *following}
    return set()


def _kind_of(words: Sequence[str], has_answer: bool) -> UtteranceKind | None:
    utterance = " ".join(words)
    if utterance in ONLY_FIRST:
        return None if has_answer else "ask"

    kind = _KINDS.get(utterance)
    if kind is None and words[-1] in ADDRESSEES:
        kind = _KINDS.get(" ".join(words[:-1]))
        return kind if kind in _BEFORE_OTHERS else None
    if kind == "check" and not has_answer:
        return None
    return kind


def _documents_reply(documents: Sequence[Entry]) -> str:
    if not documents:
        return NO_DOCUMENTS
    heading = f"I answer from {_count(documents)}:"
    lines = [f"- {_line(document.title)}" for document in documents[:MAX_TITLES]]
    further = len(documents) - MAX_TITLES
    if further > 0:
        lines.append(f"and {further} more.")
    return "\n".join([heading, *lines])


def _documents_line(documents: Sequence[Entry]) -> str:
    """Returns a sentence that names some documents."""
    if not documents:
        return NO_DOCUMENTS
    titles = "; ".join(_line(document.title) for document in documents[:MAX_NAMED])
    further = len(documents) - MAX_NAMED
    if further > 0:
        titles = f"{titles}; and {further} more"
    return f"I answer from {_count(documents)}: {titles}."


def _examples(documents: Sequence[Entry]) -> list[str]:
    """Returns lines that name some documents, and examples of questions if documents have them."""
    lines = [_documents_line(documents)]
    examples: list[str] = []
    for document in documents:
        examples += document.examples
    if examples:
        lines.append("For example:")
        lines += [f"- {_line(example)}" for example in examples[:MAX_NAMED]]
    return lines


def _count(documents: Sequence[Entry]) -> str:
    return "1 document" if len(documents) == 1 else f"{len(documents)} documents"


def _line(text: str) -> str:
    """Returns a text on one line, a long one cut."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_LINE else f"{line[: MAX_LINE - 1].rstrip()}…"


def _by_utterance() -> dict[str, UtteranceKind]:
    kinds: dict[str, UtteranceKind] = {}
    for kind, lines in UTTERANCES.items():
        for utterance in lines.split("|"):
            words = " ".join(utterance.split())
            kinds[words] = kind
    return kinds


_KINDS = _by_utterance()
