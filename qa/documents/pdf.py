"""Reads the text of a PDF with pdfium: the words of each page, with their positions.

`qa.documents.pdf_layout` makes lines, columns and tables of the words, and
`qa.documents.pdf_paragraphs` paragraphs of the lines.
"""

import ctypes
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from qa.documents.parsing import Limits, ParsedFile, Unreadable, check_length, one_line
from qa.documents.pdf_layout import TextRun, Word, page_lines
from qa.documents.pdf_paragraphs import PageLine, join_pages

_HYPHEN = 0x02
"""pdfium writes it in place of a hyphen at the end of a line and of the line end after it."""
_SPACE = 0x20
_LINE_END = 0x0A
_LAST_UNIT = 0xFFFF
_BREAKS = (_HYPHEN, 0x0D, _LINE_END)

MIN_LINE_HEIGHT = 0.1
RAISED_SIZE = 0.8
"""A raised figure is at most so high as this share of the letters of its line."""
RAISED_BY = 0.1
"""Line heights that a raised figure stands at least above the letters of its line."""

MIN_TITLE, MAX_TITLE = 3, 200
_PROGRAM_TITLE = re.compile(
    r"""
    untitled | no[ ]title | title | document\d* | microsoft[ ]word\b.*
    | .*\.(?:docx?|pdf|indd|tex|dvi|qxd|rtf|odt|html?|pptx?)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Titles that a program gave, not a person."""

_FIGURE_INSIDE = re.compile(r".\d")

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
    for page_index in range(len(document)):
        lines = _read_page(document, page_index)
        pages.append(lines)
        characters += sum(len(line.text) for line in lines)
        check_length(characters, limits)
    return pages


def _read_page(document: pdfium.PdfDocument, page_index: int) -> list[PageLine]:
    """Returns the lines of a page in the order in which they are read."""
    try:
        page = document[page_index]
    except pdfium.PdfiumError:
        # The other pages can still be read, and pdfium has no text of this page either.
        return []
    text_page = page.get_textpage()
    indexes = range(text_page.count_chars())
    codes = [raw.FPDFText_GetUnicode(text_page, index) for index in indexes]
    rotation = (-1j) ** (page.get_rotation() // 90)

    characters = _Characters(text_page, codes, _packed(codes), rotation)
    runs = []
    for first, last in _runs(codes):
        run = _text_run(characters, first, last)
        if run.words:
            runs.append(run)
    text_page.close()
    page.close()
    return page_lines(runs)


def _packed(codes: list[int]) -> bytes:
    """Returns UTF-16 code units as bytes; what is not such a unit becomes an unwanted character."""
    units = [min(code, _LAST_UNIT) for code in codes]
    return struct.pack(f"<{len(units)}H", *units)


@dataclass(frozen=True, slots=True)
class _Box:
    """The edges of a character on the page as it is seen, in points from the lower left corner."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class _Characters:
    """The characters of a page in reading order. Its methods take indexes of `codes`."""

    text_page: pdfium.PdfTextPage
    codes: list[int]
    """UTF-16 code units."""
    units: bytes
    """The same code units, two bytes each."""
    rotation: complex
    """The factor that turns a point of the page, as a complex number, to where it is seen."""

    def text(self, start: int, end: int) -> str:
        """Returns the characters from the index `start` up to the index `end`."""
        # Half of a surrogate pair without its other half is dropped.
        return self.units[2 * start : 2 * end].decode("utf-16-le", "ignore")

    def box(self, index: int) -> _Box:
        """Returns the edges of a character."""
        box = raw.FS_RECTF()
        raw.FPDFText_GetLooseCharBox(self.text_page, index, ctypes.byref(box))
        is_upright = box.left <= box.right and box.bottom <= box.top
        # Most pages are not turned, and most of the time goes into this method.
        if self.rotation == 1 and is_upright:
            return _Box(box.left, box.bottom, box.right, box.top)
        corner = complex(box.left, box.bottom) * self.rotation
        opposite = complex(box.right, box.top) * self.rotation
        left, right = sorted((corner.real, opposite.real))
        bottom, top = sorted((corner.imag, opposite.imag))
        return _Box(left, bottom, right, top)


def _runs(codes: list[int]) -> Iterator[tuple[int, int]]:
    """Yields the indexes of the first and the last character of each line, without outer spaces.

    A hyphen that pdfium marks belongs to the line that it ends.
    """
    start = 0
    for index, code in enumerate([*codes, _LINE_END]):
        if code not in _BREAKS:
            continue
        first = start
        last = index if code == _HYPHEN else index - 1
        while first <= last and codes[first] == _SPACE:
            first += 1
        while last >= first and codes[last] == _SPACE:
            last -= 1
        if first <= last:
            yield first, last
        start = index + 1


def _text_run(characters: _Characters, first: int, last: int) -> TextRun:
    """Returns the words of one line of pdfium: from the index `first` to the index `last`."""
    box = characters.box(first)
    height = max(box.top - box.bottom, MIN_LINE_HEIGHT)
    # pdfium gives the hyphen that it marks no box of its own.
    is_hyphenated = characters.codes[last] == _HYPHEN
    end = last if is_hyphenated else last + 1

    words = []
    for start, stop in _words(characters.codes, first, end):
        text = _word_text(characters, start, stop, box)
        if text:
            left = characters.box(start).left
            right = characters.box(stop - 1).right
            words.append(Word(text, left, right))
    if words and is_hyphenated:
        final = words[-1]
        words[-1] = Word(final.text + "-", final.left, final.right)
    return TextRun(words, bottom=box.bottom, height=height)


def _words(codes: list[int], first: int, end: int) -> Iterator[tuple[int, int]]:
    """Yields, for each word, the index of its first character and the index after its last."""
    start = first
    for index in range(first, end + 1):
        if index < end and codes[index] != _SPACE:
            continue
        if index > start:
            yield start, index
        start = index + 1


def _word_text(characters: _Characters, start: int, stop: int, line: _Box) -> str:
    """Returns a word; "^" stands before a raised figure, which would join the figure before it."""
    text = one_line(characters.text(start, stop))
    has_figure = _FIGURE_INSIDE.search(text) is not None
    if not has_figure or len(text) != stop - start:
        return text

    parts = []
    was_raised = True
    for offset, letter in enumerate(text):
        is_raised = letter.isdecimal() and _is_raised(characters.box(start + offset), line)
        if is_raised and not was_raised:
            parts.append("^")
        parts.append(letter)
        was_raised = is_raised
    return "".join(parts)


def _is_raised(box: _Box, line: _Box) -> bool:
    height = max(line.top - line.bottom, MIN_LINE_HEIGHT)
    is_small = box.top - box.bottom <= RAISED_SIZE * height
    return is_small and box.bottom - line.bottom >= RAISED_BY * height
