"""The words of a language model become clean text and marks: which passages it cites, and where.

Models write ids as they like: `forum [a1].`, `forum.【a1†source】`, `(passages a1 and b2)`, `According to a1, ...`. The
parser goes through the words once, token by token: white space, code, mark, id without brackets, anything else. A
token is taken when no further words can make it another one, at the latest when WINDOW characters are there; so the
chunks never matter, and what was shown is never taken back.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from qa.answer.marker_grammar import WINDOW, Grammar, Marker, Short, View, code_end, unique
from qa.types import Span

SPACE_LIMIT = 64
"""Characters of white space that are held back, as a mark may follow; of more, the first are shown."""
TAIL, BEHIND = 48, 4
"""How many characters of the clean text, and of the model's words, are looked back at."""
_PLAIN = re.compile(r"[^\W_]+|.", re.DOTALL)
_FENCE = re.compile(r"`{1,64}|~{1,64}")
_FENCE_LINE = re.compile(r" {0,3}[`~]*[ \t]*")
_LINE_START = re.compile(r"\n {0,3}\Z")
_ENDED = re.compile(r"[.!?…。！？]['\"’”»)\]*_]{0,3}\s*\Z")
"""A sentence's end."""
_OPENS = re.compile(
    r"(?:\A|\n)[ \t]*(?:(?:[-*+•–>]|#{1,6}|\d{1,3}[.)])[ \t]*)?\Z|(?<!\S)[*_(\"“]{1,3}\Z"
)
"""The beginning of a line, after its bullet, or of an emphasis or bracket: a mark here is for the words that follow."""
_USES = re.compile(
    r"\b(?:according to|per|(?:as|is|was|are|were) [a-z]+ (?:in|by))\s*\Z", re.IGNORECASE
)
"""Words that a source must follow, in brackets or not."""
_MAY_USE = re.compile(
    r"\b(?:to|per|in|by|from|of|on|with|see|that|as|than|both|while|and)\s*\Z", re.IGNORECASE
)
"""Words that an id without brackets follows as a noun."""
_CLOSING = frozenset(".,;:!?…)]}”’»%。，、；：！？）】")
"""Signs that close up to the words before a mark."""


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """One sentence of an answer with the passages that the model cited for it."""

    text: str
    """White space trimmed."""
    ids: tuple[str, ...]
    unknown: tuple[str, ...]


def parse_markers(text: str, ids: Collection[str]) -> tuple[str, tuple[Marker, ...]]:
    """The clean text and its marks, in order."""
    parser = MarkerParser(ids)
    parser.finish(text)
    return parser.text, parser.marks


def cited_sentences(
    text: str, marks: Sequence[Marker], sentences: Sequence[Span]
) -> tuple[CitedSentence, ...]:
    """One claim a sentence, in order; `sentences` are spans of `text`, in order.

    A mark belongs to the sentence that it stands in or after; at the beginning of a line that has words, to the one
    after it.
    """
    cited: list[list[Marker]] = [[] for _ in sentences]
    for mark in marks if sentences else ():
        cited[_place(text, mark.at, sentences)].append(mark)
    return tuple(
        CitedSentence(
            text[sentence.start : sentence.end].strip(),
            unique(name for mark in own for name in mark.ids),
            unique(name for mark in own for name in mark.unknown),
        )
        for sentence, own in zip(sentences, cited, strict=True)
    )


def _place(text: str, at: int, sentences: Sequence[Span]) -> int:
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    rest = text[at : end if end >= 0 else len(text)]
    if _OPENS.search(text[start:at]) and any(map(str.isalnum, rest)):
        place = sum(sentence.end <= at for sentence in sentences)
    else:
        place = sum(sentence.start < at for sentence in sentences) - 1
    return min(max(place, 0), len(sentences) - 1)


