"""What a broken or hostile language model server does: one function for each behaviour."""

import gzip
import json
import re
import socket
import time
import zlib
from bz2 import compress
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, repeat
from typing import Any

from tests.qa.llm.scripted import (
    JSON,
    NDJSON,
    SSE,
    anthropic_event,
    anthropic_words,
    ollama_line,
    ollama_words,
    openai_chunk,
    openai_words,
)

BLOCK = b"x" * 65_536
HALF = "\ud83d"


@dataclass(frozen=True, slots=True)
class Wire:
    """A provider's protocol: how its servers send an answer."""

    provider: str
    kind: str
    """The content type of a stream."""
    answer: Callable[..., Iterator[bytes]]
    """A whole answer of these words."""
    text: Callable[[Any], bytes]
    """A part with some words."""
    thinking: Callable[[str], bytes]
    """A part with some reasoning."""
    raw: Callable[[str], bytes]
    """A part with any JSON, as text."""
    tool: Callable[[int], bytes]
    """A part with the tool call of this number."""
    path: str = ""


def _openai_tool(number: int) -> bytes:
    call = {"index": number, "id": "t", "function": {"name": "run", "arguments": "{"}}
    return openai_chunk({"tool_calls": [call]})


def _ollama_message(**fields: Any) -> bytes:
    return ollama_line("", message={"role": "assistant", "content": "", **fields})


def _ollama_tool(number: int) -> bytes:
    return _ollama_message(tool_calls=[{"function": {"name": "run", "arguments": {"a": number}}}])


def _anthropic_tool(number: int) -> bytes:
    block = {"type": "tool_use", "id": f"t{number}", "name": "run", "input": {}}
    start = anthropic_event("content_block_start", index=number, content_block=block)
    return start + anthropic_event("content_block_stop", index=number)


def _anthropic_raw(text: str) -> bytes:
    kind = re.search(r'"type": "(\w+)"', text)
    event = kind[1] if kind else "content_block_delta"
    return f"event: {event}\ndata: {text}\n\n".encode()


def _anthropic_delta(**delta: Any) -> bytes:
    return anthropic_event("content_block_delta", index=0, delta=delta)


WIRES = (
    Wire(
        "openai-like",
        SSE,
        openai_words,
        lambda text: openai_chunk({"content": text}),
        lambda text: openai_chunk({"reasoning_content": text}),
        lambda text: b"data: " + text.encode() + b"\n\n",
        _openai_tool,
        "/v1",
    ),
    Wire(
        "ollama",
        NDJSON,
        ollama_words,
        ollama_line,
        lambda text: _ollama_message(thinking=text),
        lambda text: text.encode() + b"\n",
        _ollama_tool,
    ),
    Wire(
        "anthropic",
        SSE,
        anthropic_words,
        lambda text: _anthropic_delta(type="text_delta", text=text),
        lambda text: _anthropic_delta(type="thinking_delta", thinking=text),
        _anthropic_raw,
        _anthropic_tool,
    ),
)


