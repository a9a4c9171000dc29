r"""How language models write the ids of passages, and where in their words such a marker ends.

The prompt asks for `[a1]`. Models also write what they learnt elsewhere:

- other brackets, one inside another: `[[a1]]`, `(a1)`, `**[a1]**`, `<sup>a1</sup>`, `\cite{a1}`
- markers of ChatGPT's file search: `【a1†source】`, `【3:0†source】`
- Markdown's footnotes and links: `[^a1]`, `[a1](#a1)`, `[a1](https://example.org)`
- several ids, and a word before them: `[a1, b2]`, `[source: a1]`, `(see passages a1 and b2)`
- an id without brackets: `It closed. a1`, `According to a1, it closed.`
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from qa.answer.lookahead import Lookahead

WINDOW = 240
"""How many characters may decide what a token is; anything longer is plain text."""
MAX_DEPTH = 4
"""How many brackets may be inside one another: `**[[a1]]**` has three."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """A pair of signs that may be around ids."""

    opening: str
    closing: str
    cites_unknown: bool = False
    """Whether an id that was not given makes a marker too: `[7]` does, `(7)` is a number."""


_ALL_BRACKETS = (
    Bracket("[", "]", cites_unknown=True),
    Bracket("【", "】", cites_unknown=True),
    Bracket("［", "］", cites_unknown=True),
    Bracket("〔", "〕", cites_unknown=True),
    Bracket("^[", "]", cites_unknown=True),
    Bracket(r"\[", r"\]", cites_unknown=True),
    Bracket("(", ")"),
    Bracket("（", "）"),
    Bracket("{", "}"),
    Bracket("<", ">"),
    Bracket("<sup>", "</sup>"),
    Bracket("*", "*"),
    Bracket("_", "_"),
    Bracket("^", "^"),
    Bracket(r"\cite{", "}"),
    Bracket(r"\citep{", "}"),
    Bracket(r"\citet{", "}"),
)
BRACKETS = {bracket.opening: bracket for bracket in _ALL_BRACKETS}
_LONGEST_FIRST = sorted(BRACKETS, key=len, reverse=True)
_ANY_OPENING = "|".join(map(re.escape, _LONGEST_FIRST))
_OPENING = re.compile(_ANY_OPENING)
_TOO_DEEP = re.compile(rf"(?:{_ANY_OPENING}){{{MAX_DEPTH + 1}}}")

_SPACE = r"[ \t\u00a0\u202f]"
_SPACES = rf"{_SPACE}{{1,2}}"
_GAP = rf"{_SPACE}{{0,2}}"
_WORD_END = r"(?![^\W_])"
_NOUNS = (
    "id", "ids", "passage", "passages", "source", "sources", "document", "documents", "doc", "docs",
    "excerpt", "excerpts", "reference", "references", "ref", "refs", "citation", "citations",
)  # fmt: skip
_NOUN = rf"(?:{'|'.join(_NOUNS)}){_WORD_END}"
_ARTICLES = ("the", "this", "these")
_ARTICLE = "|".join(_ARTICLES)
_FILE_SEARCH_DETAIL = r"†[\w .:-]{0,24}"
"""What ChatGPT's file search writes after an id: `†source`, `†L3`."""
_ID_SHAPE = rf"(?:[a-z]{{1,2}}\d|\d{{1,3}}(?::\d{{1,3}}(?=†))?(?![.:]\d)){_WORD_END}"
"""Anything that has the shape of an id, or is the number of a passage."""
_SIGN_BETWEEN = r"[,;&/|+–—\"'“”‘’-]|[\^@#](?=[^\W_])|(?<=\w)\.(?![.\w])"
"""A sign inside the brackets: a separator, a quotation mark, `[^a1]`, `[@a1]`, `[a1.]`."""

