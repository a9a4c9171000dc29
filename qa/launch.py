"""Start the page's server: check that it can start, then hand this process over to it."""

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from qa.errors import BrokenError, FootnoteError, NotWritableError

LOCAL = "localhost"
"""Where the page listens unless `--address` says otherwise (`ui/.streamlit/config.toml`)."""
_BUSY = "Port {port} is in use. Stop the program that listens there, or choose another port: {next}"
_RESERVED = "Port {port} is reserved by the system. Choose a port above 1023: {next}"
_NEXT = "footnote chat --port {port}"


def page_port(text: str) -> int:
    """Returns the number of a port. Raises FootnoteError if there is no such port."""
    # Streamlit also accepts 0, for any free port, but then nobody can open a bookmark again.
    # Python refuses to read a number of thousands of digits.
    if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535:
        return int(text)
    raise FootnoteError(f"Invalid port {text!r}: it must be a whole number from 1 to 65535.")


def check_address(address: str, port: int) -> None:
    """Checks that the server can listen there, because its own message is not ours.

    Raises FootnoteError for an address of another machine, BrokenError for a port that is taken.
    """
    unknown = f"This machine does not have the address {address}. Use one of its own addresses, "
    unknown += "0.0.0.0 for all of them, or leave out --address for this machine only."
    try:
        entries = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise FootnoteError(unknown) from error

    # Streamlit listens on an IPv4 address where a name such as localhost has both kinds.
    entry = min(entries, key=lambda entry: entry[0] != socket.AF_INET)
    family, kind, protocol, _, socket_address = entry
    with socket.socket(family, kind, protocol) as listener:
        if os.name == "posix":
            # Connections of a server that has just ended keep its port for a minute otherwise.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(socket_address)
            listener.listen()
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise FootnoteError(unknown) from error
            words = _RESERVED if error.errno == errno.EACCES else _BUSY
            following = _NEXT.format(port=port + 1 if 1023 < port < 65535 else 8501)
            raise BrokenError(words.format(port=port, next=following)) from error


def check_home(home: Path) -> None:
    """Makes the folder of the library. Raises NotWritableError if nothing can be written there."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        usable = os.access(home, os.W_OK | os.X_OK)
        reason = "it is not writable"
    except OSError as error:
        usable, reason = False, error.strerror or str(error)
    if not usable:
        raise NotWritableError(
            f"The page cannot write to {home}: {reason}. "
            "Choose another folder with --home or QA_HOME."
        )


def become(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Replaces this process by the command, or returns its exit code where that is not possible.

    A server that replaces the process receives its signals. A server that only runs next to the
    process would keep the port when a service manager or a container ends the process.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execve(command[0], [*command], environment)  # noqa: S606  # no shell
    return run_with_signals(command, environment)


def run_with_signals(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs the command, passes signals on to it, and returns its exit code.

    For Windows, whose `exec` starts a second process and ends the first one at once.
    """
    with subprocess.Popen(command, env=environment) as server:  # noqa: S603  # no shell

        def stop(*_: object) -> None:
            # The command may have ended already.
            with suppress(ProcessLookupError):
                server.terminate()

        signal.signal(signal.SIGTERM, stop)
        # Ctrl+C reaches every program of the console, the server too: only wait for it.
        signal.signal(signal.SIGINT, lambda *_: None)
        return server.wait()
