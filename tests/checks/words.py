"""Find words that readers of plain technical English stumble over.

    python -m tests.checks.words

Looks at the documentation, and at the docstrings, comments and messages of the code. Each row of
`WORDS` is a pattern and what to write instead.
"""

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md")
CODE = ("qa/**/*.py", "ui/**/*.py", "eval/**/*.py")

WORDS = (
    (r"\banew\b", "again"),
    (r"\bmend(s|ed|ing)?\b", "fix"),
    (r"\b(is|are|was|were|be) told\b|\bis told of\b", "is shown, gets, receives"),
    (r"\btells (of|apart)\b", "shows, describes, distinguishes"),
    # "There is no index" is plain English; "this is no index" is not.
    (r"(?<!\bthere )\bis no (?!longer\b|more\b|less\b|need\b)", "is not a"),
    (r"\bthat is none\b|\bone that is no\b", "that does not exist, invalid"),
    (r"\bhangs? (on|from)\b", "depends on"),
    (r"\bwhat (it|they) (is|are) at\b", "what it is doing"),
    (r"\bwho(ever)? has it\b", "name the person"),
    (r"\ball that is\b|\bthat which\b", "name the things"),
    (r"\bbeside (that|this|it|them)\b", "next to, and"),
    (r"\bin one go\b|\bgone on with\b", "at once, continued"),
)
"""Patterns, matched without case, and better words."""

# Before Python 3.12 an f-string is one STRING token.
_FSTRING = getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)
_READ_BY_PEOPLE = frozenset({tokenize.COMMENT, tokenize.STRING, _FSTRING})


def main() -> int:
    """Prints each word with its place; returns 1 if there is a word to replace, else 0."""
    count = 0
    for place, text in _texts():
        for pattern, better in WORDS:
            for match in re.finditer(pattern, text, re.IGNORECASE):
                count += 1
                print(f"{place}: “{match.group(0)}”: better: {better}", file=sys.stderr)
    return 1 if count else 0


def _texts() -> Iterator[tuple[str, str]]:
    """Yields (place, text): every line of the pages, every string and comment of the code."""
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            lines = path.read_text(encoding="utf-8").splitlines()
            for number, line in enumerate(lines, start=1):
                yield f"{path.relative_to(ROOT)}:{number}", line

    for pattern in CODE:
        for path in sorted(ROOT.glob(pattern)):
            source = io.StringIO(path.read_text(encoding="utf-8"))
            for token in tokenize.generate_tokens(source.readline):
                if token.type in _READ_BY_PEOPLE:
                    place = f"{path.relative_to(ROOT)}:{token.start[0]}"
                    yield place, " ".join(token.string.split())


if __name__ == "__main__":
    sys.exit(main())
