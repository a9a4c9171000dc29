"""Attacks the door of a page that runs on this machine: hosts, proxies, origins, logins.

    python -m tests.attack.door            a page without users
    python -m tests.attack.door --users    a page with the users ann and bob

Starts the page itself, on a library that holds nothing. Prints a line for each attack, and exits with
1 if one of them got in.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from qa.users import Users
from tests.browser.conftest import run_server

PASSWORD = "correct horse"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
PATHS = ("/", "/_stcore/host-config", "/media/x", "/static/js/x.js")
WRONG_LOGINS = 40


def main() -> int:
    parser = argparse.ArgumentParser(description="Attack the door of a page on this machine.")
    parser.add_argument("--users", action="store_true", help="a page with the users ann and bob")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if options.users:
            for name in ("ann", "bob"):
                Users(home).add(name, PASSWORD)
        page = [sys.executable, "-m", "ui"]
        with run_server(page, home / "log", home, QA_HOME=folder) as address:
            held = _attack_hosts(address)
            if options.users:
                held = _attack_session(address) and held
                for name in ("ann", "bob"):
                    asyncio.run(_flood(address, name))
    return 0 if held else 1


def _attack_hosts(address: str) -> bool:
    evil = f"evil.example:{urlsplit(address).port}"
    attacks = {
        "rebinding": {"Host": evil, "Origin": f"http://{evil}"},
        "proxy to localhost": {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"},
        "another site": {"Origin": "http://evil.example"},
    }
    held = True
    for name, headers in attacks.items():
        statuses = {}
        for path in PATHS:
            statuses[path] = httpx.get(address + path, headers=headers).status_code
        statuses["websocket"] = _websocket_status(address, {"Origin": address} | headers)
        # Redirected to the login, or refused.
        refused = set(statuses.values()) <= {303, 403}
        print(f"{'held' if refused else 'GOT IN'}: {name}: {statuses}")
        held = held and refused
    return held


def _websocket_status(address: str, headers: dict[str, str]) -> int:
    url = f"{address}/_stcore/stream"
    with httpx.stream("GET", url, headers=UPGRADE | headers) as response:
        return response.status_code


def _attack_session(address: str) -> bool:
    """Uses a copy of a cookie after its logout."""
    with httpx.Client(base_url=address) as client:
        client.post("/login", data={"name": "ann", "password": PASSWORD})
        cookies = dict(client.cookies)
        before = client.get("/").status_code
        client.post("/logout")
    after = httpx.get(address, cookies=cookies).status_code
    held = (before, after) == (200, 303)
    print(f"{'held' if held else 'GOT IN'}: a cookie, {before} before its logout, {after} after it")
    return held


async def _flood(address: str, name: str) -> None:
    """Prints how long a right login of bob takes beside wrong logins that were sent before it."""
    async with httpx.AsyncClient(base_url=address, timeout=120) as client:

        async def log_in(user: str, password: str) -> tuple[int, float]:
            start = time.monotonic()
            response = await client.post("/login", data={"name": user, "password": password})
            return response.status_code, time.monotonic() - start

        _, alone = await log_in("bob", PASSWORD)
        flood = [asyncio.create_task(log_in(name, "wrong")) for _ in range(WRONG_LOGINS)]
        await asyncio.sleep(0.05)
        status, seconds = await log_in("bob", PASSWORD)
        statuses = Counter(answer[0] for answer in await asyncio.gather(*flood))
    print(
        f"a right login of bob: {alone:.2f} s alone, {seconds:.2f} s (status {status}) beside "
        f"{WRONG_LOGINS} wrong logins of {name} from the same address: {dict(statuses)}"
    )


if __name__ == "__main__":
    sys.exit(main())