class MarkerParser:
    """Fed a model's words in any chunks; holds back what may be the beginning of a mark, never more than WINDOW."""

    def __init__(self, ids: Collection[str]) -> None:
        self._grammar = Grammar.of(ids)
        self._words, self._at = "\n", 1  # a line begins
        self._fence: re.Pattern[str] | None = None
        self._shown: list[str] = []
        self._length, self._tail, self._space = 0, "", ""
        self._marks: list[Marker] = []
        self._waiting: list[Marker] = []
        self._opens = self._after = False

    def feed(self, chunk: str) -> str:
        """The clean text that is now certain."""
        self._words += chunk
        return self._read(final=False)

    def finish(self, chunk: str = "") -> str:
        """The rest of the clean text, with that of a last chunk; nothing may be fed after it."""
        self._words += chunk
        rest = self._read(final=True)
        self._settle(follow=False)
        last, self._space = self._space, ""
        self._put(last)
        return rest + last

    @property
    def text(self) -> str:
        """All clean text so far."""
        return "".join(self._shown)

    @property
    def marks(self) -> tuple[Marker, ...]:
        """The marks whose place is certain, in order; all of them after `finish`."""
        return tuple(self._marks)

    def _read(self, final: bool) -> str:
        before = len(self._shown)
        try:
            while self._at < len(self._words):
                end = min(self._at + WINDOW, len(self._words))
                self._at = self._take(
                    View(self._words, self._at, end, not final and end < self._at + WINDOW)
                )
        except Short:
            pass
        cut = max(0, self._at - BEHIND)
        self._words, self._at = self._words[cut:], self._at - cut
        return "".join(self._shown[before:])

    def _take(self, view: View) -> int:
        """Takes one token and gives its end. Raises Short when more words are needed to tell which token it is."""
        char = view.text[view.at]
        if self._fence:
            return self._take_fenced(view, self._fence)
        if char.isspace():
            return self._take_space(view)
        if self._after and (end := self._grammar.join_end(view)):
            self._space = self._space if self._waiting else ""
            return end
        if char.isalnum():
            match = self._grammar.bare(view)
            return self._take_bare(match) if match else self._take_plain(view)
        if char in "`~" and (end := code_end(view) or self._fence_end(view)):
            return self._say(view, end)
        if end := self._grammar.mark_end(view, view.at):
            return self._take_mark(view.text[view.at : end], end)
        return self._take_plain(view)

    def _take_space(self, view: View) -> int:
        char = view.text[view.at]
        if char == "\n" or not (self._waiting and self._opens):
            self._settle(follow=False)
            self._space += char
        if len(self._space) > SPACE_LIMIT:
            self._put(self._space[0])
            self._space = self._space[1:]
        return view.at + 1

    def _take_plain(self, view: View) -> int:
        match = _PLAIN.match(view.text, view.at)
        end = match.end() if match else view.at + 1
        token = view.text[view.at : end]
        doubled = token == "." and _ENDED.search(self._tail)
        labelled = token == ":" and self._opens
        return end if self._waiting and (doubled or labelled) else self._say(view, end)

    def _fence_end(self, view: View) -> int:
        """The end of the signs that open fenced code, 0 for none."""
        fence = _FENCE.match(view.text, view.at, view.end)
        if not fence or not _LINE_START.search(view.text, max(0, view.at - BEHIND), view.at):
            return 0
        view.look_at(fence.end())
        if len(fence.group()) < 3:
            return 0
        self._fence = re.compile(rf" {{0,3}}{fence.group()}{fence.group()[0]}*[ \t]*(?=\n|\Z)")
        return fence.end()

    def _take_fenced(self, view: View, closing: re.Pattern[str]) -> int:
        end = view.text.find("\n", view.at) + 1 or len(view.text)
        if view.text[view.at - 1] == "\n":
            if _FENCE_LINE.fullmatch(view.text, view.at, view.end):
                view.look_at(view.end)
            if match := closing.match(view.text, view.at, view.end):
                self._fence, end = None, match.end()
        return self._say(view, end)

    def _take_mark(self, written: str, end: int) -> int:
        context = self._tail + self._space
        if _USES.search(context):
            self._name(written, begins=False)
            return end
        if not self._waiting:
            self._opens = bool(_OPENS.search(context))
        self._waiting.append(self._grammar.read(written))
        self._after = True
        return end

    def _take_bare(self, match: re.Match[str]) -> int:
        """An id without brackets: named where the sentence needs it, else a mark as any other."""
        context = self._tail + self._space
        begins = bool(_ENDED.search(context) or _OPENS.search(context))
        if match["goes_on"] is None and (begins or not (match["noun"] or _MAY_USE.search(context))):
            return self._take_mark(match.group(), match.end())
        self._name(match.group(), begins)
        return match.end()

    def _name(self, written: str, begins: bool) -> None:
        mark = self._grammar.read(written)
        several = len(mark.ids + mark.unknown) > 1
        self._settle(follow=True)
        self._put(
            self._space + ("The" if begins else "the") + (" sources" if several else " source")
        )
        self._marks.append(replace(mark, at=self._length))
        self._space, self._after = "", True

    def _settle(self, follow: bool) -> None:
        """Gives waiting marks their place, now that words follow or do not; white space before marks vanishes."""
        if not self._waiting:
            return
        if follow and self._opens:
            self._put(self._space)
        if self._opens or not follow:
            self._space = ""
        self._marks += [replace(mark, at=self._length) for mark in self._waiting]
        self._waiting.clear()

    def _say(self, view: View, end: int) -> int:
        """Shows the model's words up to there."""
        first = view.text[view.at]
        self._settle(follow=first not in _CLOSING if self._opens else first.isalnum())
        self._put(self._space + view.text[view.at : end])
        self._space, self._after = "", False
        return end

    def _put(self, words: str) -> None:
        if words:
            self._shown.append(words)
            self._length += len(words)
            self._tail = (self._tail + words[-TAIL:])[-TAIL:]
