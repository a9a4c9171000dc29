"""Scripted language model servers on a socket of this machine, in their real protocols."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SSE = "text/event-stream"
JSON = "application/json"
NDJSON = "application/x-ndjson"


class Hang:
    """Sends nothing more, until the other side ends the connection."""


Part = bytes | float | Hang | Callable[[], object]
"""Bytes to send, seconds to wait, the end of sending, or a function to call in between."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response. `{authorization}` in a part stands for that header of the request."""

    parts: Iterable[Part] = ()
    status: int = 200
    kind: str = SSE
    headers: Mapping[str, str] = field(default_factory=dict)
    before: tuple[Part, ...] = ()
    """Waits before the head."""
    chunked: bool = True
    """Whether the body is sent in chunks; otherwise the connection's end is the body's."""
    cut: bool = False
    """Whether the connection ends without the last chunk."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ScriptedServer:
    """Answers each path with its replies in turn, the last again and again. Use it in `with`."""

    def __init__(self, replies: Mapping[str, Reply | list[Reply]], port: int = 0) -> None:
        self._port = port
        """0: any port that is free."""
        self.asked: list[Asked] = []
        """Every request, in order."""
        self.gone = threading.Event()
        """Set when a client ends the connection before the answer is complete."""
        self._replies = {
            path: one if isinstance(one, list) else [one] for path, one in replies.items()
        }
        self._lock = threading.Lock()

    @cached_property
    def _http(self) -> ThreadingHTTPServer:
        script = self

        class Handler(_Handler):
            server_script = script

        http = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        http.daemon_threads = True
        return http

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._http.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def bodies(self, path: str) -> list[Any]:
        """The JSON of every request to a path."""
        return [one.json for one in self.asked if one.path == path]

    def say(self, path: str, *replies: Reply) -> None:
        """Sets what a path answers from now on."""
        with self._lock:
            self._replies[path] = list(replies)
            self.gone.clear()

    def reply(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            left = self._replies.get(asked.path, [json_reply({"error": "no such path"}, 404)])
            return left.pop(0) if len(left) > 1 else left[0]

    def __enter__(self) -> "ScriptedServer":
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._http.shutdown()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_script: ScriptedServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *values: Any) -> None:
        """Keeps quiet."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.close_connection = True
        asked = Asked(
            self.command,
            self.path,
            {key.lower(): value for key, value in self.headers.items()},
            body,
        )
        reply = self.server_script.reply(asked)
        try:
            self._send(reply, asked)
        except (OSError, _GoneError):
            self.server_script.gone.set()

    def _send(self, reply: Reply, asked: Asked) -> None:
        for part in reply.before:
            self._wait(part)
        self.send_response(reply.status)
        chunked = {"Transfer-Encoding": "chunked"} if reply.chunked else {}
        for key, value in {
            "Content-Type": reply.kind,
            "Connection": "close",
            **chunked,
            **reply.headers,
        }.items():
            self.send_header(key, value)
        self.end_headers()
        for part in reply.parts:
            if not isinstance(part, bytes):
                self._wait(part)
                continue
            data = part.replace(b"{authorization}", asked.headers.get("authorization", "").encode())
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if reply.chunked else data)
        if reply.chunked and not reply.cut:
            self.wfile.write(b"0\r\n\r\n")

    def _wait(self, part: Part) -> None:
        """Waits, at most until the connection ends; or calls the function."""
        if callable(part):
            part()
            return
        seconds = part if isinstance(part, float) else 30.0
        # Not select: it takes no descriptor over 1023, and a long test run has more open.
        self.connection.settimeout(seconds)
        try:
            if not self.connection.recv(1):
                raise _GoneError
        except TimeoutError:
            return
        finally:
            self.connection.settimeout(None)


