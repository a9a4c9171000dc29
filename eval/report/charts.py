"""Charts as inline SVG. Widths are shares of the place there is, so that they fit a phone; text stays the page's own.

Colours come from the page's style by class. Each stands beside the numbers it draws, and so is hidden from who listens.
"""

from collections.abc import Sequence

_HEIGHT, _MIDDLE = 18, 9
"""Pixels of a strip."""
_BAR = 56
"""Pixels of the longest bar of a histogram."""
_LABEL = 16
"""Pixels above and below the bars, for their counts."""


def strip(value: float, low: float, high: float, top: float = 1.0) -> str:
    """A point and its interval on a scale from 0 to `top`, with lines at its quarters."""
    lines = "".join(
        _line(f"{quarter}%", f"{quarter}%", 0, _HEIGHT, "grid") for quarter in (0, 25, 50, 75, 100)
    )
    whisker = _line(_at(low, top), _at(high, top), _MIDDLE, _MIDDLE, "whisker")
    point = f'<circle cx="{_at(value, top)}" cy="{_MIDDLE}" r="4.5"/>'
    return _svg("strip", _HEIGHT, lines + whisker + point)


def histogram(above: Sequence[int], below: Sequence[int], mark: float | None) -> str:
    """Two rows of counts over the same bins of 0 to 1, one upwards and one downwards; `mark`: a place from 0 to 1."""
    most = max(1, *above, *below)
    wide = 100 / len(above)
    middle = _LABEL + _BAR
    parts = [_line("0%", "100%", middle, middle, "axis")]
    for at, (up, down) in enumerate(zip(above, below, strict=True)):
        left, centre = at * wide, (at + 0.5) * wide
        for count, sign, name in ((up, -1, "up"), (down, 1, "down")):
            length = round(_BAR * count / most, 1)
            top = middle - length if sign < 0 else middle
            text_at = middle - length - 4 if sign < 0 else middle + length + 12
            if count:
                parts += [
                    f'<rect class="{name}" x="{left + 0.1 * wide:.4g}%" width="{0.8 * wide:.4g}%" '
                    f'y="{top}" height="{length}"/>',
                    f'<text x="{centre:.4g}%" y="{text_at}">{count}</text>',
                ]
    if mark is not None:
        parts.append(_line(_at(mark, 1.0), _at(mark, 1.0), 0, 2 * middle, "mark"))
    return _svg("histogram", 2 * middle, "".join(parts))


def _at(value: float, top: float) -> str:
    """Where a value stands, kept inside the scale."""
    share = value / top if top > 0 else 0.0
    return f"{100 * min(1.0, max(0.0, share)):.4g}%"


def _line(left: str, right: str, top: int, bottom: int, name: str) -> str:
    return f'<line class="{name}" x1="{left}" x2="{right}" y1="{top}" y2="{bottom}"/>'


def _svg(name: str, height: int, parts: str) -> str:
    return f'<svg class="{name}" width="100%" height="{height}" aria-hidden="true" focusable="false">{parts}</svg>'
