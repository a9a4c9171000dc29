"""Reads a CSV or TSV file as a Markdown table, whose header is the first row of full width."""

import csv
import io
from collections import Counter
from collections.abc import Iterator

from qa.documents.encoding import decoded, unix_line_ends
from qa.documents.markdown_text import MarkdownWriter
from qa.documents.parsing import Limits, ParsedFile, Unreadable, check_length

SEPARATORS = ",;\t|"
SAMPLE_LINES = 50
"""Lines from which the separator is chosen."""

_EMPTY = "holds no text. Add a file with rows in it."
_BROKEN = "is not a table that can be read: {}. Open it in a spreadsheet and save it again as CSV."


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Returns the rows of a CSV or TSV file as a Markdown table.

    Lines before the header, such as a comment, become paragraphs. Raises Unreadable for a file that
    is not text, is too long or holds no words.
    """
    text = unix_line_ends(decoded(data))
    check_length(len(text), limits)
    # The length of a cell has a limit of its own in Python, which a long note exceeds.
    csv.field_size_limit(max(1, limits.characters))
    writer = MarkdownWriter(limits)
    try:
        separator = _separator(text)
        rows = list(_rows(text, separator))
    except csv.Error as error:
        raise Unreadable(_BROKEN.format(error)) from error
    width = _usual_width(rows)

    start = 0
    while start < len(rows) and width > 1 and _is_note(rows[start], width):
        note = separator.join(filter(None, rows[start]))
        # The sign of a comment is not a word, and would make a heading of it.
        writer.paragraph(note.lstrip("# "))
        start += 1
    writer.table(rows[start:], marked_header=True)
    if not writer:
        raise Unreadable(_EMPTY)
    return ParsedFile(writer.text())


def _is_note(row: list[str], width: int) -> bool:
    """Returns whether a row is a comment or a title above the table."""
    if row[0].startswith("#"):
        return True
    filled = sum(1 for cell in row if cell.strip())
    if filled <= 1:
        return True
    is_ragged = len(row) != width
    return is_ragged and filled < width / 2


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    """Yields the rows that are not blank."""
    for row in csv.reader(io.StringIO(text), delimiter=separator):
        if any(cell.strip() for cell in row):
            yield row


def _usual_width(rows: list[list[str]]) -> int:
    widths = Counter(map(len, rows))
    return max(widths, key=lambda width: (widths[width], width), default=0)


def _separator(text: str) -> str:
    """Returns the sign that cuts most of the first lines into the same number of cells."""
    lines = text.split("\n", SAMPLE_LINES)[:SAMPLE_LINES]
    best = ","
    most = 0
    for separator in SEPARATORS:
        widths: Counter[int] = Counter()
        for row in csv.reader(lines, delimiter=separator):
            if len(row) > 1:
                widths[len(row)] += 1
        # Of two signs that fit as many lines, the earlier in SEPARATORS is the more usual.
        lines_of_width = max(widths.values(), default=0)
        if lines_of_width > most:
            best, most = separator, lines_of_width
    return best
