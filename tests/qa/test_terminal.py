from qa.terminal import escaped_line, visible, visible_line


def test_what_would_steer_a_terminal_is_shown_instead() -> None:
    assert visible("a\x1b[31mb\u202ec\td\n\x9be\ud800") == "a\\x1b[31mb\\u202ec\td\n\\x9be\\ud800"
    assert visible("“Ça va?” – 5 € 日本") == "“Ça va?” – 5 € 日本"


def test_a_text_on_one_line() -> None:
    assert visible_line(" a\x1b[31mb\n\tc  d ") == "a\\x1b[31mb c d"


def test_escaped_line_has_no_tab_and_no_line_end() -> None:
    assert escaped_line("a\nadded b\tc\r\x1b") == "a\\nadded b\\tc\\r\\x1b"