class _GoneError(Exception):
    """The client ended the connection."""


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Returns a reply with this JSON."""
    return Reply([json.dumps(value).encode()], status, JSON, headers or {})


def openai_like(
    chat: Reply | list[Reply],
    models: Reply | None = None,
    name: str = "tiny",
    port: int = 0,
    **entry: Any,
) -> ScriptedServer:
    """OpenAI's protocol; `entry`: further fields of the model in its list."""
    listed = {"object": "list", "data": [{"id": name, "object": "model", **entry}]}
    return ScriptedServer(
        {"/v1/models": models or json_reply(listed), "/v1/chat/completions": chat}, port
    )


def ollama(
    chat: Reply | list[Reply], show: Reply | None = None, context: int = 2048
) -> ScriptedServer:
    """Ollama's protocol; `context`: of the model."""
    info = {
        "model_info": {"general.architecture": "llama", "llama.context_length": context},
        "details": {},
    }
    return ScriptedServer(
        {
            "/api/show": show or json_reply(info),
            "/api/chat": chat,
            "/api/tags": json_reply({"models": []}),
        }
    )


def anthropic(chat: Reply | list[Reply]) -> ScriptedServer:
    """Anthropic's protocol."""
    return ScriptedServer({"/v1/messages": chat, "/v1/models": json_reply({"data": []})})


def openai_words(*words: str, finish: str | None = "stop", done: bool = True) -> Iterator[bytes]:
    """A streamed answer of OpenAI's protocol, a part a word."""
    yield openai_chunk({"role": "assistant", "content": ""})
    for word in words:
        yield openai_chunk({"content": word})
    if finish:
        yield openai_chunk({}, finish)
    if done:
        yield b"data: [DONE]\n\n"


def openai_chunk(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "tiny",
        "choices": [choice],
    }
    return b"data: %s\n\n" % json.dumps(chunk).encode()


def openai_whole(text: str) -> Reply:
    """An answer of OpenAI's protocol in one piece."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    }
    whole = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [choice],
    }
    return json_reply(whole)


def ollama_words(*words: str, done: bool = True) -> Iterator[bytes]:
    """A streamed answer of Ollama's protocol, a line a word."""
    for word in words:
        yield ollama_line(word)
    if done:
        yield ollama_line(
            "", done=True, done_reason="stop", prompt_eval_count=3, eval_count=len(words)
        )


def ollama_line(word: str, done: bool = False, **more: Any) -> bytes:
    message = {"role": "assistant", "content": word}
    line = {
        "model": "tiny",
        "created_at": "2025-01-01T00:00:00Z",
        "message": message,
        "done": done,
        **more,
    }
    return json.dumps(line).encode() + b"\n"


def anthropic_words(*words: str, stop: bool = True) -> Iterator[bytes]:
    """A streamed answer of Anthropic's protocol."""
    usage = {"input_tokens": 3, "output_tokens": 1}
    message = {
        "id": "1",
        "type": "message",
        "role": "assistant",
        "model": "tiny",
        "content": [],
        "usage": usage,
    }
    yield anthropic_event(
        "message_start", message={**message, "stop_reason": None, "stop_sequence": None}
    )
    yield anthropic_event(
        "content_block_start", index=0, content_block={"type": "text", "text": ""}
    )
    yield anthropic_event("ping")
    for word in words:
        yield anthropic_event(
            "content_block_delta", index=0, delta={"type": "text_delta", "text": word}
        )
    if stop:
        yield anthropic_event("content_block_stop", index=0)
        end = {"stop_reason": "end_turn", "stop_sequence": None}
        yield anthropic_event("message_delta", delta=end, usage={"output_tokens": 2})
        yield anthropic_event("message_stop")


def anthropic_event(kind: str, **fields: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (
        kind.encode(),
        json.dumps({"type": kind, **fields}).encode(),
    )


def endless(part: bytes, pause: float = 0.0) -> Iterator[Part]:
    """Yields the same part without end."""
    while True:
        yield part
        if pause:
            yield pause


def elapsed(start: float) -> float:
    """Seconds since a moment of `time.monotonic`."""
    return time.monotonic() - start
