"""Splits a Markdown text into its blocks, by the block rules of a CommonMark parser.

Only the block rules: the rules for what is inside a line (emphasis, links) take time that grows
with the square of some lines, and nothing here needs them.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from qa.documents.blocks import (
    Block,
    BlockKind,
    lines_of,
    may_answer_alone,
    text_of,
)
from qa.documents.spans import trimmed
from qa.documents.tables import is_header
from qa.types import Span

_MARKUP = re.compile(r"^[ \t]*(?:>[ \t]?|#{1,6}[ \t]+|(?:[-*+]|\d{1,9}[.)])[ \t]+)+")
_QUOTATION = re.compile(r"(?:>[ \t]?)+")
_CELL_TOKENS = frozenset({"th_open", "th_close", "td_open", "td_close", "inline"})


def markdown_blocks(text: str) -> Iterator[Block]:
    """Yields the leaf blocks of a Markdown text, by the line numbers of a CommonMark parser.

    A heading without anything below it is a row if it says something: nothing else answers there.
    """
    heading: Block | None = None
    for block in _leaf_blocks(text):
        if heading:
            has_body = not block.level or block.level > heading.level
            yield heading if has_body else _unit_heading(text, heading)
        heading = block if block.level else None
        if heading is None:
            yield block
    if heading:
        yield _unit_heading(text, heading)


def _unit_heading(text: str, heading: Block) -> Block:
    content = text_of(text, heading.span)
    return Block(heading.span, "row") if may_answer_alone(content) else heading


def _leaf_blocks(text: str) -> Iterator[Block]:
    lines = list(lines_of(text))
    # The types and the tags of the tokens that are open around a token.
    inside: list[str] = []
    tags: list[str] = []
    header: Span | None = None
    for token in _block_tokens(text):
        if token.nesting == -1:
            inside.pop()
            tags.pop()
            continue

        if token.type == "thead_open":
            header = _header(text, token, lines)
        kind = _markdown_kind(token.type, inside)
        if kind and token.map:
            span = _content_span(text, token, lines, kind)
            if span:
                # The tag of a heading is h1 to h6.
                level = int(tags[-1][1]) if kind == "heading" else 0
                yield Block(span, kind, level, header if kind == "row" else None)

        if token.nesting == 1:
            inside.append(token.type)
            tags.append(token.tag)


def _header(text: str, token: Token, lines: Sequence[Span]) -> Span | None:
    """Returns the line that names the columns of a table, if it can."""
    span = _content_span(text, token, lines, "row")
    # A header that is too long is left out: the view of every passage would repeat it.
    return span if span and is_header(text, span) else None


def _content_span(text: str, token: Token, lines: Sequence[Span], kind: BlockKind) -> Span | None:
    """Returns the lines of a token without the white space and the marks around its words."""
    if not token.map:
        return None
    first, end_line = token.map
    start = lines[first].start
    end = lines[end_line - 1].end
    span = trimmed(text, start, end)
    return _without_markup(text, span, kind) if span else None


def main_headings(text: str) -> Iterator[str]:
    """Yields the words of the main headings of a Markdown text, as they are written."""
    for token, next_token in pairwise(_block_tokens(text)):
        # The token that follows the opening of a heading holds its words.
        if token.type == "heading_open" and token.tag == "h1":
            yield next_token.content


def _block_tokens(text: str) -> list[Token]:
    parser = MarkdownIt("commonmark").enable("table")
    state = _BlockState(text, parser, {}, [])
    parser.block.tokenize(state, state.line, state.lineMax)
    return state.tokens


class _BlockState(StateBlock):
    """The state of the block rules, without tokens for the cells of tables."""

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        token = super().push(ttype, tag, nesting)
        # A table can have a cell for every second character, and a token takes 500 bytes.
        if self.parentType == "table" and ttype in _CELL_TOKENS:
            self.tokens.pop()
        return token


def _markdown_kind(token_type: str, inside: Sequence[str]) -> BlockKind | None:
    """Returns what a token is; None for a token that holds others."""
    if token_type in ("fence", "code_block"):
        return "code"
    if token_type == "tr_open":
        # The first row, in "thead", names the columns and says nothing by itself.
        return "row" if "tbody_open" in inside else None
    if token_type != "inline":
        return None
    if "heading_open" in inside:
        return "heading"
    if "list_item_open" in inside:
        return "item"
    return "prose"


def _without_markup(text: str, span: Span, kind: BlockKind) -> Span:
    """Returns a span without the marks of quotations, headings and items at its beginning."""
    if kind == "code":
        return span
    content = text_of(text, span)
    pattern = _QUOTATION if kind == "row" else _MARKUP
    markup = pattern.match(content)
    # A quotation can be empty.
    if not markup or markup.end() == len(content):
        return span
    start = span.start + markup.end()
    return Span(start, span.end)
