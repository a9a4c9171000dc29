"""Language models over real connections: requests, words, failures and secrets."""

import logging
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from qa.errors import FootnoteError, LanguageModelError, ModelError, StoppedError
from qa.llm.client import LlmSettings, language_model, model_server
from qa.llm.model import LanguageModel, Message
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
"""Seconds within which a cut connection is closed."""
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
    """Returns the model of a server; `chosen`: settings that differ from the tests' usual ones."""
    url = server if isinstance(server, str) else server.url
    given_key = {"key": KEY} if kind == "anthropic" else {}
    path = "/v1" if kind == "openai-like" else ""
    usual = {"name": f"{kind}/tiny", "url": url + path, "timeout": TIMEOUT, **given_key}
    return language_model(LlmSettings(**{**usual, **chosen}), {})


def words_of(
    model: LanguageModel, max_tokens: int = 50, stop: threading.Event | None = None
) -> list[str]:
    return list(model.stream(CHAT, max_tokens, stop or threading.Event()))


def failure_of(model: LanguageModel, max_tokens: int = 50) -> LanguageModelError:
    """Returns the error that an answer raises; it must have the words that were read before."""
    words: list[str] = []

    def read() -> None:
        for word in model.stream(CHAT, max_tokens, threading.Event()):
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


def test_stream_of_openai_like_yields_words_as_sent() -> None:
    proceed = threading.Event()

    def parts() -> Iterator[bytes]:
        yield from openai_words("Hello", finish=None, done=False)
        assert proceed.wait(5)
        yield from openai_words(" wörld")

    with openai_like(Reply(parts())) as server:
        words = model_of(server, timeout=5.0).stream(CHAT, 50, threading.Event())
        assert next(words) == "Hello"
        proceed.set()
        assert list(words) == [" wörld"]


def test_stream_of_openai_like_sends_this_request() -> None:
    with openai_like(Reply(list(openai_words("Hello")))) as server:
        assert words_of(model_of(server)) == ["Hello"]
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


