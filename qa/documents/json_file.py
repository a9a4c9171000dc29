"""Reads JSON and JSON lines as Markdown: tables, `name: value` lines and lists."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from qa.documents.encoding import decoded
from qa.documents.markdown_text import MAX_HEADING, MarkdownWriter
from qa.documents.parsing import Limits, ParsedFile, Unreadable

MAX_COLUMNS = 30
MAX_CELL = 300
"""Characters. A longer text is not a cell: its object is written as `name: value` lines."""
MAX_DEPTH = 100
_LABELS = ("name", "title", "id", "key")
"""Names whose value says which object it is."""

_INVALID = "is not valid JSON (line {line}: {reason}). Correct the line and add the file again."
_EMPTY = "holds no text. Add a file with text in it."
_TOO_DEEP = f"is nested more than {MAX_DEPTH} levels deep. Split it into smaller files."


Value = Any


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Returns the values of a JSON file, or of each line of a JSON lines file.

    Objects with the same names are the rows of a table; other objects are lines `name: value`,
    below a heading where they stand in another object. Numbers are as the file writes them. Raises
    Unreadable for a file that is not JSON, is nested too deeply, too long, or holds no words.
    """
    text = decoded(data)
    writer = MarkdownWriter(limits)
    _Outline(writer).write(_value(text), level=1)
    if not writer:
        raise Unreadable(_EMPTY)
    return ParsedFile(writer.text())


def _value(text: str) -> Value:
    """Returns the value of a file; a list, if each line is a value."""
    try:
        return _decode(text)
    except json.JSONDecodeError as error:
        whole_error = error
    lines = text.split("\n")
    # The first line alone is a value only in JSON lines.
    values = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values.append(_decode(line))
        except json.JSONDecodeError as error:
            is_lines = bool(values)
            cause = error if is_lines else whole_error
            line_number = number if is_lines else whole_error.lineno
            raise Unreadable(_INVALID.format(line=line_number, reason=cause.msg)) from error
    return values


def _decode(text: str) -> Value:
    # As numbers, 1.10 would become 1.1, and a long number would take quadratic time.
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)


class _Outline:
    """Writes values, and the objects inside them below headings."""

    def __init__(self, writer: MarkdownWriter) -> None:
        self._writer = writer

    def write(self, value: Value, level: int, name: str = "", depth: int = 0) -> None:
        """Adds a value; `name` is what the object around it calls it."""
        if depth > MAX_DEPTH:
            raise Unreadable(_TOO_DEEP)
        if isinstance(value, Mapping):
            self._write_object(value, level, depth)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            self._write_list(value, level, name, depth)
        else:
            self._writer.paragraph(_text(value))

    def _write_object(self, value: Mapping[str, Value], level: int, depth: int) -> None:
        # What an object says of itself comes before the objects inside it.
        for key, inner in value.items():
            if _is_scalar(inner):
                self._writer.value(key, _text(inner))
        for key, inner in value.items():
            if not _is_scalar(inner) and inner:
                self._writer.heading(key, level)
                self.write(inner, min(level + 1, MAX_HEADING), key, depth + 1)

    def _write_list(self, values: Sequence[Value], level: int, name: str, depth: int) -> None:
        if _is_table(values):
            self._writer.table(_rows(values), marked_header=True)
            return
        for value in values:
            if _is_scalar(value):
                self._writer.item(_text(value))
                continue
            label = _label(value) or name
            if label:
                self._writer.heading(label, level)
            self.write(value, min(level + 1, MAX_HEADING), name, depth + 1)


def _is_scalar(value: Value) -> bool:
    return isinstance(value, str | bool) or value is None


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _label(value: Value) -> str:
    """Returns what names an object; "" if nothing does."""
    if not isinstance(value, Mapping):
        return ""
    for key in _LABELS:
        label = value.get(key)
        if isinstance(label, str) and len(label) <= MAX_CELL:
            return label
    return ""


def _is_table(values: Sequence[Value]) -> bool:
    """Returns whether values are at least two objects of short texts with mostly the same names."""
    names: set[str] = set()
    cells = 0
    for value in values:
        if not isinstance(value, Mapping) or not value:
            return False
        names.update(value)
        cells += len(value)
        if len(names) > MAX_COLUMNS:
            return False
        for cell in value.values():
            if not _is_scalar(cell) or len(_text(cell)) > MAX_CELL:
                return False
    return len(values) > 1 and 2 * cells > len(names) * len(values)


def _rows(values: Sequence[Mapping[str, Value]]) -> list[list[str]]:
    names: dict[str, None] = {}
    for value in values:
        names.update(dict.fromkeys(value))
    rows = [list(names)]
    for value in values:
        cells = [_text(value.get(name)) for name in names]
        rows.append(cells)
    return rows
