"""The language model of Footnote as the language model of llama-index's `CitationQueryEngine`.

Both sides send their prompts through one `LanguageModel`, which makes llama-index's class of the
provider for each request. So the address, key, temperature, and limits of tokens and time are the
same, and neither side changes llama-index's global settings.
"""

import threading
from typing import Any

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import CompletionResponse, CompletionResponseGen, CustomLLM, LLMMetadata

from qa.answer.generate import ANSWER_TOKENS
from qa.llm.model import LanguageModel, Message, without_thinking


class ServedLlm(CustomLLM):
    """Sends each prompt as one message of the person, as llama-index does to a chat model."""

    _model: LanguageModel = PrivateAttr()
    _context: int = PrivateAttr()

    def __init__(self, model: LanguageModel) -> None:
        """Asks the server for the context of the model. Raises LanguageModelError."""
        super().__init__()
        self._model = model
        self._context = model.context_size(threading.Event())

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(
            context_window=self._context,
            num_output=self._answer_tokens,
            model_name=self._model.name,
        )

    def complete(
        self,
        prompt: str,
        formatted: bool = False,  # noqa: ARG002  # the base class's
        **options: Any,  # noqa: ARG002  # the base class's
    ) -> CompletionResponse:
        """Returns the answer without the reasoning before it. Raises LanguageModelError."""
        messages = [Message("user", prompt)]
        pieces = self._model.stream(messages, self._answer_tokens, threading.Event())
        return CompletionResponse(text="".join(without_thinking(pieces)))

    def stream_complete(
        self, prompt: str, formatted: bool = False, **options: Any
    ) -> CompletionResponseGen:
        response = self.complete(prompt, formatted, **options)
        yield CompletionResponse(text=response.text, delta=response.text)

    @property
    def _answer_tokens(self) -> int:
        """As many as Footnote allows the model."""
        return min(ANSWER_TOKENS, self._context // 3)
