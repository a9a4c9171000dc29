"""Reads JSON, JSON lines and lines of text from untrusted files, and checks their fields."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.files import open_regular, read_file
from eval.formats.base import Problems
from eval.formats.canonical import canonical
from qa.errors import QuestionFileError

MAX_WHOLE_FILE = 1_000_000_000
"""Bytes of a file that can only be read whole. A file of lines may be larger."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a JSON object: a check of its value, and words that follow "must be"."""

    is_valid: Callable[[Any], bool]
    words: str
    required: bool = True


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(canonical(value).strip())


def _is_integer(value: Any) -> bool:
    # In Python a bool is an int, in JSON it is not.
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_integer(value) and value >= 0


def _is_id(value: Any) -> bool:
    return _is_text(value) or _is_integer(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_text_list(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _optional(kind: type) -> Callable[[Any], bool]:
    return lambda value: value is None or isinstance(value, kind)


TEXT = Field(_is_text, "a text that is not empty")
ID = Field(_is_id, "a text that is not empty, or a whole number")
NUMBER = Field(_is_count, "a whole number from 0")
LIST = Field(_is_list, "a list")
ANY_TEXT = Field(_optional(str), "a text", required=False)
TEXTS = Field(_is_text_list, "a list of texts", required=False)
OBJECT = Field(_optional(dict), "an object", required=False)
FLAG = Field(_optional(bool), "true or false", required=False)


def is_valid(row: Any, fields: Mapping[str, Field], where: str, problems: Problems) -> bool:
    """Returns whether a JSON object has valid fields. Adds a problem for each invalid field."""
    if not isinstance(row, dict):
        problems.add(where, "not a JSON object")
        return False

    valid = True
    for name, field in fields.items():
        if name in row:
            problem = "" if field.is_valid(row[name]) else f'"{name}" must be {field.words}'
        else:
            problem = f'"{name}" is missing' if field.required else ""
        if problem:
            problems.add(where, problem)
            valid = False
    return valid


def read_json(path: Path) -> Any:
    """Returns the value of a JSON file. Raises QuestionFileError for a file that is not JSON."""
    with _readable(path):
        return json.loads(_bytes(path))


def read_text(path: Path) -> str:
    """Returns a file's text with line ends `\\n`. Raises QuestionFileError if it is not UTF-8."""
    with _readable(path):
        text = _bytes(path).decode("utf-8-sig")
        return text.replace("\r\n", "\n").replace("\r", "\n")


def json_lines(path: Path, problems: Problems) -> Iterator[tuple[int, Any]]:
    """Yields (line number from 1, value) of each line that is not blank.

    A line that is not JSON is added to the problems.
    """
    for number, line in _lines(path):
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            problems.add(at_line(path, number), f"invalid JSON: {error}")


def text_lines(path: Path, problems: Problems) -> Iterator[tuple[int, str]]:
    """Yields (line number from 1, text without line end) of each line that is not blank.

    A line that is not UTF-8 is added to the problems.
    """
    for number, line in _lines(path):
        encoding = "utf-8-sig" if number == 1 else "utf-8"
        try:
            yield number, line.decode(encoding).rstrip("\r\n")
        except UnicodeDecodeError as error:
            byte = error.start + 1
            problems.add(at_line(path, number), f"invalid UTF-8 (byte {byte} of the line)")


def at_line(path: Path, number: int) -> str:
    return f"{path.name} line {number}"


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    # As bytes: lines of a str also end at characters such as U+2028, which JSON allows in a text.
    with _readable(path), open_regular(path) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line


def _bytes(path: Path) -> bytes:
    return read_file(path, MAX_WHOLE_FILE)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turns errors of reading a file into QuestionFileError."""
    try:
        yield
    except OSError as error:
        raise QuestionFileError(
            f"{path} cannot be read: {error.strerror}. Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise QuestionFileError(
            f"{path} is not UTF-8 (byte {error.start + 1}). Save it as UTF-8."
        ) from error
    except (ValueError, RecursionError) as error:
        raise QuestionFileError(f"{path} is not JSON: {error}.") from error
