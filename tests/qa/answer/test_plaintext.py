"""Markdown and HTML become words that can fetch and run nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer.plaintext import ADDRESS_REMOVED, plain_text

BRIDGE = "The bridge cost 48 million euros. Ines Prado opened it in May."
FERRY = "The ferry stops in May. See https://town.example/ferry for more."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**bold**, *it*, __b__ and ***both***", "bold, it, b and both"),
        ("**bold *it* x**", "bold it x"),
        ("snake_case_name 5*3*2 5 * 3", "snake_case_name 5*3*2 5 * 3"),
        ("`code` and ``more``", "code and more"),
        ("```py\nprint(1)\n```", "print(1)"),
        ("a < b and c > d", "a < b and c > d"),
        ("<b>bold</b><br/> <i class='x'>it</i>", "bold it"),
        ("<scr<b>ipt>alert(1)</script>", "alert(1)"),
        ("<img src=https://evil.example/x>end", "end"),
        ("<a href='https://evil.example'>here</a>", "here"),
        ("<!-- hidden --> seen", "seen"),
        ("See ![chart](https://evil.example/?q=1) it", "See it"),
        ("[![a](http://i.example)](http://l.example) b", "b"),
        ("[here](https://evil.example/?q=1 'title')", "here"),
        ("[here](javascript:alert)", "here"),
        ("[here](//evil.example)", "here"),
        ("[here](a)", "here"),
        ("https://evil.example/?q=1.", f"{ADDRESS_REMOVED}."),
        ("<https://evil.example/>", ADDRESS_REMOVED),
        ("www.evil.example and evil.example/?q=x", f"{ADDRESS_REMOVED} and {ADDRESS_REMOVED}"),
        (
            "ht<b></b>tps://evil.example h\u200bttps://evil.example",
            f"{ADDRESS_REMOVED} {ADDRESS_REMOVED}",
        ),
        ("data:text/html;base64,AAAA", ADDRESS_REMOVED),
        ("left\u202eright\u200b\ufeff", "leftright"),
        ("and/or 3.5/4 U.S./China e.g. this", "and/or 3.5/4 U.S./China e.g. this"),
        ("two  words\nhere", "two words here"),
    ],
)
def test_plain_text_of_markdown_and_html_is_its_words(text: str, expected: str) -> None:
    assert plain_text(text, BRIDGE) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See https://town.example/ferry.", "See https://town.example/ferry."),
        ("See (https://town.example/ferry), please", "See (https://town.example/ferry), please"),
        ("<https://town.example/ferry>", "https://town.example/ferry"),
        ("[the page](https://town.example/ferry).", "the page (https://town.example/ferry)."),
        ("**https://town.example/ferry**", "https://town.example/ferry"),
        ("https://town.example/ferry?q=secret", ADDRESS_REMOVED),
        ("[the page](https://town.example/ferry?q=secret)", "the page"),
    ],
)
def test_plain_text_keeps_addresses_of_the_passages(text: str, expected: str) -> None:
    assert plain_text(text, FERRY) == expected


@given(
    st.text(
        alphabet=st.sampled_from("<>/![]()ab s:*_`-=\"'\n") | st.characters(max_codepoint=300),
        max_size=120,
    )
)
def test_plain_text_has_no_tag_and_no_foreign_address(text: str) -> None:
    left = plain_text(f"{text} https://evil.example/x {text}<b>", "")
    assert "evil.example" not in left
    assert "<b>" not in left
    assert plain_text(left, "") == left
