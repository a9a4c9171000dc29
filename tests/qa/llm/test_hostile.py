"""Servers that send without end, compressed, or half characters: words or our error, bounded.

`python -m tests.attack.hostile_servers` tries many more behaviours, and measures them.
"""

import gzip
import threading
from collections.abc import Callable, Iterator
from itertools import cycle, repeat
from typing import Any

import pytest

from qa.answer.generate import draft_answer
from qa.errors import LanguageModelError
from qa.llm import error_messages
from qa.llm.bounds import ERROR_BYTES
from qa.llm.server import ResponseHead, Server
from qa.reader.reader import Reading
from qa.types import Event, Passage, RankedPassage, Span, Why
from tests.qa.fakes import text_document
from tests.qa.llm.scripted import (
    JSON,
    NDJSON,
    SSE,
    Part,
    Reply,
    anthropic_event,
    anthropic_words,
    json_reply,
    ollama_line,
    ollama_words,
    openai_chunk,
    openai_like,
    openai_words,
)
from tests.qa.llm.test_client import SERVERS, SOON, failure_of, model_of, words_of

KINDS = list(SERVERS)
PATIENT = 60.0
"""Seconds of silence that no test reaches, however busy the machine is."""
BLOCK = b"x" * 60_000
ANSWERS: dict[str, Callable[..., Iterator[bytes]]] = {
    "openai-like": openai_words,
    "ollama": ollama_words,
    "anthropic": anthropic_words,
}
STREAM_KIND = {"openai-like": SSE, "ollama": NDJSON, "anthropic": SSE}
THOUGHT = {
    "openai-like": openai_chunk({"reasoning_content": "hm"}),
    "ollama": ollama_line("", message={"role": "assistant", "content": "", "thinking": "hm"}),
    "anthropic": anthropic_event(
        "content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"}
    ),
}


def answering(kind: str, *words: str) -> Reply:
    return Reply(list(ANSWERS[kind](*words)), kind=STREAM_KIND[kind])


class Counted:
    """A body without end. `sent`: its bytes that were sent."""

    def __init__(self, part: bytes) -> None:
        self._part = part
        self.sent = 0

    def __iter__(self) -> Iterator[bytes]:
        for part in repeat(self._part):
            self.sent += len(part)
            yield part


# Size


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [307, 400, 500])
def test_error_body_without_end_is_read_to_64_kb(kind: str, status: int) -> None:
    """Only what the sockets' buffers take is sent beyond it."""
    body = Counted(BLOCK)
    with SERVERS[kind](Reply(body, status)) as server:
        message = str(failure_of(model_of(server, kind, timeout=PATIENT)))
        assert server.gone.wait(SOON)
    assert f"{status}" in message or "redirects" in message
    assert body.sent < ERROR_BYTES + 20_000_000
    assert len(message) < 600


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("part", "content_type"), [(BLOCK, ""), (b"data: x\n" * 5000, ""), (b'{"a": 1,' * 5000, JSON)]
)
def test_part_without_end_has_its_message(kind: str, part: bytes, content_type: str) -> None:
    reply = Reply(repeat(part), kind=content_type or STREAM_KIND[kind])
    with SERVERS[kind](reply) as server:
        message = str(failure_of(model_of(server, kind, timeout=PATIENT)))
    # Ollama's protocol has JSON in each line: its library refuses the first.
    assert "sent more than" in message or "not valid JSON" in message


@pytest.mark.parametrize("kind", ["openai-like", "ollama"])
def test_model_list_without_end_has_its_message(kind: str) -> None:
    endless_list = Reply(repeat(b'{"data": [' * 5000), kind=JSON)
    option = "models" if kind == "openai-like" else "show"
    with SERVERS[kind](Reply(), **{option: endless_list}) as server:
        message = str(failure_of(model_of(server, kind, timeout=PATIENT)))
    assert "sent more than 4 MB. The rest was not read." in message


def test_whole_answer_without_end_has_its_message() -> None:
    refusal = json_reply({"error": "no stream"}, 400)
    with openai_like([refusal, Reply(repeat(BLOCK), kind=JSON)]) as server:
        assert "sent more than 1 MB" in str(failure_of(model_of(server, timeout=PATIENT)))


@pytest.mark.parametrize("kind", KINDS)
def test_compressed_answer_is_not_decompressed(kind: str) -> None:
    """A few kB become hundreds of MB: no encoding is requested, and none is accepted."""
    bomb = gzip.compress(b" " * 1_000_000)
    reply = Reply([bomb], headers={"Content-Encoding": "gzip"})
    with SERVERS[kind](reply) as server:
        message = str(failure_of(model_of(server, kind, timeout=PATIENT)))
        assert server.asked[-1].headers["accept-encoding"] == "identity"
    assert "sent a compressed answer, which Footnote does not read" in message


