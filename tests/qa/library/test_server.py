"""A library on a real Chroma server: shared by several machines, and the server fails."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qa.errors import BrokenError
from qa.library.index import Index
from qa.library.search import retrieve
from tests.qa.fakes import WordEmbedder, text_document
from tests.qa.llm.conftest import (
    _no_network as _no_network,
)
from tests.servers import free_port, wait_for

pytestmark = pytest.mark.server
CHROMA = Path(sys.executable).with_name("chroma")


class Server:
    """A Chroma server with its data in a folder, that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        log = self._folder.with_suffix(".log")
        place = ["--path", str(self._folder), "--host", "127.0.0.1", "--port", str(self._port)]
        with log.open("wb") as output:
            command = [str(CHROMA), "run", *place]
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        wait_for(f"{self.address}/api/v2/heartbeat", self._process, log)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "server")
    yield running
    running.kill()


@pytest.fixture
def machine(server: Server, tmp_path: Path) -> Callable[[str], Index]:
    """Opens the library as a machine with this name does, which has a local index of its own."""

    def open_index(name: str) -> Index:
        return Index(server.address, WordEmbedder(), tmp_path / name)

    return open_index


def _found(index: Index, question: str) -> list[str]:
    vector = WordEmbedder().encode([question])[0].vector
    ranked = retrieve(question, vector, index.snapshot(), index.nearest, top_k=9)
    return [row.passage.document.name for row in ranked if row.why.lexical_rank]


def test_machines_see_the_changes_of_each_other(machine: Callable[[str], Index]) -> None:
    first, second = machine("first"), machine("second")
    first.add(text_document("The bridge opened.", "a.txt"))
    assert _found(second, "bridge") == ["a.txt"]
    second.add(text_document("The ferry stopped.", "b.txt"))
    second.add(text_document("The tunnel opened.", "a.txt"))
    assert _found(first, "ferry") == ["b.txt"]
    assert _found(first, "bridge") == []
    assert _found(first, "tunnel") == ["a.txt"]
    first.remove("a.txt")
    assert _found(second, "tunnel") == []
    assert [document.name for document in machine("third").documents()] == ["b.txt"]


def test_reading_machine_leaves_what_another_adds(machine: Callable[[str], Index]) -> None:
    first, second = machine("first"), machine("second")

    def read(done: int, total: int) -> None:
        """Happens between the writes of the passages."""
        assert _found(second, "bridge") == []
        assert machine("third").entries() == []

    first.add(text_document("The bridge opened. " * 400, "a.txt"), read)
    assert set(_found(second, "bridge")) == {"a.txt"}
    assert second.passage_count() == len(second.snapshot().all_passages())


@pytest.mark.parametrize("operation", ["entries", "add", "remove", "nearest", "open"])
def test_server_that_is_gone_is_named(
    machine: Callable[[str], Index], server: Server, operation: str
) -> None:
    index = machine("first")
    index.add(text_document("The bridge opened.", "a.txt"))
    vector = WordEmbedder().encode(["bridge"])[0].vector
    operations: dict[str, Callable[[], object]] = {
        "entries": index.entries,
        "add": lambda: index.add(text_document("The ferry stopped.", "b.txt")),
        "remove": lambda: index.remove("a.txt"),
        "nearest": lambda: index.nearest(vector, 9),
        "open": lambda: machine("second"),
    }
    server.kill()
    with pytest.raises(BrokenError, match=f"The Chroma server at {server.address} does not answer"):
        operations[operation]()

    server.start()
    assert _found(index, "bridge") == ["a.txt"]


def test_server_killed_while_a_document_is_added_leaves_the_library(
    machine: Callable[[str], Index], server: Server
) -> None:
    index = machine("first")
    index.add(text_document("The bridge opened.", "a.txt"))
    calls = []

    def kill(done: int, total: int) -> None:
        calls.append(done)
        if len(calls) == 2:
            # The passages are embedded, and are being written.
            server.kill()

    with pytest.raises(BrokenError, match="does not answer"):
        index.add(text_document("The bridge closed.", "a.txt"), kill)
    server.start()
    assert _found(index, "opened") == ["a.txt"]
    assert _found(index, "closed") == []
    assert index.add(text_document("The bridge closed.", "a.txt")).outcome == "replaced"
    assert _found(machine("second"), "closed") == ["a.txt"]
