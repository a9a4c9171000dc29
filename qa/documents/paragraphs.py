"""Lines of pages become paragraphs: a line's end is white space, a paragraph's end a blank line.

Where a paragraph ends is told by the page: more space than between lines, another size of letters, an indent, a
line so short that the next one's first word would have fitted, a list's marker, the cells of a table.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_ITEM = re.compile(r"(?:[-*+•–▪◦‣·]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_ENDED = re.compile(r"[.!?…:;。！？][\"'”’»)\]]*$")
_BROKEN_WORD = re.compile(r"[^\W\d_][-\u00ad\u2010]$")
_NUMBER_ONLY = re.compile(
    r"\W*(?:(?:page|seite|p\.)\s*)?(\d{1,4})(?:\s*(?:/|of|von)\s*\d{1,4})?\W*", re.IGNORECASE
)
_WORD = re.compile(r"\w+(?:-\w+)*")
LOOSE = 1.3
"""How much more than the usual distance between lines stands between paragraphs."""
SIZE_DIFFERS = 0.2
NEIGHBOURS = 4
"""Lines before and after one that tell how wide its column is."""
RUNNING_PAGES = 3
"""From so many pages on a line at their edge is a running head."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page with its place, in points from the lower left corner; `row`: cells of a table."""

    text: str
    left: float
    right: float
    bottom: float
    height: float
    row: bool = False


def joined(pages: Sequence[Sequence[Line]]) -> tuple[str, tuple[int, ...]]:
    """The text, and where in it each page begins; a page without text begins where the next one does."""
    pages = without_running_heads(pages)
    lines = [(number, line) for number, page in enumerate(pages) for line in page]
    known = {word for _, line in lines for word in _WORD.findall(line.text.casefold())}
    usual = [_usual_distance(page) for page in pages]
    parts: list[str] = []
    offsets: list[int] = []
    size = 0
    for place, (number, line) in enumerate(lines):
        offsets += [size] * (number + 1 - len(offsets))
        words, glue = line.text, ""
        if place + 1 < len(lines):
            after_number, after = lines[place + 1]
            edge = max(near.right for near in _column(lines, place))
            distance = usual[number] if after_number == number else None
            if _continues(line, after, edge, distance):
                words, glue = _unhyphenated(words, after.text, known)
            else:
                glue = _between(line, after)
        parts.append(words + glue)
        size += len(parts[-1])
    offsets += [size] * (len(pages) - len(offsets))
    return "".join(parts), tuple(offsets)


def _column(lines: Sequence[tuple[int, Line]], place: int) -> list[Line]:
    """A line and its neighbours that begin at about the same place."""
    own = lines[place][1]
    near = (line for _, line in lines[max(0, place - NEIGHBOURS) : place + NEIGHBOURS + 1])
    return [line for line in near if abs(line.left - own.left) <= 3 * own.height]


def _usual_distance(page: Sequence[Line]) -> float:
    """From line to line inside a paragraph, in heights of a line: the middle one of those between like lines."""
    distances = [
        (a.bottom - b.bottom) / a.height
        for a, b in pairwise(page)
        if a.bottom > b.bottom and _same_size(a, b) and a.bottom - b.bottom < 3 * a.height
    ]
    return median(distances) if distances else 0.0


def _same_size(a: Line, b: Line) -> bool:
    return abs(a.height - b.height) <= SIZE_DIFFERS * max(a.height, b.height)


def _continues(line: Line, after: Line, edge: float, usual: float | None) -> bool:
    """Whether the next line goes on with the paragraph.

    `usual`: the distance of lines in their heights; None: the two stand on different pages.
    """
    if line.row or after.row or _ITEM.match(after.text) or not _same_size(line, after):
        return False
    small = after.text[:1].islower()
    letters = (after.right - after.left) / max(1, len(after.text))
    full = line.right + letters * (1 + len(after.text.split(maxsplit=1)[0])) > edge
    going_on = not _ENDED.search(line.text)
    broken = bool(_BROKEN_WORD.search(line.text))
    if usual is None or after.bottom >= line.bottom:
        return going_on and ((small and full) or broken or full)
    if line.bottom - after.bottom > LOOSE * usual * line.height:
        return False
    if going_on and small:
        return 2 * (line.right - line.left) >= edge - line.left
    indented = after.left > line.left + 0.5 * line.height and not _ITEM.match(line.text)
    return full and not indented


def _unhyphenated(text: str, after: str, known: set[str]) -> tuple[str, str]:
    """A line and what joins it to the next; a broken word loses its hyphen unless it is written with one elsewhere."""
    if not _BROKEN_WORD.search(text) or not after[:1].isalpha():
        return text, " "
    head, tail = _WORD.findall(text)[-1], _WORD.findall(after)[0]
    compound = f"{head}-{tail}".casefold() in known or not after[:1].islower()
    return (text[:-1] + "-", "") if compound else (text[:-1], "")


def _between(line: Line, after: Line) -> str:
    """Rows and items stand line by line, paragraphs apart."""
    rows = line.row and after.row
    return "\n" if rows or _ITEM.match(after.text) else "\n\n"


def without_running_heads(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages without page numbers, and without what their edges repeat word for word, but for its first time.

    So no word is lost. A number counts as the page's only where it grows with the pages.
    """
    kept = [list(page) for page in pages]
    for edge in (0, -1):
        texts = [page[edge].text if page else "" for page in kept]
        steps = Counter(
            int(m[1]) - at for at, text in enumerate(texts) if (m := _NUMBER_ONLY.fullmatch(text))
        )
        repeats = Counter(texts)
        seen: set[str] = set()
        for at, text in enumerate(texts):
            number = _NUMBER_ONLY.fullmatch(text)
            numbered = number and steps[int(number[1]) - at] >= RUNNING_PAGES
            if text and (numbered or (repeats[text] >= RUNNING_PAGES and text in seen)):
                kept[at].pop(edge)
            seen.add(text)
    return kept
