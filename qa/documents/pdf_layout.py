"""Finds the lines, the columns and the tables of a PDF page from the places of its words.

A gutter is a strip from the top to the bottom of several lines in which no word stands. The words
to its left and right are cells of a table, or two columns of a text whose lines were written row by
row.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.documents.markdown_text import holds_values, row_text, value_text
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


def page_lines(runs: Sequence[TextRun]) -> list[PageLine]:
    """Returns the lines of a page, in the order of the runs; columns are read one by one."""
    lines = _joined_runs(runs)
    page: list[PageLine] = []
    place = 0
    while place < len(lines):
        end, gutters = _block(lines, place)
        block = lines[place:end]
        if not gutters:
            page.append(_plain_line(lines[place]))
            place += 1
            continue

        rows = [_cells(line, gutters) for line in block]
        if _are_columns(rows):
            for column in range(len(gutters) + 1):
                page += _column_lines(rows, block, column)
        else:
            page += _table_lines(rows, block)
        place = end
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
        if gap > WORD_GAP * previous.height and not is_raised:
            previous.words += run.words
            continue
        final = previous.words[-1]
        first = run.words[0]
        sign = "^" if is_raised and final.text[-1:].isalnum() else ""
        previous.words[-1] = Word(final.text + sign + first.text, final.left, first.right)
        previous.words += run.words[1:]
    return lines


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

    Without gutters, the line is a line of text.
    """
    most_cells = len(_loose_gaps(lines[start]))
    if not 0 < most_cells <= MAX_GUTTERS:
        return start + 1, []
    gutters = _gaps(lines[start])[:MAX_GUTTERS]
    end = start + 1
    while end < len(lines):
        line = lines[end]
        cells = len(_loose_gaps(line))
        down = lines[end - 1].bottom - line.bottom
        is_below = 0 < down <= MAX_ROW_DISTANCE * line.height
        # A row with more cells than the rows above it is the header of another table.
        if not is_below or not cells or cells > most_cells:
            break
        shared = _shared(gutters, line)
        if not shared:
            break
        gutters = shared
        end += 1

    if end - start == 1:
        return end, [gap for gap in gutters if _width(gap) > WIDE_GAP * lines[start].height]
    return end, gutters


def _gaps(line: TextRun) -> list[Gap]:
    """Returns the strips between the words of a line that may belong to a gutter."""
    gaps = []
    for word, following in zip(line.words, line.words[1:], strict=False):
        gap = (word.right, following.left)
        is_marker = word is line.words[0] and _LIST_MARKER.fullmatch(word.text)
        # The gap after a list marker does not begin a cell.
        if not is_marker and _width(gap) > MIN_GUTTER * line.height:
            gaps.append(gap)
    return gaps


def _loose_gaps(line: TextRun) -> list[Gap]:
    """Returns the gaps that are wider than those between words.

    A line that is stretched to its margins has none.
    """
    gaps = _gaps(line)
    widths = [following.left - word.right for word, following in _pairs(line)]
    is_even = len(widths) > 1 and max(widths) < EVEN_GAPS * min(widths)
    if is_even and max(widths) <= MAX_STRETCH * line.height:
        return []
    return [gap for gap in gaps if _width(gap) > LOOSE_GAP * line.height]


def _pairs(line: TextRun) -> Iterator[tuple[Word, Word]]:
    yield from zip(line.words, line.words[1:], strict=False)


def _shared(gutters: Sequence[Gap], line: TextRun) -> list[Gap]:
    """Returns the parts of the gutters in which no word of a line stands."""
    # The space to the left and to the right of the line is free too.
    free = [(float("-inf"), line.left), *_gaps(line), (line.right, float("inf"))]
    shared = []
    place = 0
    for gutter in gutters:
        while place < len(free) and free[place][1] <= gutter[0]:
            place += 1
        if place == len(free):
            break
        part = (max(gutter[0], free[place][0]), min(gutter[1], free[place][1]))
        if _width(part) > MIN_GUTTER * line.height:
            shared.append(part)
    return shared


def _width(gap: Gap) -> float:
    return gap[1] - gap[0]


def _cells(line: TextRun, gutters: Sequence[Gap]) -> list[list[Word]]:
    """Returns the words of a line between the gutters."""
    cells: list[list[Word]] = [[] for _ in range(len(gutters) + 1)]
    column = 0
    for word in line.words:
        while column < len(gutters) and word.left >= gutters[column][1]:
            column += 1
        cells[column].append(word)
    return cells


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _are_columns(rows: Sequence[Sequence[Sequence[Word]]]) -> bool:
    """Returns whether cells are the lines of columns of text: they go on inside sentences."""
    if len(rows) < MIN_COLUMN_LINES:
        return False
    for column in range(len(rows[0])):
        texts = [_text(row[column]) for row in rows if row[column]]
        inside = sum(1 for text in texts if text[0].islower())
        characters = sum(map(len, texts))
        if not texts or inside < MIN_INSIDE * len(texts):
            return False
        if characters < MIN_COLUMN_TEXT * len(texts):
            return False
    return True


def _column_lines(
    rows: Sequence[Sequence[Sequence[Word]]], block: Sequence[TextRun], column: int
) -> Iterator[PageLine]:
    for cells, line in zip(rows, block, strict=True):
        words = cells[column]
        if words:
            run = TextRun(list(words), line.bottom, line.height)
            yield _plain_line(run)


def _plain_line(line: TextRun) -> PageLine:
    return PageLine(
        _text(line.words), left=line.left, right=line.right, bottom=line.bottom, height=line.height
    )


def _table_lines(
    rows: Sequence[Sequence[Sequence[Word]]], block: Sequence[TextRun]
) -> Iterator[PageLine]:
    """Yields the rows of a Markdown table; names with their values are lines `name: value`."""
    texts = [[_text(words) for words in cells] for cells in rows]
    are_values = holds_values(texts)
    for number, (cells, line) in enumerate(zip(texts, block, strict=True)):
        if are_values:
            text = value_text(cells[0], cells[1])
        elif len(texts) == 1:
            text = " | ".join(filter(None, cells))
        else:
            text = row_text(cells)
            if number == 0:
                text += "\n|" + "---|" * len(cells)
        yield PageLine(
            text,
            left=line.left,
            right=line.right,
            bottom=line.bottom,
            height=line.height,
            is_row=True,
            opens_table=number == 0 or are_values,
        )
