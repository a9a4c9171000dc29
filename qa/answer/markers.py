"""Takes the citation markers out of a language model's words while these arrive.

The parser reads the words once, token by token: white space, code, a marker, an id without
brackets, or anything else. It takes a token only when no further words can change it, at the latest
when WINDOW characters are there. So it does not matter how the words are cut into pieces, and text
that was shown is never taken back.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from qa.answer.clean_text import LEADS, MAX_HELD_SPACE, SENTENCE_END, CleanText
from qa.answer.marker_grammar import (
    WINDOW,
    Grammar,
    Lookahead,
    Marker,
    NeedMoreText,
    inline_code_end,
)
from qa.types import Span

MAX_HELD_BACK = WINDOW + MAX_HELD_SPACE
"""How many characters the parser holds back at most."""
_LOOK_BEHIND = 4
"""How many characters before the next token are kept: a line end and three spaces."""

_WORD_OR_SIGN = re.compile(r"[^\W_]+|.", re.DOTALL)
_FENCE = re.compile(r"`{1,64}|~{1,64}")
_FENCE_LINE = re.compile(r" {0,3}[`~]*[ \t]*")
_LINE_START = re.compile(r"\n {0,3}\Z")
_BEFORE_NAMED_SOURCE = re.compile(
    r"\b(?:according to|per|(?:as|is|was|are|were) [a-z]+ (?:in|by))\s*\Z", re.IGNORECASE
)
"""Words that need a source after them, whether its id has brackets or not."""
_BEFORE_NOUN = re.compile(
    r"\b(?:to|per|in|by|from|of|on|with|see|that|as|than|both|while|and)\s*\Z", re.IGNORECASE
)
"""Words after which an id without brackets is a noun of the sentence."""


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """One sentence of an answer, with the ids of the passages that it cites."""

    text: str
    """Without white space at its ends."""
    ids: tuple[str, ...]
    unknown: tuple[str, ...]


def parse_markers(text: str, ids: Collection[str]) -> tuple[str, tuple[Marker, ...]]:
    """Returns the text without its markers, and these, in order."""
    parser = MarkerParser(ids)
    parser.finish(text)
    return parser.text, parser.markers


def cited_sentences(
    text: str, markers: Sequence[Marker], sentences: Sequence[Span]
) -> tuple[CitedSentence, ...]:
    """Returns the sentences of a clean text with their ids; all arguments are in order.

    A marker belongs to the sentence that it is in or after. At the beginning of a line that has
    words, it belongs to the next sentence.
    """
    ids: list[list[str]] = [[] for _ in sentences]
    unknown: list[list[str]] = [[] for _ in sentences]
    for marker in markers if sentences else ():
        number = _sentence_of(marker, text, sentences)
        ids[number] += marker.ids
        unknown[number] += marker.unknown

    cited = []
    for number, span in enumerate(sentences):
        sentence_text = text[span.start : span.end].strip()
        unique_ids = tuple(dict.fromkeys(ids[number]))
        unique_unknown = tuple(dict.fromkeys(unknown[number]))
        cited.append(CitedSentence(sentence_text, unique_ids, unique_unknown))
    return tuple(cited)


def _sentence_of(marker: Marker, text: str, sentences: Sequence[Span]) -> int:
    """Returns the number of the sentence that a marker belongs to."""
    position = marker.position
    rest_of_line, _, _ = text[position:].partition("\n")
    line_start = text.rfind("\n", 0, position) + 1
    leads = LEADS.search(text[line_start:position])
    if leads and any(character.isalnum() for character in rest_of_line):
        number = sum(sentence.end <= position for sentence in sentences)
    else:
        number = sum(sentence.start < position for sentence in sentences) - 1
    return min(max(number, 0), len(sentences) - 1)


class MarkerParser:
    """Takes a model's words in pieces of any length; holds back at most MAX_HELD_BACK characters."""

    def __init__(self, ids: Collection[str]) -> None:
        self._grammar = Grammar.for_ids(ids)
        self._clean = CleanText()
        # The words that are not read yet, after a few that are; the first token begins a line.
        self._words, self._position = "\n", 1
        self._closing_fence: re.Pattern[str] | None = None
        self._after_marker = False

    @property
    def text(self) -> str:
        """All clean text so far."""
        return self._clean.text

    @property
    def markers(self) -> tuple[Marker, ...]:
        """The markers whose position is certain, in order; all of them after `finish`."""
        return tuple(self._clean.markers)

    def feed(self, piece: str) -> str:
        """Returns the clean text that has become certain."""
        self._words += piece
        self._read(complete=False)
        return self._clean.new_text()

    def finish(self, piece: str = "") -> str:
        """Returns the rest of the clean text; no words may be fed after it."""
        self._words += piece
        self._read(complete=True)
        self._clean.finish()
        return self._clean.new_text()

    def _read(self, complete: bool) -> None:
        """Takes all tokens that are certain. `complete`: no more words arrive."""
        try:
            while self._position < len(self._words):
                limit = self._position + WINDOW
                end = min(limit, len(self._words))
                may_grow = not complete and end < limit
                ahead = Lookahead(self._words, self._position, end, may_grow)
                self._position = self._take_token(ahead)
        except NeedMoreText:
            pass
        cut = max(0, self._position - _LOOK_BEHIND)
        self._words = self._words[cut:]
        self._position -= cut

    def _take_token(self, ahead: Lookahead) -> int:
        """Takes the token that begins here and returns its end. Raises NeedMoreText."""
        character = ahead.text[ahead.start]
        if self._closing_fence:
            return self._take_fenced_line(ahead, self._closing_fence)
        if character.isspace():
            self._clean.add_space(character)
            return ahead.start + 1
        if self._after_marker and (end := self._grammar.join_end(ahead)):
            self._clean.drop_join()
            return end
        if character.isalnum():
            bare = self._grammar.bare(ahead)
            return self._take_bare(bare) if bare else self._take_word_or_sign(ahead)
        # Ids in code are code: models print lists and JSON there.
        if character in "`~" and (end := inline_code_end(ahead) or self._open_fence(ahead)):
            return self._take_words(ahead, end)
        if end := self._grammar.bracketed_end(ahead, ahead.start):
            self._take_bracketed(ahead.text[ahead.start : end])
            return end
        return self._take_word_or_sign(ahead)

    def _take_words(self, ahead: Lookahead, end: int) -> int:
        self._clean.add_words(ahead.text[ahead.start : end])
        self._after_marker = False
        return end

    def _take_word_or_sign(self, ahead: Lookahead) -> int:
        match = _WORD_OR_SIGN.match(ahead.text, ahead.start)
        end = match.end() if match else ahead.start + 1
        if self._clean.absorbs(ahead.text[ahead.start : end]):
            return end
        return self._take_words(ahead, end)

    def _take_bracketed(self, written: str) -> None:
        marker = self._grammar.read(written)
        self._after_marker = True
        if _BEFORE_NAMED_SOURCE.search(self._clean.before):
            self._clean.add_named_marker(marker, opens_sentence=False)
        else:
            self._clean.add_marker(marker)

    def _take_bare(self, match: re.Match[str]) -> int:
        """Takes an id without brackets: as a noun where the sentence needs it, else as a marker."""
        before = self._clean.before
        opens = bool(SENTENCE_END.search(before) or LEADS.search(before))
        follows_like_noun = match["noun"] or _BEFORE_NOUN.search(before)
        continues = match["continues"] is not None
        if not continues and (opens or not follows_like_noun):
            self._take_bracketed(match.group())
        else:
            self._clean.add_named_marker(self._grammar.read(match.group()), opens)
            self._after_marker = True
        return match.end()

    def _open_fence(self, ahead: Lookahead) -> int:
        """Returns the end of the signs that open a block of code, 0 if there are none."""
        fence = _FENCE.match(ahead.text, ahead.start, ahead.end)
        line_start = max(0, ahead.start - _LOOK_BEHIND)
        if not fence or not _LINE_START.search(ahead.text, line_start, ahead.start):
            return 0
        ahead.require(fence.end())
        signs = fence.group()
        if len(signs) < 3:
            return 0
        # Closed by as many of the same signs or more, alone in a line.
        self._closing_fence = re.compile(rf" {{0,3}}{signs}{signs[0]}*[ \t]*(?=\n|\Z)")
        return fence.end()

    def _take_fenced_line(self, ahead: Lookahead, closing_fence: re.Pattern[str]) -> int:
        """Takes the rest of a line of code, or the line that ends the block."""
        line_end = ahead.text.find("\n", ahead.start) + 1
        end = line_end or len(ahead.text)
        if ahead.text[ahead.start - 1] == "\n":
            ahead.require_if(_FENCE_LINE, ahead.start)
            closing = closing_fence.match(ahead.text, ahead.start, ahead.end)
            if closing:
                self._closing_fence = None
                end = closing.end()
        return self._take_words(ahead, end)
