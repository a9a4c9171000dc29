"""Markers in every form that models write, whole and in pieces, and what is not a marker."""

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer.clean_text import MAX_HELD_SPACE
from qa.answer.marker_grammar import WINDOW, Marker
from qa.answer.markers import (
    MAX_HELD_BACK,
    CitedSentence,
    MarkerParser,
    cited_sentences,
)
from qa.types import Span
from tests.properties import examples
from tests.qa.answer.whole_texts import parse_markers

IDS = ("a1", "b2", "k7", "ab3")

FORMS = [
    *[
        (form, "a1")
        for form in "[a1] [[a1]] 【a1】 (a1) {a1} ［a1］ （a1） 〔a1〕 <a1> [A1] [^a1] [@a1] [#a1]".split()
    ],
    *[
        (form, "a1")
        for form in "[a1.] 【a1†source】 [a1†L3] **[a1]** *[a1]* _[a1]_ ***[a1]*** **a1** **[[a1]]**".split()
    ],
    *[
        (form, "a1")
        for form in "^[a1] ^a1^ <sup>a1</sup> <sup>[a1]</sup> [a1](#a1) [a1](https://x.y/z)".split()
    ],
    *[
        (form, "a1")
        for form in r"\cite{a1} \citep{a1} [\[a1\]] \[a1\] ([a1]) [cite:a1] [id=a1]".split()
    ],
    *[
        (f"[{label} a1]", "a1")
        for label in "id: ID passage Passage: source source: doc document ref ref:".split()
    ],
    *[(f"[{label} a1]", "a1") for label in "cite: citation: citation see".split()],
    *[(f"({label} a1)", "a1") for label in "see source: passage".split()],
    ("[ a1 ]", "a1"),
    ('["a1"]', "a1"),
    ("['a1']", "a1"),
    ("[see source a1]", "a1"),
    ("(see [a1])", "a1"),
    ("**[a1](https://x.y/b2)**", "a1"),
    ("[ab3]", "ab3"),
    ("[a1, b2]", "a1 b2"),
    ("[a1,b2]", "a1 b2"),
    ("[a1; b2]", "a1 b2"),
    ("[a1 and b2]", "a1 b2"),
    ("[a1, b2, and k7]", "a1 b2 k7"),
    ("[a1 & b2]", "a1 b2"),
    ("[a1/b2]", "a1 b2"),
    ("[a1|b2]", "a1 b2"),
    ("[a1 b2]", "a1 b2"),
    ("[a1-b2]", "a1 b2"),
    ("[a1–b2]", "a1 b2"),
    ("[b2, a1, B2]", "b2 a1"),
    ("[[a1], [b2]]", "a1 b2"),
    ("([a1], [b2])", "a1 b2"),
    ("[passages a1 and b2]", "a1 b2"),
    ("[Source: a1, b2]", "a1 b2"),
    ("(passages a1 and b2)", "a1 b2"),
    ("[a1][b2]", "a1 | b2"),
    ("[a1] [b2]", "a1 | b2"),
    ("[a1], [b2]", "a1 | b2"),
    ("[a1] and [b2]", "a1 | b2"),
    ("[a1], [b2], and **[k7]**", "a1 | b2 | k7"),
    ("[1]", "?1"),
    ("[1, 2]", "?1 ?2"),
    ("[3†source]", "?3"),
    ("【3:0†source】", "?3:0"),
    ("[c4]", "?c4"),
    ("([12])", "?12"),
    ("[source: 3]", "?3"),
    ("[a1, c4, 2]", "a1 ?c4 ?2"),
]
"""A form and what it cites: markers parted by strokes, unknown ids with a question marker."""
CONTEXTS = [
    ("The forum met {}. It closed.", "The forum met¦. It closed."),
    ("The forum met{}. It closed.", "The forum met¦. It closed."),
    ("The forum met. {} It closed.", "The forum met.¦ It closed."),
    ("The forum met.{} It closed.", "The forum met.¦ It closed."),
    ("The forum met. {}. It closed.", "The forum met.¦ It closed."),
    ("The forum met {}", "The forum met¦"),
    ("The forum met.\n{}\n", "The forum met.¦\n"),
    ("The forum met.\n{} It closed.", "The forum met.\n¦It closed."),
    ("Points:\n- {} It closed.", "Points:\n- ¦It closed."),
]
"""A text around a form, and the clean text with a ¦ for each marker."""
TEXTS = [
    # ids without brackets
    ("It closed. a1", "It closed.¦", "a1"),
    ("It closed. a1 Then it met.", "It closed.¦ Then it met.", "a1"),
    ("It closed. a1, b2\nThen", "It closed.¦\nThen", "a1 b2"),
    ("It closed a1.", "It closed¦.", "a1"),
    ("a1 says that it closed.", "The source¦ says that it closed.", "a1"),
    ("It met. A1 says so.", "It met. The source¦ says so.", "a1"),
    ("- a1: It closed.", "- ¦It closed.", "a1"),
    ("According to passage a1, it met.", "According to the source¦, it met.", "a1"),
    ("According to a1 and b2, it met.", "According to the sources¦, it met.", "a1 b2"),
    ("It met, as the document a1 says.", "It met, as the source¦ says.", "a1"),
    ("Passages a1 and b2 say so.", "The sources¦ say so.", "a1 b2"),
    ("It is a1's view.", "It is the source¦'s view.", "a1"),
    ("It is said in source [a1], too.", "It is said in the source¦, too.", "a1"),
    ("According to [a1], it met.", "According to the source¦, it met.", "a1"),
    ("It met.\n\nSources: [a1], [b2]\n", "It met.¦\n", "a1 b2"),
    # white space and signs around markers
    ("[a1] It met.", "¦It met.", "a1"),
    ("[a1]: It met.", "¦It met.", "a1"),
    ("[a1]", "¦", "a1"),
    ("It met [a1] , [b2] .", "It met¦¦ .", "a1 | b2"),
    ("It met [a1], then closed [b2].", "It met¦, then closed¦.", "a1 | b2"),
    ("It met [a1]then", "It met¦ then", "a1"),
    ("“It met [a1],” he said.", "“It met¦,” he said.", "a1"),
    ("**[a1] It met.**", "**¦It met.**", "a1"),
    ("**It met [a1]**", "**It met¦**", "a1"),
    ("It ([a1] only) met", "It (¦only) met", "a1"),
    ("[[a1] met", "[¦ met", "a1"),
    ("It met.\n[a1]\n\n[b2] It closed.\n", "It met.¦\n\n¦It closed.\n", "a1 | b2"),
    # code
    ("`[a1]` is [a1]", "`[a1]` is¦", "a1"),
    ("``[a1] ` a1`` [b2]", "``[a1] ` a1``¦", "b2"),
    ("`open [a1]\n`", "`open¦\n`", "a1"),
    ("```py\n[a1] \n``\n```\n[b2] It met.", "```py\n[a1] \n``\n```\n¦It met.", "b2"),
    ("~~~~\n[a1]\n~~~\na1", "~~~~\n[a1]\n~~~\na1", ""),
    ("x ``` [a1]", "x ```¦", "a1"),
    # no markers
    *[
        (text, text, "")
        for text in (
            "(b2 visa)",
            "b20 a1b2 xa1",
            "[sic]",
            "[the minister]",
            "[2024]",
            "[...]",
            "[x]",
        )
    ],
    *[
        (text, text, "")
        for text in (
            "[text](url)",
            "- [ ] task",
            "(1)",
            "(c4)",
            "{x}",
            "<b>",
            "*met*",
            "[1.5]",
            "[]",
        )
    ],
    *[
        (text, text, "")
        for text in (
            "[a1",
            "(a1",
            "[a1 met]",
            "[a1)",
            "2 * 3 * 4",
            "[12:30]",
            "the source",
            " x \n ",
        )
    ],
]
ROWS = [(context.format(form), clean.replace("¦", "¦" * (cited.count("|") + 1)), cited) for form, cited in FORMS
        for context, clean in CONTEXTS] + TEXTS  # fmt: skip


