"""A language model that is a rule, the same for both sides: it copies one sentence and cites it.

So the answers differ only if the passages differ, and citations are compared at equal words.
"""

import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from llama_index.core.llms import CompletionResponse, CompletionResponseGen, CustomLLM, LLMMetadata

from qa.answer.prompts import DECLINE_SENTENCE
from qa.documents.sentences import segment
from qa.llm.model import Message
from qa.text.words import terms
from qa.types import Document

NAME = "scripted/most-similar"
Source = tuple[str, str]
"""The id and the text of a passage."""
CONTEXT_TOKENS = 1_000_000
"""Large enough to show everything retrieved at once, to both sides."""
_PASSAGE = re.compile(r'<passage id="(\w+)" title="[^"\n]*">\n(.*?)\n</passage>', re.DOTALL)
_QUESTION = "\n\nQuestion: "
_BEFORE_SOURCES = "sources of information:\n------\n"
"""In the prompt of `CitationQueryEngine`, before the sources and behind its example."""
_BEFORE_QUERY = "\n------\nQuery: "
_AFTER_QUERY = "\nAnswer:"


def most_similar_sentence(question: str, sources: Sequence[Source]) -> str:
    """Returns the sentence that shares most words with the question, and the id of its source.

    Words count once, by their stems, without stop words; the first of equal sentences wins. If no
    word is shared, the sentence declines as Footnote's prompt asks.
    """
    question_terms = set(terms(question))
    most = 0
    answer = DECLINE_SENTENCE
    for source_id, text in sources:
        document = Document("", "", "", text)
        for sentence in segment(document):
            words = document.text_of(sentence.span)
            shared = question_terms & set(terms(words))
            if len(shared) > most:
                most = len(shared)
                # Footnote's prompt and llama-index's ask for the same marker.
                on_one_line = " ".join(words.split())
                answer = f"{on_one_line} [{source_id}]"
    return answer


class ScriptedModel:
    """The rule as the language model of Footnote (`qa.llm.model.LanguageModel`)."""

    name = NAME

    def context_size(self, stop: threading.Event) -> int:  # noqa: ARG002  # the protocol's
        return CONTEXT_TOKENS

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def stream(
        self,
        messages: Sequence[Message],
        most: int,  # noqa: ARG002  # the protocol's
        stop: threading.Event,  # noqa: ARG002  # the protocol's
    ) -> Iterator[str]:
        """Yields all words at once. Raises ValueError for a prompt that has no passages."""
        context, separator, rest = messages[-1].content.rpartition(_QUESTION)
        if not separator:
            raise ValueError(f"{NAME} only answers from passages")
        question, _, _task = rest.rpartition("\n\n")
        yield most_similar_sentence(question, _PASSAGE.findall(context))


class ScriptedLlm(CustomLLM):
    """The rule as the language model of llama-index's `CitationQueryEngine`."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=CONTEXT_TOKENS, model_name=NAME)

    def complete(
        self,
        prompt: str,
        formatted: bool = False,  # noqa: ARG002  # the base class's
        **options: Any,  # noqa: ARG002  # the base class's
    ) -> CompletionResponse:
        """Returns the sentence. Raises ValueError for a prompt that has no numbered sources."""
        _, before, rest = prompt.partition(_BEFORE_SOURCES)
        shown, after, query = rest.rpartition(_BEFORE_QUERY)
        if not (before and after):
            raise ValueError(f"{NAME} only answers from numbered sources")
        question = query.rpartition(_AFTER_QUERY)[0]
        return CompletionResponse(text=most_similar_sentence(question, _numbered_sources(shown)))

    def stream_complete(
        self, prompt: str, formatted: bool = False, **options: Any
    ) -> CompletionResponseGen:
        response = self.complete(prompt, formatted, **options)
        yield CompletionResponse(text=response.text, delta=response.text)


def _numbered_sources(shown: str) -> list[Source]:
    """Returns the sources of a prompt by their numbers, which go up by one from 1."""
    sources: list[Source] = []
    _before, _heading, rest = shown.partition("Source 1:\n")
    while rest:
        number = len(sources) + 1
        text, _, rest = rest.partition(f"\nSource {number + 1}:\n")
        sources.append((str(number), text.strip()))
    return sources
