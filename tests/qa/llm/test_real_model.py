"""The whole chain with a real language model and the packaged models: `make real-model`.

The model is small and often wrong. So these tests hold the form of what a person gets: citations
are exact, states are right, and failures keep the words. What the model writes is never asserted.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qa.answer.content import MODEL_FOUND_NONE, NOTHING_SUPPORTED
from qa.bot import Bot
from qa.config import BUILT_IN, Settings
from qa.errors import LanguageModelError, StoppedError
from qa.llm import local
from qa.llm.local import LocalModel, find_local_models
from qa.types import Answer, Event, Turn
from tests.qa.fakes import text_document
from tests.qa.llm.llamacpp import NAME, LlamaServer, llama_server, needs_real_model

pytestmark = [
    needs_real_model,
    pytest.mark.real_model,
    pytest.mark.model,
    pytest.mark.slow,
]

COST = "How much did the bridge in Aldmoor cost?"
OPENED = "When was the library in Birkton opened?"
PLACES = ("Aldmoor", "Birkton", "Carvale", "Dunholm", "Eskford", "Fallow", "Grenby", "Hartsea")
THINGS = ("bridge", "library", "harbor", "museum", "station", "theater", "tunnel", "market")
CONTEXT = 4096
"""Tokens: enough for all passages."""
SMALL_CONTEXT = 768
"""Tokens: enough for some of the passages. llama.cpp takes multiples of 256."""
ENDLESS_TOKENS = 1300
"""Tokens of an answer that a test ends. It would take seconds on any machine."""


@pytest.fixture(autouse=True)
def _short_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small models repeat themselves up to the limit, which takes much of the time."""
    monkeypatch.setattr("qa.answer.generate.ANSWER_TOKENS", 48)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Bot:
    """A bot with the packaged models over eight documents of one passage; it refuses nothing."""
    bot = Bot.open(Settings(home=tmp_path_factory.mktemp("home"), threshold=0.0))
    for number, (place, thing) in enumerate(zip(PLACES, THINGS, strict=True), 1):
        text = (
            f"The {thing} in {place} cost {40 + number} million euros. "
            f"It was opened on {number} May by the mayor of {place}. "
            f"The town had planned the {thing} for {number + 2} years, and most of its people "
            f"were in favor of it. A second {thing} is not planned."
        )
        bot.index.add(text_document(text, f"{place}.txt", f"News from {place}"))
    return bot


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    with llama_server(tmp_path_factory.mktemp("server"), CONTEXT) as running:
        yield running


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    with llama_server(tmp_path_factory.mktemp("small"), SMALL_CONTEXT) as running:
        yield running


@pytest.fixture
def endless_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LlamaServer]:
    """A server whose answers are as long as they may be. Tests may kill it."""
    monkeypatch.setattr("qa.answer.generate.ANSWER_TOKENS", ENDLESS_TOKENS)
    with llama_server(tmp_path, CONTEXT, endless=True) as running:
        yield running


def _bot(library: Bot, server: LlamaServer, name: str = NAME, **options: Any) -> Bot:
    """Returns a bot for which the server's model answers, from two passages by default."""
    options.setdefault("top_k", 2)
    engine: dict[str, Any] = {"llm": f"openai-like/{name}", "llm_url": server.url}
    return library.answering(replace(library._settings, **engine, **options))


def _check_form(answer: Answer, bot: Bot) -> None:
    """Asserts what holds for each answer of a language model, whatever it wrote."""
    texts = {document.name: document.text for document in bot.index.documents()}
    for sentence in answer.sentences:
        assert bool(sentence.citations) == (sentence.support != "unsupported")
        for citation in sentence.citations:
            assert texts[citation.document][citation.start : citation.end] == citation.quote

    # The model's own sentences, those of the documents, or a refusal: and the answer says which.
    assert answer.signals
    if answer.reason:
        assert answer.reason in ("model_declined", "not_in_documents")
        assert answer.sentences == ()
    elif answer.engine == BUILT_IN:
        assert {MODEL_FOUND_NONE, NOTHING_SUPPORTED} & set(answer.notices)
        assert {sentence.support for sentence in answer.sentences} == {"verbatim"}
    else:
        assert answer.engine == bot.engine
        assert answer.signals.answered
    assert answer.usage
    assert answer.usage.prompt_tokens > answer.usage.answer_tokens > 0


def _words(events: list[Event]) -> list[str]:
    return [event.words for event in events if event.words]


