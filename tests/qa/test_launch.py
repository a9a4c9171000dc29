"""Starting the page: refusals in one line, and a process that hands itself over to the server."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from qa.cli import main
from qa.errors import BrokenError, FootnoteError, NotWritableError
from qa.launch import check_address, check_home, page_port

POSIX_ONLY = pytest.mark.skipif(os.name != "posix", reason="Windows has no exec and no SIGHUP")


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and addresses resolve without the system: every test refuses its look-ups."""

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        address = "127.0.0.1" if host == "localhost" else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.parametrize("text", ["0", "65536", "-1", "80 ", "http", "", "８０"])
def test_page_port_invalid_is_refused(text: str) -> None:
    with pytest.raises(FootnoteError, match=r"from 1 to 65535\.$") as caught:
        page_port(text)
    assert caught.value.exit_code == 2


def test_check_address_free_port_leaves_it_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for _ in range(2):
        check_address("127.0.0.1", port)


def test_check_address_taken_port_names_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(BrokenError, match=rf"^Port {port} is in use\. .* --port \d+$"):
            check_address("127.0.0.1", port)


def test_check_address_reserved_port_names_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(BrokenError, match=r"reserved by the system\. .* --port 8501$"):
        check_address("127.0.0.1", 80)


def test_check_address_foreign_address_is_refused() -> None:
    """192.0.2.0/24 is reserved for documentation: no machine has it."""
    with pytest.raises(FootnoteError, match=r"does not have the address 192\.0\.2\.77\. Use "):
        check_address("192.0.2.77", 8501)


def test_check_address_unknown_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(FootnoteError, match="does not have the address no-such-host"):
        check_address("no-such-host", 8501)


def test_check_home_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotWritableError, match=r": Not a directory\. Choose .* QA_HOME\.$"):
        check_home(tmp_path / "file" / "home")


def test_check_home_read_only_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere, so the answer of the system is given here."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(NotWritableError, match=r": it is not writable\. Choose "):
        check_home(tmp_path)


def test_chat_taken_port_prints_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Streamlit's own message has no next step, and its exit code means a failed comparison."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        assert main(["chat", "--headless", "--home", str(tmp_path), "--port", port]) == 3
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"footnote: Port {port} is in use.")


@pytest.mark.server
@pytest.mark.slow
@POSIX_ONLY
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_chat_signal_ends_the_server_and_frees_its_port(name: str, tmp_path: Path) -> None:
    """A service manager signals the process that it started, and no other."""
    number = signal.Signals[name]
    port = _free_port()
    options = ["--headless", "--port", str(port), "--home", str(tmp_path)]
    log = tmp_path / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            # A shell without job control starts its background programs with Ctrl+C ignored.
            [sys.executable, "-c", _HEARS_SIGNALS, *options],
            stdout=output,
            stderr=output,
            cwd=tmp_path,
            start_new_session=True,
        ) as chat,
    ):
        try:
            _wait_for_answer(port)
            chat.send_signal(number)
            # By the signal, as shells and service managers expect: 128 + its number.
            assert chat.wait(30) == -number
            check_address("127.0.0.1", port)
        finally:
            _kill_all(chat)
    assert "Traceback" not in log.read_text()


@pytest.mark.server
@pytest.mark.slow
@POSIX_ONLY
def test_chat_on_every_address_asks_nobody_for_its_own(tmp_path: Path) -> None:
    """Streamlit would ask a server on the internet which address this machine has."""
    port = _free_port()
    options = ["--headless", "--port", str(port), "--home", str(tmp_path), "--address", "0.0.0.0"]
    with subprocess.Popen(
        [sys.executable, "-m", "qa", "chat", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as chat:
        try:
            _wait_for_answer(port)
        finally:
            _kill_all(chat)
        output = chat.communicate()[0]
    assert "Network URL" in output
    assert "xternal" not in output


@POSIX_ONLY
def test_chat_ignores_modules_in_the_working_directory(tmp_path: Path) -> None:
    """A folder of documents may hold a file of this name; it must not run."""
    (tmp_path / "streamlit.py").write_text("raise SystemExit('the wrong streamlit ran')")
    (tmp_path / "ui.py").write_text("raise SystemExit('the wrong ui ran')")
    code = (
        "import os, sys; from qa.cli import main;"
        "os.execve = lambda _, words, __: sys.exit(str(words[1:4]));"
        "main(['chat', '--port', sys.argv[1]])"
    )
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "QA_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(_free_port())],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "['-P', '-m', 'ui']" in done.stderr


@POSIX_ONLY
def test_run_with_signals_passes_sigterm_on() -> None:
    """Where a process cannot be replaced, the server next to it ends with it."""
    server = "import time; print('ready', flush=True); time.sleep(60)"
    code = textwrap.dedent(f"""
        import os, sys
        from qa.launch import run_with_signals
        sys.exit(abs(run_with_signals([sys.executable, "-c", {server!r}], os.environ)))
    """)
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.terminate()
            assert process.wait(30) == signal.SIGTERM
        finally:
            _kill_all(process)


# Whoever runs the tests may ignore these signals: in the background, or under nohup.
_HEARS_SIGNALS = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "hasattr(signal, 'SIGHUP') and signal.signal(signal.SIGHUP, signal.SIG_DFL);"
    "from qa.cli import main; sys.exit(main(['chat', *sys.argv[1:]]))"
)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def _wait_for_answer(port: int) -> None:
    """Waits in another process: this one may not open connections."""
    code = textwrap.dedent(f"""
        import time, urllib.request
        for _ in range(600):
            try:
                urllib.request.urlopen("http://127.0.0.1:{port}/_stcore/health", timeout=5)
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise SystemExit("the server does not answer")
    """)
    subprocess.run([sys.executable, "-c", code], check=True)


def _kill_all(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Ends the process and what it started, which a failing test would leave behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(30)
