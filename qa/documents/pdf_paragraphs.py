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
    distances = [_usual_distance(page) for page in pages]
    lines: list[tuple[int, PageLine]] = []
    words: set[str] = set()
    for number, page in enumerate(pages):
        for line in page:
            lines.append((number, line))
            words.update(_WORD.findall(line.text.casefold()))

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
            # Lines of different pages have no distance.
            distance = None
            if next_number == number:
                distance = distances[number]
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
    tolerance = COLUMN_TOLERANCE * line.height
    first = max(0, place - NEIGHBOURS)
    last = place + NEIGHBOURS
    for _, neighbour in lines[first : last + 1]:
        indent = abs(neighbour.left - line.left)
        if indent <= tolerance:
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
    difference = abs(line.height - next_line.height)
    return difference <= SIZE_TOLERANCE * larger


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
        is_broken = bool(_BROKEN_WORD.search(line.text))
        return is_open and (is_full or is_broken)

    down = line.bottom - next_line.bottom
    if down > PARAGRAPH_DISTANCE * distance * line.height:
        return False

    if is_open and next_line.text[:1].islower():
        # The inside of a sentence, unless the line is too short to have been broken.
        width = line.right - line.left
        column_width = edge - line.left
        return 2 * width >= column_width

    is_item = bool(_LIST_ITEM.match(line.text))
    is_indented = next_line.left > line.left + INDENT * line.height
    # The lines of an item after its first stand to the right of the marker.
    return is_full and (is_item or not is_indented)


def _is_full(line: PageLine, next_line: PageLine, edge: float) -> bool:
    """Returns whether the first word of the next line would not have fitted into a line."""
    width = next_line.right - next_line.left
    letter_width = width / max(1, len(next_line.text))
    first_word = next_line.text.split(maxsplit=1)[0]
    letters = 1 + len(first_word)
    return line.right + letter_width * letters > edge


def _with_joint(text: str, next_text: str, words: set[str]) -> str:
    """Returns the text of a line with what joins it to the next line, mostly a space.

    A broken word loses its hyphen, unless the document has it elsewhere with the hyphen.
    """
    if not _BROKEN_WORD.search(text) or not next_text[:1].isalpha():
        return text + " "
    head = _WORD.findall(text)[-1]
    tail = _WORD.findall(next_text)[0]
    compound = f"{head}-{tail}".casefold()
    unbroken = text[:-1]
    if compound in words or not next_text[:1].islower():
        return unbroken + "-"
    return unbroken


def _separator(line: PageLine, next_line: PageLine) -> str:
    """Rows and list items are separated by a line end, paragraphs by a blank line."""
    is_table = line.is_row and next_line.is_row
    is_item = _LIST_ITEM.match(next_line.text)
    return "\n" if is_table or is_item else "\n\n"


def _without_running_heads(pages: Sequence[Sequence[PageLine]]) -> list[list[PageLine]]:
    """Returns the pages without page numbers and without repeats of the lines at their edges.

    A repeated line stays the first time, so no word is lost. A number is a page number only if it
    grows with the pages.
    """
    stripped = [list(page) for page in pages]
    for edge in (0, -1):
        texts = [page[edge].text if page else "" for page in stripped]
        for place in _running(texts):
            stripped[place].pop(edge)
    return stripped


def _running(texts: Sequence[str]) -> list[int]:
    """Returns the pages whose line at one edge is a page number or the repeat of a running head."""
    # Numbers that grow with the pages have the same difference to the place of their page.
    differences: list[int | None] = []
    for place, text in enumerate(texts):
        number = _PAGE_NUMBER.fullmatch(text)
        differences.append(int(number[1]) - place if number else None)
    growing = Counter(differences)
    growing[None] = 0

    running = []
    repeats = Counter(texts)
    repeats[""] = 0
    seen: set[str] = set()
    for place, text in enumerate(texts):
        is_page_number = growing[differences[place]] >= MIN_RUNNING_PAGES
        is_repeat = repeats[text] >= MIN_RUNNING_PAGES and text in seen
        if is_page_number or is_repeat:
            running.append(place)
        seen.add(text)
    return running