@dataclass(frozen=True, slots=True)
class Peer:
    """The connection to a client that has sent its request."""

    connection: socket.socket
    wire: Wire
    request: bytes

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def head(
        self, status: str = "200 OK", kind: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        fields = {"Content-Type": kind or self.wire.kind, "Connection": "close", **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.send(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1"))

    def body(self, parts: Iterable[bytes], pause: float = 0.0) -> None:
        for part in parts:
            self.send(part)
            if pause:
                time.sleep(pause)

    def stream(self, parts: Iterable[bytes], pause: float = 0.0) -> None:
        self.head()
        self.body(parts, pause)

    def begin(self) -> Iterator[bytes]:
        """Yields the beginning of an answer."""
        end_parts = {"openai-like": 2, "ollama": 1, "anthropic": 3}[self.wire.provider]
        yield from list(self.wire.answer("Hello"))[:-end_parts]

    def key(self) -> bytes:
        for line in self.request.split(b"\r\n"):
            name, _, value = line.partition(b": ")
            if name.lower() in (b"authorization", b"x-api-key"):
                return value.removeprefix(b"Bearer ")
        return b""

    def wait(self) -> None:
        """Does nothing until the client is gone."""
        self.connection.settimeout(60)
        while self.connection.recv(1000):
            pass


def fail(body: bytes, status: str = "500 Oops", **headers: str) -> Callable[[Peer], None]:
    """Returns a behaviour: an error with this body."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}

    def behave(peer: Peer) -> None:
        peer.head(status, JSON, fields)
        peer.send(body)

    return behave


def words(*texts: Any) -> Callable[[Peer], None]:
    """Returns a behaviour: an answer of these deltas."""
    return lambda peer: peer.stream(peer.wire.answer(*texts))


def raw(*texts: str) -> Callable[[Peer], None]:
    """Returns a behaviour: an answer that begins well and goes on with this JSON."""

    def behave(peer: Peer) -> None:
        peer.stream([*peer.begin(), *map(peer.wire.raw, texts)])

    return behave


def endless(
    part: Callable[[Peer], bytes], pause: float = 0.0, status: str = "200 OK", kind: str = ""
) -> Callable[[Peer], None]:
    """Returns a behaviour: a body of the same part again and again."""

    def behave(peer: Peer) -> None:
        peer.head(status, kind)
        peer.body(repeat(part(peer)), pause)

    return behave


def plain(data: bytes) -> Callable[[Peer], None]:
    """Returns a behaviour: these bytes instead of a response."""
    return lambda peer: peer.send(data)


def head_then(data: Iterable[bytes], pause: float = 0.0) -> Callable[[Peer], None]:
    """Returns a behaviour: the beginning of a head, then these bytes."""

    def behave(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\n")
        peer.body(data, pause)

    return behave


def coded(status: str, kind: str, encoding: str, body: bytes) -> Callable[[Peer], None]:
    """Returns a behaviour: a body in an encoding that was not requested."""

    def behave(peer: Peer) -> None:
        peer.head(status, kind, {"Content-Encoding": encoding} if encoding else {})
        peer.send(body)

    return behave


def chunked(*chunks: bytes, repeat_last: bool = False) -> Callable[[Peer], None]:
    """Returns a behaviour: a chunked body whose framing is given."""

    def behave(peer: Peer) -> None:
        peer.head(headers={"Transfer-Encoding": "chunked"})
        peer.body(chunks)
        while repeat_last:
            peer.send(chunks[-1])

    return behave


def _echo_key(peer: Peer) -> None:
    peer.head("400 Bad", JSON)
    peer.send(b'{"error": {"message": "no such key: %s"}}' % peer.key())


def _echo_key_in_stream(peer: Peer) -> None:
    error = json.dumps({"error": {"message": "bad key " + peer.key().decode()}})
    peer.stream([*peer.begin(), peer.wire.raw(error)])


def _cut_chunk(peer: Peer) -> None:
    peer.head(headers={"Transfer-Encoding": "chunked"})
    peer.send(b"ffff\r\n" + b"".join(peer.begin()))


def _two_lengths(peer: Peer) -> None:
    peer.head(headers={"Content-Length": "5", "Transfer-Encoding": "chunked"})
    peer.body(peer.begin())


def _long_length(peer: Peer) -> None:
    peer.head(headers={"Content-Length": "9" * 18})
    peer.body(peer.begin())


def _again_after_end(peer: Peer) -> None:
    peer.stream([*peer.wire.answer("Hello"), *peer.wire.answer(" again")] * 3)


def _wrong_kind(peer: Peer) -> None:
    peer.head(kind="image/png")
    peer.body(peer.wire.answer("Hello"))


def _many_blocks(peer: Peer) -> None:
    peer.stream(peer.begin())
    block = {"type": "text", "text": ""}
    for number in count(1):
        if peer.wire.provider == "anthropic":
            peer.send(anthropic_event("content_block_start", index=number, content_block=block))
        peer.send(peer.wire.thinking("hm") + peer.wire.text(""))
        if peer.wire.provider == "anthropic":
            peer.send(anthropic_event("content_block_stop", index=number))


def _utf16(peer: Peer) -> None:
    peer.head(kind=f"{peer.wire.kind}; charset=utf-16")
    peer.body(peer.wire.answer("Hello"))


def _silent_after_head(peer: Peer) -> None:
    peer.head()
    peer.wait()


def _silent_after_words(peer: Peer) -> None:
    peer.stream(peer.begin())
    peer.wait()


def _drip(peer: Peer) -> None:
    peer.head()
    peer.body(_slow(b"".join(peer.wire.answer("Hello"))), 0.05)


def _slow(data: bytes) -> Iterator[bytes]:
    for byte in data:
        yield bytes([byte])


NESTED = "[" * 100_000 + "]" * 100_000
NESTED_OBJECTS = '{"error":' * 900 + "1" + "}" * 900
BOMB = gzip.compress(b" " * 300_000_000, 1)
BZ2_CHARSET = {"Content_Type": "text/plain; charset=bz2"}
ANYTHING = '{"type": "content_block_delta", "index": 0, "delta": %s, "choices": %s, "message": %s}'
TYPES = ["null", "[]", "7", '"x"', "[null]", "[[]]", '{"content": 7}', '{"text": {"a": 1}}']

MANY_BLOCKS = '{"type": "message", "role": "assistant", "content": [%s]}'
"""An answer in one piece: the libraries try each block as every kind of block that there is."""


def _bomb(value: str, number: int) -> str:
    return ",".join([value] * number)


BOMBS = {
    "objects": _bomb("{}", 80_000),
    "typed blocks": _bomb('{"type":"text"}', 15_000),
    "unknown blocks": _bomb('{"type":"x"}', 18_000),
    "lists in lists": _bomb("[[],[]]", 30_000),
    "numbers": _bomb("1", 120_000),
}

ON_ANSWER: dict[str, Callable[[Peer], None]] = {
    "error body without end": endless(lambda _: BLOCK, status="500 Oops"),
    "error body without end, as JSON": endless(
        lambda _: b'{"error": "', status="400 Bad", kind=JSON
    ),
    "error body that drips": endless(lambda _: b"x", 0.2, status="503 Busy"),
    "redirect with a body without end": endless(lambda _: BLOCK, status="302 Found"),
    "whole JSON without end": endless(lambda _: b'{"a": "xxxxxxxx",', kind=JSON),
    "line without end": endless(lambda _: BLOCK),
    "comments without end": endless(lambda _: b": ping\n\n" * 1000),
    "comments without end, slowly": endless(lambda _: b": ping\n\n", 0.1),
    "event without end": endless(lambda _: b"data: x\n" * 1000),
    "event of empty lines without end": endless(lambda _: b"\r\n" * 1000),
    "empty deltas without end": endless(lambda peer: peer.wire.text("") * 100),
    "words without end": endless(lambda peer: peer.wire.text("word ") * 100),
    "reasoning without end": endless(lambda peer: peer.wire.thinking("hm") * 100),
    "reasoning without end, slowly": endless(lambda peer: peer.wire.thinking("hm"), 0.1),
    "reasoning of large deltas": endless(lambda peer: peer.wire.thinking("hm" * 100_000)),
    "<think> without end": endless(lambda peer: peer.wire.text("<think> hm ")),
    "tool calls without end": lambda peer: peer.stream(map(peer.wire.tool, count())),
    "blocks without end": _many_blocks,
    "unknown events without end": endless(lambda peer: peer.wire.raw('{"type": "new"}') * 100),
    "delta of 900 kB": words("x" * 900_000),
    "delta of 5 MB": words("x" * 5_000_000),
    "a million deltas": words(*["x"] * 1_000_000),
    "gzip bomb": coded("200 OK", "", "gzip", BOMB),
    "gzip bomb as an error": coded("500 Oops", JSON, "gzip", BOMB),
    "deflate bomb": coded("200 OK", JSON, "deflate", zlib.compress(b" " * 100_000_000, 1)),
    "encoding twice": coded("200 OK", "", "gzip, gzip, br", BOMB[:100]),
    "charset that decompresses": fail(compress(b" " * 300_000_000), **BZ2_CHARSET),
    "charset punycode": fail(b"a-" + b"9" * 60_000, Content_Type="text/plain; charset=punycode"),
    "charset UTF-16 in a stream": _utf16,
    "head that drips": head_then(_slow(b"X-A: " + b"a" * 10_000), 0.1),
    "head without end": head_then(repeat(b"X-A: aaaaaaaaaa\r\n" * 100)),
    "header without end": head_then(repeat(b"X" * 10_000)),
    "thousands of cookies": head_then(
        [b"Set-Cookie: a=b; expires=" + b"1" * 900 + b"\r\n"] * 90 + [b"\r\n"]
    ),
    "responses 103 without end": lambda peer: peer.body(repeat(b"HTTP/1.1 103 Hints\r\n\r\n")),
    "status 101": fail(b"", "101 Switching Protocols"),
    "status 204": fail(b"", "204 No Content"),
    "status 999": fail(b'{"error": null}', "999 Odd"),
    "status line that is not HTTP": plain(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "TLS where HTTP is expected": plain(b"\x15\x03\x01\x00\x02\x02\x28"),
    "closes at once": plain(b""),
    "closes after the head": lambda peer: peer.head(),
    "silence": lambda peer: peer.wait(),
    "silence after the head": _silent_after_head,
    "silence after some words": _silent_after_words,
    "body that drips": _drip,
    "cut after some words": lambda peer: peer.stream(peer.begin()),
    "cut in a chunk": _cut_chunk,
    "two lengths": _two_lengths,
    "length that is too long": _long_length,
    "invalid size of a chunk": chunked(b"-5\r\nabc\r\n"),
    "size of a chunk without end": chunked(b"f" * 1000, repeat_last=True),
    "chunk extension without end": chunked(b"5;a=", b"b" * 1000, repeat_last=True),
    "trailers without end": chunked(b"0\r\n", b"X-A: aaaa\r\n" * 100, repeat_last=True),
    "garbage": lambda peer: peer.stream([bytes(range(256)) * 50]),
    "invalid UTF-8": lambda peer: peer.stream(
        [part.replace(b"Hello", b"He\xff\xed\xa0\xbd") for part in peer.wire.answer("Hello")]
    ),
    "NUL and escapes in the words": words("a\0b\x1b[2J\u202e\ufeff"),
    "half a surrogate pair": words("a" + HALF, "b"),
    "half a surrogate pair at the end": words("a", HALF),
    "a surrogate pair over two deltas": words("a" + HALF, "\ude00b"),
    "half a surrogate pair in an error": fail(b'{"error": "a\\ud83d"}', "400 Bad"),
    "half a surrogate pair in a later error": raw('{"error": {"message": "a\\ud83d"}}'),
    "HTML page": coded("200 OK", "text/html", "", b"<html>Sign in</html>" * 1000),
    "empty JSON": coded("200 OK", JSON, "", b"{}"),
    "nothing": coded("200 OK", JSON, "", b""),
    "redirect": fail(b"", "307 Moved", Location="http://evil.example/v1"),
    "redirect to an invalid address": fail(b"", "302 Found", Location="http://[::1/"),
    "redirect to itself": fail(b"", "302 Found", Location="/"),
    "nested JSON": raw(NESTED),
    "nested JSON in an error": fail(NESTED.encode()[:60_000], "400 Bad"),
    "nested errors": fail(NESTED_OBJECTS.encode(), "400 Bad"),
    "nested error in the stream": raw('{"error":' * 500 + "[]" + "}" * 500),
    **{
        f"bomb of {name} in the stream": raw(ANYTHING % (f"[{bomb}]", f"[{bomb}]", f"[{bomb}]"))
        for name, bomb in BOMBS.items()
    },
    **{
        f"bomb of {name} in one piece": coded(
            "200 OK", JSON, "", (MANY_BLOCKS % _bomb(bomb, 3)).encode()
        )
        for name, bomb in BOMBS.items()
    },
    "numbers without end": raw("1" * 100_000, '{"choices": 1e999, "message": NaN, "done": -1}'),
    "not a number": raw('{"choices": [{"index": NaN, "delta": {"content": Infinity}}]}'),
    "values of wrong types": raw(*[ANYTHING % (value, value, value) for value in TYPES]),
    "missing fields": raw("{}", '{"choices": []}', '{"choices": [{}]}', '{"message": {}}'),
    "JSON that is not an object": raw("[]", '"text"', "7", "null", "true"),
    "null as words": lambda peer: peer.stream(map(peer.wire.text, [None, None])),
    "numbers as words": lambda peer: peer.stream(map(peer.wire.text, [7, 7.5])),
    "lists as words": lambda peer: peer.stream(map(peer.wire.text, [["a"], {"b": 1}])),
    "a tool call": lambda peer: peer.stream([peer.wire.tool(0), peer.wire.tool(1)]),
    "an answer again after its end": _again_after_end,
    "wrong content type": _wrong_kind,
    "error in the stream": raw('{"type": "error", "error": {"type": "overloaded_error"}}'),
    "long error in the stream": raw(json.dumps({"error": {"message": "x" * 500_000}})),
    "429 for 10^308 seconds": fail(b"{}", "429 Many", Retry_After="1e308"),
    "429 until an impossible date": fail(
        b"{}", "429 Many", Retry_After="Wed, 21 Oct 2015 07:28:00 +" + "9" * 30
    ),
    "reason phrase of 90 kB": fail(b"{}", "400 " + "x" * 90_000),
    "the key in an error": _echo_key,
    "the key in the stream": _echo_key_in_stream,
    "words in control characters": words("\r\n\r\n", "\u2028", "\x85", "data: [DONE]"),
}
"""For a request for an answer."""

MILLION_NAMES = b'{"data": [' + b",".join(b'{"id":"m%d"}' % n for n in range(1_000_000)) + b"]}"
ON_PROBE: dict[str, Callable[[Peer], None]] = {
    "probe: JSON without end": endless(lambda _: b'{"a":"xxxxxxx",' * 1000, kind=JSON),
    "probe: a million models": coded("200 OK", JSON, "", MILLION_NAMES),
    "probe: 5,000 other models": coded("200 OK", JSON, "", MILLION_NAMES[:60_000] + b'"}]}'),
    "probe: nested JSON": coded("200 OK", JSON, "", NESTED.encode()),
    "probe: gzip bomb": coded("200 OK", JSON, "gzip", BOMB),
    "probe: names of half characters": coded("200 OK", JSON, "", b'{"data": [{"id": "\\ud83d"}]}'),
    "probe: silence": lambda peer: peer.wait(),
    "probe: 404 without end": endless(lambda _: BLOCK, status="404 No"),
    "probe: values of wrong types": coded(
        "200 OK", JSON, "", b'{"data": {"id": []}, "model_info": {"a.context_length": [1]}}'
    ),
    "probe: an impossible context": coded(
        "200 OK",
        JSON,
        "",
        b'{"data": [{"id": "tiny", "max_model_len": %s}], "model_info": {"a.context_length": %s}}'
        % (b"9" * 400, b"9" * 400),
    ),
}
"""For the request that asks for the model. Anthropic's models are not asked for."""
