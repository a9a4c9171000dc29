"""Attack the client of language models with servers that misbehave, and print a table.

    python -m tests.attack.hostile_servers [WORDS OF A BEHAVIOUR]

Each behaviour is tried in each protocol, with a client in a process of its own. It fails if an
error is not one of ours, if words or message cannot be encoded or have the key, if it takes more
time or memory than the limits below, or if a thread or socket stays.
"""

import json
import multiprocessing
import os
import resource
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection

from qa.errors import FootnoteError
from qa.llm.client import LlmSettings, language_model
from qa.llm.model import Message, without_thinking
from tests.attack.server_behaviours import ON_ANSWER, ON_PROBE, WIRES, Peer, Wire, words
from tests.qa.llm.scripted import JSON

SILENCE, TOTAL = 1.0, 3.0
"""The limits of time that the client is given."""
MOST_SECONDS = 10.0
MOST_MEGABYTES = 200.0
PATIENCE = 40.0
"""Seconds after which a client is stopped from outside."""
KEY = "sk-a-very-secret-key"
Behaviour = Callable[[Peer], None]
FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request."""

    kind: str
    """`words`, `error` (one of ours), or `RAW`."""
    text: str
    seconds: float
    megabytes: float
    """By which the memory of the process grew at most."""
    left: int
    """Threads and sockets that stayed."""

    @property
    def problem(self) -> str:
        problems = {
            "an error that is not ours": self.kind == "RAW",
            "too slow": self.seconds > MOST_SECONDS,
            "too much memory": self.megabytes > MOST_MEGABYTES,
            "left threads or sockets": self.left > 0,
            "shows the key": KEY in self.text,
        }
        return ", ".join(name for name, holds in problems.items() if holds)


def main(pattern: str = "") -> int:
    """Runs the attack. Returns the exit status."""
    for wire in WIRES:
        _warm_up(wire)
    outcomes = []
    print(f"{'provider':12} {'behaviour':40} {'seconds':>7} {'MB':>6}  outcome")
    for wire, name, behaviour, on_probe in _cases():
        if pattern not in name:
            continue
        outcome = _try(wire, behaviour, on_probe, name)
        outcomes.append(outcome)
        mark = f"  <-- {outcome.problem}" if outcome.problem else ""
        shown = f"{outcome.kind}: {outcome.text[:110]!r}{mark}"
        row = f"{wire.provider:12} {name:40} {outcome.seconds:7.1f} {outcome.megabytes:6.0f}"
        print(f"{row}  {shown}", flush=True)

    problems = Counter(bool(outcome.problem) for outcome in outcomes)
    slowest = max(outcome.seconds for outcome in outcomes)
    largest = max(outcome.megabytes for outcome in outcomes)
    print(f"{problems[False]} of {len(outcomes)} without a problem; ", end="")
    print(f"at most {slowest:.1f} seconds and {largest:.0f} MB more")
    return 1 if problems[True] else 0


def _cases() -> Iterator[tuple[Wire, str, Behaviour, bool]]:
    for name, behaviour in ON_ANSWER.items():
        for wire in WIRES:
            yield wire, name, behaviour, False
    for name, behaviour in ON_PROBE.items():
        for wire in WIRES[:2]:
            yield wire, name, behaviour, True
    for wire in WIRES:
        yield wire, "TLS: silence", lambda peer: peer.wait(), False
        yield wire, "TLS: garbage", lambda peer: peer.send(b"\x16\x03\x03\x40\x00" * 9), False
        yield wire, "never accepts", lambda _: None, False


def _warm_up(wire: Wire) -> None:
    """Loads the libraries with an answer, so that a client's time and memory are without them."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = FORK.Process(target=_serve, args=(listener, wire, words("Hello"), False, False))
    server.start()
    outcome = _request(wire, f"http://127.0.0.1:{listener.getsockname()[1]}{wire.path}")
    server.kill()
    server.join()
    listener.close()
    if outcome != ("words", "Hello"):
        raise SystemExit(f"{wire.provider} does not answer at all: {outcome}")


