"""How deep a character of a mail stands in quotations: the newest mail at 0, older mails below."""

import re

QUOTED_MAIL = "Quoted mail"
"""The heading of each quoted mail in the text of an e-mail."""
FORWARDED = re.compile(
    r"^-{2,}[ \t]*(?:original message|forwarded message|ursprüngliche nachricht)\b.*$",
    re.IGNORECASE | re.MULTILINE,
)
"""The line above a mail that is quoted without signs."""
MAX_MAIL = 100_000
"""Characters before an offset in which the mails above it are looked for."""
MAX_SIGNS = 100
"""Characters of the signs ">" before a line that are counted."""

_HEADING = re.compile(rf"^## {QUOTED_MAIL}$", re.MULTILINE)
_SIGNS = re.compile(r"[ \t]*(?:>[ \t]?)+")
_MAIL = re.compile(
    r"""^(?:>[ \t]?)* (?:
        (?:from|von|de):[ \t]
        # The line above a quotation: "On 4 May, Ann wrote:".
        | [^\n]{0,300} \b(?:wrote|schrieb|écrit)\b [^\n]{0,100} :$
    )""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def quotation_depth(text: str, offset: int) -> int:
    """Returns how many mails quote the character at an offset; 0 for the newest mail.

    Each sign ">" before its line counts, and each line above it that opens a quoted mail. A
    quotation in another text, such as a book, counts as its own words: 0.
    """
    start = max(0, offset - MAX_MAIL)
    opened = [*_HEADING.finditer(text, start, offset), *FORWARDED.finditer(text, start, offset)]
    line_start = text.rfind("\n", 0, offset) + 1
    signs = _SIGNS.match(text, line_start, line_start + MAX_SIGNS)
    depth = len(opened) + (signs.group().count(">") if signs else 0)
    return depth if depth and _MAIL.search(text, start, offset) else 0
