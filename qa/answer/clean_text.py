"""The text that is left when the markers are taken out of a model's words, and where they stood.

A marker vanishes with the white space that only it needed. Which white space that is, and whether
the marker belongs to the words before or after it, shows only in what follows: until then the
marker is pending.
"""

import re
from dataclasses import replace

from qa.answer.marker_grammar import Marker

MAX_HELD_SPACE = 64
"""Characters of white space that are held back because a marker may follow."""
_CONTEXT_LENGTH = 48
"""How many of the last characters decide where a marker belongs."""

SENTENCE_END = re.compile(r"[.!?…。！？]['\"’”»)\]*_]{0,3}\s*\Z")
LEADS = re.compile(
    r"(?:\A|\n)[ \t]*(?:(?:[-*+•–>]|#{1,6}|\d{1,3}[.)])[ \t]*)?\Z|(?<!\S)[*_(\"“]{1,3}\Z"
)
"""The beginning of a line (after its bullet), of an emphasis or of a bracket: a marker here belongs
to the words that follow, as in `- [a1] It closed.`"""
_CLOSING_SIGNS = frozenset(".,;:!?…)]}”’»%。，、；：！？）】")
"""Signs that follow the word before a marker without a space."""


class CleanText:
    """Takes words, white space and markers in order; `text` and `markers` only ever grow."""

    def __init__(self) -> None:
        self.markers: list[Marker] = []
        """The markers whose position is certain, in order."""
        self._parts: list[str] = []
        self._parts_read = 0
        """How many of the parts `new_text` has returned."""
        self._length = 0
        self._tail = ""
        """The last characters of the text."""
        self._space = ""
        """White space that is held back."""
        self._pending: list[Marker] = []
        """The markers whose position is not certain yet."""
        self._pending_leads = False
        """Whether the pending markers stand before the words that they belong to."""

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def new_text(self) -> str:
        """Returns the text since the last call."""
        new = "".join(self._parts[self._parts_read :])
        self._parts_read = len(self._parts)
        return new

    @property
    def before(self) -> str:
        """The last characters before the next token."""
        return self._tail + self._space

    def add_space(self, character: str) -> None:
        """Holds white space back. Drops a space, not a line end, directly after leading markers."""
        if character == "\n" or not (self._pending and self._pending_leads):
            self._add_pending(words_follow=False)
            self._space += character
        if len(self._space) > MAX_HELD_SPACE:
            self._append(self._space[0])
            self._space = self._space[1:]

    def add_words(self, words: str) -> None:
        first = words[0]
        words_follow = first.isalnum()
        # A leading marker is followed by its words even where these begin with a sign: `[a1] “It`.
        if self._pending_leads:
            words_follow = first not in _CLOSING_SIGNS
        self._add_pending(words_follow)
        self._append(self._space + words)
        self._space = ""

    def add_marker(self, marker: Marker) -> None:
        """Takes a marker that vanishes."""
        if not self._pending:
            self._pending_leads = bool(LEADS.search(self.before))
        self._pending.append(marker)

    def add_named_marker(self, marker: Marker, opens_sentence: bool) -> None:
        """Takes a marker that the sentence needs: `According to a1` has "the source" for it."""
        self._add_pending(words_follow=True)
        article = "The" if opens_sentence else "the"
        several = len(marker.ids) + len(marker.unknown) > 1
        noun = "sources" if several else "source"
        self._append(f"{self._space}{article} {noun}")
        self._space = ""
        self.markers.append(replace(marker, position=self._length))

    def drop_join(self) -> None:
        """Drops the white space before words that only join two markers, and vanish too."""
        if not self._pending:
            self._space = ""

    def absorbs(self, sign: str) -> bool:
        """Returns whether a sign vanishes with pending markers: `Met. [a1].` or `[a1]: Met.`"""
        if not self._pending:
            return False
        if sign == ".":
            return bool(SENTENCE_END.search(self._tail))
        return sign == ":" and self._pending_leads

    def finish(self) -> None:
        self._add_pending(words_follow=False)
        self._append(self._space)
        self._space = ""

    def _add_pending(self, words_follow: bool) -> None:
        """Adds the pending markers at their position, now that it is known what follows them."""
        if not self._pending:
            return
        # The space before a leading marker separates its words from the text before. The space
        # before another marker is kept only where words follow: "It met [a1]then".
        if self._pending_leads and words_follow:
            self._append(self._space)
        if self._pending_leads or not words_follow:
            self._space = ""
        for marker in self._pending:
            self.markers.append(replace(marker, position=self._length))
        self._pending.clear()

    def _append(self, text: str) -> None:
        if text:
            self._parts.append(text)
            self._length += len(text)
            self._tail = (self._tail + text)[-_CONTEXT_LENGTH:]
