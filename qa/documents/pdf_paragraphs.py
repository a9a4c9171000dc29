"""Joins the lines of PDF pages to the paragraphs of a Markdown text.

The page shows where a paragraph ends: more space than between lines, letters of another size, an
indent, a line so short that the first word of the next line would have fitted, a list marker, the
cells of a table.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_LIST_ITEM = re.compile(r"(?:[-*+•–▪◦‣·]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_BULLET = re.compile(r"[*+•–▪◦‣·]\s")
_MARKDOWN_ITEM = re.compile(r"(?:-|\d{1,3}[.)])\s")
_COMPOUND_HEADS = frozenset(
    """all anti back best close co cross cut day deep double easy eight ex fair far fast first five
    four free front full good half hand hard high home ill in-house large late left light little
    long low mid middle multi near new nine non off old one open part post pre present ready real
    right second self semi seven short single six slow small so state still ten third three time
    top two up-to up user vice water well wide world year years""".split()
)
"""First words of compounds that keep their hyphen. Most broken words do not begin with one."""
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
LONG_LINE = 0.85
"""Share of the width of its column."""
INDENT = 0.5
"""Line heights."""
HEADING_SIZE = 1.15
"""Lines that are so many times higher than most of the text are headings."""
MAX_HEADING = 120
"""Characters."""
MAX_LEVEL = 3
MIN_RUNNING_PAGES = 3
"""A line at the edge of at least so many pages is a running head."""


@dataclass(frozen=True, slots=True)
class PageLine:
    """A line of a page with its position, in points from the lower left corner."""

    text: str
    left: float
    right: float
    bottom: float
    height: float
    is_row: bool = False
    """Whether it has cells of a table. It is not joined to other lines."""
    opens_table: bool = False
    """Whether it is the first row of its table."""


@dataclass(frozen=True, slots=True)
class _DocumentLine:
    """A line of the document and what its page says about it."""

    line: PageLine
    page: int
    """The index of its page."""
    usual_distance: float
    """The distance of lines inside a paragraph of its page, in line heights."""


def join_pages(pages: Sequence[Sequence[PageLine]]) -> tuple[str, tuple[int, ...]]:
    """Returns the text of all pages and the offset at which each page begins.

    A page without text begins where the next page begins.
    """
    lines = _document_lines(_without_running_heads(pages))
    parts = _parts(lines, _are_continued(lines))
    return "".join(parts), _page_offsets(lines, parts, len(pages))


def _document_lines(pages: Sequence[Sequence[PageLine]]) -> list[_DocumentLine]:
    """Returns the lines of all pages, each with what its page says about it."""
    lines = []
    for page_index, page in enumerate(pages):
        distance = _usual_distance(page)
        for line in page:
            lines.append(_DocumentLine(line, page_index, distance))
    return lines


def _are_continued(lines: Sequence[_DocumentLine]) -> list[bool]:
    """Returns, for each line, whether the next line continues its paragraph."""
    page_lines = [line.line for line in lines]
    are_continued = []
    for index, (line, next_line) in enumerate(pairwise(lines)):
        edge = _column_edge(page_lines, index)
        same_page = line.page == next_line.page
        is_continued = _continues(line, next_line.line, edge, same_page=same_page)
        are_continued.append(is_continued)
    if lines:
        # No line follows the last line.
        are_continued.append(False)
    return are_continued


def _parts(document_lines: Sequence[_DocumentLine], are_continued: Sequence[bool]) -> list[str]:
    """Returns, for each line, its Markdown with what stands between it and the next line."""
    lines = [document_line.line for document_line in document_lines]
    levels = _heading_levels(lines)
    words = _words(lines)
    parts = []
    for index, line in enumerate(lines):
        begins_block = index == 0 or not are_continued[index - 1]
        part = _marked(line, levels) if begins_block else line.text

        next_index = index + 1
        if are_continued[index]:
            part = _with_joint(part, lines[next_index].text, words)
        elif next_index < len(lines):
            part += _separator(line, lines[next_index])
        parts.append(part)
    return parts


def _page_offsets(
    lines: Sequence[_DocumentLine], parts: Sequence[str], page_count: int
) -> tuple[int, ...]:
    """Returns the offset at which each page begins, in the text that the parts make."""
    offsets: list[int] = []
    size = 0
    for line, part in zip(lines, parts, strict=True):
        # A loop, because pages without a line begin here too.
        while len(offsets) <= line.page:
            offsets.append(size)
        size += len(part)

    while len(offsets) < page_count:
        offsets.append(size)
    return tuple(offsets)


def _words(lines: Sequence[PageLine]) -> set[str]:
    """Returns the folded words of the lines."""
    words: set[str] = set()
    for line in lines:
        line_words = _WORD.findall(line.text.casefold())
        words.update(line_words)
    return words


def _heading_levels(lines: Sequence[PageLine]) -> dict[float, int]:
    """Returns the level of the headings of each height that is larger than that of the text."""
    characters: Counter[float] = Counter()
    for line in lines:
        characters[round(line.height)] += len(line.text)
    if not characters:
        return {}
    # The height of most of the text, by its characters.
    usual = max(characters, key=lambda height: (characters[height], -height))

    levels: dict[float, int] = {}
    for height in sorted(characters, reverse=True):
        if height >= HEADING_SIZE * usual:
            levels[height] = min(MAX_LEVEL, len(levels) + 1)
    return levels


def _marked(line: PageLine, levels: Mapping[float, int]) -> str:
    """Returns the text of the first line of a block, with the mark of a heading or an item."""
    text = line.text
    if line.is_row:
        return text
    if _BULLET.match(text):
        return f"- {text[1:].lstrip()}"
    level = levels.get(round(line.height), 0)
    is_words = any(letter.isalpha() for letter in text)
    if level and is_words and len(text) <= MAX_HEADING and not _is_item(line):
        return f"{'#' * level} {text}"
    return text


def _column_edge(lines: Sequence[PageLine], index: int) -> float:
    """Returns the right edge of the column of a line: of its neighbours with the same left edge."""
    line = lines[index]
    edge = line.right
    tolerance = COLUMN_TOLERANCE * line.height

    first = max(0, index - NEIGHBOURS)
    last = index + NEIGHBOURS
    neighbours = lines[first : last + 1]
    for neighbour in neighbours:
        indent = abs(neighbour.left - line.left)
        if indent <= tolerance:
            edge = max(edge, neighbour.right)
    return edge


def _usual_distance(page: Sequence[PageLine]) -> float:
    """Returns the distance of lines inside a paragraph, in line heights: the median of the page."""
    distances = []
    for line, next_line in pairwise(page):
        down = line.bottom - next_line.bottom
        limit = MAX_LINE_DISTANCE * line.height
        is_near = 0 < down < limit
        if is_near and _are_same_size(line, next_line):
            distance = down / line.height
            distances.append(distance)
    if not distances:
        return 0.0
    return median(distances)


def _are_same_size(line: PageLine, next_line: PageLine) -> bool:
    larger = max(line.height, next_line.height)
    difference = abs(line.height - next_line.height)
    return difference <= SIZE_TOLERANCE * larger


def _continues(
    document_line: _DocumentLine, next_line: PageLine, edge: float, *, same_page: bool
) -> bool:
    """Returns whether the next line continues the paragraph of a line.

    `edge`: the right edge of the column. `same_page`: whether both lines are on one page; lines of
    different pages have no distance.
    """
    line = document_line.line
    if line.is_row or next_line.is_row:
        return False
    if _is_item(next_line) or not _are_same_size(line, next_line):
        return False

    is_full = _is_full(line, next_line, edge)
    is_open = _SENTENCE_END.search(line.text) is None
    down = line.bottom - next_line.bottom
    if not same_page or down <= 0:
        # The next line is on the next page or in the next column.
        is_broken = _BROKEN_WORD.search(line.text) is not None
        return is_open and (is_full or is_broken)

    usual_down = document_line.usual_distance * line.height
    if down > PARAGRAPH_DISTANCE * usual_down:
        return False

    first_letter = next_line.text[:1]
    if is_open and first_letter.islower():
        # The inside of a sentence, unless the line is too short to have been broken.
        width = line.right - line.left
        column_width = edge - line.left
        return 2 * width >= column_width

    # A long line without the end of a sentence goes on, although a short word would have fitted.
    is_long = line.right - line.left >= LONG_LINE * (edge - line.left)
    if not is_full and not (is_open and is_long):
        return False
    # The lines of an item after its first stand to the right of the marker.
    if _is_item(line):
        return True
    indent = INDENT * line.height
    return next_line.left <= line.left + indent


def _is_item(line: PageLine) -> bool:
    return _LIST_ITEM.match(line.text) is not None


def _is_full(line: PageLine, next_line: PageLine, edge: float) -> bool:
    """Returns whether the first word of the next line would not have fitted into a line."""
    text = next_line.text
    width = next_line.right - next_line.left
    letter_width = width / max(1, len(text))

    first_word = text.split(maxsplit=1)[0]
    letters = 1 + len(first_word)
    return line.right + letter_width * letters > edge


def _with_joint(text: str, next_text: str, words: set[str]) -> str:
    """Returns the text of a line with what joins it to the next line, mostly a space.

    A broken word loses its hyphen, unless the document has it elsewhere with the hyphen.
    """
    first_letter = next_text[:1]
    if not _BROKEN_WORD.search(text) or not first_letter.isalpha():
        return text + " "

    head = _WORD.findall(text)[-1]
    tail = _WORD.findall(next_text)[0]
    compound = f"{head}-{tail}"
    unbroken = text[:-1]
    # Before a capital the hyphen belongs to a name and was not added by the break.
    is_known = compound.casefold() in words or head.casefold() in _COMPOUND_HEADS
    is_joined_elsewhere = f"{head}{tail}".casefold() in words
    is_compound = (is_known and not is_joined_elsewhere) or not first_letter.islower()
    return unbroken + "-" if is_compound else unbroken


def _separator(line: PageLine, next_line: PageLine) -> str:
    """Rows and list items are separated by a line end, paragraphs by a blank line."""
    if line.is_row and next_line.is_row:
        return "\n\n" if next_line.opens_table else "\n"
    are_items = _is_markdown_item(line) and _is_markdown_item(next_line)
    return "\n" if are_items else "\n\n"


def _is_markdown_item(line: PageLine) -> bool:
    is_marked = _MARKDOWN_ITEM.match(line.text) or _BULLET.match(line.text)
    return is_marked is not None


def _without_running_heads(pages: Sequence[Sequence[PageLine]]) -> list[list[PageLine]]:
    """Returns the pages without page numbers and without repeats of the lines at their edges.

    A repeated line stays the first time, so no word is lost. A number is a page number only if it
    grows with the pages.
    """
    stripped = list(map(list, pages))
    # The first line of each page, then the last line of what is left.
    for edge in (0, -1):
        texts = []
        for page in stripped:
            text = page[edge].text if page else ""
            texts.append(text)

        for page_index in _running(texts):
            page = stripped[page_index]
            del page[edge]
    return stripped


def _running(texts: Sequence[str]) -> list[int]:
    """Returns the indexes of the pages whose line at one edge is to be left out.

    Such a line is a page number, or the repeat of a running head.
    """
    # Numbers that grow with the pages have the same difference to the index of their page.
    differences: list[int | None] = []
    for index, text in enumerate(texts):
        number = _PAGE_NUMBER.fullmatch(text)
        difference = int(number[1]) - index if number else None
        differences.append(difference)

    growing = Counter(differences)
    repeats = Counter(texts)
    # Pages without a number, and pages without a line, have nothing in common.
    growing[None] = 0
    repeats[""] = 0

    running = []
    seen: set[str] = set()
    for index, text in enumerate(texts):
        difference = differences[index]
        is_page_number = growing[difference] >= MIN_RUNNING_PAGES
        is_frequent = repeats[text] >= MIN_RUNNING_PAGES
        is_repeat = is_frequent and text in seen
        if is_page_number or is_repeat:
            running.append(index)
        seen.add(text)
    return running