def _expected(clean: str, cited: str) -> tuple[str, tuple[Marker, ...]]:
    """Each ¦ in the clean text is the position of a marker."""
    # Each ¦ before a marker is not in the clean text.
    offsets = [match.start() - index for index, match in enumerate(re.finditer("¦", clean))]
    markers = [marker.split() for marker in cited.split("|")] if cited else []
    return clean.replace("¦", ""), tuple(
        Marker(
            offset,
            tuple(name for name in names if name[0] != "?"),
            tuple(name[1:] for name in names if name[0] == "?"),
        )
        for offset, names in zip(offsets, markers, strict=True)
    )


def _in_pieces(pieces: list[str]) -> tuple[str, tuple[Marker, ...]]:
    parser = MarkerParser(IDS)
    shown = [parser.feed(piece) for piece in pieces]
    shown.append(parser.finish())
    assert "".join(shown) == parser.text
    return parser.text, parser.markers


@pytest.mark.parametrize(("raw", "clean", "cited"), ROWS)
def test_parse_markers_of_every_form_by_any_pieces(raw: str, clean: str, cited: str) -> None:
    assert parse_markers(raw, IDS) == _expected(clean, cited)
    assert _in_pieces(list(raw)) == _expected(clean, cited)


SIGNS = [
    *"[](){}<>【】［］〔〕（）*_^`~\n .,:;†#@/\\\"'-",
    *"** ``` [[ ]] [a1] (b2) ](#a1) ](https://x.y) <sup> </sup> \\cite{ †source".split(),
]
WORDS = [
    "a",
    "1",
    "c4",
    "é",
    "金",
    "Gold",
    "rose. ",
    "The ",
    "passage ",
    "source: ",
    " and ",
    " says",
    "according to ",
]
LINES = ["\n```", "\n~~~", "\n- ", "  "]
LONG = [
    "x" * 60,
    " " * MAX_HELD_SPACE,
    "[a1, " + "b2, " * (WINDOW // 4),
    "`" + "y " * (WINDOW // 2),
    "[a1](https:/" + "u" * WINDOW,
]
written = st.lists(st.sampled_from([*SIGNS, *IDS, *WORDS, *LINES, *LONG]), max_size=25).map("".join)
BARE_OF_SIGNS = st.characters(
    exclude_categories=["Cs"], exclude_characters="[](){}<>【】［］〔〕（）*_^`~\\"
)


@st.composite
def _pieces(draw: st.DrawFn) -> list[str]:
    text = draw(written)
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=30))
    return [text[start:end] for start, end in pairwise([0, *sorted(cuts), len(text)])]