_LINK_TARGET = re.compile(r"\((?:[#/]|https?:)[^()\s]{0,160}\)")
_JOIN = re.compile(
    rf"(?:[,;&/|]|(?:and|or)(?={_SPACE}))(?:{_SPACES}(?:and|or)(?={_SPACE}))?{_GAP}",
    re.IGNORECASE,
)
"""The words between two markers, as in `[a1], and [b2]`."""
_CONTINUES = rf"(?P<continues>(?={_SPACES}(?!(?:and|or|but|while|which)\b)(?-i:[a-z])|['’]s\b))?"
"""After an id without brackets: the sentence continues, so that the id is its noun: `a1 says`."""
_CONTINUES_LENGTH = 9
"""How many characters that pattern looks at."""
_WORD = re.compile(r"[^\W_]{1,32}")
_INLINE_CODE = re.compile(r"(`{1,8})(?!`)[^\n]*?[^`\n]\1(?!`)")

# What may still grow into something else when more words arrive.
_UNFINISHED_SIGN = re.compile(
    r"[^\W_]*|\\(?:c|ci|cit|cite[pt]?)?|</?(?:s|su|sup)?|[@#]|\d{0,3}:\d{0,3}"
)
_UNFINISHED_LINK = re.compile(r"(?:\((?:[#/h][^()\s]*)?)?")
_UNFINISHED_JOIN = re.compile(rf"(?:[,;&/|]|and|or)?{_GAP}(?:a|an|and|o|or)?{_GAP}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Marker:
    """The passages that are cited at one position."""

    position: int
    """The offset in the clean text, which has none of the marker's own characters."""
    ids: tuple[str, ...]
    """Given passage ids, lower case, in the order written, each once."""
    unknown: tuple[str, ...]
    """What has the shape of an id and was not given: reported, never resolved."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """The patterns for the ids of one prompt."""

    ids: frozenset[str]
    first_words: frozenset[str]
    """The words that an id without brackets may begin with: an id, a noun, an article."""
    id_in_marker: re.Pattern[str]
    given_content: re.Pattern[str]
    """What may stand in brackets that only given ids make a marker."""
    any_content: re.Pattern[str]
    """What may stand in brackets that any id makes a marker."""
    bare_content: re.Pattern[str]
    """What an id without brackets, with its noun, may consist of."""
    bare_marker: re.Pattern[str]

    @classmethod
    def for_ids(cls, given_ids: Iterable[str]) -> "Grammar":
        ids = frozenset(given.lower() for given in given_ids)
        any_given = "|".join(map(re.escape, ids)) or "(?!)"
        given = f"(?:{any_given}){_WORD_END}"

        label = rf"(?:and|or|see|cite|{_NOUN}){_WORD_END}(?:{_GAP}[:=])?"
        given_content = rf"{_SPACE}|{_SIGN_BETWEEN}|{label}|{given}"
        bare_word = rf"(?:{_ARTICLE}|and|or|{_NOUN}){_WORD_END}|{given}"
        id_or_detail = rf"(?<![^\W_])(?P<id>{given}|{_ID_SHAPE})"
        return cls(
            ids=ids,
            first_words=ids | {*_NOUNS, *_ARTICLES},
            id_in_marker=_compile(
                rf"{_FILE_SEARCH_DETAIL}|\]{_LINK_TARGET.pattern}|{id_or_detail}"
            ),
            given_content=_compile(rf"(?:{given_content}|{_FILE_SEARCH_DETAIL})*"),
            any_content=_compile(rf"(?:{given_content}|{_ID_SHAPE}|{_FILE_SEARCH_DETAIL})*"),
            bare_content=_compile(rf"(?:{_SPACE}|[,;&/|:=–\[\]-]|{bare_word})*"),
            bare_marker=_compile(_bare_pattern(given)),
        )

    def read(self, written: str) -> Marker:
        """Returns the marker that these words are; its position is not known yet."""
        known = []
        unknown = []
        for name in self._ids_in(written):
            if name.lower() in self.ids:
                known.append(name.lower())
            else:
                unknown.append(name)
        return Marker(0, unique(known), unique(unknown))

    def bracketed_end(self, ahead: Lookahead, start: int) -> int:
        """Returns the end of the marker in brackets that begins at `start`, 0 if none does."""
        # A long run of brackets is not a marker; reading it from each of them takes squared time.
        if ahead.match(_TOO_DEEP, start):
            return 0
        open_brackets: list[Bracket] = []
        has_id = False
        position = start
        while True:
            opening = ahead.match(_OPENING, position)
            closing = open_brackets[-1].closing if has_id else None
            if closing and ahead.text.startswith(closing, position, ahead.end):
                open_brackets.pop()
                position += len(closing)
                if closing == "]":
                    position = _link_end(ahead, position)
                # The next character may make the marker longer, as the ] of `[a1]]`.
                ahead.require(position)
                if not open_brackets:
                    return position
            elif opening and len(open_brackets) < MAX_DEPTH:
                open_brackets.append(BRACKETS[opening.group()])
                position = opening.end()
            else:
                ahead.require_if(_UNFINISHED_SIGN, position)
                return 0

            cites_unknown = any(bracket.cites_unknown for bracket in open_brackets)
            pattern = self.any_content if cites_unknown else self.given_content
            content = ahead.match(pattern, position)
            if content and content.end() > position:
                has_id = has_id or bool(self._ids_in(content[0]))
                position = content.end()

    def join_end(self, ahead: Lookahead) -> int:
        """Returns the end of the words that only join a marker to the next one, 0 for others."""
        ahead.require_if(_UNFINISHED_JOIN, ahead.start)
        join = ahead.match(_JOIN)
        if join and self.bracketed_end(ahead, join.end()):
            return join.end()
        return 0

    def bare(self, ahead: Lookahead) -> re.Match[str] | None:
        """Returns the match of an id without brackets, with its noun and article if it has them."""
        word = ahead.match(_WORD)
        inside_word = ahead.previous.isalnum()
        if not word or inside_word:
            return None
        ahead.require(word.end())
        if word[0].lower() not in self.first_words:
            return None

        content = ahead.match(self.bare_content)
        if content:
            ahead.require_if(_UNFINISHED_SIGN, content.end())
        match = ahead.match(self.bare_marker)
        if match:
            ahead.require(match.end() + _CONTINUES_LENGTH)
        return match

    def _ids_in(self, written: str) -> list[str]:
        """Returns the ids in a marker's words, whatever else is there: details and link targets."""
        matches = self.id_in_marker.finditer(written)
        return [match["id"] for match in matches if match["id"]]


def inline_code_end(ahead: Lookahead) -> int:
    """Returns the end of the code between backticks that begins there, 0 if none does."""
    if ahead.character != "`" or ahead.previous == "`":
        return 0
    code = ahead.match(_INLINE_CODE)
    if code:
        ahead.require(code.end())
        return code.end()
    line_is_open = "\n" not in ahead.until(ahead.end)
    if line_is_open:
        ahead.require(ahead.end)
    return 0


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the names in their order, each once."""
    return tuple(dict.fromkeys(names))


def _bare_pattern(given: str) -> str:
    """Returns the pattern of an id without brackets; `given`: the pattern of a given id."""
    joined_by = rf"(?:[,;&/|–-]{_GAP})?(?:(?:and|or){_SPACES})?"
    ids = rf"{given}(?:{_GAP}{joined_by}{given})*"

    # With a noun the ids may be in brackets: "source [a1]", "the passages a1 and b2".
    target = rf"(?:\[{_SPACE}?{ids}{_SPACE}?\]|{ids})"
    targets_joined_by = rf"(?:[,;&]{_GAP})?(?:(?:and|or){_SPACES})?"
    targets = rf"{target}(?:{_GAP}{targets_joined_by}{target})*"
    after_noun = rf"(?:{_GAP}[:=]{_GAP}|{_SPACES})"
    article = rf"(?:(?:{_ARTICLE}){_SPACES})?"
    with_noun = rf"(?<!\w){article}(?P<noun>{_NOUN}){after_noun}{targets}"

    # Without a noun, not after a sign that makes it a part of something else: "#a1", "/a1".
    without_noun = rf"(?<![\w(\[{{<（【/\\@#=‘“\"'-])(?:the{_SPACES})?{ids}"
    return f"(?:{with_noun}|{without_noun}){_CONTINUES}"


def _link_end(ahead: Lookahead, start: int) -> int:
    """Returns the end of the link target that begins at `start`, `start` itself if none does."""
    ahead.require_if(_UNFINISHED_LINK, start)
    link = ahead.match(_LINK_TARGET, start)
    return link.end() if link else start


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
