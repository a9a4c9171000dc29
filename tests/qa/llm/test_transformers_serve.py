"""A language model over a real server that speaks OpenAI's protocol: `transformers serve`, on a tiny random model."""

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

from qa.answer.verify import SupportThresholds, Verifier
from qa.bot import NOTHING_SUPPORTED, Bot, ModelEngine
from qa.errors import LanguageModelError, StoppedError
from qa.llm.client import LanguageModel, LlmSettings, Message, language_model
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
    """A model of two small layers, always the same, that says the words of its vocabulary and never comes to an end."""
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
    """The address of a server that has this model alone."""
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
    """Until the server answers. A server that ends, as it does without fastapi, fails the test with what it said."""
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


def _told(model: LanguageModel, most: int = 12) -> list[str]:
    return list(model.stream(CHAT, most, threading.Event()))


def test_words_arrive_one_by_one_as_many_as_were_asked_for(model: LanguageModel) -> None:
    words = _told(model)
    assert len(words) == 12
    assert {word.strip() for word in words} <= set(VOCABULARY[1:])
    assert _told(model) == words
    assert _told(model, 5) == words[:5]


def test_what_is_asked_reaches_the_model(model: LanguageModel) -> None:
    other = [
        Message("user", "the bridge cost"),
        Message("assistant", "forty euros"),
        Message("user", "who"),
    ]
    assert list(model.stream(other, 12, threading.Event())) != _told(model)


def test_first_words_come_before_the_answer_is_complete_and_stop_ends_it(
    model: LanguageModel,
) -> None:
    """The server answers one request at a time: the next is answered only if it has left this one."""
    stop = threading.Event()
    words = model.stream(CHAT, ENDLESS, stop)
    said = "".join(next(words) for _ in range(5))
    stop.set()
    with pytest.raises(StoppedError) as raised:
        said += "".join(words)
    assert raised.value.streamed == said
    assert len(_told(model)) == 12


def test_reader_that_leaves_ends_the_answer(model: LanguageModel) -> None:
    words = model.stream(CHAT, ENDLESS, threading.Event())
    next(words)
    del words
    assert len(_told(model)) == 12


def test_requests_at_once_get_their_own_answers(model: LanguageModel) -> None:
    alone = _told(model)
    together: list[list[str]] = []
    asking = [threading.Thread(target=lambda: together.append(_told(model))) for _ in range(3)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert together == [alone] * 3


def test_model_that_the_server_lacks_is_told_and_the_server_lives_on(
    url: str, model: LanguageModel
) -> None:
    with pytest.raises(LanguageModelError, match="does not have the model of openai-like/other"):
        _told(_model(url, "other"))
    assert len(_told(model)) == 12


def test_bot_answers_in_the_documents_sentences_where_the_model_says_nothing_they_support(
    model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way, prompt and checks included: a random model's words are never passed for an answer."""
    monkeypatch.setattr("qa.answer.generate.ANSWER_TOKENS", 40)
    plain = word_bot(tmp_path, text_document("The bridge cost 48 million euros.\n"))
    verifier = Verifier(EncodingCache(plain._embedder), CoverEntailment(), SupportThresholds())
    bot = Bot(
        plain.index, plain._embedder, plain._reader, plain._settings, ModelEngine(model, verifier)
    )
    answer = bot.ask("What did the bridge cost?")
    assert answer.text == "The bridge cost 48 million euros."
    assert answer.notices == (NOTHING_SUPPORTED.format(model=model.name),)
