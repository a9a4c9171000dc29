"""Who is let in, and what a browser may do with the page: two layers around Streamlit.

Where there are users (`python -m qa user add NAME`), nothing but the login is served to who is not one of them. Where
there are none, the page is for this machine only, and `ui/page.py` sees to that.
"""

import os
import re
import secrets
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
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
from ui.components import STATIC

COOKIE = "footnote_session"
DAYS = 30
SLOW = 1.0
"""Seconds that a wrong password costs."""
AT_ONCE = 4
"""Passwords that are checked at the same time."""
LONGEST_FORM = 4096
LOCAL = ("localhost", "127.0.0.1", "::1")
_KEY_FILE = "session.key"
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class Headers:
    """Gives every response what tells a browser to be careful with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._policy = policy()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def careful(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = self._policy
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
            await send(message)

        await self._app(scope, receive, careful)


def policy() -> str:
    """Nothing is loaded from elsewhere, nothing is sent elsewhere, and no other page may frame this one."""
    index = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    inline = " ".join(
        f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
        for script in _INLINE.findall(index)
    )
    return "; ".join(
        (
            "default-src 'self'",
            # Streamlit loads the scripts of components from blobs, and its charts compile expressions.
            f"script-src 'self' blob: 'unsafe-eval' {inline}",
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
    )


class Door:
    """Serves the login, and the page to who has logged in."""

    def __init__(self, app: ASGIApp, home: Path) -> None:
        self._app = app
        self._users = Users(home)
        self._home = home
        self._turns = anyio.CapacityLimiter(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not self._users.names():
            await self._app(scope, receive, send)
            return
        path, http = scope["path"], scope["type"] == "http"
        if http and path == "/login":
            await (await self._login(Request(scope, receive)))(scope, receive, send)
        elif http and path == "/logout":
            await _logged_out()(scope, receive, send)
        elif path == "/_stcore/health" or logged_in(self._home, HTTPConnection(scope).cookies):
            await self._app(scope, receive, send)
        elif http:
            await RedirectResponse("/login", 303)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _login(self, request: Request) -> Response:
        if request.method != "POST":
            return _form("")
        if int(request.headers.get("content-length") or LONGEST_FORM + 1) > LONGEST_FORM:
            return PlainTextResponse("This form is too long.", 413)
        told = parse_qs((await request.body()).decode("utf-8", "replace"))
        name, password = (told.get(field, [""])[0] for field in ("name", "password"))
        async with self._turns:
            if await run_in_threadpool(self._users.password_matches, name, password):
                return self._logged_in(name, request.url.scheme == "https")
            await anyio.sleep(SLOW)
        return _form("This name and password do not fit.")

    def _logged_in(self, name: str, secure: bool) -> Response:
        response = RedirectResponse("/", 303)
        token = _signer(self._home).dumps([name, self._users.password_fingerprint(name)])
        response.set_cookie(
            COOKIE, token, DAYS * 86400, httponly=True, samesite="strict", secure=secure
        )
        return response


def logged_in(home: Path, cookies: Mapping[str, str]) -> str | None:
    """The name of who these cookies are of; None: of nobody. A new password, and a removal, end all sessions."""
    token = cookies.get(COOKIE)
    if not token:
        return None
    try:
        name, stamp = _signer(home).loads(token, max_age=DAYS * 86400)
    except (BadData, ValueError, TypeError):
        return None
    return str(name) if stamp and stamp == Users(home).password_fingerprint(str(name)) else None


def is_local() -> bool:
    """Whether the page can be reached from this machine only."""
    return str(st.get_option("server.address") or "") in LOCAL


def _signer(home: Path) -> URLSafeTimedSerializer:
    """Signs with a key that is made once and never leaves the home folder."""
    path = home / _KEY_FILE
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return URLSafeTimedSerializer(path.read_text(), salt=COOKIE)


def _logged_out() -> Response:
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE)
    return response


def _form(problem: str) -> Response:
    told = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    page = (STATIC / "login.html").read_text(encoding="utf-8").replace("<!-- problem -->", told)
    return HTMLResponse(page, 401 if problem else 200)
