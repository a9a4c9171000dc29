"""Language models over real connections: what is sent, what comes back, and what is said of everything else."""

import logging
import socket
import subprocess
import sys
import threading
import time
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from qa.errors import FootnoteError, LanguageModelError, ModelError, StoppedError
from qa.llm import providers
from qa.llm.client import LanguageModel, LlmSettings, Message, language_model
from qa.llm.providers import PROVIDERS
from tests.conftest import NetworkUsed
from tests.properties import examples
from tests.qa.llm.scripted import (
    NDJSON,
    Hang,
    Part,
    Reply,
    ScriptedServer,
    anthropic,
    anthropic_event,
    anthropic_words,
    elapsed,
    endless,
    json_reply,
    ollama,
    ollama_line,
    ollama_words,
    openai_chunk,
    openai_like,
    openai_whole,
    openai_words,
)

TIMEOUT = 0.5
SOON = 1.5
"""Seconds within which a connection ends that is cut."""
KEY = "sk-a-very-secret-key"
CHAT = [Message("system", "Be brief."), Message("user", "Who wäs it?")]
SERVERS: dict[str, Callable[..., ScriptedServer]] = {
    "openai-like": openai_like,
    "ollama": ollama,
    "anthropic": anthropic,
}


def model_of(
    server: ScriptedServer | str, kind: str = "openai-like", **chosen: Any
) -> LanguageModel:
    """A model of a server's; `chosen`: other settings than the tests' usual ones."""
    url = server if isinstance(server, str) else server.url
    given_key = {"key": KEY} if kind == "anthropic" else {}
    path = "/v1" if kind == "openai-like" else ""
    usual = {"name": f"{kind}/tiny", "url": url + path, "timeout": TIMEOUT, **given_key}
    return language_model(LlmSettings(**{**usual, **chosen}), {})


def told(model: LanguageModel, most: int = 50, stop: threading.Event | None = None) -> list[str]:
    return list(model.stream(CHAT, most, stop or threading.Event()))


def fault_of(model: LanguageModel, most: int = 50) -> LanguageModelError:
    """What a question raises, once its words were read; they must be those that the error has."""
    words: list[str] = []

    def read() -> None:
        for word in model.stream(CHAT, most, threading.Event()):
            words.append(word)

    with pytest.raises(LanguageModelError) as raised:
        read()
    assert raised.value.streamed == "".join(words)
    assert not isinstance(raised.value, StoppedError)
    assert model.name in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    return raised.value


# Good answers, and what was sent for them


def test_openai_like_words_arrive_as_they_are_sent() -> None:
    go_on = threading.Event()

    def parts() -> Iterator[bytes]:
        yield from openai_words("Hello", finish=None, done=False)
        assert go_on.wait(5)
        yield from openai_words(" wörld")

    with openai_like(Reply(parts())) as server:
        words = model_of(server, timeout=5.0).stream(CHAT, 50, threading.Event())
        assert next(words) == "Hello"
        go_on.set()
        assert list(words) == [" wörld"]


def test_openai_like_request_is_exactly_this() -> None:
    with openai_like(Reply(list(openai_words("Hello")))) as server:
        assert told(model_of(server)) == ["Hello"]
    probe, chat = server.asked
    assert (probe.method, probe.path) == ("GET", "/v1/models")
    assert (chat.method, chat.path) == ("POST", "/v1/chat/completions")
    assert chat.json == {
        "model": "tiny",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Who wäs it?"},
        ],
        "stream": True,
        "max_tokens": 50,
        "temperature": 0.0,
    }
    assert chat.headers["authorization"] == "Bearer footnote-no-key"


def test_ollama_request_is_exactly_this() -> None:
    with ollama(Reply(list(ollama_words("Hello", " wörld")), kind=NDJSON), context=2048) as server:
        assert told(model_of(server, "ollama")) == ["Hello", " wörld"]
    assert server.bodies("/api/show") == [{"model": "tiny"}]
    assert server.bodies("/api/chat") == [
        {
            "model": "tiny",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Who wäs it?"},
            ],
            "stream": True,
            "options": {"temperature": 0.0, "num_ctx": 2048, "num_predict": 50},
            "tools": [],
        }
    ]


