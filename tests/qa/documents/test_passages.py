"""Passages tile the text and fit the embedder."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from qa.documents.passages import PASSAGE_TOKENS, passage_size, split
from qa.documents.sentences import segment
from qa.models.embedding import SentenceTransformerEmbedder
from tests.properties import examples
from tests.qa.fakes import WordEmbedder, text_document
from tests.qa.texts import NEWS, texts

COUNT = WordEmbedder().count_tokens


@examples(200)
@given(texts.filter(str.strip), st.booleans())
@example("word " * 3000, False)
@example("x" * 5000, False)
@example("e\u0301" * 900, False)
@example("A sentence of six words here. " * 400, False)
@example("\n\n  \nA line.\n\n\n", False)
def test_split_passages_tile_text_and_fit(text: str, markdown: bool) -> None:
    document = text_document(text, markdown=markdown)
    passages = split(document, segment(document), COUNT)
    assert "".join(passage.text for passage in passages) == text
    assert passages[0].span.start == 0
    assert all(before.span.end == after.span.start for before, after in pairwise(passages))
    assert all(COUNT(passage.text) <= PASSAGE_TOKENS for passage in passages)
    assert len({passage.id for passage in passages}) == len(passages)


def test_split_fits_packaged_embedder(embedder: SentenceTransformerEmbedder) -> None:
    document = text_document(NEWS * 5 + "unbelievably " * 900 + "日本語の文です。" * 200)
    passages = split(document, segment(document), embedder.count_tokens)
    assert "".join(passage.text for passage in passages) == document.text
    assert len(passages) > 10
    assert all(embedder.count_tokens(passage.text) <= PASSAGE_TOKENS for passage in passages)


def test_split_passage_begins_with_a_paragraph() -> None:
    document = text_document(NEWS * 3)
    starts = {s.span.start for s in segment(document)}
    paragraphs = {s.paragraph: s.span.start for s in reversed(segment(document))}
    passages = split(document, segment(document), COUNT)
    assert len(passages) > 2
    assert {passage.span.start for passage in passages[1:]} <= starts & set(paragraphs.values())


def test_passage_size_follows_embedder_limit() -> None:
    assert [passage_size(limit) for limit in (8192, 256, 128, 32)] == [
        PASSAGE_TOKENS,
        PASSAGE_TOKENS,
        64,
        1,
    ]
    document = text_document("One two three four five six. " * 40)
    count = WordEmbedder().count_tokens
    assert (
        max(count(passage.text) for passage in split(document, segment(document), count, 64)) <= 64
    )
