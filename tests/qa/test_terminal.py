import json
import subprocess
import sys

from qa.terminal import escaped_line, json_for_terminal, visible, visible_line


def test_what_would_steer_a_terminal_is_shown_instead() -> None:
    assert visible("a\x1b[31mb\u202ec\td\n\x9be\ud800") == "a\\x1b[31mb\\u202ec\td\n\\x9be\\ud800"
    assert visible("“Ça va?” – 5 € 日本") == "“Ça va?” – 5 € 日本"


def test_a_text_on_one_line() -> None:
    assert visible_line(" a\x1b[31mb\n\tc  d ") == "a\\x1b[31mb c d"


def test_escaped_line_has_no_tab_and_no_line_end() -> None:
    assert escaped_line("a\nadded b\tc\r\x1b") == "a\\nadded b\\tc\\r\\x1b"


def test_json_for_terminal_steers_nothing_and_reads_back() -> None:
    text = "é\x1b[31m\x9b2J\u202e\u2066\ud800\x7f\n日本"
    dumped = json_for_terminal({text: [text]}, indent=1)
    assert visible(dumped) == dumped
    assert "é" in dumped
    assert json.loads(dumped) == {text: [text]}


def test_log_line_steers_nothing() -> None:
    """A message may hold what a server or a file says."""
    code = "import logging; from qa.terminal import log_to_stderr; log_to_stderr(logging.INFO);"
    code += "logging.getLogger('x').error('a %s', chr(27) + '[2J' + chr(0x9b) + chr(13))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert process.stderr.decode().strip() == "ERROR:x:a \\x1b[2J\\x9b\\r"
