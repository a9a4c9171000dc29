"""Hostile files and names: parsing is bounded, and nothing is written."""

import io
import re
import struct
import sys
import zipfile
from pathlib import Path

import pytest

from qa.documents.load import FILE_TYPES, MAX_BYTES, from_bytes, load
from qa.documents.parsing import Limits, Unreadable
from qa.documents.sandbox import parse_in_sandbox
from qa.errors import DocumentError
from tests.qa.fakes import word_bot
from tests.qa.files import docx, lines, paragraph, pdf

ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))


BOMB = f'<!DOCTYPE x [<!ENTITY e0 "boom">{ENTITIES}]>'


def _why(name: str, data: bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        from_bytes(name, data)
    return str(caught.value)


def _unreadable(kind: str, data: bytes, limits: Limits | None = None, *extractor: str) -> str:
    with pytest.raises(Unreadable) as caught:
        parse_in_sandbox(kind, data, limits, *([extractor] if extractor else []))
    return str(caught.value)


def test_docx_bomb_refused_by_its_directory() -> None:
    bomb = docx(paragraph("x" * (Limits().unpacked + 1)))
    assert len(bomb) < 200_000
    assert "unpacks to more than 10 MB" in _why("bomb.docx", bomb)


def test_docx_with_false_directory_refused_while_read() -> None:
    honest = docx(paragraph("x" * 5_000_000))
    size = zipfile.ZipFile(io.BytesIO(honest)).getinfo("word/document.xml").file_size
    lying = honest.replace(struct.pack("<L", size), struct.pack("<L", 1_000))
    assert zipfile.ZipFile(io.BytesIO(lying)).getinfo("word/document.xml").file_size == 1_000
    assert "damaged" in _unreadable("docx", lying, Limits(unpacked=10_000))


def test_docx_parts_share_one_limit() -> None:
    styles = {"word/styles.xml": f"<styles>{'x' * 6_000}</styles>"}
    data = docx(paragraph("y" * 6_000), others=styles)
    assert "unpacks to more than" in _unreadable("docx", data, Limits(unpacked=10_000))
    assert len(parse_in_sandbox("docx", data, Limits(unpacked=13_000)).text) == 6_000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_docx_with_unbounded_compression_refused(method: int) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as package:
        package.writestr("word/document.xml", "x" * 10_000)
    assert "damaged" in _why("a.docx", packed.getvalue())


@pytest.mark.parametrize(
    ("doctype", "use"),
    [
        (BOMB, "&e9;"),
        (BOMB, '</w:t></w:r><w:r w:rsidR="&e9;"><w:t>'),
        ('<!DOCTYPE x [<!ENTITY e9 SYSTEM "file:///etc/hostname">]>', "&e9;"),
        ('<!DOCTYPE x [<!ENTITY % d SYSTEM "http://127.0.0.1:9/evil.dtd"> %d;]>', "text"),
    ],
)
def test_docx_entities_not_expanded_not_fetched(doctype: str, use: str) -> None:
    assert "declares XML entities" in _why("a.docx", docx(paragraph(use), before=doctype))


def test_parser_over_memory_limit_says_so() -> None:
    page = b"<p>word " * 2_000_000
    assert "0.4 GB of memory" in _unreadable("html", page, Limits(memory=400 * 2**20))


def test_parser_over_time_limit_is_ended() -> None:
    assert "1 seconds" in _unreadable(
        "pdf", b"", Limits(seconds=1), sys.executable, "-c", "import time; time.sleep(60)"
    )


def test_parser_over_cpu_limit_ended_by_system() -> None:
    burning = "from qa.documents.sandbox_child import _confine, Limits\n_confine(Limits(seconds=1))\nwhile True: pass"
    assert "50 seconds" in _unreadable(
        "html", b"", Limits(seconds=50), sys.executable, "-c", burning
    )


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import os; os.kill(os.getpid(), 9)", "ended by signal 9"),
        ("raise SystemExit(7)", "failed with exit code 7"),
    ],
)
def test_parser_killed_or_crashed_gives_reason(program: str, said: str) -> None:
    assert said in _unreadable("pdf", b"x" * 1_000_000, None, sys.executable, "-c", program)


def test_parser_has_no_keys_and_writes_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    spy = (
        "import os, json; from qa.documents.sandbox_child import _confine, Limits; _confine(Limits())\n"
        f"said = 'written'\ntry: os.write(os.open({str(tmp_path / 'file')!r}, os.O_CREAT | os.O_WRONLY), b'x')\n"
        "except OSError as error: said = type(error).__name__\n"
        "print(json.dumps({'error': said + ' ' + str('OPENAI_API_KEY' in os.environ)}))"
    )
    assert _unreadable("pdf", b"", None, sys.executable, "-c", spy) == "OSError False"


