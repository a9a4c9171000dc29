"""Limits the memory that uploaded files take: Streamlit keeps them until a page has used them."""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.stats import CacheStat

UPLOADS = "/_stcore/upload_file/"
MAX_UPLOADED_BYTES = 500_000_000
"""Bytes of all uploads together: those that a page has not used yet, and those that arrive."""
MAX_ARRIVING_BYTES = 50 * 1024 * 1024
"""What an upload may have that does not say its length; Streamlit refuses more."""
FULL = "Too many uploads at the moment. Try again in a minute."


class UploadLimit:
    """Refuses an upload while the memory for uploads is full."""

    def __init__(self, app: ASGIApp, stored_bytes: Callable[[], int] | None = None) -> None:
        self._app = app
        self._stored_bytes = stored_bytes or _stored_bytes
        self._arriving = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(UPLOADS):
            await self._app(scope, receive, send)
            return

        size = _size(Headers(scope=scope))
        if self._stored_bytes() + self._arriving + size > MAX_UPLOADED_BYTES:
            response = PlainTextResponse(FULL, 503, {"Retry-After": "60"})
            await response(scope, receive, send)
            return
        self._arriving += size
        try:
            await self._app(scope, receive, send)
        finally:
            self._arriving -= size


def _size(headers: Headers) -> int:
    """Returns the bytes that a request will have, at most."""
    length = headers.get("content-length", "")
    # A length in other digits or with a sign is Streamlit's to refuse.
    if length.isascii() and length.isdigit():
        return min(int(length), MAX_ARRIVING_BYTES)
    return MAX_ARRIVING_BYTES


def _stored_bytes() -> int:
    """Returns the bytes of the uploads that Streamlit holds."""
    if not runtime.exists():
        return 0
    total = 0
    for stats in runtime.get_instance().uploaded_file_mgr.get_stats().values():
        total += sum(stat.byte_length for stat in stats if isinstance(stat, CacheStat))
    return total
