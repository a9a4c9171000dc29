"""Reads the text of a PDF with pdfium: the lines of each page, as it is seen.

`qa.documents.pdf_paragraphs` makes paragraphs of the lines.
"""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from qa.documents.parsing import Limits, ParsedFile, Unreadable, check_length, one_line
from qa.documents.pdf_paragraphs import PageLine, join_pages

_HYPHEN = 0x02
"""pdfium writes it in place of a hyphen at the end of a line and of the line end after it."""
_SPACE = 0x20
_LINE_END = 0x0A
_BREAKS = (_HYPHEN, 0x0D, _LINE_END)

WIDE_GAP = 1.5
"""Two words at least so many line heights apart stand in two cells of a table."""
EVEN_GAPS = 1.2
"""A line whose widest gap is less than so many times the narrowest is stretched to its margins."""
MIN_LINE_HEIGHT = 0.1
_LIST_MARKER = re.compile(r"(?:[-*+•–▪◦‣·]|\(?\w{1,3}[.)]|(?:\d+\.)+\d*)")

MIN_TITLE, MAX_TITLE = 3, 200
_PROGRAM_TITLE = re.compile(
    r"""
    untitled | no[ ]title | title | document\d* | microsoft[ ]word\b.*
    | .*\.(?:docx?|pdf|indd|tex|dvi|qxd|rtf|odt|html?|pptx?)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Titles that a program gave, not a person."""

_DAMAGED = "is damaged: none of its pages can be read. Save or download it again."
_ENCRYPTED = (
    "is encrypted: it opens only with a password. Save it without one, "
    "for example: qpdf --decrypt --password=… locked.pdf open.pdf"
)
_SCANNED = (
    "is scanned: its pages are pictures without text. Recognise the text first, "
    "for example: ocrmypdf scanned.pdf readable.pdf"
)


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Returns the text of a PDF, its title, and the offsets at which its pages begin.

    Raises Unreadable for a file that is not a PDF, is encrypted, damaged, too long or without text.
    """
    with _open(data) as document:
        pages = _read_pages(document, limits)
        title = one_line(document.get_metadata_value("Title"))
    if not any(pages):
        raise Unreadable(_SCANNED)
    text, offsets = join_pages(pages)
    return ParsedFile(text, title if _is_title(title) else None, offsets)


def _is_title(title: str) -> bool:
    if not MIN_TITLE <= len(title) <= MAX_TITLE:
        return False
    return not _PROGRAM_TITLE.fullmatch(title)


def _open(data: bytes) -> pdfium.PdfDocument:
    if b"%PDF-" not in data[:1024]:
        raise Unreadable("is not a PDF, although its suffix says so. Rename it to its real type.")
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        is_encrypted = error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        raise Unreadable(_ENCRYPTED if is_encrypted else _DAMAGED) from error
    if not len(document):
        raise Unreadable(_DAMAGED)
    return document


def _read_pages(document: pdfium.PdfDocument, limits: Limits) -> list[list[PageLine]]:
    """Returns the lines of each page."""
    if len(document) > limits.pages:
        count = f"{len(document):,} pages, more than {limits.pages:,}"
        raise Unreadable(f"has {count}. Split it into smaller files.")
    pages = []
    characters = 0
    for number in range(len(document)):
        lines = _read_page(document, number)
        pages.append(lines)
        characters += sum(len(line.text) for line in lines)
        check_length(characters, limits)
    return pages


def _read_page(document: pdfium.PdfDocument, number: int) -> list[PageLine]:
    """Returns the lines of a page in the order in which they were written into the file."""
    try:
        page = document[number]
    except pdfium.PdfiumError:
        # The other pages can still be read, and pdfium has no text of this page either.
        return []
    text_page = page.get_textpage()
    places = range(text_page.count_chars())
    codes = [raw.FPDFText_GetUnicode(text_page, place) for place in places]
    rotation = (-1j) ** (page.get_rotation() // 90)

    characters = _Characters(text_page, codes, rotation)
    lines = []
    for first, last in _runs(codes):
        line = _line(characters, first, last)
        if line.text:
            lines.append(line)
    text_page.close()
    page.close()
    return lines


@dataclass(frozen=True, slots=True)
class _Box:
    """The place of a character on the page as it is seen, in points from the lower left corner."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class _Characters:
    """The characters of a page in reading order; a place is an index into `codes`."""

    text_page: pdfium.PdfTextPage
    codes: list[int]
    """UTF-16 code units."""
    rotation: complex
    """The factor that turns a point of the page, as a complex number, to where it is seen."""

    def text(self, start: int, end: int) -> str:
        units = bytearray()
        for code in self.codes[start:end]:
            if code <= 0xFFFF:
                units += code.to_bytes(2, "little")
        # Half of a surrogate pair without its other half is dropped.
        return units.decode("utf-16-le", "ignore")

    def box(self, place: int) -> _Box:
        box = raw.FS_RECTF()
        raw.FPDFText_GetLooseCharBox(self.text_page, place, ctypes.byref(box))
        corner = complex(box.left, box.bottom) * self.rotation
        opposite = complex(box.right, box.top) * self.rotation
        left, right = sorted((corner.real, opposite.real))
        bottom, top = sorted((corner.imag, opposite.imag))
        return _Box(left, bottom, right, top)


def _runs(codes: list[int]) -> Iterator[tuple[int, int]]:
    """Yields the first and last place of each line, without spaces at its ends.

    A hyphen that pdfium marks belongs to the line that it ends.
    """
    start = 0
    for place, code in enumerate([*codes, _LINE_END]):
        if code not in _BREAKS:
            continue
        first = start
        last = place if code == _HYPHEN else place - 1
        while first <= last and codes[first] == _SPACE:
            first += 1
        while last >= first and codes[last] == _SPACE:
            last -= 1
        if first <= last:
            yield first, last
        start = place + 1


def _line(characters: _Characters, first: int, last: int) -> PageLine:
    box = characters.box(first)
    height = max(box.top - box.bottom, MIN_LINE_HEIGHT)

    # pdfium gives the hyphen that it marks no box of its own.
    hyphenated = characters.codes[last] == _HYPHEN
    end = last if hyphenated else last + 1
    last_box = characters.box(max(first, end - 1))

    text = ""
    start = first
    for place in _cell_ends(characters, first, last, WIDE_GAP * height):
        text += characters.text(start, place)
        # The gap after a list marker does not begin a cell.
        text += " " if _LIST_MARKER.fullmatch(text) else " | "
        start = place
    text = one_line(text + characters.text(start, end))

    is_row = " | " in text
    if hyphenated:
        text += "-"
    return PageLine(
        text,
        left=box.left,
        right=last_box.right,
        bottom=box.bottom,
        height=height,
        is_row=is_row,
    )


def _cell_ends(characters: _Characters, first: int, last: int, wide: float) -> list[int]:
    """Returns the places of the spaces between the cells of a line.

    Those are the wide spaces, unless all spaces are even, as in a line stretched to its margins.
    """
    codes = characters.codes
    gaps = {}
    for place in range(first + 1, last):
        opens_gap = codes[place] == _SPACE and codes[place - 1] != _SPACE
        if not opens_gap:
            continue
        following = place
        while codes[following] == _SPACE:
            following += 1
        word_before = characters.box(place - 1)
        word_after = characters.box(following)
        gaps[place] = word_after.left - word_before.right

    widths = gaps.values()
    # One gap alone is neither even nor uneven.
    if len(gaps) > 1 and max(widths) < EVEN_GAPS * min(widths):
        return []
    return [place for place, gap in gaps.items() if gap > wide]
