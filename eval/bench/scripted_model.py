"""A language model that is a rule, the same for both sides: it copies a sentence of what it is shown, and cites it.

So the words of the answers differ only as far as what was shown differs, and citations are compared at equal words.
"""

import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from llama_index.core.llms import CompletionResponse, CompletionResponseGen, CustomLLM, LLMMetadata

from qa.answer.prompts import DECLINE_SENTENCE
from qa.documents.sentences import segment
from qa.llm.client import Message
from qa.text.words import terms
from qa.types import Document

NAME = "scripted/most-like"
CONTEXT = 1_000_000
"""Tokens: whatever was retrieved is shown at once, to both sides."""
_PASSAGE = re.compile(r'<passage id="(\w+)" title="[^"\n]*">\n(.*?)\n</passage>', re.DOTALL)
_QUESTION = "\n\nQuestion: "
_SHOWN = "sources of information:\n------\n"
"""What stands before the sources in `CitationQueryEngine`'s prompt, behind its example; then what stands after."""
_QUERY = "\n------\nQuery: "
_ANSWER = "\nAnswer:"


def most_like(question: str, sources: Sequence[tuple[str, str]]) -> str:
    """The sentence that shares most words with the question, and the id of its source in brackets.

    `sources` are ids and texts. Words count by their stems, once each, and only those that carry meaning; of equals
    the sentence shown first is taken. Where no word is shared, it declines in the words that Footnote's prompt asks
    for.
    """
    asked = set(terms(question))
    best, said = 0, DECLINE_SENTENCE
    for key, text in sources:
        for sentence in segment(Document("", "", "", text)):
            words = text[sentence.span.start : sentence.span.end]
            shared = len(asked & set(terms(words)))
            if shared > best:
                best, said = shared, f"{' '.join(words.split())} [{key}]"
    return said


class ScriptedModel:
    """The rule as Footnote's generative engine asks a language model (`qa.llm.client.LanguageModel`)."""

    name = NAME

    def context_size(self, stop: threading.Event) -> int:  # noqa: ARG002  # the protocol's
        return CONTEXT

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def stream(
        self,
        messages: Sequence[Message],
        most: int,  # noqa: ARG002  # the protocol's
        stop: threading.Event,  # noqa: ARG002  # the same
    ) -> Iterator[str]:
        """All words at once. Raises ValueError for a prompt that asks for anything but an answer."""
        shown, mark, question = messages[-1].content.rpartition(_QUESTION)
        if not mark:
            raise ValueError(f"{NAME} only answers from passages")
        yield most_like(question, _PASSAGE.findall(shown))


class ScriptedLlm(CustomLLM):
    """The same as llama-index's `CitationQueryEngine` asks a language model."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=CONTEXT, model_name=NAME)

    def complete(
        self,
        prompt: str,
        formatted: bool = False,  # noqa: ARG002  # the base class's
        **options: Any,  # noqa: ARG002  # the same
    ) -> CompletionResponse:
        """Raises ValueError for a prompt that asks for anything but an answer with citations."""
        _, mark, rest = prompt.partition(_SHOWN)
        shown, asks, query = rest.rpartition(_QUERY)
        if not (mark and asks):
            raise ValueError(f"{NAME} only answers from numbered sources")
        return CompletionResponse(text=most_like(query.rpartition(_ANSWER)[0], _numbered(shown)))

    def stream_complete(
        self, prompt: str, formatted: bool = False, **options: Any
    ) -> CompletionResponseGen:
        whole = self.complete(prompt, formatted, **options)
        yield CompletionResponse(text=whole.text, delta=whole.text)


def _numbered(shown: str) -> list[tuple[str, str]]:
    """The sources of a prompt by their numbers, which go up by one from 1."""
    found: list[tuple[str, str]] = []
    rest = shown.partition("Source 1:\n")[2]
    while rest:
        number = len(found) + 1
        text, _, rest = rest.partition(f"\nSource {number + 1}:\n")
        found.append((str(number), text.strip()))
    return found
