"""Refuses requests that must not reach the page, before anything else sees them.

A page of another site can be given the address 127.0.0.1 (DNS rebinding), and a proxy can forward
other machines' requests to localhost. The Host header, the Origin header and the headers of proxies
show both.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from qa.errors import FootnoteError

_log = logging.getLogger(__name__)

LOG_INTERVAL = 60.0
"""Seconds between two log lines about refusals: strangers must not fill the log."""

_NAME = r"(?P<name>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)"
# No dot at the end: `localhost.` is the same name, but browsers do not use it unless told to.
_HOST = re.compile(rf"(?:{_NAME}|\[(?P<address>[0-9a-f:.]+)\])(?::[0-9]{{1,5}})?")
_PROXY_HEADERS = frozenset(
    "forwarded via client-ip true-client-ip x-client-ip x-cluster-client-ip x-real-ip"
    " x-original-forwarded-for x-original-host x-envoy-external-address".split()
)
_PROXY_PREFIXES = ("x-forwarded", "cf-", "x-azure-", "x-appengine-", "fastly-", "tailscale-")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a request that must not reach the page. It repeats nothing of the request."""

    status: int
    text: str


INVALID_HOST = Refusal(400, "The Host header is missing or invalid. Open the page by its address.")
OTHER_SITE = Refusal(
    403,
    "The request comes from another site: its Origin is not its Host. Open the page by its "
    "address. A proxy must pass the Host header on unchanged.",
)
UNKNOWN_HOST = Refusal(
    403, "The page has another name. Add this name to QA_PUBLIC_HOSTS, or open the page by its own."
)
NO_USERS = Refusal(
    403,
    "Other computers can reach this page, but it has no login. Add a user: footnote user add NAME. "
    "Without users, open the page on its own computer, by the name localhost.",
)
BEHIND_PROXY = Refusal(
    403,
    "The request came through a proxy. Behind a proxy, users are needed: footnote user add NAME",
)
BROKEN = Refusal(503, "Footnote cannot check who may use this page. Its log says why.")


class HostCheck:
    """Passes on the requests that may reach the page.

    Without a login: requests of this machine, by a name or address of this machine, that came
    through no proxy. With a login: requests by one of `public_hosts`, or by any name if there are
    none. With or without: no request of another site's page.
    """

    def __init__(self, app: ASGIApp, has_login: Callable[[], bool], public_hosts: str = "") -> None:
        self._app = app
        self._has_login = has_login
        self._public_hosts = frozenset(public_hosts.split(",")) - {""}
        self._next_log = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self._app(scope, receive, send)
            return

        if time.monotonic() >= self._next_log:
            self._next_log = time.monotonic() + LOG_INTERVAL
            _log.warning("Refused a request: %s", refusal.text)
        response = PlainTextResponse(refusal.text, refusal.status)
        await respond(response, scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        name = host_name(hosts[0]) if len(hosts) == 1 else None
        if name is None:
            return INVALID_HOST
        if not _same_origin(headers.getlist("origin"), hosts[0]):
            return OTHER_SITE

        try:
            has_login = self._has_login()
        except FootnoteError as error:
            _log.error("%s", error)
            return BROKEN
        if has_login:
            public = not self._public_hosts or name in self._public_hosts or is_local(name)
            return None if public else UNKNOWN_HOST
        if any(map(_is_of_proxy, headers)):
            return BEHIND_PROXY
        # A program on another machine can write any Host.
        client = scope.get("client")
        local = is_local(name) and client is not None and is_local(client[0])
        return None if local else NO_USERS


def host_name(host: str) -> str | None:
    """Returns the name or address in a Host header, in lower case; None if it is invalid."""
    match = _HOST.fullmatch(host.lower())
    return (match["name"] or match["address"]) if match else None


def is_local(name: str) -> bool:
    """Returns whether a host's name or address always means this machine."""
    if name == "localhost":
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    # A server that listens on `::` sees IPv4 addresses in this form.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


async def respond(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends a response; a websocket is closed instead, which a browser sees as status 403."""
    if scope["type"] == "http":
        await response(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1008})


def _same_origin(origins: list[str], host: str) -> bool:
    """Returns whether a request is of the page itself; programs send no Origin."""
    if not origins:
        return True
    # The scheme may differ: a proxy takes TLS away.
    same = (f"http://{host.lower()}", f"https://{host.lower()}")
    return len(origins) == 1 and origins[0].lower() in same


def _is_of_proxy(header: str) -> bool:
    return header in _PROXY_HEADERS or header.startswith(_PROXY_PREFIXES)
