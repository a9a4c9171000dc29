"""Joins the lines of PDF pages to paragraphs, which end with a blank line.

The page shows where a paragraph ends: more space than between lines, letters of another size, an
indent, a line so short that the first word of the next line would have fitted, a list marker, the
cells of a table.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_LIST_ITEM = re.compile(r"(?:[-*+•–▪◦‣·]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_SENTENCE_END = re.compile(r"[.!?…:;。！？][\"'”’»)\]]*$")
_BROKEN_WORD = re.compile(r"[^\W\d_][-\u00ad\u2010]$")
_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:page|seite|p\.)\s*)?(\d{1,4})(?:\s*(?:/|of|von)\s*\d{1,4})?\W*", re.IGNORECASE
)
_WORD = re.compile(r"\w+(?:-\w+)*")

PARAGRAPH_DISTANCE = 1.3
"""Paragraphs are more than so many usual line distances apart."""
MAX_LINE_DISTANCE = 3
"""Line heights. Lines further apart do not count towards the usual distance."""
SIZE_TOLERANCE = 0.2
"""Lines whose heights differ by at most this share are of the same size."""
COLUMN_TOLERANCE = 3
"""Lines whose left edges differ by at most so many line heights are in the same column."""
NEIGHBOURS = 4
"""Lines before and after a line that show how wide its column is."""
INDENT = 0.5
"""Line heights."""
MIN_RUNNING_PAGES = 3
"""A line at the edge of at least so many pages is a running head."""


@dataclass(frozen=True, slots=True)
class PageLine:
    """A line of a page with its place, in points from the lower left corner."""

    text: str
    left: float
    right: float
    bottom: float
    height: float
    is_row: bool = False
    """Whether it has cells of a table."""


def join_pages(pages: Sequence[Sequence[PageLine]]) -> tuple[str, tuple[int, ...]]:
    """Returns the text of all pages and the offset at which each page begins.

    A page without text begins where the next page begins.
    """
    pages = _without_running_heads(pages)
    lines = [(number, line) for number, page in enumerate(pages) for line in page]
    words = set()
    for _, line in lines:
        words.update(_WORD.findall(line.text.casefold()))
    distances = [_usual_distance(page) for page in pages]

    parts: list[str] = []
    offsets: list[int] = []
    size = 0
    for place, (number, line) in enumerate(lines):
        while len(offsets) <= number:
            offsets.append(size)
        part = line.text
        if place + 1 < len(lines):
            next_number, next_line = lines[place + 1]
            edge = _column_edge(lines, place)
            distance = distances[number] if next_number == number else None
            if _continues(line, next_line, edge, distance):
                part = _with_joint(part, next_line.text, words)
            else:
                part += _separator(line, next_line)
        parts.append(part)
        size += len(part)

    while len(offsets) < len(pages):
        offsets.append(size)
    return "".join(parts), tuple(offsets)


def _column_edge(lines: Sequence[tuple[int, PageLine]], place: int) -> float:
    """Returns the right edge of the column of a line: of its neighbours with the same left edge."""
    _, line = lines[place]
    edge = line.right
    for _, neighbour in lines[max(0, place - NEIGHBOURS) : place + NEIGHBOURS + 1]:
        if abs(neighbour.left - line.left) <= COLUMN_TOLERANCE * line.height:
            edge = max(edge, neighbour.right)
    return edge


def _usual_distance(page: Sequence[PageLine]) -> float:
    """Returns the distance of lines inside a paragraph, in line heights: the median of the page."""
    distances = []
    for line, next_line in pairwise(page):
        distance = line.bottom - next_line.bottom
        is_near = 0 < distance < MAX_LINE_DISTANCE * line.height
        if is_near and _are_same_size(line, next_line):
            distances.append(distance / line.height)
    return median(distances) if distances else 0.0


def _are_same_size(line: PageLine, next_line: PageLine) -> bool:
    larger = max(line.height, next_line.height)
    return abs(line.height - next_line.height) <= SIZE_TOLERANCE * larger


def _continues(line: PageLine, next_line: PageLine, edge: float, distance: float | None) -> bool:
    """Returns whether the next line continues the paragraph of a line.

    `edge`: the right edge of the column. `distance`: the usual distance of lines on their page, in
    line heights; None if they are on different pages.
    """
    if line.is_row or next_line.is_row or _LIST_ITEM.match(next_line.text):
        return False
    if not _are_same_size(line, next_line):
        return False

    is_full = _is_full(line, next_line, edge)
    is_open = not _SENTENCE_END.search(line.text)
    if distance is None or next_line.bottom >= line.bottom:
        # The next line is on the next page or in the next column.
        return is_open and (is_full or bool(_BROKEN_WORD.search(line.text)))

    if line.bottom - next_line.bottom > PARAGRAPH_DISTANCE * distance * line.height:
        return False
    if is_open and next_line.text[:1].islower():
        return 2 * (line.right - line.left) >= edge - line.left
    is_indented = next_line.left > line.left + INDENT * line.height
    return is_full and (not is_indented or _LIST_ITEM.match(line.text) is not None)


def _is_full(line: PageLine, next_line: PageLine, edge: float) -> bool:
    """Returns whether the first word of the next line would not have fitted into a line."""
    letter_width = (next_line.right - next_line.left) / max(1, len(next_line.text))
    first_word = next_line.text.split(maxsplit=1)[0]
    return line.right + letter_width * (1 + len(first_word)) > edge


def _with_joint(text: str, next_text: str, words: set[str]) -> str:
    """Returns the text of a line with what joins it to the next line, mostly a space.

    A broken word loses its hyphen, unless the document has it elsewhere with the hyphen.
    """
    if not _BROKEN_WORD.search(text) or not next_text[:1].isalpha():
        return text + " "
    compound = f"{_WORD.findall(text)[-1]}-{_WORD.findall(next_text)[0]}".casefold()
    keeps_hyphen = compound in words or not next_text[:1].islower()
    return text[:-1] + "-" if keeps_hyphen else text[:-1]


def _separator(line: PageLine, next_line: PageLine) -> str:
    """Rows and list items are separated by a line end, paragraphs by a blank line."""
    is_table = line.is_row and next_line.is_row
    return "\n" if is_table or _LIST_ITEM.match(next_line.text) else "\n\n"


def _without_running_heads(pages: Sequence[Sequence[PageLine]]) -> list[list[PageLine]]:
    """Returns the pages without page numbers and without repeats of the lines at their edges.

    A repeated line stays the first time, so no word is lost. A number is a page number only if it
    grows with the pages.
    """
    stripped = [list(page) for page in pages]
    for edge in (0, -1):
        texts = [page[edge].text if page else "" for page in stripped]
        numbers = [_page_number(text) for text in texts]
        first_numbers: Counter[int] = Counter()
        for place, number in enumerate(numbers):
            if number is not None:
                first_numbers[number - place] += 1

        repeats = Counter(texts)
        seen: set[str] = set()
        for place, (text, number) in enumerate(zip(texts, numbers, strict=True)):
            grows = number is not None and first_numbers[number - place] >= MIN_RUNNING_PAGES
            is_repeat = repeats[text] >= MIN_RUNNING_PAGES and text in seen
            if text and (grows or is_repeat):
                stripped[place].pop(edge)
            seen.add(text)
    return stripped


def _page_number(text: str) -> int | None:
    match = _PAGE_NUMBER.fullmatch(text)
    return int(match[1]) if match else None