@pytest.mark.parametrize(
    ("name", "extra"),
    [("claude-sonnet-4-6", {"temperature": 0.0}), ("claude-sonnet-5", {}), ("claude-99", {})],
)
def test_anthropic_request_is_exactly_this(name: str, extra: dict[str, Any]) -> None:
    with anthropic(Reply(list(anthropic_words("Hello", " wörld")))) as server:
        assert told(model_of(server, "anthropic", name=f"anthropic/{name}")) == ["Hello", " wörld"]
    (asked,) = server.asked
    assert asked.path == "/v1/messages"
    assert asked.json == {
        "model": name,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Who wäs it?"}]}],
        "stream": True,
        "max_tokens": 50,
        **extra,
    }
    assert asked.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("gpt-4o-mini", {"max_tokens": 50, "temperature": 0.0}),
        ("gpt-99", {"max_tokens": 50, "temperature": 0.0}),
        ("o3-mini", {"max_completion_tokens": 50, "temperature": 1.0}),
    ],
)
def test_openai_request_has_what_the_model_takes(name: str, sent: dict[str, Any]) -> None:
    with openai_like(Reply(list(openai_words("Hello")))) as server:
        assert told(model_of(f"{server.url}/v1", "openai", name=f"openai/{name}", key=KEY)) == [
            "Hello"
        ]
    (asked,) = server.asked
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert {
        key: value for key, value in asked.json.items() if key not in ("messages", "stream")
    } == {
        "model": name,
        **sent,
    }


def test_answer_of_one_question_is_not_mixed_with_another() -> None:
    with openai_like(
        [Reply(list(openai_words("one", "one"))), Reply(list(openai_words("two", "two")))]
    ) as server:
        model = model_of(server)
        first, second = (model.stream(CHAT, 50, threading.Event()) for _ in range(2))
        assert [next(first), next(second), next(first), next(second)] == [
            "one",
            "two",
            "one",
            "two",
        ]
        assert [*first, *second] == []


def test_model_names_keep_slashes_and_colons() -> None:
    with openai_like(Reply(list(openai_words("Hello"))), name="org/model:7b") as server:
        model = model_of(server, name="openai-like/org/model:7b")
        assert told(model) == ["Hello"]
        assert model.name == "openai-like/org/model:7b"
    assert server.asked[-1].json["model"] == "org/model:7b"


