"""Reads an e-mail: its headers, its own text, then the older mails that it quotes.

An attachment is named and not read.
"""

import re
from collections.abc import Sequence
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any

from qa.documents.markdown_text import MarkdownWriter
from qa.documents.parsing import Limits, ParsedFile, Unreadable, clean, one_line
from qa.documents.quotations import FORWARDED, QUOTED_MAIL

HEADERS = ("Subject", "From", "To", "Cc", "Date")
MAX_PARTS = 1_000
MAX_HEADER = 10_000
"""Characters of a header that are read. Python parses a header in quadratic time."""
MIN_WRAPPED = 60
"""Characters that a line with the first word of the next has at least if it was wrapped."""
_PLAIN = "text/plain"
_HTML = "text/html"

_NOT_MAIL = "is not an e-mail: it has no header such as From or Subject. Export it again as .eml."
_EMPTY = "holds no text. Add a mail with text in it."
_TOO_MANY = f"has more than {MAX_PARTS:,} parts. Save the mail without its attachments."

_QUOTE = re.compile(r"(?:>[ \t]?)+")
_INTRODUCTION = re.compile(r"(?:on|am|le|el|il)\b.{5,300}:", re.IGNORECASE)
"""The line with which a mail program introduces what it quotes: "On 4 May, Ann wrote:"."""
_OUTLOOK_HEADER = re.compile(r"(?:from|von):\s", re.IGNORECASE)
_OUTLOOK_NEXT = re.compile(r"(?:sent|date|to|cc|subject|gesendet|datum|an|betreff):", re.IGNORECASE)
_ITEM = re.compile(r"[ \t]*([-*+•–]|\d{1,3}[.)])[ \t]+")
_COLUMNS = re.compile(r"\S(?: {3}|\t)\s*\S")
_SIGNATURE = re.compile(r"--\s*")

Lines = list[str]


class _ShortHeaders(EmailPolicy):
    """Reads the beginning of a long header."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:MAX_HEADER]


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Returns the text of an e-mail, the newest mail first, with its subject as title.

    Raises Unreadable for a file that is not an e-mail, has too many parts, is too long or holds no
    text.
    """
    message = _message(data)
    plain, web_page, attachments = _parts(message)
    writer = MarkdownWriter(limits)
    subject = _header(message, "Subject")
    for name in HEADERS:
        value = _header(message, name)
        if value:
            writer.value(name, value)

    write = _write_text
    if not plain.strip():
        plain = _html_text(web_page, limits)
        write = _write_markdown
    if not plain.strip() and not attachments and not subject:
        raise Unreadable(_EMPTY)

    mails = _mails(plain.split("\n"))
    write(writer, mails[0])
    for name in attachments:
        writer.value("Attachment", name)
    for older in mails[1:]:
        writer.heading(QUOTED_MAIL, level=2)
        write(writer, older)
    return ParsedFile(writer.text(), subject or None)


def _message(data: bytes) -> EmailMessage:
    try:
        message: Any = message_from_bytes(data, policy=_ShortHeaders())
    except (MessageError, ValueError, LookupError) as error:
        raise Unreadable(_NOT_MAIL) from error
    if not any(message.get(name) for name in ("From", "Subject", "Date", "To")):
        raise Unreadable(_NOT_MAIL)
    return message  # type: ignore[no-any-return]


def _header(message: EmailMessage, name: str) -> str:
    try:
        return one_line(str(message.get(name) or ""))
    except (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError):
        # The parser of headers stumbles over some that no mail program writes.
        return ""


def _parts(message: EmailMessage) -> tuple[str, str, list[str]]:
    """Returns the plain text, the HTML, and the names of the attachments."""
    plain: list[str] = []
    pages: list[str] = []
    attachments: list[str] = []
    for index, part in enumerate(message.walk()):
        if index >= MAX_PARTS:
            raise Unreadable(_TOO_MANY)
        if part.is_multipart():
            # The words of a mail that is attached whole are read with its other parts.
            continue
        name = one_line(part.get_filename() or "")
        kind = part.get_content_type()
        if name or part.get_content_disposition() == "attachment":
            attachments.append(name or kind)
        elif kind == _PLAIN:
            plain.append(_content(part))
        elif kind == _HTML:
            pages.append(_content(part))
    return "\n\n".join(plain), "\n".join(pages), attachments


