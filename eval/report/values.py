"""How values and intervals are written: the one place for terminal, page and tables."""

from eval.metrics import metric_named

NO_VALUE = "–"
"""Stands on a page where there is nothing to measure."""


def value_text(value: float, metric: str, sign: bool = False) -> str:
    """Returns the value with the decimals of its metric; `sign` also writes the plus of a gain."""
    decimals = metric_named(metric).decimals
    rounded = round(value, decimals)
    # Adding 0.0 turns -0.0 into 0.0, which has no minus.
    rounded += 0.0
    # A zero is neither gain nor loss, and gets no plus.
    plus = "+" if sign and rounded else ""
    return f"{rounded:{plus}.{decimals}f}"


def interval_text(low: float | None, high: float | None, metric: str, sign: bool = False) -> str:
    """Returns `[low, high]`, or an empty text where there is no interval."""
    if low is None or high is None:
        return ""
    low_text = value_text(low, metric, sign)
    high_text = value_text(high, metric, sign)
    return f"[{low_text}, {high_text}]"


def with_valid_unicode(text: str) -> str:
    """Returns the text with every half of a surrogate pair replaced.

    JSON and file names can hold one; a page and UTF-8 cannot.
    """
    return text.encode("utf-8", "replace").decode("utf-8")
