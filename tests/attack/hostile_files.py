"""Files made to harm who reads them."""

import io
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from qa.documents.load import MAX_BYTES
from tests.qa.files import WORDS, docx, lines, paragraph, pdf
from tests.qa.office_files import epub, odt, pptx, shape, xlsx

ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
LAUGHS = f'<!DOCTYPE x [<!ENTITY e0 "boom">{ENTITIES}]>'
TEXT = "The bridge cost 48 million euros."


def write_files(folder: Path) -> list[Path]:
    """Writes every hostile file and returns their paths."""
    folder.mkdir()
    paths = []
    for name, make in CONTENTS.items():
        path = folder / name
        path.write_bytes(make())
        paths.append(path)
    for place, name in enumerate(NAMES):
        # In folders of their own: some of these names differ only in what is removed from them.
        path = folder / f"name-{place}" / name
        path.parent.mkdir()
        path.write_text(TEXT, encoding="utf-8")
        paths.append(path)
    for make_path in SPECIAL:
        paths.append(make_path(folder))
    return paths


def _packed(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return package.getvalue()


def _docx_with_false_size() -> bytes:
    honest = docx(paragraph("x" * 90_000_000))
    size = zipfile.ZipFile(io.BytesIO(honest)).getinfo("word/document.xml").file_size
    return honest.replace(size.to_bytes(4, "little"), (1_000).to_bytes(4, "little"))


def _docx_nested(depth: int) -> bytes:
    inner = paragraph(TEXT)
    table = "<w:tbl><w:tr><w:tc>" * depth + inner + "</w:tc></w:tr></w:tbl>" * depth
    return docx(table)


def _docx_of_many_parts() -> bytes:
    parts = {f"word/part{number}.xml": b"<x/>" for number in range(60_000)}
    body = f'<w:document xmlns:w="{WORDS}"><w:body>{paragraph(TEXT)}</w:body></w:document>'
    return _packed({"word/document.xml": body.encode(), **parts})


def _pdf_objects(*objects: bytes) -> bytes:
    """Returns a PDF of these objects, the first of them its catalogue."""
    content = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    content += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    content += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return bytes(content + b"startxref\n%d\n%%%%EOF\n" % start)


def _pdf_page(content: bytes, extra: bytes = b"", box: bytes = b"0 0 612 792") -> tuple[bytes, ...]:
    """Returns catalogue, pages, page and content; object 5 is free for the caller."""
    return (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents 4 0 R /Resources << "
        b"/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> "
        b"/XObject << /X 5 0 R >> >> >>" % box,
        b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), extra, content),
    )


def _pdf_bomb() -> bytes:
    """A page whose content unpacks to 1 GB."""
    packer = zlib.compressobj(9)
    block = b"0 0 m 1 1 l S " * 100_000
    pieces = [packer.compress(block) for _ in range(720)]
    pieces.append(packer.flush())
    return _pdf_objects(*_pdf_page(b"".join(pieces), b"/Filter /FlateDecode"))


def _pdf_exponential() -> bytes:
    """A page that draws a form twice, which draws another twice, and so on: 2^40 texts."""
    forms = []
    for number in range(40):
        inner = b"/X Do /X Do" if number < 39 else b"BT /F 12 Tf 9 9 Td (boom) Tj ET"
        forms.append(
            b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X %d 0 R"
            b" >> >> /Length %d >>\nstream\n%s\nendstream" % (number + 6, len(inner), inner)
        )
    return _pdf_objects(*_pdf_page(b"/X Do"), *forms)


def _pdf_with_cyclic_pages() -> bytes:
    pages = b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 99999999 /Parent 2 0 R >>"
    return _pdf_objects(b"<< /Type /Catalog /Pages 2 0 R >>", pages)


def _pdf_with_cyclic_tables() -> bytes:
    content = pdf([lines(TEXT)])
    start = content.rindex(b"xref\n0")
    return content.replace(b"trailer\n<<", b"trailer\n<< /Prev %d" % start)


def _pdf_with_broken_table() -> bytes:
    content = pdf([lines(TEXT)])
    return content.replace(b" 00000 n ", b" 99999 n ").replace(b"startxref\n", b"startxref\n9")


def _xlsx_with_far_cells() -> bytes:
    """Rows with one cell in the last column: 16,384 places each."""
    row = '<row><c r="XFD1" t="str"><v>x</v></c></row>'
    content = xlsx({"A": [["a", "b"]]})
    parts = _parts(content)
    sheet = parts["xl/worksheets/s0.xml"]
    end = b"</sheetData>"
    parts["xl/worksheets/s0.xml"] = sheet.replace(end, row.encode() * 50_000 + end)
    return _packed(parts)


