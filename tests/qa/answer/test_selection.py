"""An overview is made of whole sentences of the documents, and says that it is a selection."""

from collections.abc import Sequence

import numpy as np
import pytest

from qa.answer.overview_request import OverviewRequest
from qa.answer.selection import (
    MAX_DOCUMENTS,
    MAX_READ,
    MAX_SENTENCES,
    MIN_SENTENCES,
    TOPIC_SENTENCES,
    UNCLEAR,
    Selection,
    select_sentences,
)
from qa.library.catalog import Entry
from qa.models.embedding import Vectors
from qa.types import Document, Passage, RankedPassage, Span, Why
from tests.qa.fakes import WordEmbedder, entry_of, snapshot_of, text_document

BRIDGE = text_document(
    "The harbor bridge cost 48 million euros. The mayor opened the harbor bridge in May. "
    "It was raining. The harbor bridge has a toll of two euros. Swans nest below a willow tree. "
    "The toll pays for the harbor bridge.",
    "bridge.txt",
    "Bridge",
)
FERRY = text_document(
    "The ferry has crossed the bay since 1950. A ferry ticket costs three euros. "
    "The ferry will stop when the bridge opens.",
    "ferry.txt",
    "Ferry",
)
EMBEDDER = WordEmbedder()


def _encode(texts: Sequence[str]) -> Vectors:
    return np.stack([encoding.vector for encoding in EMBEDDER.encode(texts)])


def _whole(document: Document) -> Passage:
    return Passage(document, Span(0, len(document.text)))


def _select(request: OverviewRequest, *documents: Document) -> Selection:
    passages = [_whole(document) for document in documents]

    def search(_: str, searched: Sequence[Entry]) -> list[RankedPassage]:
        ids = {entry.id for entry in searched}
        inside = [passage for passage in passages if passage.document.id in ids]
        return [RankedPassage(passage, 1.0, Why(1, 1, 1.0)) for passage in inside]

    selection = select_sentences(request, snapshot_of(passages, documents), _encode, search)
    library = {document.name: document for document in documents}
    for sentence in selection.sentences:
        (citation,) = sentence.citations
        assert library[citation.document].text[citation.start : citation.end] == citation.quote
        assert (sentence.text, sentence.support) == (" ".join(citation.quote.split()), "verbatim")
    return selection


def _cited(selection: Selection) -> list[tuple[str, int]]:
    citations = [sentence.citations[0] for sentence in selection.sentences]
    return [(citation.document, citation.start) for citation in citations]


def test_summary_has_central_sentences_in_order() -> None:
    """Not the sentence that is unlike the others, nor the sentence that leans on another."""
    selection = _select(OverviewRequest("summary", (entry_of(BRIDGE),)), BRIDGE)
    texts = [sentence.text for sentence in selection.sentences]
    assert len(texts) == MIN_SENTENCES
    assert "Swans nest below a willow tree." not in texts
    assert "It was raining." not in texts
    assert _cited(selection) == sorted(_cited(selection))
    (notice,) = selection.notices
    assert notice.startswith("These sentences are a selection:")
    assert selection.confidence == 1.0


def test_summary_of_a_long_document_is_bounded() -> None:
    encoded: list[int] = []

    def encode(texts: Sequence[str]) -> Vectors:
        encoded.append(len(texts))
        return _encode(texts)

    text = " ".join(f"Sentence number {n} says something about case {n}." for n in range(900))
    document = text_document(text)
    passages = [_whole(document)]
    request = OverviewRequest("summary", (entry_of(document),))
    snapshot = snapshot_of(passages, [document])
    selection = select_sentences(request, snapshot, encode, lambda *_: [])
    assert len(selection.sentences) == MAX_SENTENCES
    assert len(set(selection.sentences)) == MAX_SENTENCES
    assert encoded[0] <= MAX_READ
    # The whole document is read, not its beginning.
    assert encoded[0] > MAX_READ // 2


def test_summary_of_several_documents_has_a_sentence_of_each() -> None:
    request = OverviewRequest("summary", (entry_of(BRIDGE), entry_of(FERRY)), is_unclear=True)
    selection = _select(request, BRIDGE, FERRY)
    assert [name for name, _ in _cited(selection)] == ["bridge.txt", "ferry.txt"]
    assert selection.notices[0] == UNCLEAR


def test_summary_of_many_documents_counts_those_left_out() -> None:
    documents = [text_document(FERRY.text, f"{n}.txt") for n in range(MAX_DOCUMENTS + 2)]
    selection = _select(OverviewRequest("summary", tuple(map(entry_of, documents))), *documents)
    assert len(selection.sentences) == MAX_DOCUMENTS
    assert f"from {MAX_DOCUMENTS} of {MAX_DOCUMENTS + 2} documents" in selection.notices[0]


def test_comparison_is_grouped_in_the_order_asked() -> None:
    selection = _select(
        OverviewRequest("comparison", (entry_of(FERRY), entry_of(BRIDGE))), BRIDGE, FERRY
    )
    names = [name for name, _ in _cited(selection)]
    assert names == ["ferry.txt"] * 3 + ["bridge.txt"] * 3
    assert "first from “Ferry”, then from “Bridge”" in selection.notices[0]


def test_topic_has_the_sentences_about_it_of_each_document() -> None:
    request = OverviewRequest("topic", (entry_of(BRIDGE), entry_of(FERRY)), ("euros",))
    selection = _select(request, BRIDGE, FERRY)
    texts = [sentence.text for sentence in selection.sentences]
    assert "The harbor bridge has a toll of two euros." in texts
    assert "A ferry ticket costs three euros." in texts
    for document in (BRIDGE, FERRY):
        names = [name for name, _ in _cited(selection)]
        assert names.count(document.name) <= TOPIC_SENTENCES
    assert 0 < selection.confidence <= 1
    assert "“euros”" in selection.notices[0]


def test_topic_that_no_sentence_is_about_gives_nothing() -> None:
    request = OverviewRequest("topic", (entry_of(BRIDGE), entry_of(FERRY)), ("volcanoes",))
    assert _select(request, BRIDGE, FERRY) == Selection((), 0.0)


def test_comparison_of_topics_has_both() -> None:
    request = OverviewRequest(
        "comparison", (entry_of(BRIDGE), entry_of(FERRY)), ("harbor bridge", "ferry ticket")
    )
    names = {name for name, _ in _cited(_select(request, BRIDGE, FERRY))}
    assert names == {"bridge.txt", "ferry.txt"}


@pytest.mark.parametrize("text", ["# Heading\n", "x", "Is it? Why? Who?"])
def test_document_without_readable_sentences_gives_nothing(text: str) -> None:
    document = text_document(text, markdown=True)
    assert _select(OverviewRequest("summary", (entry_of(document),)), document) == Selection(
        (), 0.0
    )


def test_rows_summarise_a_document_without_prose() -> None:
    document = text_document("".join(f"- item {n} of the long list\n" for n in range(9)))
    assert len(_select(OverviewRequest("summary", (entry_of(document),)), document).sentences) == 3
