"""Reads a rich text file (RTF) as Markdown: headings, paragraphs, lists and tables, in order."""

import codecs
import re
from dataclasses import dataclass, field, replace

from qa.documents.markdown_text import MarkdownWriter
from qa.documents.parsing import Limits, ParsedFile, Unreadable, one_line

MAX_DEPTH = 1_000
"""Groups inside groups. Word writes about twenty."""

_NOT_RTF = "is not an RTF file, although its suffix says so. Rename it to its real type."
_TOO_DEEP = "is nested too deeply to be read. Save it again in another program."
_EMPTY = "holds no text. Add a document with text in it."

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|([^\\{}\r\n]+)"
)
_SIGNS = {
    "tab": "\t",
    "line": "\n",
    "emdash": "—",
    "endash": "–",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
    "emspace": " ",
    "enspace": " ",
}
_SYMBOLS = {b"~": "\u00a0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\t": "\t"}
_SKIPPED = frozenset(
    """colortbl pict object header headerl headerr headerf footer footerl footerr footerf
    shprslt sp sn sv fldinst generator themedata datastore latentstyles xmlnstbl listtable
    listoverridetable rsidtbl revtbl annotation atnid atnauthor nonshppict filetbl""".split()
)
"""Groups that hold no words of the text."""
_CHARSETS = {
    128: "cp932",
    129: "cp949",
    134: "gbk",
    136: "big5",
    161: "cp1253",
    162: "cp1254",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
}
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds inside a group of the file, between its braces."""

    target: str = "text"
    """Where its words go: "text", "style", "font", "title", "marker", or "" for nowhere."""
    fallback_letters: int = 1
    """Letters after a Unicode character that old programs show in its place."""
    is_hidden: bool = False
    encoding: str = ""
    """Of the font; "" for that of the file."""


@dataclass(slots=True)
class _Paragraph:
    """What the file says of the paragraph that is being read."""

    style: int = -1
    outline: int = -1
    is_item: bool = False
    level: int = 0
    in_table: bool = False
    marker: list[str] = field(default_factory=list)


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Returns the text of an RTF file and its title.

    Raises Unreadable for a file that is not RTF, is nested too deeply, too long, or holds no text.
    """
    if not data[:64].lstrip().startswith(b"{\\rtf"):
        raise Unreadable(_NOT_RTF)
    reader = _RtfReader(limits)
    reader.read(data)
    text = reader.writer.text()
    if not text:
        raise Unreadable(_EMPTY)
    return ParsedFile(text, one_line(_joined(reader.title)) or None)