def test_stream_of_ollama_sends_this_request() -> None:
    with ollama(Reply(list(ollama_words("Hello", " wörld")), kind=NDJSON), context=2048) as server:
        assert words_of(model_of(server, "ollama")) == ["Hello", " wörld"]
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
def test_stream_of_anthropic_sends_this_request(name: str, extra: dict[str, Any]) -> None:
    with anthropic(Reply(list(anthropic_words("Hello", " wörld")))) as server:
        assert words_of(model_of(server, "anthropic", name=f"anthropic/{name}")) == [
            "Hello",
            " wörld",
        ]
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
def test_stream_of_openai_sends_what_the_model_accepts(name: str, sent: dict[str, Any]) -> None:
    with openai_like(Reply(list(openai_words("Hello")))) as server:
        assert words_of(model_of(f"{server.url}/v1", "openai", name=f"openai/{name}", key=KEY)) == [
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


def test_stream_of_two_questions_keeps_answers_apart() -> None:
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


def test_model_name_keeps_slashes_and_colons() -> None:
    with openai_like(Reply(list(openai_words("Hello"))), name="org/model:7b") as server:
        model = model_of(server, name="openai-like/org/model:7b")
        assert words_of(model) == ["Hello"]
        assert model.name == "openai-like/org/model:7b"
    assert server.asked[-1].json["model"] == "org/model:7b"


def test_key_of_settings_precedes_the_environment() -> None:
    environ = {"OPENAI_API_KEY": "sk-other", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    for key, expected in ((None, "sk-other"), (f" {KEY}\n", KEY)):
        with openai_like(Reply(list(openai_words("Hello")))) as server:
            chosen = LlmSettings("openai/gpt-4o", url=f"{server.url}/v1", key=key, timeout=TIMEOUT)
            assert list(language_model(chosen, environ).stream(CHAT, 5, threading.Event())) == [
                "Hello"
            ]
        assert server.asked[0].headers["authorization"] == f"Bearer {expected}"


def test_login_of_url_is_sent_as_basic_auth() -> None:
    """User and password of a URL reach the server, and are not in the model's name."""
    with openai_like(Reply(list(openai_words("Hello")))) as server:
        model = model_of(f"http://me:p%40ss@{server.address}")
        assert words_of(model) == ["Hello"]
    assert {request.headers["authorization"] for request in server.asked} == {
        "Basic " + b64encode(b"me:p@ss").decode()
    }


def test_environment_of_libraries_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "OLLAMA_HOST"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for kind, words in (
        ("openai-like", openai_words),
        ("ollama", ollama_words),
        ("anthropic", anthropic_words),
    ):
        with SERVERS[kind](Reply(list(words("Hello")))) as server:
            assert words_of(model_of(server, kind)) == ["Hello"]
    for kind, address in (("openai", "api.openai.com"), ("anthropic", "api.anthropic.com")):
        with pytest.raises(
            LanguageModelError, match=rf"model {kind}/x \({address}\): the host is unknown"
        ):
            words_of(language_model(LlmSettings(f"{kind}/x", key=KEY, timeout=TIMEOUT), {}))


def test_environment_headers_of_libraries_are_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment has for one provider does not reach the server of another one."""
    secret = "of-the-environment"
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY", "OLLAMA_API_KEY"):
        monkeypatch.setenv(name, secret)
    for name in ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY", "ANTHROPIC_PROFILE"):
        monkeypatch.setenv(name, secret)
    for name in ("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, f"X-Team: {secret}\nAuthorization: Bearer {secret}")
    for kind in SERVERS:
        with SERVERS[kind](Reply()) as server:
            failure_of(model_of(server, kind))
        assert server.asked
        assert all(secret not in str(request.headers) for request in server.asked)


# Proxies


@pytest.mark.parametrize("kind", list(SERVERS))
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_local_server_is_reached_without_a_proxy(
    kind: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says that nothing is sent anywhere."""
    with ScriptedServer({}) as proxy, SERVERS[kind](Reply()) as server:
        use_proxy(monkeypatch, proxy.url)
        failure_of(model_of(server.url.replace("127.0.0.1", host), kind))
    assert proxy.asked == []
    assert server.asked


@pytest.mark.parametrize("kind", list(SERVERS))
def test_server_elsewhere_is_reached_by_the_proxy(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer({}) as proxy:
        use_proxy(monkeypatch, proxy.url)
        failure_of(model_of("http://127.0.0.1.example", kind))
    assert proxy.asked


@pytest.mark.parametrize("kind", list(SERVERS))
@pytest.mark.parametrize("address", ["socks5://me:secret@h", "socks4://me:secret@h", "http://[::1"])
def test_invalid_proxy_is_an_error_that_names_the_variable(
    kind: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", address)
    failure = failure_of(model_of("http://nowhere.invalid", kind))
    assert "the proxy in the environment variable ALL_PROXY is not valid" in str(failure)
    assert "secret" not in "".join(traceback.format_exception(failure))


@pytest.mark.parametrize("address", ["socks5://me:secret@h", "socks4://me:secret@h"])
def test_invalid_proxy_in_an_import_is_not_a_missing_extra(address: str) -> None:
    """ollama makes a client when it is imported."""
    code = (
        "from qa.llm.client import LlmSettings, language_model\n"
        "language_model(LlmSettings('ollama/x'), {})"
    )
    environ = {**os.environ, "ALL_PROXY": address}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ)
    assert (
        "ModelError: Can't use ollama/x: the proxy in the environment variable ALL_" in run.stderr
    )
    assert "secret" not in run.stderr


def use_proxy(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, address)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:1/v1", True),
        ("LOCALHOST", True),
        ("127.8.0.1", True),
        ("http://[::1]:1", True),
        ("http://127.evil.example", False),
        ("http://localhost.evil.example", False),
        ("10.0.0.1", False),
    ],
)
def test_model_server_is_local_for_loopback_addresses_only(url: str, local: bool) -> None:
    assert model_server(LlmSettings("openai-like/x", url=url)).is_local is local


# Stopping


@pytest.mark.parametrize("kind", list(SERVERS))
@pytest.mark.parametrize("before_head", [True, False])
def test_stop_before_first_word_closes_connection(kind: str, before_head: bool) -> None:
    stop = threading.Event()
    reply = Reply(before=(stop.set, Hang())) if before_head else Reply([0.1, stop.set, Hang()])
    with SERVERS[kind](reply) as server:
        start = time.monotonic()
        with pytest.raises(StoppedError, match=f"{kind}/tiny was stopped") as raised:
            words_of(model_of(server, kind, timeout=10.0), stop=stop)
        assert server.gone.wait(SOON)
        assert elapsed(start) < SOON
    assert raised.value.streamed == ""


@pytest.mark.parametrize("kind", list(SERVERS))
def test_stop_in_mid_stream_keeps_the_words(kind: str) -> None:
    """Stopping closes the connection; the error has the words that had arrived."""
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


def test_stop_while_nobody_reads_closes_connection() -> None:
    stop = threading.Event()
    with openai_like(Reply([*openai_words("Hello", finish=None, done=False), Hang()])) as server:
        words = model_of(server, timeout=10.0).stream(CHAT, 50, stop)
        next(words)
        stop.set()
        assert server.gone.wait(SOON)
        with pytest.raises(StoppedError):
            next(words)


def test_stop_during_probe_is_not_a_failed_probe() -> None:
    """Stopping the probe closes its connection, and the next probe works."""
    stop = threading.Event()
    good = json_reply({"data": [{"id": "tiny", "max_model_len": 99}]})
    with ScriptedServer({"/v1/models": [Reply(before=(stop.set, Hang())), good]}) as server:
        model = model_of(server, timeout=10.0)
        with pytest.raises(StoppedError):
            words_of(model, stop=stop)
        assert server.gone.wait(SOON)
        assert model.context_size(threading.Event()) == 99


@pytest.mark.parametrize("kind", list(SERVERS))
def test_leaving_the_stream_early_closes_connection(kind: str) -> None:
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


def test_stream_leaves_no_thread() -> None:
    with openai_like(Reply(list(openai_words("Hello")))) as server:
        words_of(model_of(server))
        time.sleep(0.1)
        assert not [
            thread for thread in threading.enumerate() if thread.name.startswith("footnote")
        ]


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
def test_context_of_openai_like_is_what_server_reports(entry: dict[str, Any], context: int) -> None:
    with openai_like(Reply(), **entry) as server:
        assert model_of(server).context_size(threading.Event()) == context


@pytest.mark.parametrize(("of_model", "context"), [(2048, 2048), (131072, 8192)])
def test_context_of_ollama_is_at_most_8192(of_model: int, context: int) -> None:
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
def test_context_of_hosted_model_needs_no_request(name: str, context: int) -> None:
    assert language_model(LlmSettings(name, key=KEY), {}).context_size(threading.Event()) == context


def test_context_that_the_person_set_wins() -> None:
    with ollama(Reply(list(ollama_words("Hello")), kind=NDJSON), context=2048) as server:
        model = model_of(server, "ollama", context=16000)
        assert model.context_size(threading.Event()) == 16000
        words_of(model)
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
def test_probe_without_model_list_succeeds(models: Reply) -> None:
    with openai_like(Reply(list(openai_words("Hello"))), models) as server:
        model = model_of(server)
        assert model.context_size(threading.Event()) == 4096
        assert words_of(model) == ["Hello"]


def test_probe_by_many_threads_happens_once() -> None:
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


def test_probe_that_failed_is_tried_again() -> None:
    good = json_reply({"data": [{"id": "tiny", "max_model_len": 99}]})
    with ScriptedServer({"/v1/models": [json_reply({}, 503), good]}) as server:
        model = model_of(server)
        with pytest.raises(LanguageModelError, match="busy or still loading"):
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
def test_server_without_streaming_is_asked_for_whole_answers(
    refusal: Reply,
) -> None:
    """Once a server showed that it cannot stream, it is not asked to again."""
    with openai_like([refusal, openai_whole("The whole."), openai_whole("Another.")]) as server:
        model = model_of(server)
        assert words_of(model) == ["The whole."]
        assert words_of(model) == ["Another."]
    assert [request.get("stream", False) for request in server.bodies("/v1/chat/completions")] == [
        True,
        False,
        False,
    ]


def test_whole_answer_can_be_empty_fail_and_be_stopped() -> None:
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
        assert "returned an empty answer" in str(failure_of(model))
        assert "rejected the request" in str(failure_of(model))
        assert "did not start" in str(failure_of(model))
        with pytest.raises(StoppedError):
            words_of(model, stop=stop)


# Limits


def test_endless_answer_ends_at_max_tokens() -> None:
    """A server that ignores the limit is cut."""
    with openai_like(Reply(endless(openai_chunk({"content": "word "})))) as server:
        assert words_of(model_of(server), max_tokens=40) == ["word "] * 40
        assert server.gone.wait(SOON)


def test_answer_of_large_pieces_ends_at_max_characters() -> None:
    """At most eight characters a token are read."""
    with openai_like(Reply(endless(openai_chunk({"content": "x" * 1000})))) as server:
        assert len("".join(words_of(model_of(server), max_tokens=200))) == 1600
        assert server.gone.wait(SOON)


def test_slow_caller_does_not_time_out() -> None:
    """Only the time without words from the server counts."""
    with openai_like(Reply(list(openai_words("a", "b")))) as server:
        words = model_of(server, timeout=0.3).stream(CHAT, 50, threading.Event())
        assert next(words) == "a"
        time.sleep(0.5)
        assert list(words) == ["b"]


def test_reasoning_is_hidden_but_restarts_the_time_limit() -> None:
    thoughts = [part for _ in range(4) for part in (openai_chunk({"reasoning_content": "hm"}), 0.2)]
    with openai_like(Reply([*thoughts, *openai_words("Hello")])) as server:
        assert words_of(model_of(server)) == ["Hello"]


# Failures


def hanging(*parts: bytes) -> Reply:
    return Reply([*parts, Hang()])


def started(*parts: Part, **more: Any) -> Reply:
    return Reply([*openai_words("Hello", " there", finish=None, done=False), *parts], **more)


def error(
    status: int, message: str = "", headers: dict[str, str] | None = None, **more: Any
) -> Reply:
    return json_reply({"error": {"message": message, **more}}, status, headers)


OVERFLOW = "Lower QA_TOP_K, or set QA_LLM_CONTEXT"
FAILURES: dict[str, tuple[Reply, str, str]] = {
    "slow first word": (Reply(before=(Hang(),)), "did not start to answer within 0.5 seconds", ""),
    "no first word": (
        hanging(openai_chunk({"role": "assistant", "content": ""})),
        "did not start to answer",
        "",
    ),
    "heartbeats": (Reply(endless(b": ping\n\n", 0.05)), "did not start to answer", ""),
    "empty deltas": (
        Reply(endless(openai_chunk({"content": ""}), 0.05)),
        "did not start to answer",
        "",
    ),
    "stall": (
        started(Hang()),
        "stopped in the middle of its answer: no words for 0.5 seconds",
        "Hello there",
    ),
    "401": (
        error(401, "bad key"),
        "rejected the key for openai-like/tiny. Set QA_LLM_KEY",
        "",
    ),
    "403": (error(403), "does not let this key use openai-like/tiny. Set QA_LLM_KEY", ""),
    "404": (
        error(404),
        "does not have openai-like/tiny .* QA_LLM_URL, which usually ends in /v1",
        "",
    ),
    "429 in seconds": (error(429, headers={"Retry-After": "7"}), r"Try again in 7 seconds\.", ""),
    "429 in a second": (error(429, headers={"Retry-After": "0.2"}), r"Try again in 1 second\.", ""),
    "429 at a time": (
        error(429, headers={"Retry-After": formatdate(time.time() + 86400, usegmt=True)}),
        r"Try again in 8\d{4} seconds",
        "",
    ),
    "429": (error(429), "accepts no more requests .* Try again in a minute", ""),
    "429 at no time": (error(429, headers={"Retry-After": "soon"}), "Try again in a minute", ""),
    "500": (error(500), r"failed at .* \(status 500\)", ""),
    "502": (Reply([b"<html>"], 502, "text/html"), "gateway at .* cannot reach", ""),
    "503": (error(503), "busy or still loading", ""),
    "529": (error(529), "is overloaded", ""),
    "another status": (
        error(418, "short and stout"),
        r'status 418\): "short and stout". Check QA_LLM',
        "",
    ),
    "malformed": (
        started(b"data: {not json\n\n"),
        "cannot be read: it is not valid JSON.* QA_LLM_URL",
        "Hello there",
    ),
    "of another shape": (started(b'data: {"choices": [[]]}\n\n'), "cannot be read", "Hello there"),
    "cut": (
        started(chunked=False),
        "closed the connection before openai-like/tiny had finished",
        "Hello there",
    ),
    "cut in a chunk": (
        started(cut=True),
        "closed the connection before openai-like/tiny had",
        "Hello there",
    ),
    "ended too soon": (
        started(),
        "closed the connection before openai-like/tiny had",
        "Hello there",
    ),
    "cut at once": (Reply(chunked=False), "returned an empty answer", ""),
    "empty": (
        Reply(list(openai_words())),
        "returned an empty answer. Ask again, or check QA_LLM_URL",
        "",
    ),
    "blank": (Reply(list(openai_words(" ", "\n"))), "returned an empty answer", " \n"),
    "a page": (Reply([b"<html>Hello</html>"], kind="text/html"), "returned an empty answer", ""),
    "invalid UTF-8": (
        started(b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n'),
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
        started(b'data: {"error": {"message": "CUDA out of memory", "code": 500}}\n\n'),
        'stopped with an error: "CUDA out of memory". Ask again',
        "Hello there",
    ),
    "overflow in the stream": (
        started(b'data: {"error": "maximum context length"}\n\n'),
        OVERFLOW,
        "Hello there",
    ),
}


@pytest.mark.parametrize(
    ("reply", "sentence", "streamed"), list(FAILURES.values()), ids=list(FAILURES)
)
def test_failure_of_openai_like_has_its_message(reply: Reply, sentence: str, streamed: str) -> None:
    with openai_like(reply) as server:
        start = time.monotonic()
        failure = failure_of(model_of(server))
        assert elapsed(start) < 2 * TIMEOUT + SOON
    assert_failure(failure, sentence, streamed, server)


OLLAMA_STARTED = tuple(ollama_words("Hello", " there", done=False))
OLLAMA_FAILURES: dict[str, tuple[Reply, str, str]] = {
    "404": (
        json_reply({"error": "model 'tiny' not found"}, 404),
        "Get it with: ollama pull tiny",
        "",
    ),
    "slow first word": (Reply(before=(Hang(),)), "did not start to answer", ""),
    "stall": (hanging(*OLLAMA_STARTED), "stopped in the middle of its answer", "Hello there"),
    "cut": (Reply(OLLAMA_STARTED, chunked=False), "closed the connection before", "Hello there"),
    "cut in a chunk": (
        Reply(OLLAMA_STARTED, cut=True),
        "closed the connection before",
        "Hello there",
    ),
    "malformed": (Reply([*OLLAMA_STARTED, b"{not json\n"]), "cannot be read", "Hello there"),
    "empty": (Reply(list(ollama_words())), "returned an empty answer", ""),
    "error in the stream": (
        Reply([*OLLAMA_STARTED, b'{"error": "llama runner process has terminated"}\n']),
        'stopped with an error: "llama runner process has terminated"',
        "Hello there",
    ),
    "429": (
        json_reply({"error": "slow down"}, 429, {"Retry-After": "3"}),
        "Try again in 3 seconds",
        "",
    ),
}


@pytest.mark.parametrize(
    ("reply", "sentence", "streamed"), list(OLLAMA_FAILURES.values()), ids=list(OLLAMA_FAILURES)
)
def test_failure_of_ollama_has_its_message(reply: Reply, sentence: str, streamed: str) -> None:
    with ollama(reply) as server:
        assert_failure(failure_of(model_of(server, "ollama")), sentence, streamed, server)


ANTHROPIC_STARTED = tuple(anthropic_words("Hello", " there", stop=False))
ANTHROPIC_FAILURES: dict[str, tuple[Reply, str, str]] = {
    "401": (error(401, "invalid x-api-key"), "rejected the key", ""),
    "429": (error(429, "slow down", {"retry-after": "3"}), "Try again in 3 seconds", ""),
    "529": (error(529, "Overloaded"), "is overloaded", ""),
    "stall": (hanging(*ANTHROPIC_STARTED), "stopped in the middle of its answer", "Hello there"),
    "pings": (Reply(endless(anthropic_event("ping"), 0.05)), "did not start to answer", ""),
    "cut": (Reply(ANTHROPIC_STARTED, chunked=False), "closed the connection before", "Hello there"),
    "malformed": (
        Reply([*ANTHROPIC_STARTED, b"event: content_block_delta\ndata: {no\n\n"]),
        "cannot be read",
        "Hello there",
    ),
    "error in the stream": (
        Reply(
            [
                *ANTHROPIC_STARTED,
                anthropic_event(
                    "error", error={"type": "overloaded_error", "message": "Overloaded"}
                ),
            ]
        ),
        'stopped with an error: "Overloaded"',
        "Hello there",
    ),
}


@pytest.mark.parametrize(
    ("reply", "sentence", "streamed"),
    list(ANTHROPIC_FAILURES.values()),
    ids=list(ANTHROPIC_FAILURES),
)
def test_failure_of_anthropic_has_its_message(reply: Reply, sentence: str, streamed: str) -> None:
    with anthropic(reply) as server:
        assert_failure(failure_of(model_of(server, "anthropic")), sentence, streamed, server)


def assert_failure(
    failure: LanguageModelError, sentence: str, streamed: str, server: ScriptedServer
) -> None:
    with pytest.raises(LanguageModelError, match=sentence):
        raise failure
    assert server.address in str(failure)
    assert failure.streamed == streamed


def test_end_of_stream_has_either_of_two_marks() -> None:
    for finish, done in (("stop", False), (None, True), ("length", True)):
        for chunked in (True, False):
            with openai_like(
                Reply(list(openai_words("Hi", finish=finish, done=done)), chunked=chunked)
            ) as server:
                assert words_of(model_of(server)) == ["Hi"]


def test_invalid_utf8_of_ollama_is_replaced() -> None:
    line = ollama_line("a?b").replace(b"?", b"\xff")
    with ollama(Reply([line, *ollama_words("c")])) as server:
        assert words_of(model_of(server, "ollama")) == ["a\ufffdb", "c"]


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        ("ollama", "Start it with: ollama serve"),
        ("openai-like", "check QA_LLM_URL"),
        ("anthropic", "QA_LLM"),
    ],
)
def test_refused_connection_says_how_to_start_the_server(kind: str, remedy: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    failure = failure_of(model_of(f"http://127.0.0.1:{port}", kind))
    assert str(failure).startswith(
        f"Can't reach the language model {kind}/tiny (127.0.0.1:{port})."
    )
    assert remedy in str(failure)


@pytest.mark.parametrize("kind", list(SERVERS))
def test_unknown_host_has_its_message(kind: str) -> None:
    failure = failure_of(model_of("http://nowhere.invalid:80", kind))
    assert str(failure) == (
        f"Can't reach the language model {kind}/tiny (nowhere.invalid:80): the host is unknown. "
        "Check QA_LLM_URL and the network."
    )


def test_server_without_tls_has_its_message() -> None:
    with openai_like(Reply()) as server:
        failure = failure_of(model_of(f"https://{server.address}"))
    assert "securely: its certificate is not accepted" in str(failure)


def test_missing_model_lists_the_available_ones() -> None:
    listed = json_reply({"data": [{"id": f"m{number}"} for number in range(7)]})
    with openai_like(Reply(), listed) as server:
        failure = failure_of(model_of(server))
    names = ", ".join(f"openai-like/m{number}" for number in range(5))
    assert str(failure) == (
        f"{server.address} does not have openai-like/tiny. "
        f"Set QA_LLM to a model that it has: {names} or one of 2 more."
    )


def test_names_in_a_message_can_be_pasted_in_a_shell() -> None:
    listed = json_reply({"data": [{"id": "my model"}, {"id": "a/b:c"}]})
    with openai_like(Reply(), listed) as server:
        failure = failure_of(model_of(server))
    assert "that it has: 'openai-like/my model', openai-like/a/b:c." in str(failure)


def test_server_of_a_single_model_is_asked_for_any_name() -> None:
    """llama.cpp answers for any name, and calls its model by the path of a file."""
    answer = Reply(list(openai_words("Hello")))
    path = "/models/qwen.gguf"
    with openai_like(answer, name=path, owned_by="llamacpp", meta={"n_ctx": 8192}) as server:
        model = model_of(server)
        assert words_of(model) == ["Hello"]
        assert model.context_size(threading.Event()) == 8192
    (body,) = server.bodies("/v1/chat/completions")
    assert body["model"] == "tiny"


@pytest.mark.parametrize(
    "refusal",
    [
        json_reply({"error": {"message": "The model `tiny` does not exist."}}, 404),
        json_reply({"error": {"message": "model not found"}}, 400),
        json_reply({"error": {"message": "Invalid model name: model=tiny"}}, 422),
    ],
)
def test_server_that_refuses_the_name_lists_its_model(refusal: Reply) -> None:
    with openai_like(refusal, name="qwen") as server:
        failure = failure_of(model_of(server))
    assert str(failure) == (
        f"{server.address} does not have openai-like/tiny. "
        "Set QA_LLM to a model that it has: openai-like/qwen."
    )


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (json_reply({"error": "This model's maximum context length is 9"}, 400), "too long"),
        (json_reply({"error": "The model cannot take a system message"}, 400), "system message"),
        (json_reply({}, 500), "failed at"),
    ],
)
def test_refusal_for_another_reason_lists_no_model(refusal: Reply, sentence: str) -> None:
    with openai_like(refusal, name="qwen") as server:
        failure = failure_of(model_of(server))
    assert sentence in str(failure)
    assert "qwen" not in str(failure)


