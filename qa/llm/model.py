"""What the stages of an answer need of a language model: the protocol and its messages.

Also counts the tokens of prompts and answers, and removes the reasoning from a streamed answer.
"""

import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from qa.types import Usage

MESSAGE_TOKENS = 8
"""About what a chat template adds to a message."""
THINKING_BEGINS, THINKING_ENDS = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a prompt: instructions, a person's words, or an earlier answer."""

    role: Literal["system", "user", "assistant"]
    content: str


class LanguageModel(Protocol):
    """Answers a prompt in its own words."""

    @property
    def name(self) -> str: ...

    def context_size(self, stop: threading.Event) -> int:
        """Returns the tokens that prompt and answer may have together.

        Asks the server on first use. Raises StoppedError once `stop` is set.
        """

    def count_tokens(self, text: str) -> int:
        """Returns the tokens of a text, rather too many than too few."""

    def stream(
        self, messages: Sequence[Message], max_tokens: int, stop: threading.Event
    ) -> Iterator[str]:
        """Yields the words of an answer of at most `max_tokens` tokens as they arrive.

        Raises StoppedError once `stop` is set and LanguageModelError for any failure, both with
        the words that had arrived.
        """


class CountingModel:
    """A language model that counts the tokens of its prompts and answers, for one question."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._prompts: list[Message] = []
        self._answers: list[str] = []

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def was_called(self) -> bool:
        return bool(self._prompts)

    @property
    def usage(self) -> Usage:
        answer_tokens = sum(self.count_tokens(answer) for answer in self._answers)
        return Usage(prompt_tokens(self, self._prompts), answer_tokens)

    def context_size(self, stop: threading.Event) -> int:
        return self._model.context_size(stop)

    def count_tokens(self, text: str) -> int:
        return self._model.count_tokens(text)

    def stream(
        self, messages: Sequence[Message], max_tokens: int, stop: threading.Event
    ) -> Iterator[str]:
        self._prompts += messages
        self._answers.append("")
        for piece in self._model.stream(messages, max_tokens, stop):
            self._answers[-1] += piece
            yield piece


def prompt_tokens(model: LanguageModel, messages: Sequence[Message]) -> int:
    """Returns how many tokens of the model's context these messages take."""
    return sum(model.count_tokens(message.content) + MESSAGE_TOKENS for message in messages)


def without_thinking(pieces: Iterable[str]) -> Generator[str, None, None]:
    """Yields a streamed answer without its leading `<think>…</think>`.

    Reasoning models (DeepSeek-R1, QwQ) write their reasoning there; some servers leave it in.
    """
    held_back, answering = "", False
    for piece in pieces:
        if answering:
            yield piece
            continue
        held_back += piece
        opening = held_back.lstrip()[: len(THINKING_BEGINS)]
        if opening == THINKING_BEGINS and THINKING_ENDS in held_back:
            answering = True
            yield held_back.split(THINKING_ENDS, 1)[1].lstrip()
        elif not THINKING_BEGINS.startswith(opening):
            answering = True
            yield held_back
    if not answering and not held_back.lstrip().startswith(THINKING_BEGINS):
        yield held_back