@pytest.mark.parametrize("kind", KINDS)
def test_compressed_error_keeps_its_message(kind: str) -> None:
    reply = Reply([gzip.compress(b"x" * 1_000_000)], 503, headers={"Content-Encoding": "gzip"})
    with SERVERS[kind](reply) as server:
        assert "is busy or still loading" in str(
            failure_of(model_of(server, kind, timeout=PATIENT))
        )


@pytest.mark.parametrize("kind", KINDS)
def test_charset_of_an_error_is_ignored(kind: str) -> None:
    """Python has codecs that decompress; a server may name one."""
    reply = Reply([b'{"error": "no caf\xc3\xa9"}'], 418, "text/plain; charset=bz2")
    with SERVERS[kind](reply) as server:
        assert '"no café"' in str(failure_of(model_of(server, kind, timeout=PATIENT)))


# Time


@pytest.mark.parametrize("kind", KINDS)
def test_reasoning_without_end_is_cut_at_the_total_limit(kind: str) -> None:
    """Reasoning is a sign of life, so only the total limit ends it."""
    parts: list[Part] = [THOUGHT[kind], 0.05]
    with SERVERS[kind](Reply(cycle(parts), kind=STREAM_KIND[kind])) as server:
        message = str(failure_of(model_of(server, kind, timeout=PATIENT, total_timeout=0.7)))
        assert server.gone.wait(SOON)
    assert "had not finished its answer after 0.7 seconds" in message
    assert "raise QA_LLM_TOTAL_TIMEOUT" in message


def test_total_limit_keeps_the_words_that_had_arrived() -> None:
    slow: list[bytes | float] = []
    for word in openai_words(*["word "] * 1000):
        slow += [word, 0.2]
    with openai_like(Reply(slow)) as server:
        failure = failure_of(model_of(server, timeout=PATIENT, total_timeout=2.0))
    assert failure.streamed.startswith("word word")


# Half characters


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("deltas", "text"),
    [(["a\ud83d", "\ude00b"], "a😀b"), (["a\ud83d", "b"], "a\ufffdb"), (["a\udc00"], "a\ufffd")],
)
def test_half_characters_in_deltas_are_joined_or_replaced(
    kind: str, deltas: list[str], text: str
) -> None:
    with SERVERS[kind](answering(kind, *deltas)) as server:
        assert "".join(words_of(model_of(server, kind, timeout=PATIENT))) == text


@pytest.mark.parametrize("kind", KINDS)
def test_half_character_in_an_error_can_be_printed(kind: str) -> None:
    with SERVERS[kind](Reply([b'{"error": "a\\ud83d b"}'], 418, JSON)) as server:
        str(failure_of(model_of(server, kind, timeout=PATIENT))).encode()


# Messages


@pytest.mark.parametrize(
    "response",
    [
        ResponseHead(302, location="http://[::1/"),
        ResponseHead(429, retry_after="1e308"),
        ResponseHead(429, retry_after="Wed, 21 Oct 2015 07:28:00 +" + "9" * 30),
        ResponseHead(400, body='{"error":' * 900 + "[]" + "}" * 900),
        ResponseHead(400, body="[" * 60_000),
        ResponseHead(418, body="\ud83d" * 1000),
    ],
)
def test_describe_status_of_odd_response_is_a_short_message(response: ResponseHead) -> None:
    message = error_messages.describe_status(Server("ollama/x", "http://localhost:1"), response)
    message.encode()
    assert len(message) < 500
    assert "e+" not in message


@pytest.mark.parametrize("context", [True, -1, 10**20, 0, "4096", 1.5, None])
def test_context_that_is_not_a_size_is_ignored(context: Any) -> None:
    with openai_like(Reply(), max_model_len=context) as server:
        assert model_of(server, timeout=PATIENT).context_size(threading.Event()) == 4096


# Threads and connections


def test_draft_whose_listener_fails_closes_the_stream() -> None:
    """The error keeps the frames of the answer alive; its connection must not wait for them."""

    document = text_document("The bridge cost 3 euros.")
    ranked = RankedPassage(Passage(document, Span(0, 24)), 1.0, Why(1, 1, 0.5))
    reading = Reading((), (ranked,), 0.5)

    def fail(event: Event) -> None:
        raise OSError("disk full")

    with openai_like(Reply(repeat(openai_chunk({"content": "word "})))) as server:
        with pytest.raises(OSError, match="disk full") as raised:
            draft_answer(
                "Who?", reading, model_of(server, timeout=PATIENT), fail, threading.Event()
            )
        assert server.gone.wait(SOON)
    assert raised.traceback


@pytest.mark.parametrize("kind", KINDS)
def test_failed_request_leaves_no_thread(kind: str) -> None:
    with SERVERS[kind](Reply(repeat(BLOCK), 500)) as server:
        with pytest.raises(LanguageModelError):
            words_of(model_of(server, kind, timeout=PATIENT))
        assert server.gone.wait(SOON)
    watching = [thread for thread in threading.enumerate() if thread.name.startswith("footnote")]
    for thread in watching:
        thread.join(SOON)
        assert not thread.is_alive()
