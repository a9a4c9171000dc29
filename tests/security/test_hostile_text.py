"""Hostile text: whatever is repeated, no step gets more of it at once than it has time for."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
import sentencex
from hypothesis import given
from hypothesis import strategies as st

from qa.documents import segmentation
from qa.documents.archive import MIN_UNPACKED
from qa.documents.load import from_bytes
from qa.documents.parsing import MAX_BLANK, Limits
from qa.documents.passages import MAX_PASSAGE, split
from qa.documents.sandbox import run_in_sandbox
from qa.documents.segmentation import SHORT_TEXT, segment_untrusted
from qa.documents.sentences import MAX_PAIRED_SIGNS, MAX_SENTENCE, WINDOW, segment
from qa.errors import DocumentError
from qa.text.facts import MAX_INITIALS, initials_in
from tests.attack.repeated_tokens import REPEATED
from tests.qa.fakes import text_document
from tests.qa.files import docx, paragraph

LONG = 12_000
PAIRED = frozenset("\"'`()[]{}<>“”‘’«»")

tokens = st.sampled_from(sorted(REPEATED.values()))


class CountingSentencex:
    """sentencex, and what it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._original = sentencex.get_sentence_boundaries

    def __call__(self, language: str, text: str) -> Any:
        self.texts.append(text)
        return self._original(language, text)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> CountingSentencex:
    counting = CountingSentencex()
    monkeypatch.setattr(sentencex, "get_sentence_boundaries", counting)
    return counting


def _check_work(text: str, markdown: bool, counting: CountingSentencex) -> None:
    """sentencex reads short pieces with few paired signs, and no character many times."""
    counting.texts.clear()
    sentences = segment(text_document(text, markdown=markdown))
    assert max((len(s.span) for s in sentences), default=0) <= MAX_SENTENCE
    assert max(map(len, counting.texts), default=0) <= WINDOW
    for piece in counting.texts:
        assert sum(sign in PAIRED for sign in piece) <= MAX_PAIRED_SIGNS
    assert sum(map(len, counting.texts)) <= 4 * len(text)


