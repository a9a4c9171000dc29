"""Takes the citation markers out of a language model's words while these arrive.

The parser reads the words once, token by token: white space, code, a marker, an id without
brackets, or anything else. It takes a token only when no further words can change it, at the latest
when WINDOW characters are there. So it does not matter how the words are cut into pieces, and text
that was shown is never taken back.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import attrgetter

from qa.answer.clean_text import LEADS, MAX_HELD_SPACE, SENTENCE_END, CleanText
from qa.answer.lookahead import Lookahead, NeedMoreText
from qa.answer.marker_grammar import WINDOW, Grammar, Marker, inline_code_end, unique
from qa.types import Span

MAX_HELD_BACK = WINDOW + MAX_HELD_SPACE
"""How many characters the parser holds back at most."""
_LOOK_BEHIND = 4
"""How many characters before the next token are kept: a line end and three spaces."""

_WORD_OR_SIGN = re.compile(r"[^\W_]+|.", re.DOTALL)
_WORD_OR_LINE_END = re.compile(r"[^\W_]|\n")
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
    """Given ids, in the order written, each once."""


def cited_sentences(
    text: str, markers: Sequence[Marker], sentences: Sequence[Span]
) -> tuple[CitedSentence, ...]:
    """Returns the sentences of a clean text with their ids; all arguments are in order.

    A marker belongs to the sentence that it is in or after. At the beginning of a line that has
    words, it belongs to the next sentence.
    """
    markers_of = defaultdict(list)
    for marker in markers if sentences else ():
        markers_of[_sentence_of(marker, text, sentences)].append(marker)

    cited = []
    for number, span in enumerate(sentences):
        sentence_text = text[span.start : span.end].strip()
        ids: list[str] = []
        for marker in markers_of[number]:
            ids += marker.ids
        cited.append(CitedSentence(sentence_text, unique(ids)))
    return tuple(cited)


def _sentence_of(marker: Marker, text: str, sentences: Sequence[Span]) -> int:
    """Returns the number of the sentence that a marker belongs to."""
    position = marker.position
    # Not the whole line: a long line can have many markers.
    before = text[max(0, position - MAX_HELD_SPACE) : position]
    leads = LEADS.search(before)
    next_sign = _WORD_OR_LINE_END.search(text, position) if leads else None
    words_follow = next_sign is not None and next_sign[0] != "\n"
    first_ending_after = bisect_right(sentences, position, key=attrgetter("end"))
    last_beginning_before = bisect_left(sentences, position, key=attrgetter("start")) - 1
    # In `- [a1] It closed.` the words that the marker belongs to come after it.
    number = first_ending_after if leads and words_follow else last_beginning_before
    last = len(sentences) - 1
    return min(max(number, 0), last)


class MarkerParser:
    """Takes words in pieces of any length; holds back at most MAX_HELD_BACK characters."""

    def __init__(self, ids: Collection[str]) -> None:
        self._grammar = Grammar.for_ids(ids)
        self._clean = CleanText()
        self._words = "\n"
        """The words that are not read yet, after a few that are. The first token begins a line."""
        self._position = 1
        """The offset in `_words` at which the next token begins."""
        self._closing_fence: re.Pattern[str] | None = None
        """Inside a block of code: the line that ends it."""
        self._after_marker = False
        """Whether the last token was a marker, so that a joining word may follow."""

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
        length = len(self._words)
        try:
            while self._position < length:
                limit = self._position + WINDOW
                end = min(limit, length)
                may_grow = not complete and end < limit
                ahead = Lookahead(self._words, self._position, end, may_grow)
                self._position = self._take_token(ahead)
        except NeedMoreText:
            # The token stays unread until more words arrive.
            pass

        # What was read is dropped, or a long answer would be copied with every piece.
        cut = max(0, self._position - _LOOK_BEHIND)
        self._words = self._words[cut:]
        self._position -= cut

    def _take_token(self, ahead: Lookahead) -> int:
        """Takes the token that begins here and returns its end. Raises NeedMoreText."""
        character = ahead.character
        if self._closing_fence:
            return self._take_fenced_line(ahead, self._closing_fence)
        if character.isspace():
            self._clean.add_space(character)
            return ahead.start + 1
        # In "[a1] and [b2]" the word "and" vanishes with the markers.
        join_end = self._grammar.join_end(ahead) if self._after_marker else 0
        if join_end:
            self._clean.drop_join()
            return join_end
        # A word: "passage a1 says", "a1", or any other.
        if character.isalnum():
            bare = self._grammar.bare(ahead)
            if bare:
                return self._take_bare(bare)
            return self._take_word_or_sign(ahead)
        # Ids in code are code: models print lists and JSON there.
        if character in "`~":
            code_end = inline_code_end(ahead) or self._open_fence(ahead)
            if code_end:
                return self._take_words(ahead, code_end)
        marker_end = self._grammar.bracketed_end(ahead, ahead.start)
        if marker_end:
            self._take_bracketed(ahead.until(marker_end))
            return marker_end
        return self._take_word_or_sign(ahead)

    def _take_words(self, ahead: Lookahead, end: int) -> int:
        self._clean.add_words(ahead.until(end))
        self._after_marker = False
        return end

    def _take_word_or_sign(self, ahead: Lookahead) -> int:
        match = _WORD_OR_SIGN.match(ahead.text, ahead.start)
        end = match.end() if match else ahead.start + 1
        if self._clean.absorbs(ahead.until(end)):
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
        written = match[0]
        after_sentence = SENTENCE_END.search(before)
        opens_sentence = bool(after_sentence or LEADS.search(before))
        is_noun = match["noun"] or _BEFORE_NOUN.search(before)
        continues = match["continues"] is not None
        if continues or (is_noun and not opens_sentence):
            marker = self._grammar.read(written)
            self._clean.add_named_marker(marker, opens_sentence)
            self._after_marker = True
        else:
            self._take_bracketed(written)
        return match.end()

    def _open_fence(self, ahead: Lookahead) -> int:
        """Returns the end of the signs that open a block of code, 0 if there are none."""
        fence = ahead.match(_FENCE)
        behind = max(0, ahead.start - _LOOK_BEHIND)
        before = ahead.text[behind : ahead.start]
        if not fence or not _LINE_START.search(before):
            return 0
        ahead.require(fence.end())
        signs = fence[0]
        if len(signs) < 3:
            return 0
        # Closed by as many of the same signs or more, alone in a line.
        closing = rf" {{0,3}}{signs}{signs[0]}*[ \t]*(?=\n|\Z)"
        self._closing_fence = re.compile(closing)
        return fence.end()

    def _take_fenced_line(self, ahead: Lookahead, closing_fence: re.Pattern[str]) -> int:
        """Takes the rest of a line of code, or the line that ends the block."""
        line_end = ahead.text.find("\n", ahead.start) + 1
        end = line_end or len(ahead.text)
        if ahead.previous == "\n":
            ahead.require_if(_FENCE_LINE, ahead.start)
            closing = ahead.match(closing_fence)
            if closing:
                self._closing_fence = None
                end = closing.end()
        return self._take_words(ahead, end)