def test_answer_has_form_and_arrives_in_pieces(library: Bot, server: LlamaServer) -> None:
    bot = _bot(library, server)
    events: list[Event] = []
    arrivals: list[float] = []

    def hear(event: Event) -> None:
        events.append(event)
        if event.words:
            arrivals.append(time.monotonic())

    answer = bot.ask(COST, on_event=hear)
    _check_form(answer, bot)
    stages = list(dict.fromkeys(event.stage for event in events))
    assert stages[:4] == ["retrieve", "read", "answer", "words"]
    assert len(_words(events)) > 5
    assert arrivals[-1] > arrivals[0]
    assert 0 < answer.timings["first_words"] < answer.timings["total"]


def test_follow_up_has_the_form_of_an_answer(library: Bot, server: LlamaServer) -> None:
    """The model may rewrite the question first; whatever it writes, the answer has its form."""
    bot = _bot(library, server)
    history = [Turn(COST, "It cost 41 million euros.")]
    stages: list[str] = []
    answer = bot.ask("And when was it opened?", history, lambda event: stages.append(event.stage))
    _check_form(answer, bot)
    assert stages[0] == "understand"
    assert stages.count("words") > 1


def test_name_that_the_server_does_not_list_is_answered(library: Bot, server: LlamaServer) -> None:
    """llama.cpp answers for any name."""
    bot = _bot(library, server, "another/name")
    answer = bot.ask(COST)
    _check_form(answer, bot)
    assert bot.engine == "openai-like/another/name"


def test_local_models_list_the_model_and_its_context(
    server: LlamaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The context is that of the server, not what the model was trained for."""
    (program,) = (program for program in local.PROGRAMS if program.name == "llama.cpp")
    monkeypatch.setattr(local, "PROGRAMS", [replace(program, url=server.url)])
    listed = find_local_models()
    assert listed.models == (LocalModel(f"openai-like/{NAME}", server.url, CONTEXT),)
    assert listed.notices == ()


def test_two_questions_at_once_get_their_own_answers(library: Bot, server: LlamaServer) -> None:
    """The server writes one answer at a time: the other question waits for its turn."""
    bot = _bot(library, server)
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(bot.ask, [COST, OPENED]))
    for question, answer in zip([COST, OPENED], answers, strict=True):
        assert answer.question == question
        _check_form(answer, bot)


def test_small_window_leaves_passages_out_with_a_notice(
    library: Bot, small_server: LlamaServer
) -> None:
    bot = _bot(library, small_server, top_k=8)
    answer = bot.ask(COST)
    _check_form(answer, bot)
    (notice,) = (notice for notice in answer.notices if "did not fit into" in notice)
    assert f"({SMALL_CONTEXT} tokens)" in notice
    assert answer.usage
    assert answer.usage.prompt_tokens < SMALL_CONTEXT


def test_window_smaller_than_its_setting_is_an_error_with_advice(
    library: Bot, small_server: LlamaServer
) -> None:
    """The server refuses a prompt that the setting allows; the next question is answered."""
    bot = _bot(library, small_server, top_k=8, llm_context=8192)
    with pytest.raises(LanguageModelError, match=r"too long for openai-like/.*QA_LLM_CONTEXT"):
        bot.ask(COST)
    fitting = _bot(library, small_server)
    _check_form(fitting.ask(COST), fitting)


def test_stop_in_mid_answer_frees_the_server(library: Bot, endless_server: LlamaServer) -> None:
    bot = _bot(library, endless_server, top_k=1)
    stop = threading.Event()
    events: list[Event] = []

    def hear(event: Event) -> None:
        events.append(event)
        if len(_words(events)) == 3:
            assert endless_server.slot()["is_processing"]
            stop.set()

    with pytest.raises(StoppedError) as raised:
        bot.ask(COST, on_event=hear, stop=stop)
    assert raised.value.streamed == "".join(_words(events))
    assert raised.value.streamed

    until = time.monotonic() + 20
    while (slot := endless_server.slot())["is_processing"] and time.monotonic() < until:
        time.sleep(0.02)
    assert not slot["is_processing"]
    # Idle because it was stopped, not because it had written everything.
    assert slot["n_prompt_tokens"] < ENDLESS_TOKENS


def test_server_killed_in_mid_answer_is_an_error_that_keeps_the_words(
    library: Bot, endless_server: LlamaServer
) -> None:
    bot = _bot(library, endless_server, top_k=1)
    events: list[Event] = []

    def hear(event: Event) -> None:
        events.append(event)
        if len(_words(events)) == 3:
            endless_server.kill()

    with pytest.raises(LanguageModelError, match=r"openai-like/smollm2") as raised:
        bot.ask(COST, on_event=hear)
    assert not isinstance(raised.value, StoppedError)
    assert raised.value.streamed == "".join(_words(events))
    assert raised.value.streamed
    with pytest.raises(LanguageModelError, match=r"Can't reach .* Start its server"):
        bot.ask(COST)
