"""Reads a text that is still arriving, and stops where more of it could change the result."""

import re
from dataclasses import dataclass


class NeedMoreText(Exception):
    """More words are needed to know what stands here."""


@dataclass(frozen=True, slots=True)
class Lookahead:
    """The part of a model's words that may decide which token begins at `start`."""

    text: str
    start: int
    end: int
    may_grow: bool
    """Whether words that still arrive may belong to it."""

    @property
    def character(self) -> str:
        return self.text[self.start]

    @property
    def previous(self) -> str:
        return self.text[self.start - 1]

    def until(self, end: int) -> str:
        return self.text[self.start : end]

    def match(self, pattern: re.Pattern[str], position: int | None = None) -> re.Match[str] | None:
        """Returns the pattern's match at this position, at `start` if it is None."""
        at = self.start if position is None else position
        return pattern.match(self.text, at, self.end)

    def require(self, position: int) -> None:
        """Raises NeedMoreText if the character at this position has not arrived yet."""
        if self.may_grow and position >= self.end:
            raise NeedMoreText

    def require_if(self, unfinished: re.Pattern[str], position: int) -> None:
        """Raises NeedMoreText if all text from this position on may still grow."""
        if unfinished.fullmatch(self.text, position, self.end):
            self.require(self.end)
