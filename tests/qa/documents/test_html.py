"""Web pages become Markdown: the article, without menus, scripts and banners."""

import pytest

from qa.documents.load import from_bytes
from qa.errors import DocumentError


def _why(name: str, data: bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        from_bytes(name, data)
    return str(caught.value)


ARTICLE = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>Canal &amp; boats &lt;1&gt;</title>
<script>var secret = "tracked";</script><style>p { color: red }</style></head><body onload="alert(1)">
<div class="cookie-banner"><p>We use cookies to make this page better. Accept all or choose.</p></div>
<header><nav><ul><li><a href="/">Home</a></li><li><a href="/sport">Sport</a></li></ul></nav></header>
<article><h1>The canal is open again</h1>
<p onclick="steal()">The canal between the two towns was opened again
on <b>Saturday</b> after a restoration of eleven years.</p>
<h2>What it cost</h2><p>It cost nine million euros, of which the state paid half.</p>
<ul><li>Locks: 5 million euros</li><li>Gates: 4 million euros</li></ul>
<ol><li>Mend the locks.</li><li>Let the water in.</li></ol>
<table><tr><th>Year</th><th>Boats</th></tr><tr><td>1968</td><td>12</td></tr></table>
<pre>open --lock 1
open --lock 2</pre></article>
<aside><h3>Most read</h3><ul><li><a href="/c">Ten best cakes</a></li></ul></aside>
<footer><a href="/p">Privacy</a></footer></body></html>"""


def test_html_article_without_menus_scripts_banners() -> None:
    document = from_bytes("canal.html", ARTICLE.encode())
    assert document.text == (
        "# The canal is open again\n\n"
        "The canal between the two towns was opened again on Saturday after a restoration of eleven years.\n\n"
        "## What it cost\n\n"
        "It cost nine million euros, of which the state paid half.\n\n"
        "- Locks: 5 million euros\n- Gates: 4 million euros\n"
        "1. Mend the locks.\n2. Let the water in.\n\n"
        "| Year | Boats |\n|---|---|\n| 1968 | 12 |\n\n"
        "```\nopen --lock 1\nopen --lock 2\n```"
    )
    assert document.title == "Canal & boats <1>"


def test_footers_and_side_notes_are_read_without_their_menus() -> None:
    """They have what people ask for: an address, a telephone number, opening hours."""
    page = (
        "<title>Bar</title><main><h1>The bar</h1><p>We play records.</p>"
        "<aside>Dogs stay outside.</aside><p>Ask for tea.</p></main>"
        "<aside><h3>Hours</h3><p>Open from noon to ten.</p></aside>"
        "<aside><h3>Most read</h3><p><b><a href='/c'>Ten cakes</a></b> | <a href='/d'>Pies</a></p></aside>"
        "<footer><p>Mill Lane 4, <a href='tel:0155'>0155 20</a></p><p><a href='mailto:b@c.d'>b@c.d</a></p>"
        "<ul><li><a href='/p'>Privacy</a></li><li><a href='/i'>Imprint</a></li></ul></footer>"
        "<footer class='cookies'>We use cookies.</footer>"
    )
    assert from_bytes("a.html", page.encode()).text == (
        "# The bar\n\nWe play records.\n\nDogs stay outside.\n\nAsk for tea.\n\n"
        "### Hours\n\nOpen from noon to ten.\n\nMill Lane 4, 0155 20\n\nb@c.d"
    )


def test_html_without_article_all_visible_text() -> None:
    page = "<title>Old</title><nav>Menu</nav><table><tr><td>Price</td><td>3 €</td></tr></table><div hidden>No.</div>"
    assert from_bytes("old.htm", page.encode()).text == "Price | 3 €"


def test_html_structure_of_tables_lists_definitions() -> None:
    """trafilatura alone makes paragraphs of all of it, because the page is short."""
    page = (
        "<title>Tern</title><h1>Tern club</h1><p>The club_house opens at 7 &amp; closes at 9.</p>"
        "<table><tr><th rowspan=2>Room</th><th colspan=2>Rent</th></tr><tr><th>Summer</th><th>Winter</th></tr>"
        "<tr><td>Hall_A</td><td>800</td><td>650</td></tr></table>"
        "<ul><li><p>Outer</p><ol><li>Inner</li></ol></li></ul><dl><dt>Owner</dt><dd>Marta Kolb</dd></dl>"
        "<pre>run --all\n  deep</pre>"
    )
    assert from_bytes("a.html", page.encode()).text == (
        "# Tern club\n\nThe club_house opens at 7 & closes at 9.\n\n"
        "| Room | Rent Summer | Rent Winter |\n|---|---|---|\n| Hall_A | 800 | 650 |\n\n"
        "- Outer\n    1. Inner\n\nOwner: Marta Kolb\n\n```\nrun --all\n  deep\n```"
    )


def test_html_term_without_definition_is_kept() -> None:
    """Also if nothing follows it on the page."""
    page = "<p>House rules.</p><dl><dt>Deposit</dt><dd>50 euros</dd><dt>Keys</dt></dl>"
    text = from_bytes("a.html", page.encode()).text
    assert text == "House rules.\n\nDeposit: 50 euros\n\nKeys"


def test_html_without_tags_of_head_and_body_is_read() -> None:
    """libxml2 takes `<main>` after a title for a part of the head."""
    page = "<!doctype html><title>Prize</title><main><h1>The prize</h1><p>Closes in May.</p></main>"
    document = from_bytes("a.html", page.encode())
    assert document.text == "# The prize\n\nCloses in May."
    assert document.title == "Prize"


@pytest.mark.parametrize(
    "data",
    [
        "<p>Ça coûte 3 €.</p>".encode(),
        "<p>Ça coûte 3 €.</p>".encode("utf-16"),
        "<meta charset='ISO-8859-1'><p>Ça coûte 3 €.</p>".encode("cp1252"),
        '<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><p>Ça coûte 3 €.</p>'.encode(),
        "<?xml version='1.0' encoding='windows-1252'?><html><p>Ça coûte 3 €.</p></html>".encode(
            "cp1252"
        ),
    ],
)
def test_html_encoding_is_detected(data: bytes) -> None:
    assert from_bytes("a.html", data).text == "Ça coûte 3 €."


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html><body><script>render()</script></body></html>", "no readable text"),
        (b"<p>caf\xe9</p>", "declares no charset and is not valid UTF-8 (byte 6)"),
        (b"<meta charset='klingon'><p>x</p>", "klingon"),
        (b"GIF89a\x00\x00\x01", "binary"),
        (b" \n", "empty"),
    ],
)
def test_html_unreadable_says_why(data: bytes, reason: str) -> None:
    assert reason in _why("bad.html", data)
