"""A real language model behind a real server: SmolLM2-135M in llama.cpp, as a process of its own.

`make real-model` gets both. The model writes fluent sentences that are often wrong, so tests assert
on the form of an answer and never on its words.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

MODEL = Path(__file__).parents[3] / ".cache" / "smollm2.gguf"
NAME = "smollm2"
"""The name of the model in the server's list."""
STARTING = 60.0
"""Seconds that the server may take to start on a slow machine."""

_SERVE = """
import sys
import xllamacpp

path, name, port, context, endless = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = path
params.model_alias = {name}
params.hostnames = ["127.0.0.1"]
params.port = int(port)
params.n_ctx = int(context)
params.n_parallel = 1
# One: threads of llama.cpp wait for each other, which takes long where other tests run.
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.endpoint_slots = True
params.sampling.ignore_eos = endless == "endless"
server = xllamacpp.Server(params)
# The pipe ends with the tests, however they end: no server is left behind.
sys.stdin.read()
"""

needs_real_model = pytest.mark.skipif(
    find_spec("xllamacpp") is None or not MODEL.is_file(),
    reason="There is no real language model here. Get one and its server: make real-model",
)


@dataclass(frozen=True, slots=True)
class LlamaServer:
    """A server that is running. It answers one question at a time."""

    address: str
    """Host and port."""
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://{self.address}/v1"

    def slot(self) -> dict[str, Any]:
        """Returns the state of the server's only slot, in which it writes an answer."""
        response = httpx.get(f"http://{self.address}/slots", timeout=30, trust_env=False)
        (slot,) = response.json()
        return dict(slot)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def llama_server(folder: Path, context: int, endless: bool = False) -> Iterator[LlamaServer]:
    """Starts a server with this many tokens of context, and ends it.

    `endless`: its answers end only at the limit of their tokens. The server's log is in `folder`.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = [str(MODEL), NAME, str(port), str(context), "endless" if endless else "ends"]
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, *options],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = LlamaServer(f"127.0.0.1:{port}", process)
    try:
        _wait_for(server, log)
        yield server
    finally:
        server.kill()
        if process.stdin:
            process.stdin.close()


def _wait_for(server: LlamaServer, log: Path) -> None:
    """Returns when the model is loaded; fails with the server's log when it is not."""
    until = time.monotonic() + STARTING
    while server.process.poll() is None and time.monotonic() < until:
        try:
            # Status 503: it is still loading the model.
            if httpx.get(f"http://{server.address}/health", timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    pytest.fail(f"llama.cpp did not start:\n{log.read_text(errors='replace')[-3000:]}")
