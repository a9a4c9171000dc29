"""The program that serves the page. `footnote chat` becomes `python -m ui`, with the same flags."""

import signal
import sys
from pathlib import Path

from streamlit import net_util
from streamlit.web import cli
from uvicorn.config import HTTP_PROTOCOLS


def main() -> None:
    """Serves the page until a signal ends it."""
    # Streamlit asks a server on the internet for the machine's public address: at the start, and
    # whenever a page of another address connects. Nothing here needs it, and the rest would wait.
    net_util.get_external_ip = _no_address
    # Streamlit lets uvicorn choose how to read HTTP, and has no setting for it. Uvicorn's choice
    # reads headers without an end. This is the table in which it looks its choice up.
    HTTP_PROTOCOLS["auto"] = "ui.access.connections:BoundedConnection"
    # The server catches Ctrl+C, closes its connections, and raises the signal again. Python's
    # handler would turn it into a traceback, and Streamlit into exit code 1.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    cli.main(["run", str(Path(__file__).with_name("app.py")), *sys.argv[1:]])


def _no_address() -> None:
    return None


if __name__ == "__main__":
    main()