def _content(part: Any) -> str:
    """Returns the text of a part, with its lines as they were before mailing."""
    payload = part.get_payload(decode=True) or b""
    charset = part.get_content_charset() or "utf-8"
    try:
        text = payload.decode(charset, "replace")
    except LookupError:
        text = payload.decode("utf-8", "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if str(part.get_param("format", "")).lower() == "flowed":
        return _unflowed(text)
    return text


def _unflowed(text: str) -> str:
    """Joins the lines that a mail program has wrapped: they end with a space."""
    joined = []
    for line in text.split("\n"):
        is_wrapped = line.endswith(" ") and not _SIGNATURE.fullmatch(line)
        joined.append(line if is_wrapped else line + "\n")
    return "".join(joined)


def _html_text(page: str, limits: Limits) -> str:
    if not page.strip():
        return ""
    # Imported here because most mails have plain text, and trafilatura takes long to import.
    from qa.documents.html import parse_part

    return parse_part(page, limits)


def _mails(lines: Sequence[str]) -> list[Lines]:
    """Returns the lines of the mail itself, then of each mail that it quotes, the newest first.

    The depth of a quoted line is the number of its signs ">"; below a line such as "Original
    message" all lines are one deeper.
    """
    by_depth: dict[int, Lines] = {0: []}
    below = 0
    for index, line in enumerate(lines):
        depth, content = _quotation(line)
        if depth == 0 and _opens_quotation(lines, index):
            below += 1
        # The line that introduces a quotation says who wrote it.
        if _introduces(lines, index):
            depth += 1
        mail = by_depth.setdefault(below + depth, [])
        mail.append(clean(content))
    return [by_depth[depth] for depth in sorted(by_depth)]


def _quotation(line: str) -> tuple[int, str]:
    """Returns the number of signs ">" before a line, and the line without them."""
    mark = _QUOTE.match(line)
    if not mark:
        return 0, line
    depth = mark.group().count(">")
    return depth, line[mark.end() :]


def _opens_quotation(lines: Sequence[str], index: int) -> bool:
    """Returns whether a line opens a mail that is quoted without signs ">"."""
    line = lines[index].strip()
    if FORWARDED.fullmatch(line):
        return True
    # Outlook quotes without signs, below a block of headers.
    if not _OUTLOOK_HEADER.match(line):
        return False
    following = lines[index + 1] if index + 1 < len(lines) else ""
    if not _OUTLOOK_NEXT.match(following.strip()):
        return False
    previous = lines[index - 1] if index else ""
    return not FORWARDED.fullmatch(previous.strip())


def _introduces(lines: Sequence[str], index: int) -> bool:
    """Returns whether a line introduces the deeper quotation that follows it."""
    depth, content = _quotation(lines[index])
    if not content.rstrip().endswith(":") or not _INTRODUCTION.match(content):
        return False
    for following in lines[index + 1 : index + 3]:
        next_depth, _ = _quotation(following)
        if next_depth > depth:
            return True
    return False


def _write_markdown(writer: MarkdownWriter, lines: Lines) -> None:
    writer.markdown("\n".join(lines))


def _write_text(writer: MarkdownWriter, lines: Lines) -> None:
    """Adds the paragraphs, items and short lines of a plain text."""
    block = _MailBlock(writer)
    for line in lines:
        words = line.strip()
        item = _ITEM.match(line)
        if not words or _SIGNATURE.fullmatch(line):
            block.close()
        elif item:
            words = line[item.end() :]
            sign = item[1]
            block.open(words, sign if sign[0].isdigit() else "-")
        elif block.continues_in(line):
            block.lines.append(words)
        else:
            block.open(words)
    block.close()


class _MailBlock:
    """The lines of a paragraph or item of a mail, which are wrapped at about 70 characters."""

    def __init__(self, writer: MarkdownWriter) -> None:
        self.lines: Lines = []
        self._writer = writer
        self._marker = ""

    def open(self, line: str, marker: str = "") -> None:
        """Ends the block and begins another; `marker` is that of an item."""
        self.close()
        self.lines = [line.strip()]
        self._marker = marker

    def continues_in(self, line: str) -> bool:
        """Returns whether a line belongs to the block: its first word did not fit above."""
        if not self.lines:
            return False
        if self._marker and line[:1].isspace():
            return True
        # Columns that spaces align are not wrapped.
        if _COLUMNS.search(line.strip()) or _COLUMNS.search(self.lines[-1]):
            return False
        first_word = line.split(maxsplit=1)[0]
        joined = f"{self.lines[-1]} {first_word}"
        return len(joined) > MIN_WRAPPED

    def close(self) -> None:
        """Gives the block to the writer."""
        if self._marker:
            self._writer.item(" ".join(self.lines), marker=self._marker)
        else:
            self._writer.paragraph("\n".join(self.lines))
        self.lines = []
        self._marker = ""