def test_key_comes_from_the_settings_before_the_environment() -> None:
    environ = {"OPENAI_API_KEY": "sk-other", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    for key, expected in ((None, "sk-other"), (f" {KEY}\n", KEY)):
        with openai_like(Reply(list(openai_words("Hello")))) as server:
            chosen = LlmSettings("openai/gpt-4o", url=f"{server.url}/v1", key=key, timeout=TIMEOUT)
            assert list(language_model(chosen, environ).stream(CHAT, 5, threading.Event())) == [
                "Hello"
            ]
        assert server.asked[0].headers["authorization"] == f"Bearer {expected}"


def test_user_and_password_of_an_address_are_sent_and_not_shown() -> None:
    with openai_like(Reply(list(openai_words("Hello")))) as server:
        model = model_of(f"http://me:p%40ss@{server.address}")
        assert told(model) == ["Hello"]
    assert {one.headers["authorization"] for one in server.asked} == {
        "Basic " + b64encode(b"me:p@ss").decode()
    }


def test_environment_redirects_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "OLLAMA_HOST"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for kind, words in (
        ("openai-like", openai_words),
        ("ollama", ollama_words),
        ("anthropic", anthropic_words),
    ):
        with SERVERS[kind](Reply(list(words("Hello")))) as server:
            assert told(model_of(server, kind)) == ["Hello"]
    for kind, address in (("openai", "api.openai.com"), ("anthropic", "api.anthropic.com")):
        with pytest.raises(
            LanguageModelError, match=f"The host of {kind}/x, {address}, is not known"
        ):
            told(language_model(LlmSettings(f"{kind}/x", key=KEY, timeout=TIMEOUT), {}))


# Stopping


@pytest.mark.parametrize("kind", list(SERVERS))
@pytest.mark.parametrize("before_head", [True, False])
def test_stop_before_the_first_word_ends_the_connection(kind: str, before_head: bool) -> None:
    stop = threading.Event()
    reply = Reply(before=(stop.set, Hang())) if before_head else Reply([0.1, stop.set, Hang()])
    with SERVERS[kind](reply) as server:
        start = time.monotonic()
        with pytest.raises(StoppedError, match=f"{kind}/tiny was stopped") as raised:
            told(model_of(server, kind, timeout=10.0), stop=stop)
        assert server.gone.wait(SOON)
        assert elapsed(start) < SOON
    assert raised.value.streamed == ""


@pytest.mark.parametrize("kind", list(SERVERS))
def test_stop_in_mid_stream_ends_the_connection_and_keeps_the_words(kind: str) -> None:
    parts = {
        "openai-like": openai_words("Hello", " wörld", finish=None, done=False),
        "ollama": ollama_words("Hello", " wörld", done=False),
        "anthropic": anthropic_words("Hello", " wörld", stop=False),
    }[kind]
    stop = threading.Event()
    with SERVERS[kind](Reply([*parts, Hang()])) as server:
        words = model_of(server, kind, timeout=10.0).stream(CHAT, 50, stop)
        assert [next(words), next(words)] == ["Hello", " wörld"]
        threading.Timer(0.2, stop.set).start()
        start = time.monotonic()
        with pytest.raises(StoppedError) as raised:
            next(words)
        assert server.gone.wait(SOON)
        assert elapsed(start) < SOON
    assert raised.value.streamed == "Hello wörld"


def test_stop_while_nobody_reads_ends_the_connection_too() -> None:
    stop = threading.Event()
    with openai_like(Reply([*openai_words("Hello", finish=None, done=False), Hang()])) as server:
        words = model_of(server, timeout=10.0).stream(CHAT, 50, stop)
        next(words)
        stop.set()
        assert server.gone.wait(SOON)
        with pytest.raises(StoppedError):
            next(words)


def test_stop_during_the_probe_ends_it_and_does_not_count_as_its_failure() -> None:
    stop = threading.Event()
    good = json_reply({"data": [{"id": "tiny", "max_model_len": 99}]})
    with ScriptedServer({"/v1/models": [Reply(before=(stop.set, Hang())), good]}) as server:
        model = model_of(server, timeout=10.0)
        with pytest.raises(StoppedError):
            told(model, stop=stop)
        assert server.gone.wait(SOON)
        assert model.context_size(threading.Event()) == 99


@pytest.mark.parametrize("kind", list(SERVERS))
def test_leaving_the_words_early_ends_the_connection(kind: str) -> None:
    parts = {
        "openai-like": openai_words("Hello", finish=None, done=False),
        "ollama": ollama_words("Hello", done=False),
        "anthropic": anthropic_words("Hello", stop=False),
    }[kind]
    with SERVERS[kind](Reply([*parts, Hang()])) as server:
        for word in model_of(server, kind, timeout=10.0).stream(CHAT, 50, threading.Event()):
            assert word == "Hello"
            break
        assert server.gone.wait(SOON)


def test_no_thread_is_left() -> None:
    with openai_like(Reply(list(openai_words("Hello")))) as server:
        told(model_of(server))
        time.sleep(0.1)
        assert not [one for one in threading.enumerate() if one.name.startswith("footnote")]


# Probing


@pytest.mark.parametrize(
    ("entry", "context"),
    [
        ({"max_model_len": 1000}, 1000),
        ({"meta": {"n_ctx": 2000, "n_ctx_train": 9000}}, 2000),
        ({"meta": {"n_ctx_train": 9000}}, 9000),
        ({"context_length": 3000}, 3000),
        ({"max_context_length": 4000}, 4000),
        ({"max_model_len": None, "meta": None, "context_length": "many"}, 4096),
        ({}, 4096),
    ],
)
def test_context_of_an_openai_like_model_is_what_its_server_says(
    entry: dict[str, Any], context: int
) -> None:
    with openai_like(Reply(), **entry) as server:
        assert model_of(server).context_size(threading.Event()) == context


@pytest.mark.parametrize(("of_model", "context"), [(2048, 2048), (131072, 8192)])
def test_context_of_an_ollama_model_is_at_most_8192(of_model: int, context: int) -> None:
    with ollama(Reply(), context=of_model) as server:
        assert model_of(server, "ollama").context_size(threading.Event()) == context


@pytest.mark.parametrize(
    ("name", "context"),
    [
        ("openai/gpt-4o-mini", 128000),
        ("openai/gpt-99", 8192),
        ("anthropic/claude-sonnet-4-6", 1000000),
        ("anthropic/claude-99", 8192),
    ],
)
def test_context_of_a_hosted_model_is_known_without_asking(name: str, context: int) -> None:
    assert language_model(LlmSettings(name, key=KEY), {}).context_size(threading.Event()) == context


def test_context_that_the_person_set_goes_before_all() -> None:
    with ollama(Reply(list(ollama_words("Hello")), kind=NDJSON), context=2048) as server:
        model = model_of(server, "ollama", context=16000)
        assert model.context_size(threading.Event()) == 16000
        told(model)
    assert server.bodies("/api/chat")[0]["options"]["num_ctx"] == 16000


@pytest.mark.parametrize(
    "models",
    [
        json_reply({"error": "no such path"}, 404),
        Reply([b"<html>"], kind="text/html"),
        json_reply([1, 2]),
        json_reply({"data": []}),
        json_reply({"data": [None, {"id": 3}, {"id": "tiny:latest"}]}),
    ],
)
def test_server_without_a_list_of_models_is_no_failure(models: Reply) -> None:
    with openai_like(Reply(list(openai_words("Hello"))), models) as server:
        model = model_of(server)
        assert model.context_size(threading.Event()) == 4096
        assert told(model) == ["Hello"]


def test_probe_is_done_once_for_many_threads() -> None:
    slow = json_reply({"data": [{"id": "tiny", "max_model_len": 77}]})
    with openai_like(Reply(), Reply(slow.parts, kind=slow.kind, before=(0.2,))) as server:
        model = model_of(server, timeout=5.0)
        found: list[int] = []
        threads = [
            threading.Thread(target=lambda: found.append(model.context_size(threading.Event())))
            for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [77] * 5
    assert len(server.asked) == 1


def test_failed_probe_is_tried_again() -> None:
    good = json_reply({"data": [{"id": "tiny", "max_model_len": 99}]})
    with ScriptedServer({"/v1/models": [json_reply({}, 503), good]}) as server:
        model = model_of(server)
        with pytest.raises(LanguageModelError, match="busy or still being loaded"):
            _ = model.context_size(threading.Event())
        assert model.context_size(threading.Event()) == 99


# Servers that do not stream


@pytest.mark.parametrize(
    "refusal",
    [
        json_reply(
            {"error": {"message": "Streaming is not supported", "type": "invalid_request_error"}},
            400,
        ),
        json_reply({"detail": [{"loc": ["body", "stream"], "msg": "must be false"}]}, 422),
        openai_whole("What was asked for as a stream."),
    ],
)
def test_server_that_does_not_stream_is_asked_for_the_whole_answer_from_then_on(
    refusal: Reply,
) -> None:
    with openai_like([refusal, openai_whole("The whole."), openai_whole("Another.")]) as server:
        model = model_of(server)
        assert told(model) == ["The whole."]
        assert told(model) == ["Another."]
    assert [one.get("stream", False) for one in server.bodies("/v1/chat/completions")] == [
        True,
        False,
        False,
    ]


def test_whole_answer_can_be_stopped_be_empty_and_fail() -> None:
    refusal = json_reply({"error": "no stream"}, 400)
    stop = threading.Event()
    with openai_like(
        [
            refusal,
            openai_whole(" "),
            refusal,
            Reply(before=(Hang(),)),
            Reply(before=(stop.set, Hang())),
        ]
    ) as server:
        model = model_of(server)
        assert "gave an empty answer" in str(fault_of(model))
        assert "refused the request" in str(fault_of(model))
        assert "did not begin" in str(fault_of(model))
        with pytest.raises(StoppedError):
            told(model, stop=stop)


# Limits


def test_endless_answer_is_read_no_further_than_asked_for() -> None:
    with openai_like(Reply(endless(openai_chunk({"content": "word "})))) as server:
        assert told(model_of(server), most=40) == ["word "] * 40
        assert server.gone.wait(SOON)


def test_answer_of_large_pieces_has_at_most_eight_characters_a_token() -> None:
    with openai_like(Reply(endless(openai_chunk({"content": "x" * 1000})))) as server:
        assert len("".join(told(model_of(server), most=200))) == 1600
        assert server.gone.wait(SOON)


def test_slow_reader_is_no_slow_model() -> None:
    with openai_like(Reply(list(openai_words("a", "b")))) as server:
        words = model_of(server, timeout=0.3).stream(CHAT, 50, threading.Event())
        assert next(words) == "a"
        time.sleep(0.5)
        assert list(words) == ["b"]


def test_thoughts_are_not_shown_but_count_as_a_sign_of_life() -> None:
    thoughts = [part for _ in range(4) for part in (openai_chunk({"reasoning_content": "hm"}), 0.2)]
    with openai_like(Reply([*thoughts, *openai_words("Hello")])) as server:
        assert told(model_of(server)) == ["Hello"]


# Faults


def hanging(*parts: bytes) -> Reply:
    return Reply([*parts, Hang()])


def begun(*parts: Part, **more: Any) -> Reply:
    return Reply([*openai_words("Hello", " there", finish=None, done=False), *parts], **more)


def error(
    status: int, message: str = "", headers: dict[str, str] | None = None, **more: Any
) -> Reply:
    return json_reply({"error": {"message": message, **more}}, status, headers)


OVERFLOW = "Lower QA_TOP_K, or set QA_LLM_CONTEXT"
FAULTS: dict[str, tuple[Reply, str, str]] = {
    "slow first word": (Reply(before=(Hang(),)), "did not begin to answer within 0.5 seconds", ""),
    "no first word": (
        hanging(openai_chunk({"role": "assistant", "content": ""})),
        "did not begin to answer",
        "",
    ),
    "heartbeats": (Reply(endless(b": ping\n\n", 0.05)), "did not begin to answer", ""),
    "empty deltas": (
        Reply(endless(openai_chunk({"content": ""}), 0.05)),
        "did not begin to answer",
        "",
    ),
    "stall": (
        begun(Hang()),
        "stopped in the middle of its answer: no word for 0.5 seconds",
        "Hello there",
    ),
    "401": (
        error(401, "bad key"),
        "does not accept the key for openai-like/tiny. Set QA_LLM_KEY",
        "",
    ),
    "403": (error(403), "does not let this key use openai-like/tiny. Set QA_LLM_KEY", ""),
    "404": (
        error(404),
        "does not have openai-like/tiny .* QA_LLM_URL, which mostly ends in /v1",
        "",
    ),
    "429 in seconds": (error(429, headers={"Retry-After": "7"}), r"Try again in 7 seconds\.", ""),
    "429 in a second": (error(429, headers={"Retry-After": "0.2"}), r"Try again in 1 second\.", ""),
    "429 at a time": (
        error(429, headers={"Retry-After": formatdate(time.time() + 86400, usegmt=True)}),
        r"Try again in 8\d{4} seconds",
        "",
    ),
    "429": (error(429), "takes no more requests .* Try again in a minute", ""),
    "429 at no time": (error(429, headers={"Retry-After": "soon"}), "Try again in a minute", ""),
    "500": (error(500), r"failed at .* \(status 500\)", ""),
    "502": (Reply([b"<html>"], 502, "text/html"), "gateway at .* does not reach", ""),
    "503": (error(503), "busy or still being loaded", ""),
    "529": (error(529), "is overloaded", ""),
    "another status": (
        error(418, "short and stout"),
        r'status 418\): "short and stout". Check QA_LLM',
        "",
    ),
    "malformed": (
        begun(b"data: {not json\n\n"),
        "cannot be read: it is not valid JSON.* QA_LLM_URL",
        "Hello there",
    ),
    "of another shape": (begun(b'data: {"choices": [[]]}\n\n'), "cannot be read", "Hello there"),
    "cut": (
        begun(chunked=False),
        "closed the connection before openai-like/tiny had finished",
        "Hello there",
    ),
    "cut in a chunk": (
        begun(cut=True),
        "closed the connection before openai-like/tiny had",
        "Hello there",
    ),
    "ended too soon": (begun(), "closed the connection before openai-like/tiny had", "Hello there"),
    "cut at once": (Reply(chunked=False), "gave an empty answer", ""),
    "empty": (
        Reply(list(openai_words())),
        "gave an empty answer. Ask again, or check QA_LLM_URL",
        "",
    ),
    "blank": (Reply(list(openai_words(" ", "\n"))), "gave an empty answer", " \n"),
    "a page": (Reply([b"<html>Hello</html>"], kind="text/html"), "gave an empty answer", ""),
    "invalid UTF-8": (
        begun(b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n'),
        "cannot be read",
        "Hello there",
    ),
    "overflow by code": (error(400, "Too much.", code="context_length_exceeded"), OVERFLOW, ""),
    "overflow of vLLM": (
        error(
            400,
            "This model's maximum context length is 512 tokens. However, you requested 900 tokens.",
        ),
        OVERFLOW,
        "",
    ),
    "overflow of llama.cpp": (
        error(400, "the request exceeds the available context size, try increasing it"),
        OVERFLOW,
        "",
    ),
    "overflow of Anthropic": (
        error(400, "prompt is too long: 210000 tokens > 200000 maximum"),
        OVERFLOW,
        "",
    ),
    "error in the stream": (
        begun(b'data: {"error": {"message": "CUDA out of memory", "code": 500}}\n\n'),
        'broke off with an error: "CUDA out of memory". Ask again',
        "Hello there",
    ),
    "overflow in the stream": (
        begun(b'data: {"error": "maximum context length"}\n\n'),
        OVERFLOW,
        "Hello there",
    ),
}


@pytest.mark.parametrize(("reply", "sentence", "streamed"), list(FAULTS.values()), ids=list(FAULTS))
def test_fault_of_an_openai_like_server_is_told(reply: Reply, sentence: str, streamed: str) -> None:
    with openai_like(reply) as server:
        start = time.monotonic()
        fault = fault_of(model_of(server))
        assert elapsed(start) < 2 * TIMEOUT + SOON
    assert_told(fault, sentence, streamed, server)


OLLAMA_BEGUN = tuple(ollama_words("Hello", " there", done=False))
OLLAMA_FAULTS: dict[str, tuple[Reply, str, str]] = {
    "404": (json_reply({"error": "model 'tiny' not found"}, 404), "Get it: ollama pull tiny", ""),
    "slow first word": (Reply(before=(Hang(),)), "did not begin to answer", ""),
    "stall": (hanging(*OLLAMA_BEGUN), "stopped in the middle of its answer", "Hello there"),
    "cut": (Reply(OLLAMA_BEGUN, chunked=False), "closed the connection before", "Hello there"),
    "cut in a chunk": (
        Reply(OLLAMA_BEGUN, cut=True),
        "closed the connection before",
        "Hello there",
    ),
    "malformed": (Reply([*OLLAMA_BEGUN, b"{not json\n"]), "cannot be read", "Hello there"),
    "empty": (Reply(list(ollama_words())), "gave an empty answer", ""),
    "error in the stream": (
        Reply([*OLLAMA_BEGUN, b'{"error": "llama runner process has terminated"}\n']),
        'broke off with an error: "llama runner process has terminated"',
        "Hello there",
    ),
    "429": (
        json_reply({"error": "slow down"}, 429, {"Retry-After": "3"}),
        "Try again in 3 seconds",
        "",
    ),
}


@pytest.mark.parametrize(
    ("reply", "sentence", "streamed"), list(OLLAMA_FAULTS.values()), ids=list(OLLAMA_FAULTS)
)
def test_fault_of_ollama_is_told(reply: Reply, sentence: str, streamed: str) -> None:
    with ollama(reply) as server:
        assert_told(fault_of(model_of(server, "ollama")), sentence, streamed, server)


ANTHROPIC_BEGUN = tuple(anthropic_words("Hello", " there", stop=False))
ANTHROPIC_FAULTS: dict[str, tuple[Reply, str, str]] = {
    "401": (error(401, "invalid x-api-key"), "does not accept the key", ""),
    "429": (error(429, "slow down", {"retry-after": "3"}), "Try again in 3 seconds", ""),
    "529": (error(529, "Overloaded"), "is overloaded", ""),
    "stall": (hanging(*ANTHROPIC_BEGUN), "stopped in the middle of its answer", "Hello there"),
    "pings": (Reply(endless(anthropic_event("ping"), 0.05)), "did not begin to answer", ""),
    "cut": (Reply(ANTHROPIC_BEGUN, chunked=False), "closed the connection before", "Hello there"),
    "malformed": (
        Reply([*ANTHROPIC_BEGUN, b"event: content_block_delta\ndata: {no\n\n"]),
        "cannot be read",
        "Hello there",
    ),
    "error in the stream": (
        Reply(
            [
                *ANTHROPIC_BEGUN,
                anthropic_event(
                    "error", error={"type": "overloaded_error", "message": "Overloaded"}
                ),
            ]
        ),
        'broke off with an error: "Overloaded"',
        "Hello there",
    ),
}


@pytest.mark.parametrize(
    ("reply", "sentence", "streamed"), list(ANTHROPIC_FAULTS.values()), ids=list(ANTHROPIC_FAULTS)
)
def test_fault_of_anthropic_is_told(reply: Reply, sentence: str, streamed: str) -> None:
    with anthropic(reply) as server:
        assert_told(fault_of(model_of(server, "anthropic")), sentence, streamed, server)


def assert_told(
    fault: LanguageModelError, sentence: str, streamed: str, server: ScriptedServer
) -> None:
    with pytest.raises(LanguageModelError, match=sentence):
        raise fault
    assert server.address in str(fault)
    assert fault.streamed == streamed


def test_end_mark_may_be_either_of_two() -> None:
    for finish, done in (("stop", False), (None, True), ("length", True)):
        for chunked in (True, False):
            with openai_like(
                Reply(list(openai_words("Hi", finish=finish, done=done)), chunked=chunked)
            ) as server:
                assert told(model_of(server)) == ["Hi"]


def test_invalid_utf8_of_ollama_is_a_replacement_character() -> None:
    line = ollama_line("a?b").replace(b"?", b"\xff")
    with ollama(Reply([line, *ollama_words("c")])) as server:
        assert told(model_of(server, "ollama")) == ["a\ufffdb", "c"]


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        ("ollama", "Start it: ollama serve"),
        ("openai-like", "check QA_LLM_URL"),
        ("anthropic", "QA_LLM"),
    ],
)
def test_refused_connection_is_told(kind: str, remedy: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    fault = fault_of(model_of(f"http://127.0.0.1:{port}", kind))
    assert str(fault).startswith(
        f"Nothing answers at 127.0.0.1:{port}, where {kind}/tiny should be."
    )
    assert remedy in str(fault)


@pytest.mark.parametrize("kind", list(SERVERS))
def test_unknown_host_is_told(kind: str) -> None:
    fault = fault_of(model_of("http://nowhere.invalid:80", kind))
    assert str(fault) == (
        f"The host of {kind}/tiny, nowhere.invalid:80, is not known. Check QA_LLM_URL and the network."
    )


def test_server_that_speaks_no_tls_is_told() -> None:
    with openai_like(Reply()) as server:
        fault = fault_of(model_of(f"https://{server.address}"))
    assert "is not secure: its certificate is not accepted" in str(fault)


def test_model_that_the_server_lacks_is_told_with_those_it_has() -> None:
    listed = json_reply({"data": [{"id": f"m{number}"} for number in range(7)]})
    with openai_like(Reply(), listed) as server:
        fault = fault_of(model_of(server))
    assert (
        "does not have the model of openai-like/tiny. It has m0, m1, m2, m3, m4 and 2 more"
        in str(fault)
    )


def test_ollama_model_that_was_not_pulled_is_told_by_the_probe() -> None:
    with ollama(Reply(), json_reply({"error": "model 'tiny' not found"}, 404)) as server:
        assert "Get it: ollama pull tiny" in str(fault_of(model_of(server, "ollama")))


@pytest.mark.parametrize("kind", list(SERVERS))
def test_redirect_is_not_followed(kind: str) -> None:
    with ScriptedServer({}) as elsewhere:
        headers = {"Location": f"http://me:secret@{elsewhere.address}/v1"}
        with SERVERS[kind](Reply(status=307, headers=headers)) as server:
            fault = fault_of(model_of(server, kind))
    assert (
        f"sends requests for {kind}/tiny on to {elsewhere.address}; they are not sent there"
        in str(fault)
    )
    assert "secret" not in str(fault)
    assert elsewhere.asked == []


def test_model_that_its_class_refuses_is_told() -> None:
    fault = fault_of(
        language_model(LlmSettings("openai/gpt-5.2-pro", url="http://127.0.0.1:9/v1", key=KEY), {})
    )
    assert (
        "cannot be asked: Cannot use model gpt-5.2-pro as it is only supported by the Responses API"
        in str(fault)
    )


@pytest.mark.parametrize("kind", list(SERVERS))
@examples(15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_bytes_lead_to_anything_but_words_or_our_error(kind: str, data: st.DataObject) -> None:
    makers: dict[str, Callable[..., Iterator[bytes]]] = {
        "openai-like": openai_words,
        "ollama": ollama_words,
        "anthropic": anthropic_words,
    }
    whole = bytearray(b"".join(makers[kind]("Hello", " wörld")))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place : place + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=4))
    with SERVERS[kind](Reply([bytes(whole)], chunked=False)) as server:
        try:
            words = told(model_of(server, kind))
        except LanguageModelError as fault:
            words = [str(fault)]
    assert all(isinstance(word, str) for word in words)


# Secrets


@pytest.mark.parametrize("kind", list(SERVERS))
@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_key_is_shown_nowhere_even_where_the_server_echoes_it(
    kind: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    message = b'"You sent {authorization}, which is wrong"'
    body = b'{"error": %s}' % (message if kind == "ollama" else b'{"message": %s}' % message)
    lines = {
        "openai-like": b"data: %s\n\n",
        "ollama": b"%s\n",
        "anthropic": b"event: error\ndata: %s\n\n",
    }
    reply = Reply([lines[kind] % body if status == 200 else body], status)
    with SERVERS[kind](reply) as server:
        model = model_of(server, kind, key=KEY)
        fault = fault_of(model)
        assert any(one.headers.get("authorization") == f"Bearer {KEY}" for one in server.asked)
    shown = "".join(
        [repr(model), str(model), repr(fault), caplog.text, *traceback.format_exception(fault)]
    )
    assert KEY not in shown
    if status in (200, 400):
        assert "You sent Bearer …, which is wrong" in str(fault)


def test_login_is_shown_nowhere_even_where_the_server_echoes_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with openai_like(Reply([b'{"error": "{authorization} or me:p@ss or p%40ss"}'], 400)) as server:
        model = model_of(f"http://me:p%40ss@{server.address}")
        fault = fault_of(model)
    shown = "".join([repr(model), repr(fault), caplog.text, *traceback.format_exception(fault)])
    for secret in ("p@ss", "p%40ss", b64encode(b"me:p@ss").decode()):
        assert secret not in shown


def test_settings_show_neither_key_nor_address() -> None:
    shown = repr(LlmSettings("openai-like/x", url="http://me:secret@host/v1", key=KEY))
    assert KEY not in shown
    assert "secret" not in shown


# Choosing a model


@pytest.mark.parametrize("name", ["", "gpt-4", "ollama/", "other/x", "/x"])
def test_name_of_no_provider_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(
        FootnoteError,
        match="set QA_LLM to one of ollama/MODEL, openai/MODEL, anthropic/MODEL, openai-like/",
    ):
        language_model(LlmSettings(name), {})


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (LlmSettings("openai-like/x"), "openai-like needs the address of a server: set QA_LLM_URL"),
        (LlmSettings("openai-like/x", url="ftp://host"), "QA_LLM_URL is no address"),
        (LlmSettings("openai-like/x", url="http://me:secret@:80"), "QA_LLM_URL is no address"),
        (LlmSettings("openai-like/x", url="http://host:eighty"), "QA_LLM_URL is no address"),
        (LlmSettings("openai/gpt-4o"), r"needs a key: set QA_LLM_KEY \(or OPENAI_API_KEY\)"),
        (
            LlmSettings("anthropic/x", key=" "),
            r"needs a key: set QA_LLM_KEY \(or ANTHROPIC_API_KEY\)",
        ),
        (LlmSettings("openai/gpt-4o", key="sk-\nx"), "characters that no key has"),
        (LlmSettings("openai/gpt-4o", key="sk-…"), "characters that no key has"),
    ],
)
def test_settings_that_are_wrong_are_told(chosen: LlmSettings, sentence: str) -> None:
    with pytest.raises(FootnoteError, match=sentence) as raised:
        language_model(chosen, {})
    assert "secret" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("kind", ["ollama", "openai", "anthropic", "openai-like"])
