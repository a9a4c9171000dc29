from qa.terminal import visible, visible_line


def test_what_would_steer_a_terminal_is_shown_instead() -> None:
    assert visible("a\x1b[31mb\u202ec\td\n\x9be\ud800") == "a\\x1b[31mb\\u202ec\td\n\\x9be\\ud800"
    assert visible("“Ça va?” – 5 € 日本") == "“Ça va?” – 5 € 日本"


def test_a_text_on_one_line() -> None:
    assert visible_line(" a\x1b[31mb\n\tc  d ") == "a\\x1b[31mb c d"
