"""Headers for every response that limit what a browser does with the page."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": with it, browsers send our own forms without their origin.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), "
    "payment=(), usb=()",
}


class SecurityHeaders:
    """Adds the headers. Nothing but the program's own files stays in a browser's cache."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._policy = content_security_policy()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = self._policy
                headers.update(_HEADERS)
                # Streamlit marks its own files so: their names change with their content.
                if "immutable" not in headers.get("Cache-Control", ""):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, send_with_headers)


def content_security_policy() -> str:
    """Returns a policy under which nothing is loaded from or sent to another host.

    No other page may show this one in a frame. Inline scripts run only if they are Streamlit's.
    """
    index = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    hashes = []
    for script in _INLINE_SCRIPT.findall(index):
        digest = b64encode(sha256(script.encode()).digest()).decode()
        hashes.append(f"'sha256-{digest}'")
    rules = (
        "default-src 'self'",
        # Streamlit loads the scripts of components from blobs, and compiles WebAssembly.
        f"script-src 'self' blob: 'wasm-unsafe-eval' {' '.join(hashes)}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
    return "; ".join(rules)
