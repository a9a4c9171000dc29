"""The catalog counts what the documents hold, also after changes."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.library.catalog import Catalog
from qa.library.records import record_of
from qa.library.stored_document import StoredDocument
from qa.text.words import terms, words
from qa.types import Document
from tests.properties import examples
from tests.qa.fakes import WordEmbedder, text_document

TEXTS = st.lists(
    st.sampled_from(["Copper and gold.", "The river.", "Gold.", "Coal, coal!"]), min_size=1
).map(" ".join)
CHANGES = st.lists(st.tuples(st.sampled_from("abc"), st.none() | TEXTS), max_size=8)


def _put(catalog: Catalog, document: Document) -> None:
    stored = StoredDocument.of(document, WordEmbedder().count_tokens)
    catalog.put(stored, record_of(document))


def _counts(catalog: Catalog, documents: Sequence[Document]) -> tuple[Counter[str], int]:
    return catalog.counts_of([document.id for document in documents])


@examples(60)
@given(CHANGES)
def test_counts_are_those_of_the_documents_that_are_left(
    changes: list[tuple[str, str | None]],
) -> None:
    """Each change adds or replaces a document, or removes it."""
    catalog = Catalog(None)
    library: dict[str, Document] = {}
    for name, text in changes:
        document = text_document(text or "", f"{name}.txt", title="")
        if text is None:
            catalog.remove(document.id)
            library.pop(name, None)
        else:
            _put(catalog, document)
            library[name] = document

    counts, size = _counts(catalog, list(library.values()))
    assert catalog.sentences == size
    for term in terms("copper gold river coal txt a b c"):
        assert catalog.sentences_with(term) == counts[term]
    held = {word for document in library.values() for word in words(document.text)}
    for word in ("copper", "river", "gold", "coal"):
        assert catalog.has_word(word) == (word in held)
        assert (word in catalog.words_like(word[0], len(word))) == (word in held)
    assert [entry.name for entry in catalog.entries()] == sorted(f"{name}.txt" for name in library)
    assert catalog.count() == len(library)


def test_term_is_counted_once_a_sentence_and_once_in_the_name() -> None:
    catalog = Catalog(None)
    document = text_document("Gold, gold and gold. Gold. Salt.", "2023/a.txt", title="Coal")
    _put(catalog, document)
    assert catalog.sentences_with("gold") == 2
    assert catalog.sentences_with("2023") == 1
    assert catalog.sentences_with("coal") == 1
    assert catalog.sentences == 4


def test_entry_has_the_record_without_the_text() -> None:
    catalog = Catalog(None)
    document = Document(
        "a.pdf", "/a.pdf", "A", "x" * 50, "Paper", False, ("Why?",), (0, 20), "2024-05", (), "en"
    )
    _put(catalog, document)
    (entry,) = catalog.entries()
    assert (entry.title, entry.publisher, entry.date) == ("A", "Paper", "2024-05")
    assert (entry.pages, entry.characters, entry.language) == (2, 50, "en")
    assert (entry.examples, entry.version) == (("Why?",), document.version)
    assert json.loads(catalog.records([entry.id])[entry.id]) == record_of(document)
    assert catalog.ids_named(["a.pdf", "b.pdf"]) == [entry.id]
    assert catalog.ids_of_version(document.version) == [entry.id]


def test_failed_change_leaves_everything_as_it_was(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog.sqlite3")
    _put(catalog, text_document("Gold.", "a.txt"))

    def change() -> None:
        with catalog.changing():
            _put(catalog, text_document("Salt.", "a.txt"))
            catalog.remove(text_document("", "a.txt").id)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        change()
    reopened = Catalog(tmp_path / "catalog.sqlite3")
    assert [reopened.sentences_with(term) for term in ("gold", "salt")] == [1, 0]
    assert reopened.count() == 1


def test_change_that_came_later_stays_unindexed() -> None:
    """The word index took over a version that was replaced meanwhile."""
    catalog = Catalog(None)
    _put(catalog, text_document("Gold.", "a.txt"))
    before = catalog.unindexed(9)
    assert [len(change.passages) for change in before] == [1]
    _put(catalog, text_document("Salt.", "a.txt"))
    catalog.set_indexed(before)
    (after,) = catalog.unindexed(9)
    assert after.passages[0].terms.endswith("salt")
    catalog.set_indexed([after])
    assert catalog.unindexed(9) == []

    catalog.remove(after.document)
    (removal,) = catalog.unindexed(9)
    assert removal.passages == []