@pytest.mark.slow
@examples(400)
@given(_pieces())
def test_parser_gives_the_same_for_any_pieces(pieces: list[str]) -> None:
    whole = parse_markers("".join(pieces), IDS)
    assert _in_pieces(pieces) == whole
    assert _in_pieces(list("".join(pieces))) == whole


@examples(300)
@given(written, st.frozensets(st.sampled_from([*IDS, "c4", "K7"])))
def test_markers_have_given_ids_and_ordered_positions(text: str, ids: frozenset[str]) -> None:
    clean, markers = parse_markers(text, ids)
    given_ids = {name.lower() for name in ids}
    assert all(
        set(marker.ids) <= given_ids and not given_ids & set(marker.unknown) for marker in markers
    )
    assert all(marker.ids or marker.unknown for marker in markers)
    assert [marker.position for marker in markers] == sorted(marker.position for marker in markers)
    assert all(0 <= marker.position <= len(clean) for marker in markers)


@examples(200)
@given(st.text(BARE_OF_SIGNS, max_size=200))
def test_parse_markers_keeps_other_text(text: str) -> None:
    text = re.sub("|".join(IDS), "", text, flags=re.IGNORECASE)
    assert parse_markers(text, ["zz9"]) == _in_pieces(list(text)) == (text, ())


