"""Tables of text, e-mails, JSON, rich text and source code become the canonical text."""

from pathlib import Path

import pytest

from qa.documents.eml import MAX_HEADER
from qa.documents.load import from_bytes, load
from qa.errors import DocumentError


def _text(name: str, text: str) -> str:
    return from_bytes(name, text.encode()).text


def _why(name: str, data: bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        from_bytes(name, data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "separator"), [("a.csv", ","), ("a.csv", ";"), ("a.tsv", "\t"), ("a.csv", "|")]
)
def test_csv_rows_become_a_table(name: str, separator: str) -> None:
    rows = [["Name", "Extension"], ["Ann", "17"], ["Bo", ""]]
    text = "\r\n".join(separator.join(row) for row in rows)
    expected = "| Name | Extension |\n|---|---|\n| Ann | 17 |\n| Bo |  |"
    assert _text(name, text) == expected


def test_csv_quoted_cells_and_notes_above() -> None:
    text = '# List of March\n\nName,Remark\nAnn,"first, ""old""\nlines"\n'
    assert _text("a.csv", text) == (
        'List of March\n\n| Name | Remark |\n|---|---|\n| Ann | first, "old" lines |'
    )


MAIL = """From: Ann Ek <ann@x.example>
To: Bo <bo@x.example>
Subject: =?utf-8?q?Caf=C3=A9?= date
Date: Thu, 27 Mar 2025 21:14:02 +0000
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

We moved the meeting to the 24th of May, because the hall is closed, and so
we meet in the church.
- Tea is free
- Bring cups

On 26 March, Bo wrote:
> Is it on the 17th?
>> It is on the 10th.
--b
Content-Type: application/pdf
Content-Disposition: attachment; filename="map.pdf"

JVBERi0=
--b--
"""


def test_eml_newest_part_first_quoted_mail_told_apart() -> None:
    document = from_bytes("a.eml", MAIL.encode())
    assert document.text == (
        "Subject: Café date\n\nFrom: Ann Ek <ann@x.example>\n\nTo: Bo <bo@x.example>\n\n"
        "Date: Thu, 27 Mar 2025 21:14:02 +0000\n\n"
        "We moved the meeting to the 24th of May, because the hall is closed, and so\nwe meet in the church.\n\n"
        "- Tea is free\n- Bring cups\n\nAttachment: map.pdf\n\n"
        "## Quoted mail\n\nOn 26 March, Bo wrote:\n\nIs it on the 17th?\n\n## Quoted mail\n\nIt is on the 10th."
    )
    assert document.title == "Café date"


def test_eml_html_and_original_message() -> None:
    mail = (
        "From: a@x.example\nContent-Type: text/html; charset=utf-8\n\n"
        "<p>Yes &amp; no.</p><p>-----Original Message-----</p><p>Which day?</p>"
    )
    assert _text("a.eml", mail) == (
        "From: a@x.example\n\nYes & no.\n\n## Quoted mail\n\n-----Original Message-----\n\nWhich day?"
    )


def test_eml_long_header_is_cut() -> None:
    """Python parses a header in quadratic time."""
    mail = f"From: a@x.example\nSubject: {'word ' * 100_000}\n\nText."
    document = from_bytes("a.eml", mail.encode())
    assert MAX_HEADER - 10 < len(document.text.split("\n")[0]) < MAX_HEADER + 10
    assert document.text.endswith("\n\nText.")


def test_eml_odd_header_does_not_lose_the_mail() -> None:
    """The parser of addresses calls itself for each bracket."""
    mail = f"Subject: Hall\nTo: {'(' * 5_000}\n\nText."
    assert _text("a.eml", mail) == "Subject: Hall\n\nText."


def test_json_objects_become_tables_and_values() -> None:
    text = '{"shop": "Kolb", "open": true, "rate": 1.10, "owner": {"name": "Marta"}, "days": ["Mon", "Tue"],'
    text += '"staff": [{"name": "Ann", "age": 40}, {"name": "Bo", "age": 31}]}'
    assert _text("a.json", text) == (
        "shop: Kolb\n\nopen: true\n\nrate: 1.10\n\n# owner\n\nname: Marta\n\n# days\n\n- Mon\n- Tue\n\n"
        "# staff\n\n| name | age |\n|---|---|\n| Ann | 40 |\n| Bo | 31 |"
    )


def test_json_lines_become_a_table() -> None:
    text = '{"day": "Mon", "open": "7"}\n\n{"day": "Tue", "open": "8"}\n'
    assert _text("a.jsonl", text) == "| day | open |\n|---|---|\n| Mon | 7 |\n| Tue | 8 |"


RICH = (
    r"{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial Cyr;}}"
    r"{\stylesheet{\s0 Normal;}{\s1 heading 1;}}{\info{\title A canal}{\author Secret}}"
    r"\pard\s1 The canal\par\pard It is \{open\} for 3 \'80 and caf\u233?s.{\v hidden}\par"
    r"{\f1 \'cc\'e8\'f0}\par\pard{\listtext\bullet\tab}\ls1 Locks\par{\*\generator Word;}"
    r"\trowd\pard\intbl Year\cell Boats\cell\row\trowd\pard\intbl 1968\cell 12\cell\row\pard Last \emdash  words.\par}"
)


def test_rtf_blocks_in_order() -> None:
    document = from_bytes("a.rtf", RICH.encode())
    assert document.text == (
        "# The canal\n\nIt is {open} for 3 € and cafés.\n\nМир\n\n- Locks\n\n"
        "| Year | Boats |\n|---|---|\n| 1968 | 12 |\n\nLast — words."
    )
    assert document.title == "A canal"


def test_source_code_is_its_own_text() -> None:
    code = "# Adds two numbers.\ndef add(a, b):\n    return a + b\n"
    document = from_bytes("a.py", code.encode())
    assert (document.text, document.markdown) == (code, False)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.csv", b"caf\xe9,b", "not valid UTF-8 (byte 3)"),
        ("a.csv", b"a\0b,c", "binary"),
        ("a.csv", b",,\n,", "holds no text"),
        ("a.eml", b"no header at all", "not an e-mail"),
        ("a.json", b'{"a": 1,}', "not valid JSON (line 1"),
        ("a.jsonl", b'{"a": 1}\n{"a": }', "not valid JSON (line 2"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.json", b"[]", "holds no text"),
        ("a.rtf", b"plain text", "not an RTF"),
        ("a.rtf", b"{\\rtf1" + b"{" * 5_000, "nested too deeply"),
        ("a.rtf", b"{\\rtf1 {\\pict 00ff}}", "holds no text"),
    ],
)
def test_text_formats_unreadable_say_why(name: str, data: bytes, reason: str) -> None:
    assert reason in _why(name, data)


def test_load_folder_without_sidecars(tmp_path: Path) -> None:
    """A sidecar is JSON, and not a document."""
    (tmp_path / "a.txt").write_text("Some text.")
    (tmp_path / "a.txt.meta.json").write_text('{"title": "A"}')
    (tmp_path / "b.json").write_text('{"day": "Monday"}')
    loaded = load([tmp_path])
    assert [(d.name, d.title) for d in loaded.documents] == [("a.txt", "A"), ("b.json", "b")]
