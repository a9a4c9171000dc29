"""Tables and code of a document are found by line, and no character of them is lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.types import Document
from tests.properties import examples
from tests.ui.test_highlight import marked, plain
from ui.highlight import Highlight, grouped, split_lines
from ui.jinja import render
from ui.structure import MAX_STRUCTURED, structure_of

PLANS = """# Plans

| Plan | Price |
|---|---|
| Pro | $12 |
| Free | |

Install it:

```sh
make build

  make test
```

Done.
"""
LINES = st.sampled_from(
    [
        "| a | b |",
        "|---|---|",
        "| 1 | |",
        "| x \\| y | 2",
        "```sh",
        "```",
        "    code",
        "- item",
        "",
        "Text: a, b, 3.",
    ]
)


def document(text: str, markdown: bool = True) -> Document:
    return Document("plans.md", "/plans.md", "Plans", text, markdown=markdown)


def kinds(text: str, markdown: bool = True) -> dict[str, str]:
    """Returns what each line is that is not prose, by its words."""
    structures = structure_of(document(text, markdown))
    found: dict[str, str] = {}
    for start, structure in structures.items():
        line = text[start:].split("\n", 1)[0]
        found[line] = structure.kind
    return found


def pane(text: str, *highlights: Highlight, markdown: bool = True) -> str:
    """Returns the text as the source pane shows it."""
    structures = structure_of(document(text, markdown))
    html = render(
        "source.html",
        title="T",
        subtitle="P",
        footnotes=(),
        picking=False,
        notice="",
        groups=grouped(split_lines(text, highlights, structures)),
        quotes=[],
    )
    return html.partition('aria-label="Text of T">')[2].removesuffix("</div>")


def highlight(text: str, words: str) -> Highlight:
    start = text.index(words)
    return Highlight(1, start, start + len(words))


def test_structure_of_tables_and_code() -> None:
    assert kinds(PLANS) == {
        "| Plan | Price |": "header",
        "|---|---|": "rule",
        "| Pro | $12 |": "row",
        "| Free | |": "row",
        "```sh": "fence",
        "make build": "code",
        "": "code",
        "  make test": "code",
        "```": "fence",
    }


def test_structure_of_plain_text() -> None:
    text = "Names and ages.\n\nName;Age;Town\nAnn;31;Bern\nBen;29;Graz\n\nThe end of it.\n"
    assert kinds(text, markdown=False) == {
        "Name;Age;Town": "header",
        "Ann;31;Bern": "row",
        "Ben;29;Graz": "row",
    }


def test_structure_of_a_fence_that_is_not_closed() -> None:
    assert kinds("```\nmake\nrun") == {"```": "fence", "make": "code", "run": "code"}


def test_structure_of_a_long_text_is_not_looked_for() -> None:
    assert not structure_of(document(PLANS + "x" * MAX_STRUCTURED))


def test_pane_shows_rows_as_a_table() -> None:
    """Each row has as many cells as the header; bars are in the text, and hidden."""
    html = pane(PLANS)
    (table,) = re.findall(r'<div class="table".*?</div></div>', html, re.DOTALL)
    rows = table.split('role="row"')[1:]
    without_markup = [re.sub(r'(?s)<span class="markup".*?</span>', "", row) for row in rows]
    cells = [
        [plain(cell) for cell in re.findall(r'role="(?:columnheader|cell)">(.*?)</span>', row)]
        for row in without_markup
    ]
    assert cells == [["Plan", "Price"], ["Pro", "$12"], ["Free", ""]]
    assert 'role="columnheader"' in rows[0]


def test_pane_shows_code_as_code() -> None:
    html = pane(PLANS)
    code = html[html.index('<div class="code"') :]
    assert plain(code).startswith("```sh\nmake build\n\n  make test\n```\n")
    assert code.count('class="markup"') == 2


@pytest.mark.parametrize(
    "words", ["| Pro | $12 |", "$12", "Pro", "| Plan | Price |\n|---|---|\n| Pro", "make build"]
)
def test_pane_marks_exactly_the_cited_words(words: str) -> None:
    html = pane(PLANS, highlight(PLANS, words))
    assert marked(html, 1) == words
    assert html.count('data-label="1"') == 1


@examples(200)
@given(st.lists(LINES, max_size=12), st.booleans(), st.integers(0, 60), st.integers(1, 40))
def test_pane_keeps_every_character(
    lines: list[str], markdown: bool, start: int, length: int
) -> None:
    text = "\n".join(lines)
    end = min(start + length, len(text))
    highlights = [Highlight(1, start, end)] if start < end else []
    html = pane(text, *highlights, markdown=markdown)
    assert plain(html) == text
    assert marked(html, 1) == text[start:end]
    for offset, structure in structure_of(document(text, markdown)).items():
        for cell in structure.cells:
            assert cell.whole.start == offset
            assert cell.whole.start <= cell.value.start <= cell.value.end <= cell.whole.end
            offset = cell.whole.end
