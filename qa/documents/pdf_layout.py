"""Finds the lines, the columns and the tables of a PDF page from the positions of its words.

A gutter is a strip from the top to the bottom of several lines in which no word stands. The words
to its left and right are cells of a table, or two columns of a text whose lines were written row by
row.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from qa.documents.markdown_text import holds_values, row_text, rule_text, value_text
from qa.documents.pdf_paragraphs import PageLine

WIDE_GAP = 1.5
"""Two words at least so many line heights apart stand in two cells of a table."""
LOOSE_GAP = 0.6
"""Line heights. Words so far apart may stand in two cells if the lines around agree."""
MIN_GUTTER = 0.35
"""Line heights. The space between two words is narrower."""
EVEN_GAPS = 1.2
"""A line whose widest gap is less than so many times the narrowest is stretched to its margins."""
MAX_STRETCH = 3
"""Line heights. No space between words is stretched so far."""
SAME_LINE = 0.5
"""Two runs are one line if they overlap in height by at least this share of the lower one."""
WORD_GAP = 0.12
"""Line heights between two runs that are two words."""
MAX_WORD = 1_000
"""Characters. A longer word is not joined to the next run."""
RAISED_SIZE = 0.8
"""A run that is at most so high as this share of the run before it may be a raised figure."""
MAX_ROW_DISTANCE = 3
"""Line heights between two rows of a table."""
MAX_GUTTERS = 60
"""A line with more gaps is not a row. The time grows with the gutters and the rows."""
MIN_COLUMN_LINES = 4
MIN_COLUMN_TEXT = 15
"""Characters that the lines of a column have on average."""
MIN_INSIDE = 0.25
"""Share of the lines of a column that begin with a small letter, inside a sentence."""

_LIST_MARKER = re.compile(r"(?:[-*+•–▪◦‣·]|\(?\w{1,3}[.)]|(?:\d+\.)+\d*)")

Gap = tuple[float, float]
"""The left and the right edge of a strip without words."""
_LEFT_MARGIN = float("-inf")
_RIGHT_MARGIN = float("inf")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line with its left and right edge, in points."""

    text: str
    left: float
    right: float


@dataclass(slots=True)
class TextRun:
    """Words that stand on one line, in points from the lower left corner of the page."""

    words: list[Word]
    bottom: float
    height: float

    @property
    def left(self) -> float:
        return self.words[0].left

    @property
    def right(self) -> float:
        return self.words[-1].right


Cells = list[list[Word]]
"""The words of each cell of a line."""


def page_lines(runs: Sequence[TextRun]) -> list[PageLine]:
    """Returns the lines of a page, in the order of the runs; columns are read one by one."""
    lines = _joined_runs(runs)
    page: list[PageLine] = []
    start = 0
    while start < len(lines):
        end, gutters = _block(lines, start)
        block = lines[start:end]
        if not gutters:
            page.append(_plain_line(lines[start]))
            start += 1
            continue

        rows = []
        for line in block:
            cells = _cells(line, gutters)
            rows.append(cells)
        if _are_columns(rows):
            for column in range(len(gutters) + 1):
                page += _column_lines(rows, block, column)
        else:
            page += _table_lines(rows, block)
        start = end
    return page


def _joined_runs(runs: Sequence[TextRun]) -> list[TextRun]:
    """Joins the runs of one line, which a program may have written piece by piece."""
    lines: list[TextRun] = []
    for run in runs:
        previous = lines[-1] if lines else None
        if previous is None or not _is_same_line(previous, run):
            lines.append(run)
            continue

        gap = run.left - previous.right
        is_raised = _is_raised_run(previous, run)
        is_next_word = gap > WORD_GAP * previous.height and not is_raised
        # A word that grows letter by letter would take quadratic time.
        if is_next_word or len(previous.words[-1].text) > MAX_WORD:
            previous.words += run.words
        else:
            _join_words(previous, run, is_raised)
    return lines


def _join_words(line: TextRun, run: TextRun, is_raised: bool) -> None:
    """Adds a run to a line; its first word continues the last word of the line."""
    last = line.words[-1]
    first = run.words[0]
    sign = "^" if is_raised and last.text[-1:].isalnum() else ""
    text = f"{last.text}{sign}{first.text}"
    line.words[-1] = Word(text, last.left, first.right)
    line.words += run.words[1:]


def _is_same_line(line: TextRun, run: TextRun) -> bool:
    top = min(line.bottom + line.height, run.bottom + run.height)
    overlap = top - max(line.bottom, run.bottom)
    is_beside = run.left >= line.right - WORD_GAP * line.height
    return is_beside and overlap >= SAME_LINE * min(line.height, run.height)


def _is_raised_run(line: TextRun, run: TextRun) -> bool:
    """Returns whether a run begins with a small figure above the foot of the line."""
    is_small = run.height <= RAISED_SIZE * line.height
    is_near = run.left - line.right <= LOOSE_GAP * line.height
    is_figure = run.words[0].text[:1].isdecimal()
    return is_small and is_near and is_figure and run.bottom > line.bottom


