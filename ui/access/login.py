"""The login in front of the page.

If there are users (`footnote user add NAME`), strangers get the login and nothing else. Without
users `ui/access/hosts.py` keeps the page on this machine.
"""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs

import anyio
import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.errors import FootnoteError
from qa.users import Users
from ui.access.hosts import respond
from ui.access.limits import LoginLimits
from ui.access.sessions import SESSION_SECONDS, Sessions
from ui.jinja import render

_log = logging.getLogger(__name__)

COOKIE = "footnote_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""The cookie's name under https: browsers take it from this very host only, and over https."""
MAX_CHECKS = 2
"""Passwords that are checked at the same time: each check takes a processor and 16 MiB."""
MAX_WAITING = 50
"""Logins that wait for their check; beyond them, a login is turned away."""
MAX_FORM = 16_384
FORM_SECONDS = 10.0
"""Seconds that a form may take to arrive."""
CHECK_INTERVAL = 1.0
"""Seconds after which an open page that is only sent to is checked again."""
WRONG = "Wrong name or password."
BUSY = "Too many people are logging in. Try again in a few seconds."
BROKEN = "Footnote cannot check logins now. Its log says why."


class LoginRequired:
    """Serves the login, and the page to people who have logged in."""

    def __init__(self, app: ASGIApp, home: Path) -> None:
        self._app = app
        self._users = Users(home)
        self._sessions = Sessions(home)
        self._limits = LoginLimits()
        self._checks = anyio.CapacityLimiter(MAX_CHECKS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        try:
            response = await self._response(scope, receive)
        except FootnoteError as error:
            _log.error("%s", error)
            response = PlainTextResponse(BROKEN, 503)
        if response:
            await respond(response, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._serve_websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _response(self, scope: Scope, receive: Receive) -> Response | None:
        """Returns the door's own answer; None for a request that the page answers."""
        path = scope["path"] if scope["type"] == "http" else ""
        # Health is for the programs that watch the server.
        if path == "/_stcore/health" or not self._users.names():
            return None
        if path == "/login":
            return await self._login(Request(scope, receive))
        if path == "/logout":
            return self._log_out(Request(scope, receive))
        return RedirectResponse("/login", 303) if self._visitor(scope) is None else None

    def _visitor(self, scope: Scope) -> str | None:
        """Returns the user of a request: None for a stranger, empty if there are no users."""
        if not self._users.names():
            return ""
        token = _token(HTTPConnection(scope))
        return self._sessions.user(token)

    async def _serve_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves an open page while its visitor stays the same: until the session ends.

        A click runs its own action before the page's script could look at the session.
        """
        visitor = self._visitor(scope)
        open_ = True
        next_check = 0.0

        def check() -> None:
            nonlocal open_, next_check
            next_check = time.monotonic() + CHECK_INTERVAL
            try:
                same = visitor is not None and self._visitor(scope) == visitor
                open_ = open_ and same
            except FootnoteError as error:
                _log.error("%s", error)
                open_ = False

        async def close() -> None:
            await send({"type": "websocket.close", "code": 1008})

        async def receive_checked() -> Message:
            message = await receive()
            was_open = open_
            check()
            if open_ or message["type"] == "websocket.disconnect":
                return message
            if was_open:
                await close()
            return {"type": "websocket.disconnect", "code": 1008}

        async def send_checked(message: Message) -> None:
            was_open = open_
            if was_open and time.monotonic() >= next_check:
                check()
            if open_:
                await send(message)
            elif was_open:
                await close()

        await self._app(scope, receive_checked, send_checked)

    async def _login(self, request: Request) -> Response:
        if request.method in ("GET", "HEAD"):
            return _form()
        if request.method != "POST":
            return PlainTextResponse("", 405, {"Allow": "GET, HEAD, POST"})
        form = await _read_form(request)
        if form is None:
            return PlainTextResponse("The form is too long or invalid.", 413)

        name, password = form
        address = request.client.host if request.client else ""
        seconds = self._limits.reserve(name, address)
        if seconds:
            return _form(f"Too many wrong logins. Try again in {seconds} seconds.", 429, seconds)
        if self._checks.statistics().tasks_waiting >= MAX_WAITING:
            return _form(BUSY, 503, 5)

        fingerprint = self._users.password_fingerprint(name)
        async with self._checks:
            matches = await run_in_threadpool(self._users.password_matches, name, password)
        # A name that is not a user's can be a password, typed into the wrong field.
        user = repr(name) if fingerprint else "an unknown name"
        # A proxy passes on what its client wrote as the address.
        _log.log(
            logging.INFO if matches else logging.WARNING,
            "Login of %s from %s: %s",
            user,
            ascii(address[:64]),
            "right" if matches else "wrong password",
        )
        if not matches or fingerprint is None:
            return _form(WRONG, 401)
        self._limits.succeeded(name, address)
        return await self._log_in(request, name, fingerprint)

    async def _log_in(self, request: Request, name: str, fingerprint: str) -> Response:
        self._sessions.end(_token(request))
        token = await run_in_threadpool(self._sessions.begin, name, fingerprint)
        response = RedirectResponse("/", 303)
        secure = _is_secure(request)
        response.set_cookie(
            SECURE_COOKIE if secure else COOKIE,
            token,
            SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=secure,
        )
        return response

    def _log_out(self, request: Request) -> Response:
        # By a form of the page only: a link of another site must not log anybody out.
        if request.method != "POST":
            return PlainTextResponse("", 405, {"Allow": "POST"})
        self._sessions.end(_token(request))
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        response.delete_cookie(SECURE_COOKIE, httponly=True, samesite="strict", secure=True)
        return response


def logged_in(home: Path, cookies: Mapping[str, str]) -> str | None:
    """Returns the name of the user with these cookies; None if nobody is logged in."""
    token = cookies.get(SECURE_COOKIE) or cookies.get(COOKIE) or ""
    return Sessions(home).user(token)


def has_provider() -> bool:
    """Returns whether an OpenID Connect provider logs people in."""
    return bool(st.secrets.load_if_toml_exists()) and "auth" in st.secrets


def _token(connection: HTTPConnection) -> str:
    """Returns the token of the session; empty without one."""
    name = SECURE_COOKIE if _is_secure(connection) else COOKIE
    return connection.cookies.get(name, "")


def _is_secure(connection: HTTPConnection) -> bool:
    # Behind a proxy that the server trusts, the scheme is the one between browser and proxy.
    return connection.scope.get("scheme") in ("https", "wss")


async def _read_form(request: Request) -> tuple[str, str] | None:
    """Returns name and password; None for a form that is too long, too slow or invalid."""
    body = b""
    try:
        with anyio.fail_after(FORM_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_FORM:
                    return None
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    except (TimeoutError, ClientDisconnect, ValueError):
        return None
    return fields.get("name", [""])[0], fields.get("password", [""])[0]


def _form(problem: str = "", status: int = 200, retry_after: int | None = None) -> Response:
    headers = {"Retry-After": str(retry_after)} if retry_after else None
    return HTMLResponse(render("login.html", problem=problem), status, headers)