def test_probe_of_ollama_says_how_to_pull_the_model() -> None:
    with ollama(Reply(), json_reply({"error": "model 'tiny' not found"}, 404)) as server:
        assert "Get it with: ollama pull tiny" in str(failure_of(model_of(server, "ollama")))


@pytest.mark.parametrize("kind", list(SERVERS))
def test_redirect_is_not_followed(kind: str) -> None:
    """Nothing is sent to an address that the person did not set."""
    with ScriptedServer({}) as elsewhere:
        headers = {"Location": f"http://me:secret@{elsewhere.address}/v1"}
        with SERVERS[kind](Reply(status=307, headers=headers)) as server:
            failure = failure_of(model_of(server, kind))
    assert (
        f"redirects requests for {kind}/tiny to {elsewhere.address}. Redirects are not followed"
        in str(failure)
    )
    assert "secret" not in str(failure)
    assert elsewhere.asked == []


def test_model_that_the_library_rejects_has_its_message() -> None:
    failure = failure_of(
        language_model(LlmSettings("openai/gpt-5.2-pro", url="http://127.0.0.1:9/v1", key=KEY), {})
    )
    assert (
        "at 127.0.0.1:9: Cannot use model gpt-5.2-pro as it is only supported by the Responses API"
        in str(failure)
    )


