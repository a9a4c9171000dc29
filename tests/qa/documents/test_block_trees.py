"""Random trees of blocks, written in every format, are found again as blocks of the document."""

from dataclasses import dataclass
from html import escape
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa.documents.markdown_blocks import markdown_blocks
from qa.documents.markdown_text import MarkdownWriter
from qa.documents.parsing import Limits, ParsedFile
from tests.qa.files import docx, paragraph, table
from tests.qa.office_files import pptx, shape, slide_table, xlsx

# In this process: the sandbox would start a process for each example.
from qa.documents import docx as docx_parser  # isort: skip
from qa.documents import html as html_parser  # isort: skip
from qa.documents import pptx as pptx_parser  # isort: skip
from qa.documents import xlsx as xlsx_parser  # isort: skip

Kind = Literal["heading", "paragraph", "list", "table"]


@dataclass(frozen=True)
class Tree:
    kind: Kind
    texts: tuple[str, ...]
    """The items of a list, the cells of a table row by row, or one text."""
    columns: int = 1

    @property
    def rows(self) -> list[list[str]]:
        starts = range(0, len(self.texts), self.columns)
        return [list(self.texts[start : start + self.columns]) for start in starts]


WORD = st.text(alphabet="abcdefghijklmnoprstuvwåéß", min_size=2, max_size=9)
SIGNS = st.sampled_from(
    ["", ".", "?", " & co", " <b>", " *x*", " a_b_c", " 1.5", " [x]", " #1", "!"]
)
TEXT = st.builds(
    lambda words, sign: " ".join(words) + sign, st.lists(WORD, min_size=1, max_size=5), SIGNS
)


@st.composite
def _table(draw: st.DrawFn) -> Tree:
    columns = draw(st.integers(2, 4))
    rows = draw(st.integers(2, 4))
    # A cell may hold a bar, which Markdown marks. The header holds no figure, as a value would.
    cell = st.builds(lambda text, bar: text + bar, TEXT, st.sampled_from(["", " | x"]))
    header = draw(st.lists(WORD, min_size=columns, max_size=columns))
    count = (rows - 1) * columns
    return Tree("table", (*header, *draw(st.lists(cell, min_size=count, max_size=count))), columns)


BLOCK = st.one_of(
    st.builds(lambda text: Tree("heading", (text,)), WORD),
    st.builds(lambda text: Tree("paragraph", (text,)), TEXT),
    st.builds(lambda texts: Tree("list", tuple(texts)), st.lists(TEXT, min_size=1, max_size=4)),
    _table(),
)
TREES = st.lists(BLOCK, min_size=1, max_size=6)


def _markdown(trees: list[Tree]) -> str:
    writer = MarkdownWriter(Limits())
    for tree in trees:
        if tree.kind == "heading":
            writer.heading(tree.texts[0])
        elif tree.kind == "paragraph":
            writer.paragraph(tree.texts[0])
        elif tree.kind == "list":
            for text in tree.texts:
                writer.item(text)
        else:
            writer.table(tree.rows, marked_header=True)
    return writer.text()


def _html(trees: list[Tree]) -> bytes:
    parts = []
    for tree in trees:
        texts = [escape(text) for text in tree.texts]
        if tree.kind == "heading":
            parts.append(f"<h1>{texts[0]}</h1>")
        elif tree.kind == "paragraph":
            parts.append(f"<p>{texts[0]}</p>")
        elif tree.kind == "list":
            parts.append("<ul>" + "".join(f"<li>{text}</li>" for text in texts) + "</ul>")
        else:
            rows = []
            for row_index, row in enumerate(tree.rows):
                tag = "td" if row_index else "th"
                cells = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row)
                rows.append(f"<tr>{cells}</tr>")
            parts.append(f"<table>{''.join(rows)}</table>")
    return f"<meta charset='utf-8'><body>{''.join(parts)}</body>".encode()


def _docx(trees: list[Tree]) -> bytes:
    parts = []
    for tree in trees:
        if tree.kind == "table":
            parts.append(table(*[[escape(cell) for cell in row] for row in tree.rows]))
            continue
        style = "Heading1" if tree.kind == "heading" else ""
        parts += [
            paragraph(escape(text), style=style, listed=tree.kind == "list") for text in tree.texts
        ]
    return docx("".join(parts))


def _pptx(trees: list[Tree]) -> bytes:
    slides = []
    shapes = ""
    for tree in trees:
        if tree.kind == "heading":
            slides.append(shapes)
            shapes = shape(tree.texts[0], kind="title")
        elif tree.kind == "table":
            shapes += slide_table(tree.rows)
        else:
            shapes += shape(*tree.texts, kind="" if tree.kind == "list" else None)
    return pptx([*slides, shapes])


def _expected(trees: list[Tree]) -> list[tuple[str, str]]:
    """The kind and the words of every heading, paragraph, item and row below a header."""
    expected = []
    for tree in trees:
        if tree.kind == "table":
            expected += [("row", _row(row)) for row in tree.rows[1:]]
        else:
            kind = {"heading": "heading", "paragraph": "prose", "list": "item"}[tree.kind]
            expected += [(kind, text) for text in tree.texts]
    return expected


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _found(text: str) -> list[tuple[str, str]]:
    blocks = markdown_blocks(text)
    return [(block.kind, text[block.span.start : block.span.end]) for block in blocks]


def _headers(text: str, trees: list[Tree]) -> bool:
    """Whether the header of every table stands in the text, in order."""
    offset = 0
    for tree in trees:
        if tree.kind == "table":
            header = _row(tree.rows[0]) + "\n|" + "---|" * tree.columns + "\n"
            offset = text.find(header, offset)
            if offset < 0:
                return False
            offset += len(header)
    return True


LOOSE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", ["markdown", "docx", "pptx"])
@LOOSE
@given(trees=TREES)
def test_block_trees_every_block_found_again(name: str, trees: list[Tree]) -> None:
    text = _text_of(name, trees)
    assert _found(text) == _expected(trees)
    assert _headers(text, trees)


@LOOSE
@given(trees=TREES)
def test_block_trees_html_every_block_found_again(trees: list[Tree]) -> None:
    """trafilatura may drop what it takes for navigation, so the visible text is compared."""
    text = html_parser.parse_part(_html(trees).decode(), Limits())
    assert _found(text) == _expected(trees)
    assert _headers(text, trees)


def _text_of(name: str, trees: list[Tree]) -> str:
    parsed: ParsedFile
    if name == "docx":
        parsed = docx_parser.parse(_docx(trees), Limits())
    elif name == "pptx":
        parsed = pptx_parser.parse(_pptx(trees), Limits())
    else:
        return _markdown(trees)
    return parsed.text


@LOOSE
@given(sheets=st.lists(_table(), min_size=1, max_size=3))
def test_block_trees_xlsx_every_row_found_again(sheets: list[Tree]) -> None:
    data = xlsx({f"Sheet {index}": tree.rows for index, tree in enumerate(sheets)})
    text = xlsx_parser.parse(data, Limits()).text
    expected: list[tuple[str, str]] = []
    for index, tree in enumerate(sheets):
        expected += [("heading", f"Sheet {index}"), *_expected([tree])]
    assert _found(text) == expected
    assert _headers(text, sheets)
