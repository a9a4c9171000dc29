"""A real server with OpenAI's protocol: `transformers serve` with a tiny random model."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from qa.answer.content import NOTHING_SUPPORTED
from qa.answer.verify import SupportThresholds, Verifier
from qa.bot import Bot
from qa.chain import ModelEngine
from qa.errors import LanguageModelError, StoppedError
from qa.llm.client import LlmSettings, language_model
from qa.llm.model import LanguageModel, Message
from qa.models.embedding import EncodingCache
from tests.qa.fakes import CoverEntailment, text_document, word_bot

STARTING = 120.0
"""Seconds that the server may take to start on a slow machine."""
VOCABULARY = [
    "<unknown>",
    *"who was it be brief the bridge cost forty euros system user assistant".split(),
]
TEMPLATE = (
    "{% for message in messages %}{{ message.role }} {{ message.content }} {% endfor %}assistant"
)
CHAT = [Message("system", "be brief"), Message("user", "who was it")]
ENDLESS = 1_000_000
"""Tokens. At a tenth of a millisecond each it would be longer than any test waits."""


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a tiny model, always the same, that writes words of its vocabulary without end."""
    folder = tmp_path_factory.mktemp("served") / "tiny"
    words = Tokenizer(
        WordLevel({word: key for key, word in enumerate(VOCABULARY)}, unk_token=VOCABULARY[0])
    )
    words.pre_tokenizer = WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # it has no types
        tokenizer_object=words, unk_token=VOCABULARY[0], chat_template=TEMPLATE
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        initializer_range=0.5,
        bos_token_id=None,
        eos_token_id=None,
    )
    model = LlamaForCausalLM(config)
    model.generation_config.suppress_tokens = [0]
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def url(model_folder: Path) -> Iterator[str]:
    """Returns the address of a server that has only this model."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    home = model_folder.parent
    offline = {
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "HF_HOME": str(home / "cache"),
    }
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(model_folder)]
    options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    log = home / "server.log"
    with log.open("w") as output:
        running = subprocess.Popen(
            [*command, *options],
            env={**os.environ, **offline},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", running, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            running.terminate()
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def _wait_for(address: str, running: subprocess.Popen[bytes], log: Path) -> None:
    """Returns when the server answers; fails with its log when it ends, as without fastapi."""
    until = time.monotonic() + STARTING
    while running.poll() is None and time.monotonic() < until:
        try:
            httpx.get(address, timeout=5, trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"transformers serve did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture
def model(url: str, model_folder: Path) -> LanguageModel:
    return _model(url, str(model_folder))


def _model(url: str, name: str) -> LanguageModel:
    return language_model(LlmSettings(f"openai-like/{name}", url=url, timeout=60), {})


def _words_of(model: LanguageModel, max_tokens: int = 12) -> list[str]:
    return list(model.stream(CHAT, max_tokens, threading.Event()))


def test_stream_yields_as_many_words_as_requested(model: LanguageModel) -> None:
    words = _words_of(model)
    assert len(words) == 12
    assert {word.strip() for word in words} <= set(VOCABULARY[1:])
    assert _words_of(model) == words
    assert _words_of(model, 5) == words[:5]


def test_stream_of_another_prompt_gives_another_answer(model: LanguageModel) -> None:
    other = [
        Message("user", "the bridge cost"),
        Message("assistant", "forty euros"),
        Message("user", "who"),
    ]
    assert list(model.stream(other, 12, threading.Event())) != _words_of(model)


def test_stop_in_mid_answer_frees_the_server(
    model: LanguageModel,
) -> None:
    """The server answers one request at a time: it has to leave this one."""
    stop = threading.Event()
    words = model.stream(CHAT, ENDLESS, stop)
    words_so_far = "".join(next(words) for _ in range(5))
    stop.set()
    with pytest.raises(StoppedError) as raised:
        words_so_far += "".join(words)
    assert raised.value.streamed == words_so_far
    assert len(_words_of(model)) == 12


def test_leaving_the_stream_frees_the_server(model: LanguageModel) -> None:
    words = model.stream(CHAT, ENDLESS, threading.Event())
    next(words)
    del words
    assert len(_words_of(model)) == 12


def test_concurrent_requests_get_their_own_answers(model: LanguageModel) -> None:
    alone = _words_of(model)
    together: list[list[str]] = []
    asking = [threading.Thread(target=lambda: together.append(_words_of(model))) for _ in range(3)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert together == [alone] * 3


def test_missing_model_raises_and_the_server_lives_on(url: str, model: LanguageModel) -> None:
    with pytest.raises(LanguageModelError, match="does not have openai-like/other"):
        _words_of(_model(url, "other"))
    assert len(_words_of(model)) == 12


def test_bot_with_random_model_answers_in_exact_quotes(
    model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole chain never shows a random model's words as an answer."""
    monkeypatch.setattr("qa.answer.generate.ANSWER_TOKENS", 40)
    plain = word_bot(tmp_path, text_document("The bridge cost 48 million euros.\n"))
    verifier = Verifier(EncodingCache(plain._embedder), CoverEntailment(), SupportThresholds())
    bot = Bot(
        plain.index, plain._embedder, plain._reader, plain._settings, ModelEngine(model, verifier)
    )
    answer = bot.ask("What did the bridge cost?")
    assert answer.text == "The bridge cost 48 million euros."
    assert answer.notices == (NOTHING_SUPPORTED,)