class _RtfReader:
    """Goes through the tokens once, and gives each block to the writer when it ends."""

    def __init__(self, limits: Limits) -> None:
        self.writer = MarkdownWriter(limits)
        self.title: list[str] = []
        self._groups = [_Group()]
        self._group = self._groups[0]
        self._encoding = "cp1252"
        self._encodings: dict[int, str] = {}
        self._font = 0
        self._heading_styles: dict[int, int] = {}
        self._style = -1
        self._style_name: list[str] = []
        self._paragraph = _Paragraph()
        self._text: list[str] = []
        # Bytes of a character set in which a letter can take two of them.
        self._bytes = bytearray()
        self._letters_to_skip = 0
        self._is_ignorable = False
        self._cells: list[str] = []
        self._rows: list[list[str]] = []

    def read(self, data: bytes) -> None:
        offset = 0
        size = len(data)
        while offset < size:
            token = _TOKEN.match(data, offset)
            if not token:
                offset += 1
                continue
            offset = token.end()
            word, number, code, symbol, brace, run = token.groups()
            if code:
                self._add_byte(int(code, 16))
                continue
            self._flush_bytes()
            if run:
                self._add(run.decode("latin-1"), is_plain=True)
            elif word:
                value = int(number) if number else None
                if word == b"bin":
                    # Raw data of a picture follows, with braces that mean nothing.
                    offset += max(0, value or 0)
                self._control(word.decode("ascii"), value)
            elif brace:
                self._brace(brace)
            elif symbol == b"*":
                self._is_ignorable = True
            else:
                self._add(_SYMBOLS.get(symbol, ""))
        self._flush_bytes()
        self._end_row()
        self._end_paragraph()
        self._end_table()

    def _brace(self, brace: bytes) -> None:
        if brace == b"{":
            if len(self._groups) >= MAX_DEPTH:
                raise Unreadable(_TOO_DEEP)
            self._groups.append(self._group)
        else:
            if self._group.target == "style":
                self._end_style()
            self._group = self._groups.pop() if len(self._groups) > 1 else self._groups[0]
        self._is_ignorable = False
        self._letters_to_skip = 0

    def _control(self, word: str, number: int | None) -> None:
        is_ignorable, self._is_ignorable = self._is_ignorable, False
        if self._sets_target(word, is_ignorable):
            return
        target = self._group.target
        if target == "font":
            self._font_control(word, number)
        elif target == "style" and word == "s":
            self._style = number or 0
        elif word in _SIGNS:
            self._add(_SIGNS[word])
        elif word == "u" and number is not None:
            self._add(chr(number % 65_536))
            self._letters_to_skip = self._group.fallback_letters
        elif word == "uc":
            self._group = replace(self._group, fallback_letters=max(0, min(number or 0, 9)))
        elif word in ("v", "deleted"):
            self._group = replace(self._group, is_hidden=number != 0)
        elif word == "plain":
            self._group = replace(self._group, is_hidden=False)
        elif word == "f":
            self._group = replace(self._group, encoding=self._encodings.get(number or 0, ""))
        elif word == "ansicpg" and number:
            self._encoding = _known_encoding(f"cp{number}", self._encoding)
        elif target == "text":
            self._block_control(word, number)

    def _sets_target(self, word: str, is_ignorable: bool) -> bool:
        """Sets where the words of a group go; returns whether the control word says it."""
        targets = {
            "fonttbl": "font",
            "stylesheet": "style",
            "info": "",
            "title": "title",
            "listtext": "marker",
            "pntext": "marker",
            "shptxt": "text",
        }
        # A title stands among the properties, which are not text.
        is_misplaced = word == "title" and self._group.target != ""
        if word in targets and not is_misplaced:
            self._group = replace(self._group, target=targets[word])
            return True
        if word in _SKIPPED or (is_ignorable and word != "shpinst"):
            self._group = replace(self._group, target="")
            return True
        return False

    def _font_control(self, word: str, number: int | None) -> None:
        if word == "f":
            self._font = number or 0
        elif word == "fcharset" and number in _CHARSETS:
            self._encodings[self._font] = _CHARSETS[number]

    def _end_style(self) -> None:
        name = one_line("".join(self._style_name)).rstrip(";")
        heading = _HEADING.match(name)
        if heading and self._style >= 0:
            self._heading_styles[self._style] = int(heading[1])
        self._style_name = []
        self._style = -1

    def _block_control(self, word: str, number: int | None) -> None:
        paragraph = self._paragraph
        if word in ("par", "sect", "page"):
            if paragraph.in_table:
                self._text.append(" ")
            else:
                self._end_paragraph()
        elif word == "cell":
            self._cells.append(_joined(self._text))
            self._text = []
            paragraph.marker = []
        elif word == "row":
            self._end_row()
        elif word == "pard":
            self._paragraph = _Paragraph(marker=paragraph.marker)
        elif word == "intbl":
            paragraph.in_table = True
        elif word == "s":
            paragraph.style = number or 0
        elif word == "outlinelevel":
            paragraph.outline = number or 0
        elif word == "ls":
            paragraph.is_item = bool(number)
        elif word == "ilvl":
            paragraph.level = number or 0

    def _add(self, text: str, is_plain: bool = False) -> None:
        if is_plain and self._letters_to_skip:
            skipped = self._letters_to_skip
            self._letters_to_skip = max(0, skipped - len(text))
            text = text[skipped:]
        self._is_ignorable = False
        if not text or self._group.is_hidden:
            return
        target = self._group.target
        if target == "text":
            self._text.append(text)
        elif target == "marker":
            self._paragraph.marker.append(text)
        elif target == "style":
            self._style_name.append(text)
        elif target == "title":
            self.title.append(text)

    def _add_byte(self, code: int) -> None:
        if self._letters_to_skip:
            self._letters_to_skip -= 1
        else:
            self._bytes.append(code)

    def _flush_bytes(self) -> None:
        if self._bytes:
            encoding = self._group.encoding or self._encoding
            text = self._bytes.decode(encoding, "replace")
            self._bytes.clear()
            self._add(text)

    def _end_paragraph(self) -> None:
        text = _joined(self._text)
        self._text = []
        paragraph = self._paragraph
        marker = one_line("".join(paragraph.marker))
        paragraph.marker = []
        if not text.strip():
            return
        self._end_table()
        level = self._heading_styles.get(paragraph.style, 0)
        if not level and 0 <= paragraph.outline < 9:
            level = paragraph.outline + 1
        if level:
            self.writer.heading(text, level)
        elif marker or paragraph.is_item:
            is_number = re.fullmatch(r"\d{1,9}[.)]", marker) is not None
            self.writer.item(text, paragraph.level, marker if is_number else "-")
        else:
            self.writer.paragraph(text)

    def _end_row(self) -> None:
        if self._cells:
            self._rows.append(self._cells)
        self._cells = []
        self._paragraph.in_table = False

    def _end_table(self) -> None:
        if self._rows:
            self.writer.table(self._rows)
        self._rows = []


def _joined(parts: list[str]) -> str:
    """Returns the text, with the two halves of a character that UTF-16 splits joined."""
    text = "".join(parts)
    encoded = text.encode("utf-16-le", "surrogatepass")
    return encoded.decode("utf-16-le", "ignore")


def _known_encoding(name: str, default: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        return default
    return name
