"""Two layers around Streamlit: security headers for every response, and the login.

If there are users (`footnote user add NAME`), strangers get the login and nothing else. Without
users the page is for this machine only; `ui/shell.py` checks that.
"""

import os
import re
import secrets
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs

import anyio
import streamlit as st
from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.users import Users
from ui.jinja import render

COOKIE = "footnote_session"
SESSION_SECONDS = 30 * 86_400
WRONG_PASSWORD_DELAY = 1.0
"""Seconds before the answer to a wrong password."""
MAX_CHECKS = 4
"""Passwords that are checked at the same time."""
MAX_FORM = 4096
LOCAL_ADDRESSES = ("localhost", "127.0.0.1", "::1")
_KEY_FILE = "session.key"
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class SecurityHeaders:
    """Adds headers to every response that limit what a browser does with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._policy = content_security_policy()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = self._policy
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
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
        # Streamlit loads the scripts of components from blobs, and its charts compile expressions.
        f"script-src 'self' blob: 'unsafe-eval' {' '.join(hashes)}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
    return "; ".join(rules)


class LoginRequired:
    """Serves the login, and the page to people who have logged in."""

    def __init__(self, app: ASGIApp, home: Path) -> None:
        self._app = app
        self._home = home
        self._users = Users(home)
        self._checks = anyio.CapacityLimiter(MAX_CHECKS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_http = scope["type"] == "http"
        is_request = is_http or scope["type"] == "websocket"
        if not is_request or not self._users.names():
            await self._app(scope, receive, send)
            return

        path = scope["path"]
        if is_http and path == "/login":
            response = await self._login(Request(scope, receive))
            await response(scope, receive, send)
        elif is_http and path == "/logout":
            await _log_out()(scope, receive, send)
        elif path == "/_stcore/health" or logged_in(self._home, HTTPConnection(scope).cookies):
            await self._app(scope, receive, send)
        elif is_http:
            await RedirectResponse("/login", 303)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _login(self, request: Request) -> Response:
        if request.method != "POST":
            return _form()
        length = int(request.headers.get("content-length") or MAX_FORM + 1)
        if length > MAX_FORM:
            return PlainTextResponse("This form is too long.", 413)

        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        name = form.get("name", [""])[0]
        password = form.get("password", [""])[0]
        # Passwords are slow to check on purpose: many at once would take all processors.
        async with self._checks:
            if await run_in_threadpool(self._users.password_matches, name, password):
                return self._log_in(name, request.url.scheme == "https")
            await anyio.sleep(WRONG_PASSWORD_DELAY)
        return _form("Wrong name or password.")

    def _log_in(self, name: str, secure: bool) -> Response:
        response = RedirectResponse("/", 303)
        token = _signer(self._home).dumps([name, self._users.password_fingerprint(name)])
        response.set_cookie(
            COOKIE, token, SESSION_SECONDS, httponly=True, samesite="strict", secure=secure
        )
        return response


def logged_in(home: Path, cookies: Mapping[str, str]) -> str | None:
    """Returns the name of the user with these cookies; None if nobody is logged in.

    A new password and the removal of a user end all their sessions.
    """
    # The signature shows that the cookie is ours, the fingerprint that the password still holds.
    token = cookies.get(COOKIE)
    if not token:
        return None
    try:
        name, fingerprint = _signer(home).loads(token, max_age=SESSION_SECONDS)
    except (BadData, ValueError, TypeError):
        return None
    current = Users(home).password_fingerprint(str(name))
    return str(name) if fingerprint and fingerprint == current else None


def is_local() -> bool:
    """Returns whether the page can be reached from this machine only."""
    return str(st.get_option("server.address") or "") in LOCAL_ADDRESSES


def _signer(home: Path) -> URLSafeTimedSerializer:
    """Returns the signer of cookies; its key is created once and stays in the home folder."""
    path = home / _KEY_FILE
    try:
        # O_EXCL: of several processes that start together, one writes the key.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return URLSafeTimedSerializer(path.read_text(), salt=COOKIE)


def _log_out() -> Response:
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE)
    return response


def _form(problem: str = "") -> Response:
    return HTMLResponse(render("login.html", problem=problem), 401 if problem else 200)