@pytest.mark.parametrize("kind", list(SERVERS))
@examples(15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_stream_of_any_bytes_gives_words_or_our_error(kind: str, data: st.DataObject) -> None:
    makers: dict[str, Callable[..., Iterator[bytes]]] = {
        "openai-like": openai_words,
        "ollama": ollama_words,
        "anthropic": anthropic_words,
    }
    whole = bytearray(b"".join(makers[kind]("Hello", " wörld")))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(whole) - 1))
        whole[start : start + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=4))
    with SERVERS[kind](Reply([bytes(whole)], chunked=False)) as server:
        try:
            words = words_of(model_of(server, kind))
        except LanguageModelError as failure:
            words = [str(failure)]
    assert all(isinstance(word, str) for word in words)


# Secrets


@pytest.mark.parametrize("kind", list(SERVERS))
@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_key_that_the_server_echoes_is_shown_nowhere(
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
        failure = failure_of(model)
        assert any(
            request.headers.get("authorization") == f"Bearer {KEY}" for request in server.asked
        )
    shown = "".join(
        [repr(model), str(model), repr(failure), caplog.text, *traceback.format_exception(failure)]
    )
    assert KEY not in shown
    if status in (200, 400):
        assert "You sent Bearer …, which is wrong" in str(failure)


def test_login_that_the_server_echoes_is_shown_nowhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with openai_like(Reply([b'{"error": "{authorization} or me:p@ss or p%40ss"}'], 400)) as server:
        model = model_of(f"http://me:p%40ss@{server.address}")
        failure = failure_of(model)
    shown = "".join([repr(model), repr(failure), caplog.text, *traceback.format_exception(failure)])
    for secret in ("p@ss", "p%40ss", b64encode(b"me:p@ss").decode()):
        assert secret not in shown


def test_settings_repr_shows_neither_key_nor_url() -> None:
    shown = repr(LlmSettings("openai-like/x", url="http://me:secret@host/v1", key=KEY))
    assert KEY not in shown
    assert "secret" not in shown


# Choosing a model


@pytest.mark.parametrize("name", ["", "gpt-4", "ollama/", "other/x", "/x"])
def test_language_model_with_invalid_name_raises(name: str) -> None:
    with pytest.raises(
        FootnoteError,
        match="Set QA_LLM to one of ollama/MODEL, openai/MODEL, anthropic/MODEL, openai-like/",
    ):
        language_model(LlmSettings(name), {})


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (LlmSettings("openai-like/x"), r"needs the address of a server\. Set QA_LLM_URL"),
        (LlmSettings("openai-like/x", url="ftp://host"), "QA_LLM_URL is not the address"),
        (LlmSettings("openai-like/x", url="http://me:secret@:80"), "QA_LLM_URL is not the address"),
        (LlmSettings("openai-like/x", url="http://host:eighty"), "QA_LLM_URL is not the address"),
        (LlmSettings("openai/gpt-4o"), r"needs a key\. Set QA_LLM_KEY or OPENAI_API_KEY"),
        (
            LlmSettings("anthropic/x", key=" "),
            r"needs a key\. Set QA_LLM_KEY or ANTHROPIC_API_KEY",
        ),
        (LlmSettings("openai/gpt-4o", key="sk-\nx"), "invalid characters"),
        (LlmSettings("openai/gpt-4o", key="sk-…"), "invalid characters"),
    ],
)
def test_language_model_with_invalid_settings_raises(chosen: LlmSettings, sentence: str) -> None:
    with pytest.raises(FootnoteError, match=sentence) as raised:
        language_model(chosen, {})
    assert "secret" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("kind", ["ollama", "openai", "anthropic", "openai-like"])