def _try(wire: Wire, behaviour: Behaviour, on_probe: bool, name: str) -> Outcome:
    listener = socket.create_server(("127.0.0.1", 0), backlog=0 if name == "never accepts" else 5)
    port = listener.getsockname()[1]
    secure = name.startswith("TLS:")
    fillers = _fill(port) if name == "never accepts" else []
    server = FORK.Process(target=_serve, args=(listener, wire, behaviour, on_probe, secure))
    if not fillers:
        server.start()

    receiving, sending = FORK.Pipe(duplex=False)
    client = FORK.Process(target=_client, args=(wire, port, secure, sending))
    client.start()
    if receiving.poll(PATIENCE):
        outcome = Outcome(**json.loads(receiving.recv_bytes()))
    else:
        megabytes = _largest_megabytes(client.pid) - _largest_megabytes(os.getpid())
        outcome = Outcome("RAW", "stopped from outside", PATIENCE, megabytes, 0)
        client.kill()
    client.join()
    if not fillers:
        server.kill()
        server.join()
    for opened in (listener, *fillers):
        opened.close()
    return outcome


def _fill(port: int) -> list[socket.socket]:
    """Returns connections that fill a server's queue, so that it accepts no other."""
    fillers = []
    for _ in range(3):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
        fillers.append(filler)
    return fillers


def _serve(
    listener: socket.socket, wire: Wire, behaviour: Behaviour, on_probe: bool, secure: bool
) -> None:
    while True:
        connection, _ = listener.accept()
        handle = threading.Thread(
            target=_handle, args=(connection, wire, behaviour, on_probe, secure), daemon=True
        )
        handle.start()


def _handle(
    connection: socket.socket, wire: Wire, behaviour: Behaviour, on_probe: bool, secure: bool
) -> None:
    with suppress(OSError), connection:
        request = b"" if secure else _read_request(connection)
        peer = Peer(connection, wire, request)
        is_probe = b"/models" in request[:100] or b"/api/show" in request[:100]
        if is_probe == on_probe:
            behaviour(peer)
        elif is_probe:
            peer.head(kind=JSON)
            peer.send(b'{"data": [{"id": "tiny"}], "model_info": {"a.context_length": 4096}}')
        else:
            peer.stream(wire.answer("Hello"))


def _read_request(connection: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        data = connection.recv(65536)
        if not data:
            return request
        request += data
    head, _, body = request.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head


def _client(wire: Wire, port: int, secure: bool, sending: Connection) -> None:
    # Memory over this becomes a MemoryError, and not a machine without memory.
    with open("/proc/self/statm") as statm:
        virtual = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (virtual + 2_000_000_000,) * 2)
    sockets = _open_sockets()
    memory = _peak_megabytes()
    start = time.monotonic()
    kind, text = _request(wire, f"http{'s' if secure else ''}://127.0.0.1:{port}{wire.path}")
    seconds = time.monotonic() - start
    left = _left_open(sockets)
    outcome = Outcome(kind, text[:2000], seconds, _peak_megabytes() - memory, left)
    sending.send_bytes(json.dumps(asdict(outcome)).encode())


def _request(wire: Wire, url: str) -> tuple[str, str]:
    settings = LlmSettings(f"{wire.provider}/tiny", url, KEY, None, SILENCE, TOTAL)
    try:
        model = language_model(settings, {})
        prompt = [Message("user", "Who was it?")]
        pieces = model.stream(prompt, 700, threading.Event())
        text = "".join(without_thinking(pieces))
        text.encode()
    except FootnoteError as error:
        return "error", _checked_message(error)
    except BaseException as error:  # noqa: BLE001  # what this looks for
        return "RAW", ascii(f"{type(error).__name__}: {error}")
    return "words", text


def _checked_message(error: FootnoteError) -> str:
    message = str(error)
    streamed: str = getattr(error, "streamed", "")
    (message + streamed).encode()
    if len(message) > 1000:
        raise ValueError("the message is too long")
    return message


def _left_open(sockets_before: int) -> int:
    """Returns how many threads and sockets stay. On a busy machine a thread ends a little later."""
    left = 0
    for _ in range(20):
        watching = [thread for thread in threading.enumerate() if "footnote" in thread.name]
        left = len(watching) + max(0, _open_sockets() - sockets_before)
        if not left:
            break
        time.sleep(0.1)
    return left


def _open_sockets() -> int:
    count = 0
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
    return count


def _largest_megabytes(process: int | None) -> float:
    """Returns the peak memory of a process that runs."""
    with open(f"/proc/{process}/status") as status:
        lines = status.read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