def test_limits_of_pages_and_characters_hold() -> None:
    data = pdf([lines("One page."), lines("Another page.")])
    assert "has 2 pages, more than 1" in _unreadable("pdf", data, Limits(pages=1))
    assert parse_in_sandbox("pdf", data, Limits(pages=2)).pages == (0, 11)
    for kind, long in (
        ("pdf", data),
        ("docx", docx(paragraph("word " * 9))),
        ("html", b"<p>" + b"word " * 9),
    ):
        assert "more than 20 characters" in _unreadable(kind, long, Limits(characters=20))


def test_pdf_with_too_many_pages_refused() -> None:
    assert "has 5,001 pages, more than 5,000" in _why("long.pdf", pdf([[]] * 5_001))


def test_upload_too_large_refused() -> None:
    assert (
        _why("../big.pdf", bytes(MAX_BYTES + 1))
        == "big.pdf is larger than 50 MB. Split it into smaller files."
    )


def test_html_nested_too_deeply_refused() -> None:
    assert "nested too deeply" in _why("deep.html", b"<p>First.</p>" + b"<div>" * 5_000 + b"Lost.")
    nested = b"<p>First.</p>" + b"<div>" * 1_500 + b"Found." + b"</div>" * 1_500 + b"<p>Last.</p>"
    assert from_bytes("nested.html", nested).text == "First.\n\nFound.\n\nLast."


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("notes.txt", "notes.txt"),
        ("../../etc/x.txt", "x.txt"),
        ("C:\\Users\\me\\x.txt", "x.txt"),
        ("/x.txt", "x.txt"),
        ("a\x00b\r\n\x1b[2Jc.txt", "ab[2Jc.txt"),
        ("\u202etxt.exe.txt", "txt.exe.txt"),
        ('"><img src=x onerror=alert(1)>.md', '"><img src=x onerror=alert(1)>.md'),
        ("é" * 300 + ".txt", "é" * 116 + ".txt"),
        ("half\ud800.TXT", "half.TXT"),
        ("  ..spaced . name.txt. ", "spaced . name.txt"),
    ],
)
def test_upload_name_is_one_clean_component(sent: str, name: str) -> None:
    document = from_bytes(sent, b"Some text.")
    assert (document.name, document.source) == (name, f"uploads/{name}")
    assert len(document.name) <= 120
    assert not re.search(r"[/\\\x00-\x1f]", document.name)


@pytest.mark.parametrize(
    "sent", ["", "..", "../", "x.exe", "no suffix", ".txt", "a." + "t" * 300, "x.pdf/"]
)
def test_upload_of_unknown_type_refused_briefly(sent: str) -> None:
    why = _why(sent, b"Some text.")
    assert all(row.label in why for row in FILE_TYPES)
    assert len(why) < 450


def test_upload_same_name_same_source_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    one, other = from_bytes("x/a.txt", b"One text."), from_bytes("y/a.txt", b"Another text.")
    assert (one.id == other.id, one.version == other.version) == (True, False)
    from_bytes("a.pdf", pdf([lines("Text.")]))
    assert "a.html" in _why("a.html", b"")
    assert list(tmp_path.iterdir()) == []


def test_sidecar_with_half_characters_is_cleaned(tmp_path: Path) -> None:
    """JSON can escape what UTF-8 cannot hold, and a terminal would obey."""
    file = tmp_path / "a.txt"
    file.write_text("The bridge cost 48 million euros.")
    sidecar = tmp_path / "a.txt.meta.json"
    sidecar.write_text(
        '{"title": "A\\ud800 \\u001b bridge", "publisher": "\\udfff", "examples": ["\\ud83d?"]}'
    )
    bot = word_bot(tmp_path, *load([file]).documents)
    (document,) = bot.index.documents()
    assert (document.title, document.publisher) == ("A bridge", None)
    assert document.examples == ("?",)
    assert bot.ask("What did the bridge cost?").sentences


def test_sidecar_too_large_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Text.")
    (tmp_path / "a.txt.meta.json").write_text(" " * 1_000_001)
    (failure,) = load([tmp_path / "a.txt"]).failures
    assert "larger than 1 MB" in str(failure)


def test_parsed_text_without_control_characters() -> None:
    assert (
        from_bytes("a.html", b"<p>be&#1;f&#x7f;ore &#xD800;after\x0b.</p>").text.replace(
            "\ufffd", ""
        )
        == "before after ."
    )
    assert from_bytes("a.docx", docx(paragraph("be&#xFEFF;fore"))).text == "before"