def _xlsx_with_long_format() -> bytes:
    """Many numbers whose format is as long as a format may be."""
    parts = _parts(xlsx({"A": [["a", ("1", 1)]]}, formats=["," * 120 + "0" * 120]))
    sheet = parts["xl/worksheets/s0.xml"]
    row = b'<row><c s="1"><v>1.5</v></c></row>'
    end = b"</sheetData>"
    parts["xl/worksheets/s0.xml"] = sheet.replace(end, row * 200_000 + end)
    return _packed(parts)


def _odt_with_repeated_cells() -> bytes:
    cell = '<table:table-cell table:number-columns-repeated="9999"><text:p>x</text:p></table:table-cell>'
    row = f"<table:table-row>{cell * 10}</table:table-row>"
    return odt(f"<table:table>{row * 1_000}</table:table>")


def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _mail_of_parts(count: int) -> bytes:
    part = b"--b\nContent-Type: text/plain\n\nText.\n"
    return b"From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n" + part * count


def _mail_nested() -> bytes:
    """Each mail holds the next: the parser of e-mails calls itself."""
    head = b"From: a@x.example\nContent-Type: message/rfc822\n\n"
    return head * 5_000 + b"Text."


ONE_PAGE = pdf([lines(TEXT)])
CONTENTS: dict[str, Callable[[], bytes]] = {
    "zip-bomb.docx": lambda: docx(paragraph("x" * 100_000_001)),
    "false-size.docx": _docx_with_false_size,
    "entity-bomb.docx": lambda: docx(paragraph("&e9;"), before=LAUGHS),
    "external-entity.docx": lambda: docx(
        paragraph("&e;"), before='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    ),
    "external-dtd.docx": lambda: docx(
        paragraph("x"), before='<!DOCTYPE x SYSTEM "http://127.0.0.1:9/evil.dtd">'
    ),
    "nested-tables.docx": lambda: _docx_nested(30_000),
    "many-parts.docx": _docx_of_many_parts,
    "other-compression.docx": lambda: _packed(
        {"word/document.xml": b"x" * 10_000_000}, zipfile.ZIP_LZMA
    ),
    "escaping-parts.docx": lambda: docx(paragraph(TEXT), others={"../../../tmp/evil.txt": "evil"}),
    "no-document.docx": lambda: _packed({"other.xml": b"<x/>"}),
    "truncated.docx": lambda: docx(paragraph(TEXT))[:-40],
    "million-paragraphs.docx": lambda: docx(paragraph("a") * 300_000),
    "zip-bomb.xlsx": lambda: xlsx({"A": [["x" * 100_000_001, "y"], ["a", "b"]]}),
    "entity-bomb.xlsx": lambda: xlsx({"A": [["a", "b"], ["c", "d"]]}, before=LAUGHS),
    "far-cells.xlsx": _xlsx_with_far_cells,
    "long-format.xlsx": _xlsx_with_long_format,
    "external-entity.odt": lambda: odt(
        "<text:p>&e;</text:p>", before='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    ),
    "nested-lists.odt": lambda: odt("<text:list><text:list-item>" * 200 + TEXT),
    "repeated-cells.odt": _odt_with_repeated_cells,
    "same-slide.pptx": lambda: pptx([shape(TEXT)] * 6_000),
    "zip-bomb.epub": lambda: epub(["<p>" + "x" * 100_000_001 + "</p>"]),
    "deep.epub": lambda: epub(["<div>" * 500_000 + TEXT]),
    "deep.json": lambda: b'{"a":' * 500_000,
    "long-number.json": lambda: b'{"a": ' + b"9" * 5_000_000 + b"}",
    "many-names.json": lambda: b"[" + b",".join(b'{"k%d": 1}' % n for n in range(200_000)) + b"]",
    "deep.rtf": lambda: b"{\\rtf1" + b"{" * 1_000_000,
    "binary.rtf": lambda: b"{\\rtf1 {\\pict\\bin2000000000 " + b"\x00" * 1_000 + b"}",
    "many-parts.eml": lambda: _mail_of_parts(20_000),
    "nested.eml": _mail_nested,
    "quotation-marks.eml": lambda: b"From: a@x.example\n\n" + b"> " * 2_000_000,
    "long-headers.eml": lambda: b"From: a@x.example\nTo: " + b"((<a@b>, " * 500_000 + b"\n\nText.",
    "wide.csv": lambda: b"," * 5_000_000 + b"a\n" + b"b,c\n" * 100_000,
    "open-quote.csv": lambda: b'a,b\n"' + b"x,y\n" * 2_000_000,
    "broken-table.pdf": _pdf_with_broken_table,
    "encrypted.pdf": lambda: pdf([lines(TEXT)], encrypted=True),
    "many-pages.pdf": lambda: pdf([[]] * 5_001),
    "huge-page.pdf": lambda: _pdf_objects(
        *_pdf_page(b"BT /F 99999999 Tf 9 9 Td (Huge.) Tj ET", box=b"0 0 99999999999 99999999999")
    ),
    "stream-bomb.pdf": _pdf_bomb,
    "exponential-forms.pdf": _pdf_exponential,
    "cyclic-pages.pdf": _pdf_with_cyclic_pages,
    "cyclic-tables.pdf": _pdf_with_cyclic_tables,
    "truncated.pdf": lambda: ONE_PAGE[: len(ONE_PAGE) // 2],
    "deep.html": lambda: b"<p>First.</p>" + b"<div>" * 500_000 + b"Last.",
    "unclosed.html": lambda: b"<p><b><i>x" * 300_000,
    "one-attribute.html": lambda: b'<p title="' + b"x" * 20_000_000 + b'">Text.</p>',
    "many-tables.html": lambda: b"<table><tr><td>a</td></tr></table>" * 100_000,
    "spanning-cells.html": lambda: (
        b"<table><tr><td colspan=1000 rowspan=1000>a" + b"<tr></tr>" * 500_000
    ),
    "nested-code.html": lambda: b"<pre>" * 1_500 + b"a<b>b</b>" * 500_000,
    "blank-code.html": lambda: b"<pre>a" + b"\n" * 5_000_000 + b"b</pre>",
    "odd-encoding.html": lambda: b'<meta charset="utf-7"><p>+ADw-script+AD4- \x00\xff\xfe</p>',
    "not-a.pdf": lambda: b"<p>A page.</p>" + bytes(range(256)) * 1_000,
    "too-large.txt": lambda: b"x" * (MAX_BYTES + 1),
    "binary.txt": lambda: b"\x7fELF" + bytes(range(256)) * 1_000,
    "half-characters.txt": lambda: b"\xff\xfe" + b"\x00\xd8" * 1_000,
    "latin.txt": lambda: "Füße kosten 48 Euro.".encode("latin-1") * 1_000,
    "one-line.txt": lambda: b"The bridge cost 48 million euros. " * 6_000,
}
"""By name of the file: what makes its content."""

NAMES = (
    "\x1b[2J\x07cleared.txt",
    "\u202etxt.fdp.txt",
    "line\nbreak.txt",
    "<script>alert(1)</script>.md".replace("/", "\u2215"),
    "{{7*7}} ' OR 1=1 --.txt",
    "é" * 100 + ".txt",
)
"""Names of harmless texts."""


def _pipe(folder: Path) -> Path:
    path = folder / "pipe.txt"
    os.mkfifo(path)
    return path


def _link_to(target: str) -> Callable[[Path], Path]:
    def link(folder: Path) -> Path:
        path = folder / f"link{target.replace('/', '-')}.txt"
        path.symlink_to(target)
        return path

    return link


def _loop(folder: Path) -> Path:
    path = folder / "loop.txt"
    path.symlink_to(path)
    return path


def _sparse(folder: Path) -> Path:
    """A file of 20 GB that takes no room on the disk."""
    path = folder / "sparse.txt"
    with path.open("wb") as file:
        file.truncate(20 * 2**30)
    return path


def _name_not_utf8(folder: Path) -> Path:
    path = folder / os.fsdecode(b"caf\xe9.txt")
    path.write_text(TEXT)
    return path


def _unreadable_folder(folder: Path) -> Path:
    """A folder of files that all are in some way not readable."""
    path = folder / "folder"
    path.mkdir()
    (path / "binary.txt").write_bytes(b"\x00\x01")
    (path / "empty.txt").touch()
    (path / "outside.txt").symlink_to("/etc/passwd")
    (path / "again").symlink_to(path)
    os.mkfifo(path / "pipe.md")
    return path


def _deep_sidecar(folder: Path) -> Path:
    path = folder / "sidecar.txt"
    path.write_text(TEXT)
    (folder / "sidecar.txt.meta.json").write_text("[" * 200_000)
    return path


def _odd_sidecar(folder: Path) -> Path:
    path = folder / "odd-sidecar.txt"
    path.write_text(TEXT)
    content = '{"title": "\\ud800\\u0000", "publisher": "\\udfff", "examples": ["\\ud800"]}'
    (folder / "odd-sidecar.txt.meta.json").write_text(content)
    return path


SPECIAL: tuple[Callable[[Path], Path], ...] = (
    _pipe,
    _link_to("/dev/zero"),
    _link_to("/etc/passwd"),
    _loop,
    _sparse,
    _name_not_utf8,
    _unreadable_folder,
    _deep_sidecar,
    _odd_sidecar,
)
"""What makes paths that are not a plain file with a plain name."""