def test_missing_extra_names_its_install_command(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, f"llama_index.llms.{kind.replace('-', '_')}", None)
    with pytest.raises(ModelError) as raised:
        language_model(LlmSettings(f"{kind}/x", url="http://localhost:1", key=KEY), {})
    assert str(raised.value) == (
        f"{kind}/x needs an extra that is not installed. "
        f"Install it with: pip install -c constraints.txt -e '.[{kind}]'"
    )


def test_language_model_connects_on_first_use_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*values: Any, **options: Any) -> None:
        raise NetworkUsed

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, never)
    monkeypatch.setattr(socket, "getaddrinfo", never)
    for kind in ("ollama", "openai", "anthropic", "openai-like"):
        model = language_model(LlmSettings(f"{kind}/x", url="http://127.0.0.1:9", key=KEY), {})
        assert model.name == f"{kind}/x"
        assert model.count_tokens("One, two.") == 5


def test_import_of_client_loads_no_library() -> None:
    code = (
        "import sys, qa.llm.client\n"
        "print([name for name in ('llama_index', 'httpx', 'openai') if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown == "[]\n"


def test_stop_ends_the_probe_of_a_silent_server() -> None:
    with openai_like(Reply(), models=Reply(before=(Hang(),))) as server:
        model, stop = model_of(server, timeout=20.0), threading.Event()
        threading.Timer(0.2, stop.set).start()
        with pytest.raises(StoppedError):
            model.context_size(stop)
        assert server.gone.wait(2)
