"""Foreign files: JSON, lines of JSON, lines of text. Nothing in them is trusted to be what it should be."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.formats.base import Problems
from eval.formats.canonical import canonical
from qa.errors import QuestionFileError

LARGEST_WHOLE = 1_000_000_000
"""Bytes of a file that can only be read whole; those of lines are read line by line, however long."""


@dataclass(frozen=True, slots=True)
class Field:
    """What a field of a JSON object must be, in words that follow "must be"."""

    fits: Callable[[Any], bool]
    words: str
    required: bool = True


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(canonical(value).strip())


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


TEXT = Field(_is_text, "a text that is not empty")
ANY_TEXT = Field(lambda value: value is None or isinstance(value, str), "a text", required=False)
TEXTS = Field(
    lambda value: (
        value is None or (isinstance(value, list) and all(isinstance(each, str) for each in value))
    ),
    "a list of texts",
    required=False,
)
LIST = Field(lambda value: isinstance(value, list), "a list")
OBJECT = Field(lambda value: value is None or isinstance(value, dict), "an object", required=False)
NUMBER = Field(lambda value: _is_number(value) and value >= 0, "a whole number from 0")
FLAG = Field(
    lambda value: value is None or isinstance(value, bool), "true or false", required=False
)
ID = Field(
    lambda value: _is_text(value) or _is_number(value),
    "a text that is not empty, or a whole number",
)


def fits(row: Any, shape: Mapping[str, Field], where: str, problems: Problems) -> bool:
    """Whether a JSON object has the fields it must have; tells each one that is wrong."""
    if not isinstance(row, dict):
        problems.add(where, "not a JSON object")
        return False
    wrong = [
        f'"{name}" is missing' if name not in row else f'"{name}" must be {field.words}'
        for name, field in shape.items()
        if (field.required if name not in row else not field.fits(row[name]))
    ]
    for what in wrong:
        problems.add(where, what)
    return not wrong


def whole_json(path: Path) -> Any:
    """Raises QuestionFileError for a file that is not JSON."""
    with _reading(path):
        return json.loads(_whole(path))


def whole_text(path: Path) -> str:
    """A file's text, its line ends `\\n`. Raises QuestionFileError for one that is not UTF-8."""
    with _reading(path):
        return _whole(path).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def json_lines(path: Path, problems: Problems) -> Iterator[tuple[int, Any]]:
    """The value of each line that is not blank, with its number from 1; a line that is not JSON is a problem."""
    for number, line in _lines(path):
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            problems.add(at_line(path, number), f"invalid JSON: {error}")


def text_lines(path: Path, problems: Problems) -> Iterator[tuple[int, str]]:
    """Each line that is not blank, without its end, with its number from 1; one that is not UTF-8 is a problem."""
    for number, line in _lines(path):
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            problems.add(
                at_line(path, number), f"invalid UTF-8 (byte {error.start + 1} of the line)"
            )


def at_line(path: Path, number: int) -> str:
    return f"{path.name} line {number}"


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    # As bytes: lines of a str also end at characters, U+2028 for one, that JSON allows inside a text.
    with _reading(path), path.open("rb") as file:
        yield from ((number, line) for number, line in enumerate(file, start=1) if line.strip())


def _whole(path: Path) -> bytes:
    if path.stat().st_size > LARGEST_WHOLE:
        raise QuestionFileError(f"{path} is larger than {LARGEST_WHOLE // 1_000_000} MB. Split it.")
    return path.read_bytes()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
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
