"""The text of a PDF, page by page, by pdfium; `qa.documents.paragraphs` makes paragraphs of its lines."""

import ctypes
import re
from collections.abc import Iterator

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from qa.documents.paragraphs import Line, joined
from qa.documents.parsing import Limits, ParsedFile, Unreadable, one_line

_HYPHEN = 0x02
"""What pdfium puts in the place of a hyphen at a line's end, and of the line's end."""
_BREAKS = (_HYPHEN, 0x0D, 0x0A)
_SPACE = 0x20
WIDE_GAP = 1.5
"""Between two words, in heights of a line: from here on they stand in two cells of a table."""
_MARKER = re.compile(r"(?:[-*+•–▪◦‣·]|\(?\w{1,3}[.)]|(?:\d+\.)+\d*)")
_NO_TITLE = re.compile(
    r"untitled|no title|title|document\d*|microsoft word\b.*|.*\.(?:docx?|pdf|indd|tex|dvi|qxd|rtf|odt|html?|pptx?)",
    re.IGNORECASE,
)
"""Titles that a program gave, not a person."""
LONGEST_TITLE = 200


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Raises Unreadable for a file that is no PDF, is encrypted, damaged, too long, or holds no text."""
    with _opened(data) as document:
        if len(document) > limits.pages:
            raise Unreadable(
                f"has {len(document):,} pages, more than {limits.pages:,}. Split it into smaller files."
            )
        pages, characters = [], 0
        for number in range(len(document)):
            pages.append(_page_lines(document, number))
            characters += sum(len(line.text) for line in pages[-1])
            if characters > limits.characters:
                raise Unreadable(
                    f"holds more than {limits.characters:,} characters. Split it into smaller files."
                )
        title = one_line(document.get_metadata_value("Title"))
    if not any(pages):
        raise Unreadable(
            "is scanned: its pages are pictures and hold no text. Recognise the text first, "
            "for instance with: ocrmypdf scanned.pdf readable.pdf"
        )
    text, offsets = joined(pages)
    sensible = 3 <= len(title) <= LONGEST_TITLE and not _NO_TITLE.fullmatch(title)
    return ParsedFile(text, title if sensible else None, offsets)


def _opened(data: bytes) -> pdfium.PdfDocument:
    if b"%PDF-" not in data[:1024]:
        raise Unreadable("is no PDF, whatever its name says. Give it the suffix of its kind.")
    try:
        document = pdfium.PdfDocument(data)
        if len(document):
            return document
    except pdfium.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise Unreadable(
                "is encrypted: it opens with a password only. Save it without one, "
                "for instance with: qpdf --decrypt --password=… locked.pdf open.pdf"
            ) from error
    raise Unreadable("is damaged: no page of it can be read. Save or download it again.")


def _page_lines(document: pdfium.PdfDocument, number: int) -> list[Line]:
    """The lines of a page in the order in which it was written; none where the page is broken."""
    try:
        page = document[number]
    except pdfium.PdfiumError:
        # One broken page does not cost the reader the others; pdfium gives it no text either.
        return []
    turn = (-1j) ** (page.get_rotation() // 90)
    text_page = page.get_textpage()
    codes = [raw.FPDFText_GetUnicode(text_page, place) for place in range(text_page.count_chars())]
    lines = [
        line
        for first, last in _runs(codes)
        if (line := _line(text_page, codes, first, last, turn)).text
    ]
    text_page.close()
    page.close()
    return lines


def _runs(codes: list[int]) -> Iterator[tuple[int, int]]:
    """First and last place of the characters between two breaks; a hyphen that pdfium marks ends its line."""
    start = 0
    for place, code in enumerate([*codes, 0x0A]):
        if code not in _BREAKS:
            continue
        end = place if code == _HYPHEN else place - 1
        while start <= end and codes[start] == _SPACE:
            start += 1
        while end >= start and codes[end] == _SPACE:
            end -= 1
        if start <= end:
            yield start, end
        start = place + 1


def _line(
    text_page: pdfium.PdfTextPage, codes: list[int], first: int, last: int, turn: complex
) -> Line:
    left, bottom, _, top = _box(text_page, first, turn)
    hyphenated = codes[last] == _HYPHEN
    right = _box(text_page, last - 1 if hyphenated and last > first else last, turn)[2]
    height = max(top - bottom, 0.1)
    text, start = "", first
    cells = _cell_ends(text_page, codes, first, last, turn, WIDE_GAP * height)
    for place in cells:
        cell = _text(codes[start:place])
        text += cell + (" " if _MARKER.fullmatch(text + cell) else " | ")
        start = place
    text = one_line(text + _text(codes[start : last if hyphenated else last + 1]))
    return Line(text + "-" * hyphenated, left, right, bottom, height, " | " in text)


def _cell_ends(
    text_page: pdfium.PdfTextPage,
    codes: list[int],
    first: int,
    last: int,
    turn: complex,
    wide: float,
) -> list[int]:
    """The spaces of a line that part cells: wide ones, unless all are alike, as in a line stretched to its margins."""
    gaps = {}
    for place in range(first + 1, last):
        if codes[place] == _SPACE and codes[place - 1] != _SPACE:
            before, after = (
                _box(text_page, place - 1, turn),
                _box(text_page, _next(codes, place), turn),
            )
            gaps[place] = after[0] - before[2]
    stretched = len(gaps) > 1 and max(gaps.values()) < 1.2 * min(gaps.values())
    return [] if stretched else [place for place, gap in gaps.items() if gap > wide]


def _next(codes: list[int], place: int) -> int:
    while codes[place] == _SPACE:
        place += 1
    return place


def _text(codes: list[int]) -> str:
    """pdfium counts in UTF-16 units; halves without their other half are dropped."""
    return b"".join(code.to_bytes(2, "little") for code in codes if code <= 0xFFFF).decode(
        "utf-16-le", "ignore"
    )


def _box(
    text_page: pdfium.PdfTextPage, place: int, turn: complex
) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a character as the page is seen, in points."""
    box = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(text_page, place, ctypes.byref(box))
    one, other = complex(box.left, box.bottom) * turn, complex(box.right, box.top) * turn
    return (
        min(one.real, other.real),
        min(one.imag, other.imag),
        max(one.real, other.real),
        max(one.imag, other.imag),
    )