def test_missing_extra_names_its_command(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, f"llama_index.llms.{kind.replace('-', '_')}", None)
    with pytest.raises(ModelError) as raised:
        language_model(LlmSettings(f"{kind}/x", url="http://localhost:1", key=KEY), {})
    assert str(raised.value) == (
        f"What {kind}/x needs is not installed. Install it: pip install -c constraints.txt -e '.[{kind}]'"
    )


def test_nothing_connects_before_the_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*values: Any, **options: Any) -> None:
        raise NetworkUsed

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, never)
    monkeypatch.setattr(socket, "getaddrinfo", never)
    for kind in ("ollama", "openai", "anthropic", "openai-like"):
        model = language_model(LlmSettings(f"{kind}/x", url="http://127.0.0.1:9", key=KEY), {})
        assert model.name == f"{kind}/x"
        assert model.count_tokens("One, two.") == 5


def test_import_brings_no_library_along() -> None:
    code = "import sys, qa.llm.client; print([n for n in ('llama_index', 'httpx', 'openai', 'tiktoken') if n in sys.modules])"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown == "[]\n"


# Counting


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("", 0),
        ("word " * 100, 100),
        ("1234567890", 10),
        ("日本語", 3),
        ("\ud800", 1),
        ("a" * 10000, 1000),
    ],
)
def test_count_is_no_fewer_than_words_and_digits(text: str, least: int) -> None:
    model = language_model(LlmSettings("ollama/x"), {})
    assert least <= model.count_tokens(text) <= 4 * len(text)


def test_count_without_a_vocabulary_is_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.llm.client._encoding", lambda: None)
    model = language_model(LlmSettings("ollama/x"), {})
    assert [model.count_tokens(text) for text in ("", "a", "abcd", "日本語")] == [0, 1, 2, 3]


def test_stop_ends_the_first_look_at_a_silent_server() -> None:
    with openai_like(Reply(), models=Reply(before=(Hang(),))) as server:
        model, stop = model_of(server, timeout=20.0), threading.Event()
        threading.Timer(0.2, stop.set).start()
        with pytest.raises(StoppedError):
            model.context_size(stop)
        assert server.gone.wait(2)


def test_the_models_of_an_ollama_on_this_machine_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = json_reply({"models": [{"name": "llama3.2:latest"}, {"name": "phi4"}]})
    for reply, found in ((listed, ("ollama/llama3.2:latest", "ollama/phi4")), (json_reply([]), ())):
        with ScriptedServer({"/api/tags": reply}) as server:
            monkeypatch.setattr(
                providers, "PROVIDERS", {"ollama": replace(PROVIDERS["ollama"], url=server.url)}
            )
            assert providers.local_models() == found
    assert providers.local_models() == ()  # nothing answers any more