@pytest.mark.parametrize("name", REPEATED)
def test_repeated_token_work_is_bounded(name: str, counting: CountingSentencex) -> None:
    """Repeats of a token of any class take a number of characters that is linear in the text."""
    text = REPEATED[name] * (LONG // len(REPEATED[name]))
    for markdown in (False, True):
        _check_work(text, markdown, counting)


@given(parts=st.lists(tokens, min_size=1, max_size=4), markdown=st.booleans())
def test_mixed_tokens_work_is_bounded(parts: Sequence[str], markdown: bool) -> None:
    """The same holds for several tokens in turn."""
    unit = "".join(parts)
    counting = CountingSentencex()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sentencex, "get_sentence_boundaries", counting)
        _check_work(unit * (LONG // len(unit)), markdown, counting)


def test_long_paragraph_has_the_sentences_of_its_parts() -> None:
    """Where a text is cut for sentencex does not show in the sentences."""
    words = "Ms. Prado said: “We met on 9 Sept. in Bonn. It rained.” The U.S. delegation left. "
    text = "".join(f"{number} times {words}" for number in range(200))
    whole = sentencex.get_sentence_boundaries("en", text)
    starts = [text.index(row["text"].strip(), row["start_index"]) for row in whole]
    assert [sentence.span.start for sentence in segment(text_document(text))] == starts


@pytest.mark.parametrize("text", ["a" * 50_000, "\u200b" * 50_000, "word" + " " * 50_000 + "word"])
def test_passages_of_words_without_end_are_bounded(text: str) -> None:
    """A passage is bounded in characters too, because any long word is one token."""
    document = text_document(text)
    passages = split(document, segment(document), lambda part: len(part.split()))
    assert "".join(passage.text for passage in passages) == text
    assert max(len(passage.text) for passage in passages) <= MAX_PASSAGE


@pytest.mark.parametrize("blank", [" ", "\t", "\u3000", "\n", " \n", "\u2028", "\x0b"])
@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_passages_around_long_white_space_are_bounded(name: str, blank: str) -> None:
    """Passages of a loaded text tile it, are short, and hold words, whatever white space it has."""
    gap = blank * LONG
    text = (
        f"{gap}\n{'unbelievably' * 300} bridge.{gap}It cost 5 million.{gap}\n\nThe end came.{gap}"
    )
    document = from_bytes(name, text.encode())
    passages = split(document, segment(document), lambda part: len(part.split()))
    assert "".join(passage.text for passage in passages) == document.text
    assert max(len(passage.text) for passage in passages) <= MAX_PASSAGE
    assert all(passage.text.strip() for passage in passages)


def test_long_white_space_keeps_paragraphs_apart() -> None:
    """Of long white space the line ends and the indentation remain; short is kept as it is."""
    padding = " " * MAX_BLANK
    loaded = from_bytes("a.txt", f"One.{padding}\n{padding}\n   Two.{padding}Three.".encode())
    assert loaded.text == f"One.\n\n   Two.{padding}Three."


def test_split_reads_each_sentence_once() -> None:
    """Every piece of a long text is counted once, and only pieces that may fit are."""
    document = text_document("One line of words.\n" * 3_000)
    counted: list[str] = []

    def count(part: str) -> int:
        counted.append(part)
        return len(part.split())

    split(document, segment(document), count)
    assert sum(map(len, counted)) <= 3 * len(document.text)


def test_initials_of_many_names_are_short() -> None:
    """A run of capitalised words gives parts of at most MAX_INITIALS letters."""
    found = initials_in("Ab Cd " * 300)
    assert max(map(len, found)) == MAX_INITIALS


def test_long_text_segmented_in_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long text is segmented in the sandbox, with the same result; a short text is not."""
    jobs = []
    original = run_in_sandbox

    def spied(parser: str, data: bytes, limits: Limits) -> dict[str, Any]:
        jobs.append((parser, len(json.loads(data)[0])))
        return original(parser, data, limits)

    monkeypatch.setattr(segmentation, "run_in_sandbox", spied)
    table = "| Day | Rain |\n|---|---|\n| Monday | 3 mm |\n\n# Who met?\n\nThey need:\n\n- it\n\n"
    short = text_document(f"{table}It rained in Bonn. “Who met?” she asked.\n" * 20)
    long = text_document(short.text * (1 + SHORT_TEXT // len(short.text)), markdown=True)
    assert segment_untrusted(short) == segment(short)
    assert not jobs
    assert segment_untrusted(long) == segment(long)
    assert jobs == [("segmentation", len(long.text))]


@pytest.mark.parametrize("text", ["a\n" * 60_000, "a\n" * 100])
def test_too_many_sentences_refused(text: str) -> None:
    """A limit that a text passes is stated, in this process and in the child."""
    with pytest.raises(DocumentError, match="has more than 50 sentences"):
        segment_untrusted(text_document(text), Limits(sentences=50))


def test_segmentation_out_of_time_refused() -> None:
    """A text that takes too long is refused with the limit."""
    with pytest.raises(DocumentError, match="takes more than 0 seconds to read"):
        segment_untrusted(text_document("It rained. " * 10_000), Limits(seconds=0))


def test_docx_that_unpacks_a_thousandfold_refused() -> None:
    """A small DOCX does not get the time of a large one."""
    small = docx(paragraph("") * (MIN_UNPACKED // len(paragraph("")) + 1))
    assert len(small) < MIN_UNPACKED / 100
    with pytest.raises(DocumentError, match="unpacks to more than 10 MB"):
        from_bytes("small.docx", small)


def test_small_file_gets_less_time() -> None:
    assert Limits.for_size(100_000).seconds == 22
    assert Limits.for_size(50_000_000).seconds == Limits().seconds
