"""Reads a presentation as Markdown: a heading for each slide, its texts, tables and notes."""

from collections.abc import Iterator
from typing import Any

from qa.documents.archive import (
    Archive,
    attribute,
    child,
    child_attribute,
    children,
    local_name,
)
from qa.documents.docx import document_title
from qa.documents.markdown_text import MarkdownWriter, SpanCell
from qa.documents.parsing import Limits, ParsedFile, Unreadable, one_line, small_number

PRESENTATION = "ppt/presentation.xml"
MAX_SLIDES = 5_000

_DAMAGED = "is damaged or not a presentation. Open it in a presentation program and save it again."
_OLD = "is encrypted, or a .ppt file of old PowerPoint. Save it as .pptx without a password."
_EMPTY = "holds no text: its slides are pictures or empty. Add a presentation with text in it."
_TOO_MANY = f"has more than {MAX_SLIDES:,} slides. Split it into smaller files."

_TITLES = frozenset({"title", "ctrTitle"})
_REPEATED = frozenset({"dt", "ftr", "sldNum", "hdr", "sldImg"})
"""Placeholders that stand on every slide: date, footer, number."""
_BULLETS = frozenset({"buChar", "buAutoNum", "buBlip"})
_NO_BULLET = "buNone"
_SIGNS = {"br": "\n", "tab": "\t"}
_TRUE = ("1", "true")


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Returns the slides of a PPTX in order, hidden slides left out.

    Raises Unreadable for a file that is not a PPTX, is encrypted, damaged, unsafe, too large, or
    holds no text.
    """
    package = Archive(data, limits, _DAMAGED, _OLD)
    presentation = package.part(PRESENTATION)
    if presentation is None:
        raise Unreadable(_DAMAGED)
    writer = MarkdownWriter(limits)
    for name in _slide_names(package, presentation):
        slide = package.part(name)
        if slide is not None and attribute(slide, "show") not in ("0", "false"):
            _write_slide(writer, slide)
            _write_notes(writer, package, name)
    if not writer:
        raise Unreadable(_EMPTY)
    return ParsedFile(writer.text(), document_title(package))


def _slide_names(package: Archive, presentation: Any) -> list[str]:
    targets = package.related(PRESENTATION)
    names = []
    for slide in children(presentation, "sldIdLst"):
        # The element has another id too, without a namespace.
        for name, key in slide.attrib.items():
            if name.endswith("}id") and key in targets:
                names.append(targets[key])
    if len(names) > MAX_SLIDES:
        raise Unreadable(_TOO_MANY)
    # A part that is listed many times would be read many times.
    return list(dict.fromkeys(names))


def _write_slide(writer: MarkdownWriter, slide: Any) -> None:
    tree = child(slide, "cSld", "spTree")
    shapes = [] if tree is None else list(_shapes(tree))
    for shape in shapes:
        if _placeholder(shape) in _TITLES:
            writer.heading(_text(shape), level=2)
    for shape in shapes:
        placeholder = _placeholder(shape)
        if placeholder in _TITLES or placeholder in _REPEATED:
            continue
        if local_name(shape) == "graphicFrame":
            _write_frame(writer, shape)
        else:
            _write_text(writer, shape, is_list=placeholder in ("body", "obj", "outline"))


def _shapes(tree: Any) -> Iterator[Any]:
    """Yields the shapes and tables of a slide in the order of drawing, also those in groups."""
    for shape in tree.iter("{*}sp", "{*}graphicFrame"):
        # A second version for old programs would repeat the words.
        if next(shape.iterancestors("{*}Fallback"), None) is None:
            yield shape


def _placeholder(shape: Any) -> str:
    """Returns what a shape is for: "title", "body"; "" for a box that a person drew."""
    for properties in ("nvSpPr", "nvGraphicFramePr"):
        placeholder = child(shape, properties, "nvPr", "ph")
        if placeholder is not None:
            # A placeholder without a type holds the content of the slide.
            return attribute(placeholder, "type") or "obj"
    return ""


def _write_text(writer: MarkdownWriter, shape: Any, is_list: bool) -> None:
    """Adds the paragraphs of a shape; those of a slide's content are items unless it says no."""
    body = child(shape, "txBody")
    if body is None:
        return
    for paragraph in body.iterchildren("{*}p"):
        text = _paragraph_text(paragraph)
        marks = set(map(local_name, children(paragraph, "pPr")))
        is_marked = not marks.isdisjoint(_BULLETS)
        if (is_list or is_marked) and _NO_BULLET not in marks:
            level = child_attribute(paragraph, "pPr", name="lvl")
            writer.item(text, small_number(level, default=0, most_digits=1))
        else:
            writer.paragraph(text)


def _write_frame(writer: MarkdownWriter, frame: Any) -> None:
    """Adds a table; a chart or a diagram has no table and is left out."""
    for table in frame.iter("{*}tbl"):
        rows = []
        for row in table.iterchildren("{*}tr"):
            cells = list(_span_cells(row))
            rows.append(cells)
        first_row = child_attribute(table, "tblPr", name="firstRow")
        writer.grid(rows, marked_header=first_row in _TRUE)


def _span_cells(row: Any) -> Iterator[SpanCell]:
    for cell in row.iterchildren("{*}tc"):
        # The cell to its left spans this column.
        if attribute(cell, "hMerge") in _TRUE:
            continue
        text = _text(cell)
        span = attribute(cell, "gridSpan")
        columns = small_number(span, default=1, most_digits=3)
        continues = attribute(cell, "vMerge") in _TRUE
        yield SpanCell(text, columns, continues=continues)


def _write_notes(writer: MarkdownWriter, package: Archive, slide_name: str) -> None:
    """Adds what the speaker wrote below a slide."""
    for target in package.related(slide_name).values():
        if not target.startswith("ppt/notesSlides/"):
            continue
        notes = package.part(target)
        for shape in () if notes is None else notes.iter("{*}sp"):
            if _placeholder(shape) == "body":
                _write_text(writer, shape, is_list=False)


def _text(element: Any) -> str:
    """Returns the words of all paragraphs of a shape or a cell as one line."""
    paragraphs = map(_paragraph_text, element.iter("{*}p"))
    return one_line(" ".join(paragraphs))


def _paragraph_text(paragraph: Any) -> str:
    parts = []
    for element in paragraph.iter("{*}t", "{*}br", "{*}tab"):
        name = local_name(element)
        parts.append(_SIGNS.get(name) or element.text or "")
    return "".join(parts)
