"""How language models write the ids of passages, and where in their words such a mark ends."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

WINDOW = 240
"""Characters. No token is longer; what would be a longer one is plain text."""
DEPTH = 4
"""How many wrappings may stand in one another: `**[[a1]]**`."""


@dataclass(frozen=True, slots=True)
class Wrapping:
    """A pair of signs around ids. `loose`: ids that were never given are a mark in it all the same."""

    opening: str
    closing: str
    loose: bool = False


_LOOSE = (("[", "]"), ("【", "】"), ("［", "］"), ("〔", "〕"), ("^[", "]"), (r"\[", r"\]"))
_STRICT = (
    *(
        ("(", ")"),
        ("（", "）"),
        ("{", "}"),
        ("<", ">"),
        ("<sup>", "</sup>"),
        ("*", "*"),
        ("_", "_"),
        ("^", "^"),
    ),
    *((r"\cite{", "}"), (r"\citep{", "}"), (r"\citet{", "}")),
)
WRAPPINGS = {pair[0]: Wrapping(*pair, loose=pair in _LOOSE) for pair in _LOOSE + _STRICT}
_OPENING = re.compile("|".join(map(re.escape, sorted(WRAPPINGS, key=len, reverse=True))))
_TOO_DEEP = re.compile(rf"(?:{_OPENING.pattern}){{{DEPTH + 1}}}")
_BEGUN = re.compile(r"[^\W_]*|\\(?:c|ci|cit|cite[pt]?)?|</?(?:s|su|sup)?|[@#]|\d{0,3}:\d{0,3}")
"""What may become a word, or a sign of several characters."""
_LINK = re.compile(r"\((?:[#/]|https?:)[^()\s]{0,160}\)")
_LINK_BEGUN = re.compile(r"(?:\((?:[#/h][^()\s]*)?)?")
_S = r"[ \t\u00a0\u202f]"
_NOUNS = (
    "id ids passage passages source sources document documents doc docs excerpt excerpts".split()
)
_NOUNS += "reference references ref refs citation citations".split()
_NOUN = rf"(?:{'|'.join(_NOUNS)})(?![^\W_])"
_ARTICLES = "the", "this", "these"
_DETAIL = r"†[\w .:-]{0,24}"
_SHAPE = r"(?:[a-z]{1,2}\d|\d{1,3}(?::\d{1,3}(?=†))?(?![.:]\d))(?![^\W_])"
"""What is shaped like an id, or numbers a passage."""
_SIGN = r"[,;&/|+–—\"'“”‘’-]|[\^@#](?=[^\W_])|(?<=\w)\.(?![.\w])"
_JOIN = re.compile(
    rf"(?:[,;&/|]|(?:and|or)(?={_S}))(?:{_S}{{1,2}}(?:and|or)(?={_S}))?{_S}{{0,2}}", re.IGNORECASE
)
_JOIN_BEGUN = re.compile(
    rf"(?:[,;&/|]|and|or)?{_S}{{0,2}}(?:a|an|and|o|or)?{_S}{{0,2}}", re.IGNORECASE
)
"""What vanishes between two marks."""
_GOES_ON = rf"(?P<goes_on>(?={_S}{{1,2}}(?!(?:and|or|but|while|which)\b)(?-i:[a-z])|['’]s\b))?"
_GOES_ON_LENGTH = 9
"""How many characters that pattern looks at."""
_WORD = re.compile(r"[^\W_]{1,32}")
_CODE = re.compile(r"(`{1,8})(?!`)[^\n]*?[^`\n]\1(?!`)")


@dataclass(frozen=True, slots=True)
class Marker:
    """Passages cited at one place."""

    at: int
    """Where in the clean text, which has none of the mark's own characters."""
    ids: tuple[str, ...]
    """Known passage ids, lower case, in order written, no repeats."""
    unknown: tuple[str, ...]
    """What was written as an id and is none that was given: reported, never resolved."""


class Short(Exception):
    """More words are needed to tell what stands here."""


@dataclass(frozen=True, slots=True)
class View:
    """What can be seen from one place in a model's words. `more`: words may follow that belong to this view."""

    text: str
    at: int
    end: int
    more: bool

    def look_at(self, place: int) -> None:
        """Raises Short if what stands there is not known yet."""
        if self.more and place >= self.end:
            raise Short