@examples(40)
@given(written)
def test_parser_holds_back_a_bounded_length(text: str) -> None:
    parser = MarkerParser(IDS)
    for end, char in enumerate(text, 1):
        parser.feed(char)
        if end % 9 == 0:
            assert len(parse_markers(text[:end], IDS)[0]) - len(parser.text) <= MAX_HELD_BACK


def _seconds(text: str, size: int) -> float:
    parser = MarkerParser(IDS)
    begun = time.process_time()
    for start in range(0, len(text), size):
        parser.feed(text[start : start + size])
    parser.finish()
    return max(time.process_time() - begun, 0.05)  # shorter times are mostly noise


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["[", "(", "`", "a1, "])
def test_parser_of_one_piece_takes_linear_time(unit: str) -> None:
    short, long = ("[" + unit * (size // len(unit)) for size in (250_000, 1_000_000))
    assert _seconds(long, len(long)) < 10 * _seconds(short, len(short))


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["[", "(", "`", "a1, ", "[a1, "])
def test_parser_of_characters_takes_linear_time(unit: str) -> None:
    short, long = ("[" + unit * (size // len(unit)) for size in (20_000, 80_000))
    assert _seconds(long, 1) < 10 * _seconds(short, 1)


def _cited(raw: str) -> list[tuple[str, str]]:
    text, markers = parse_markers(raw, IDS)
    sentences = [Span(*match.span()) for match in re.finditer(r"\S[^.\n]*(?:\.|(?=\n)|\Z)", text)]
    return [
        (claim.text, " ".join(claim.ids)) for claim in cited_sentences(text, markers, sentences)
    ]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("It met [a1]. It closed [b2].", ["a1", "b2"]),
        ("It met. [a1] It closed. [b2]", ["a1", "b2"]),
        ("It met.[a1]It closed.\n[b2]", ["a1", "b2"]),
        ("[a1] It met. It closed.", ["a1", ""]),
        ("It met.\n[a1] It closed.", ["", "a1"]),
        ("It met.\n\n[a1]\n\nIt closed.", ["a1", ""]),
        ("- [a1] It met.\n- [b2] It closed.", ["a1", "b2"]),
        ("* It met. [a1]\n* It closed. [b2]", ["a1", "b2"]),
        ("According to a1, it met. b2 says it closed.", ["a1", "b2"]),
        ("It met [a1], in fact [b2], [a1]. It closed.", ["a1 b2", ""]),
        ("[a1]\nIt met. It closed.", ["a1", ""]),
    ],
)
def test_cited_sentences_give_each_marker_its_sentence(raw: str, expected: list[str]) -> None:
    assert [ids for _, ids in _cited(raw)] == expected


def test_cited_sentences_are_trimmed_without_unknown_ids() -> None:
    assert cited_sentences(
        " It met. ", [Marker(8, ("a1",), ("1",)), Marker(9, ("a1",), ("1", "c4"))], [Span(0, 9)]
    ) == (CitedSentence("It met.", ("a1",)),)


def test_cited_sentences_of_no_sentence_is_empty() -> None:
    assert cited_sentences("", [Marker(0, ("a1",), ())], []) == ()


def test_feed_returns_certain_words_at_once() -> None:
    parser = MarkerParser(IDS)
    pieces = ["Some", " forum", " met", " [", "a1", "].", " It"]
    assert [parser.feed(piece) for piece in pieces] == ["", "Some", " forum", " met", "", ".", ""]
    assert (parser.finish(), parser.markers) == (" It", (Marker(14, ("a1",), ()),))