def _block(lines: Sequence[TextRun], start: int) -> tuple[int, list[Gap]]:
    """Returns the end of the table or columns that begin with a line, and their gutters.

    `start`: the index of the line. The end is the index after the last line of the block. Without
    gutters, the line is a line of text.
    """
    most_cells = len(_loose_gaps(lines[start]))
    if not 0 < most_cells <= MAX_GUTTERS:
        return start + 1, []
    gutters = _gaps(lines[start])[:MAX_GUTTERS]
    end = start + 1
    while end < len(lines):
        line = lines[end]
        if not _is_row_below(lines[end - 1], line, most_cells):
            break
        shared = _shared(gutters, line)
        if not shared:
            break
        gutters = shared
        end += 1

    if end == start + 1:
        # A row by itself has wide gaps.
        gutters = _wider(gutters, WIDE_GAP * lines[start].height)
    return end, gutters


def _is_row_below(above: TextRun, line: TextRun, most_cells: int) -> bool:
    """Returns whether a line can be the next row of a table with so many cells."""
    down = above.bottom - line.bottom
    if not 0 < down <= MAX_ROW_DISTANCE * line.height:
        return False
    # A row with more cells than the rows above it is the header of another table.
    cells = len(_loose_gaps(line))
    return 0 < cells <= most_cells


def _gaps(line: TextRun) -> list[Gap]:
    """Returns the strips between the words of a line that may belong to a gutter."""
    gaps = _word_gaps(line)
    # The gap after a list marker does not begin a cell.
    if _LIST_MARKER.fullmatch(line.words[0].text):
        del gaps[:1]
    return _wider(gaps, MIN_GUTTER * line.height)


def _word_gaps(line: TextRun) -> list[Gap]:
    gaps = []
    for word, following in pairwise(line.words):
        gap = (word.right, following.left)
        gaps.append(gap)
    return gaps


def _wider(gaps: Sequence[Gap], width: float) -> list[Gap]:
    """Returns the gaps that are wider than a width in points."""
    return [gap for gap in gaps if _width(gap) > width]


def _loose_gaps(line: TextRun) -> list[Gap]:
    """Returns the gaps that are wider than those between words.

    A line that is stretched to its margins has none.
    """
    widths = list(map(_width, _word_gaps(line)))
    if len(widths) > 1:
        widest = max(widths)
        is_even = widest < EVEN_GAPS * min(widths)
        if is_even and widest <= MAX_STRETCH * line.height:
            return []
    return _wider(_gaps(line), LOOSE_GAP * line.height)


def _shared(gutters: Sequence[Gap], line: TextRun) -> list[Gap]:
    """Returns the parts of the gutters in which no word of a line stands."""
    # The space to the left and to the right of the line is free too.
    free = [(_LEFT_MARGIN, line.left), *_gaps(line), (line.right, _RIGHT_MARGIN)]
    parts = []
    index = 0
    for left, right in gutters:
        # The first free strip that ends to the right of the left edge of the gutter.
        while index < len(free) and free[index][1] <= left:
            index += 1
        if index == len(free):
            break
        free_left, free_right = free[index]
        part = (max(left, free_left), min(right, free_right))
        parts.append(part)
    return _wider(parts, MIN_GUTTER * line.height)


def _width(gap: Gap) -> float:
    left, right = gap
    return right - left


def _cells(line: TextRun, gutters: Sequence[Gap]) -> Cells:
    """Returns the words of a line between the gutters."""
    cells: Cells = [[]]
    column = 0
    for word in line.words:
        while column < len(gutters) and word.left >= gutters[column][1]:
            column += 1
            cells.append([])
        cells[column].append(word)
    # A line can end before the last gutter.
    while len(cells) <= len(gutters):
        cells.append([])
    return cells


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _are_columns(rows: Sequence[Cells]) -> bool:
    """Returns whether cells are the lines of columns of text."""
    if len(rows) < MIN_COLUMN_LINES:
        return False
    for column in range(len(rows[0])):
        texts = []
        for row in rows:
            text = _text(row[column])
            if text:
                texts.append(text)
        if not _is_column(texts):
            return False
    return True


def _is_column(texts: Sequence[str]) -> bool:
    """Returns whether texts are the lines of a column: long, and many inside a sentence."""
    if not texts:
        return False
    lines = len(texts)
    characters = sum(map(len, texts))
    inside = sum(1 for text in texts if text[0].islower())
    return inside >= MIN_INSIDE * lines and characters >= MIN_COLUMN_TEXT * lines


def _column_lines(
    rows: Sequence[Cells], block: Sequence[TextRun], column: int
) -> Iterator[PageLine]:
    for cells, line in zip(rows, block, strict=True):
        words = cells[column]
        if words:
            run = TextRun(words, line.bottom, line.height)
            yield _plain_line(run)


def _plain_line(line: TextRun) -> PageLine:
    return PageLine(
        _text(line.words),
        left=line.left,
        right=line.right,
        bottom=line.bottom,
        height=line.height,
    )


def _table_lines(rows: Sequence[Cells], block: Sequence[TextRun]) -> Iterator[PageLine]:
    """Yields the rows of a Markdown table; names with their values are lines `name: value`."""
    texts = []
    for cells in rows:
        row = list(map(_text, cells))
        texts.append(row)
    are_values = holds_values(texts)

    for row_index, (row, line) in enumerate(zip(texts, block, strict=True)):
        is_header = row_index == 0
        if are_values:
            text = value_text(*row)
        elif len(texts) == 1:
            text = " | ".join(filter(None, row))
        else:
            text = row_text(row)
            if is_header:
                text += "\n" + rule_text(len(row))
        yield PageLine(
            text,
            left=line.left,
            right=line.right,
            bottom=line.bottom,
            height=line.height,
            is_row=True,
            opens_table=is_header or are_values,
        )
