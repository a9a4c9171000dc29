"""Uploads cannot fill the server's memory."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from ui.access.uploads import MAX_ARRIVING_BYTES, MAX_UPLOADED_BYTES, UPLOADS, UploadLimit

ADDRESS = f"{UPLOADS}session/file"


class Storage:
    """The uploads that the server holds; `arriving` sees what the limit counts meanwhile."""

    def __init__(self, stored: int) -> None:
        self.stored = stored
        self.received = 0
        app = Starlette(routes=[Route("/{path:path}", self._receive, methods=["PUT"])])
        self.limit = UploadLimit(app, lambda: self.stored)
        self.client = TestClient(self.limit)

    async def _receive(self, request: Request) -> PlainTextResponse:
        self.received += 1
        if request.url.path.endswith("/outer"):
            # Another upload, while this one still arrives.
            inner = TestClient(self.limit).put(ADDRESS, content=b"x" * 1000)
            return PlainTextResponse(str(inner.status_code))
        return PlainTextResponse("stored")


def test_upload_that_fits_is_stored() -> None:
    storage = Storage(MAX_UPLOADED_BYTES - 100)
    assert storage.client.put(ADDRESS, content=b"x" * 100).text == "stored"


def test_upload_over_the_limit_is_refused_unread() -> None:
    storage = Storage(MAX_UPLOADED_BYTES - 100)
    answer = storage.client.put(ADDRESS, content=b"x" * 101)
    assert answer.status_code == 503
    assert storage.received == 0


@pytest.mark.parametrize("stored", [MAX_UPLOADED_BYTES - MAX_ARRIVING_BYTES, 0])
def test_upload_without_length_counts_as_the_largest(stored: int) -> None:
    storage = Storage(stored + 1)
    answer = storage.client.put(ADDRESS, content=iter([b"x"]))
    assert answer.status_code == (503 if stored else 200)


def test_uploads_that_arrive_count() -> None:
    storage = Storage(MAX_UPLOADED_BYTES - 2500)
    address = f"{UPLOADS}session/outer"
    assert storage.client.put(address, content=b"x" * 1500).text == "200"
    assert storage.client.put(address, content=b"x" * 1501).text == "503"
    # Both have ended: their bytes are free again.
    assert storage.client.put(ADDRESS, content=b"x" * 2500).text == "stored"


def test_other_requests_are_not_limited() -> None:
    assert Storage(MAX_UPLOADED_BYTES).client.put("/elsewhere", content=b"x").text == "stored"


def test_streamlits_uploads_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit has this figure in the statistics of its uploads."""
    manager = MemoryUploadedFileManager(UPLOADS)
    files = {"uploaded_file_mgr": manager}
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: type("Runtime", (), files))
    app = Starlette(routes=[Route("/{path:path}", lambda _: PlainTextResponse("stored"))])
    client = TestClient(UploadLimit(app))
    assert client.get(ADDRESS).text == "stored"

    half = b"x" * (MAX_UPLOADED_BYTES // 2 + 1)
    for file_id in ("a", "b"):
        manager.add_file("session", UploadedFileRec(file_id, "name", "text/plain", half))
    assert client.get(ADDRESS).status_code == 503
    manager.remove_session_files("session")
    assert client.get(ADDRESS).text == "stored"
