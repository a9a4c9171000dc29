"""Small PDF and DOCX files, made by hand, so that every word and place in them is known."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

WORDS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
CORE = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
TITLES = "http://purl.org/dc/elements/1.1/"


@dataclass(frozen=True, slots=True)
class Put:
    """Words at a place of a page of 612 by 792 points, in Helvetica."""

    x: float
    y: float
    words: str
    size: float = 12


def lines(*words: str, top: float = 720, x: float = 72, size: float = 12) -> list[Put]:
    """Lines one below the other, as those of a paragraph."""
    return [Put(x, top - 14 * number, line, size) for number, line in enumerate(words)]


def pdf(pages: Sequence[Sequence[Put]], title: str | None = None, encrypted: bool = False) -> bytes:
    """A PDF 1.4 with its table of objects; `encrypted`: as if with a password that nobody knows."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        content = b"\n".join(_shown(put) for put in page)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R "
            "/Resources << /Font << /F 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    trailer = f"/Size {len(objects) + 1} /Root 1 0 R"
    if title is not None:
        objects.append(b"<< /Title (%s) >>" % _escaped(title))
        trailer += f" /Info {len(objects)} 0 R"
    if encrypted:
        objects.append(
            b"<< /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >>" % (b"ab" * 32, b"cd" * 32)
        )
        trailer += f" /Encrypt {len(objects)} 0 R /ID [<00> <00>]"
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return bytes(out + b"trailer\n<< %s >>\nstartxref\n%d\n%%%%EOF\n" % (trailer.encode(), start))


def _shown(put: Put) -> bytes:
    return b"BT /F %g Tf %g %g Td (%s) Tj ET" % (put.size, put.x, put.y, _escaped(put.words))


def _escaped(words: str) -> bytes:
    plain = words.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return plain.encode("cp1252")


def paragraph(words: str, style: str = "", listed: bool = False) -> str:
    """A paragraph of WordprocessingML; `words` is XML."""
    numbers = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>' if listed else ""
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{named}{numbers}</w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>"


def table(*rows: Sequence[str]) -> str:
    cells = ["".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows]
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"


def docx(
    body: str, title: str | None = None, before: str = "", others: dict[str, str] | None = None
) -> bytes:
    """A DOCX with the style "Heading1"; `before` stands in front of the root of its main part."""
    parts = {
        "word/document.xml": f'{before}<w:document xmlns:w="{WORDS}"><w:body>{body}</w:body></w:document>',
        "word/styles.xml": f'<w:styles xmlns:w="{WORDS}"><w:style w:styleId="Heading1"><w:name w:val="heading 1"/>'
        "</w:style></w:styles>",
    } | (others or {})
    if title is not None:
        parts["docProps/core.xml"] = (
            f'<c:coreProperties xmlns:c="{CORE}" xmlns:d="{TITLES}"><d:title>{title}</d:title></c:coreProperties>'
        )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return packed.getvalue()
