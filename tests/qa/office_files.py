"""Small XLSX, PPTX, ODT and EPUB files, made by hand, so that every word in them is known."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SLIDE = "http://schemas.openxmlformats.org/presentationml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
ODF = "urn:oasis:names:tc:opendocument:xmlns"

Cell = str | tuple[str, int]
"""A text, or a number as it is stored with its style."""


def packed(parts: Mapping[str, str | bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return archive.getvalue()


def relations(targets: Sequence[str]) -> str:
    """Relations with the ids r0, r1, and so on."""
    rows = [f'<Relationship Id="r{n}" Target="{target}"/>' for n, target in enumerate(targets)]
    return f'<Relationships xmlns="{PACKAGE}">{"".join(rows)}</Relationships>'


def xlsx(
    sheets: Mapping[str, Sequence[Sequence[Cell]]],
    formats: Sequence[str] = (),
    hidden: Sequence[str] = (),
    before: str = "",
) -> bytes:
    """Sheets by name; style 1 has the first of the formats, and so on. An empty row is left out."""
    names = list(sheets)
    entries = [
        f'<sheet name="{escape(name)}" sheetId="{n + 1}" r:id="r{n}"'
        + (' state="hidden"/>' if name in hidden else "/>")
        for n, name in enumerate(names)
    ]
    codes = [
        f'<numFmt numFmtId="{164 + n}" formatCode="{escape(c, {chr(34): "&quot;"})}"/>'
        for n, c in enumerate(formats)
    ]
    styles = ['<xf numFmtId="0"/>', *(f'<xf numFmtId="{164 + n}"/>' for n in range(len(formats)))]
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{RELATION}"><sheets>{"".join(entries)}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(
            [f"worksheets/s{n}.xml" for n in range(len(names))]
        ),
        "xl/styles.xml": f'<styleSheet xmlns="{SHEET}"><numFmts>{"".join(codes)}</numFmts>'
        f"<cellXfs>{''.join(styles)}</cellXfs></styleSheet>",
    }
    strings: list[str] = []
    for n, name in enumerate(names):
        rows = []
        for number, row in enumerate(sheets[name], start=1):
            cells = "".join(_cell(cell, number, column, strings) for column, cell in enumerate(row))
            rows.append(f'<row r="{number}">{cells}</row>' if cells else "")
        parts[f"xl/worksheets/s{n}.xml"] = (
            f'{before}<worksheet xmlns="{SHEET}"><sheetData>{"".join(rows)}</sheetData></worksheet>'
        )
    items = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    parts["xl/sharedStrings.xml"] = f'<sst xmlns="{SHEET}">{items}</sst>'
    return packed(parts)


def _cell(cell: Cell, row: int, column: int, strings: list[str]) -> str:
    reference = f"{chr(ord('A') + column)}{row}"
    if isinstance(cell, tuple):
        return f'<c r="{reference}" s="{cell[1]}"><v>{cell[0]}</v></c>'
    if not cell:
        return ""
    strings.append(cell)
    return f'<c r="{reference}" t="s"><v>{len(strings) - 1}</v></c>'


def pptx(slides: Sequence[str], notes: Mapping[int, str] | None = None) -> bytes:
    """Slides of shapes; `notes`: what the speaker wrote below a slide, by its place."""
    ids = "".join(f'<p:sldId id="{256 + n}" r:id="r{n}"/>' for n in range(len(slides)))
    parts = {
        "ppt/presentation.xml": f'<p:presentation xmlns:p="{SLIDE}" xmlns:r="{RELATION}"><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>',
        "ppt/_rels/presentation.xml.rels": relations(
            [f"slides/s{n}.xml" for n in range(len(slides))]
        ),
    }
    for n, shapes in enumerate(slides):
        parts[f"ppt/slides/s{n}.xml"] = _slide("sld", shapes)
    for n, words in (notes or {}).items():
        parts[f"ppt/slides/_rels/s{n}.xml.rels"] = relations([f"../notesSlides/n{n}.xml"])
        parts[f"ppt/notesSlides/n{n}.xml"] = _slide("notes", shape(words, kind="body"))
    return packed(parts)


def _slide(root: str, shapes: str) -> str:
    return f'<p:{root} xmlns:p="{SLIDE}" xmlns:a="{DRAWING}"><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:{root}>'


def shape(*paragraphs: str, kind: str | None = None) -> str:
    """A placeholder ("title", "body", "sldNum"; "" for the content), or a text box (None)."""
    named = "" if kind is None else f'<p:ph type="{kind}"/>' if kind else '<p:ph idx="1"/>'
    words = "".join(f"<a:p><a:r><a:t>{escape(text)}</a:t></a:r></a:p>" for text in paragraphs)
    return f"<p:sp><p:nvSpPr><p:nvPr>{named}</p:nvPr></p:nvSpPr><p:txBody>{words}</p:txBody></p:sp>"


def slide_table(rows: Sequence[Sequence[str]]) -> str:
    cells = [
        "".join(
            f"<a:tc><a:txBody><a:p><a:r><a:t>{escape(cell)}</a:t></a:r></a:p></a:txBody></a:tc>"
            for cell in row
        )
        for row in rows
    ]
    body = "".join(f"<a:tr>{row}</a:tr>" for row in cells)
    return (
        '<p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tblPr firstRow="1"/>'
        f"{body}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
    )


def odt(body: str, title: str = "", before: str = "") -> bytes:
    """A body with the prefixes "text" and "table"; the list style "N" has numbers."""
    spaces = (
        f'xmlns:office="{ODF}:office:1.0" xmlns:text="{ODF}:text:1.0" xmlns:table="{ODF}:table:1.0"'
    )
    styles = '<text:list-style text:name="N"><text:list-level-style-number text:level="1"/></text:list-style>'
    return packed(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f"{before}<office:document-content {spaces}>{styles}<office:body><office:text>{body}</office:text>"
            "</office:body></office:document-content>",
            "meta.xml": f'<office:document-meta {spaces} xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<office:meta><dc:title>{escape(title)}</dc:title></office:meta></office:document-meta>",
        }
    )


def epub(chapters: Sequence[str], title: str = "", encryption: str = "") -> bytes:
    """Bodies of chapters, in reading order; the file lists them in the opposite order."""
    places = range(len(chapters))
    items = [
        f'<item id="c{n}" href="text/c%20{n}.xhtml" media-type="application/xhtml+xml"/>'
        for n in reversed(places)
    ]
    spine = "".join(f'<itemref idref="c{n}"/>' for n in places)
    parts = {
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        "OEBPS/book.opf": '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        f"<dc:title>{escape(title)}</dc:title></metadata><manifest>{''.join(items)}</manifest><spine>{spine}</spine></package>",
    }
    for n, body in enumerate(chapters):
        parts[f"OEBPS/text/c {n}.xhtml"] = (
            f"<html><head><title>c</title></head><body>{body}</body></html>"
        )
    if encryption:
        parts["META-INF/encryption.xml"] = (
            f'<encryption><EncryptedData><EncryptionMethod Algorithm="{encryption}"/></EncryptedData></encryption>'
        )
    return packed(parts)