@dataclass(frozen=True, slots=True)
class Grammar:
    """The patterns for one set of ids."""

    ids: frozenset[str]
    first_words: frozenset[str]
    """Those that an id without brackets may begin with."""
    item: re.Pattern[str]
    strict: re.Pattern[str]
    """What may stand between the signs of a mark."""
    loose: re.Pattern[str]
    """The same for loose signs."""
    around: re.Pattern[str]
    """What an id without brackets may be made of."""
    alone: re.Pattern[str]

    @classmethod
    def of(cls, given: Iterable[str]) -> "Grammar":
        ids = frozenset(name.lower() for name in given)
        known = f"(?:{'|'.join(map(re.escape, ids)) or '(?!)'})(?![^\\W_])"
        listed = (
            rf"{known}(?:{_S}{{0,2}}(?:[,;&/|–-]{_S}{{0,2}})?(?:(?:and|or){_S}{{1,2}})?{known})*"
        )
        target = rf"(?:\[{_S}?{listed}{_S}?\]|{listed})"
        after_noun = rf"(?:{_S}{{0,2}}[:=]{_S}{{0,2}}|{_S}{{1,2}})"
        named = rf"(?<!\w)(?:(?:{'|'.join(_ARTICLES)}){_S}{{1,2}})?(?P<noun>{_NOUN}){after_noun}"
        named += rf"{target}(?:{_S}{{0,2}}(?:[,;&]{_S}{{0,2}})?(?:(?:and|or){_S}{{1,2}})?{target})*"
        alone = rf"(?<![\w(\[{{<（【/\\@#=‘“\"'-])(?:the{_S}{{1,2}})?{listed}"
        word = rf"(?:{'|'.join(_ARTICLES)}|and|or|{_NOUN})(?![^\W_])|{known}"
        label = rf"(?:and|or|see|cite|{_NOUN})(?![^\W_])(?:{_S}{{0,2}}[:=])?"
        return cls(
            ids,
            ids | {*_NOUNS, *_ARTICLES},
            _compile(rf"{_DETAIL}|\]{_LINK.pattern}|(?<![^\W_])(?P<id>{known}|{_SHAPE})"),
            _compile(rf"(?:{_S}|{_SIGN}|{label}|{known}|{_DETAIL})*"),
            _compile(rf"(?:{_S}|{_SIGN}|{label}|{known}|{_SHAPE}|{_DETAIL})*"),
            _compile(rf"(?:{_S}|[,;&/|:=–\[\]-]|{word})*"),
            _compile(f"(?:{named}|{alone}){_GOES_ON}"),
        )

    def read(self, written: str) -> Marker:
        """What was written as ids; its place is not known yet."""
        names = self._names(written)
        known = unique(name.lower() for name in names if name.lower() in self.ids)
        return Marker(0, known, unique(name for name in names if name.lower() not in self.ids))

    def mark_end(self, view: View, at: int) -> int:
        """The end of the mark in signs that begins there, 0 for none."""
        around: list[Wrapping] = []
        named = False
        if _TOO_DEEP.match(view.text, at, view.end):
            return 0
        while True:
            opening = _OPENING.match(view.text, at, view.end)
            if named and view.text.startswith(around[-1].closing, at, view.end):
                at += len(around[-1].closing)
                at = _link_end(view, at) if around.pop().closing == "]" else at
                view.look_at(at)
                if not around:
                    return at
            elif opening and len(around) < DEPTH:
                around.append(WRAPPINGS[opening.group()])
                at = opening.end()
            else:
                if _BEGUN.fullmatch(view.text, at, view.end):
                    view.look_at(view.end)
                return 0
            inside = self.loose if any(pair.loose for pair in around) else self.strict
            run = inside.match(view.text, at, view.end)
            if run and run.end() > at:
                named = named or bool(self._names(run.group()))
                at = run.end()

    def join_end(self, view: View) -> int:
        """The end of what only joins the mark before to another mark, 0 for none."""
        if _JOIN_BEGUN.fullmatch(view.text, view.at, view.end):
            view.look_at(view.end)
        join = _JOIN.match(view.text, view.at, view.end)
        return join.end() if join and self.mark_end(view, join.end()) else 0

    def bare(self, view: View) -> re.Match[str] | None:
        """An id without brackets, with its noun."""
        word = _WORD.match(view.text, view.at, view.end)
        if not word or view.text[view.at - 1].isalnum():
            return None
        view.look_at(word.end())
        if word.group().lower() not in self.first_words:
            return None
        run = self.around.match(view.text, view.at, view.end)
        if run and _BEGUN.fullmatch(view.text, run.end(), view.end):
            view.look_at(view.end)
        match = self.alone.match(view.text, view.at, view.end)
        if match:
            view.look_at(match.end() + _GOES_ON_LENGTH)
        return match

    def _names(self, written: str) -> list[str]:
        return [match["id"] for match in self.item.finditer(written) if match["id"]]


def code_end(view: View) -> int:
    """The end of the code in a line that begins there, 0 for none."""
    if view.text[view.at] != "`" or view.text[view.at - 1] == "`":
        return 0
    code = _CODE.match(view.text, view.at, view.end)
    if code:
        view.look_at(code.end())
    elif "\n" not in view.text[view.at : view.end]:
        view.look_at(view.end)
    return code.end() if code else 0


def _link_end(view: View, at: int) -> int:
    """The end of a link's target that begins there; the same place for none."""
    if _LINK_BEGUN.fullmatch(view.text, at, view.end):
        view.look_at(view.end)
    link = _LINK.match(view.text, at, view.end)
    return link.end() if link else at


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
