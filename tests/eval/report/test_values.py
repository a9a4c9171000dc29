"""How values and intervals are written."""

from eval.report.values import interval_text, value_text, with_valid_unicode


def test_value_text_has_the_decimals_of_its_metric() -> None:
    """Seconds are often a few thousandths; tokens are whole."""
    assert value_text(0.123456, "answered_right") == "0.12"
    assert value_text(0.123456, "seconds_p95") == "0.123"
    assert value_text(812.6, "prompt_tokens") == "813"


def test_value_text_signs_a_gain_but_no_zero() -> None:
    """What rounds to 0 is neither a gain nor a loss."""
    assert value_text(0.25, "answered_right", sign=True) == "+0.25"
    assert value_text(-0.25, "answered_right", sign=True) == "-0.25"
    assert value_text(-0.001, "answered_right", sign=True) == "0.00"


def test_interval_text_is_empty_without_an_interval() -> None:
    """Neither end is shown alone."""
    assert interval_text(0.1, 0.256, "answered_right") == "[0.10, 0.26]"
    assert interval_text(None, None, "answered_right") == ""


def test_half_a_surrogate_pair_is_replaced() -> None:
    """JSON can spell it; UTF-8 cannot."""
    assert with_valid_unicode("a\ud800b") == "a?b"
