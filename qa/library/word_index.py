"""The word index: BM25 over the terms of all passages, with tantivy, in a folder on this machine.

Tantivy skips the passages that cannot be among the best. A question over 250,000 passages takes
about as long as a question over 300; see docs/word_index.md.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tantivy

from qa.types import Passage

HEAP = 50_000_000
"""Bytes that a writer collects before it writes a segment."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PassageTerms:
    """A passage as the word index gets it."""

    passage: str
    """The id of the passage."""
    version: str
    """The version of its document."""
    start: int
    """Where it begins in its document."""
    terms: str
    """The terms of its embedded text in their order, with a space between them."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a search has found."""

    passage: str
    """The id of the passage."""
    document: str
    """The id of its document."""
    version: str
    start: int
    score: float
    """Higher is better."""

    @classmethod
    def of(cls, passage: Passage, score: float) -> "Hit":
        document = passage.document
        return cls(passage.id, document.id, document.version, passage.span.start, score)


class WordIndex:
    """A tantivy index in a folder; without a folder, in memory."""

    def __init__(self, folder: Path | None) -> None:
        """Opens the index, or makes an empty index.

        Raises ValueError for an index that cannot be read, and OSError.
        """
        self._schema = _schema()
        if folder is None:
            self._index = tantivy.Index(self._schema)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            self._index = tantivy.Index(self._schema, path=str(folder))

    @staticmethod
    def exists(folder: Path) -> bool:
        """Returns whether a folder has an index."""
        return folder.is_dir() and bool(tantivy.Index.exists(str(folder)))

    def update(self, changes: Iterable[tuple[str, Sequence[PassageTerms]]]) -> None:
        """Replaces the passages of documents, given by document id; without passages: removes them.

        One process at a time. All changes are seen at once. Raises ValueError where it fails.
        """
        writer = self._index.writer(heap_size=HEAP, num_threads=1)
        try:
            for document, passages in changes:
                writer.delete_documents_by_term("document", document)
                for passage in passages:
                    writer.add_document(_tantivy_document(document, passage))
            writer.commit()
        finally:
            # It frees the lock of the writer, and waits for segments that are being merged.
            writer.wait_merging_threads()
        self._index.reload()

    def search(
        self, terms: Sequence[str], count: int, documents: Collection[str] | None = None
    ) -> list[Hit]:
        """Returns the best passages for some terms, best first; each shares a term.

        `documents`: the ids of the documents to search; None: search all.
        """
        if not terms or count < 1:
            return []
        # Another process may have updated it.
        self._index.reload()
        searcher = self._index.searcher()
        hits = []
        for score, address in searcher.search(self._query(terms, documents), count).hits:
            stored: Any = searcher.doc(address).to_dict()
            fields = {name: values[0] for name, values in stored.items()}
            hits.append(Hit(**fields, score=score))
        return hits

    def _query(self, terms: Sequence[str], documents: Collection[str] | None) -> tantivy.Query:
        should = tantivy.Occur.Should
        alternatives = []
        # A term that the question repeats counts each time.
        for term in terms:
            alternatives.append(
                (should, tantivy.Query.term_query(self._schema, "terms", term, "freq"))
            )
        query = tantivy.Query.boolean_query(alternatives)
        if documents is None:
            return query

        must = tantivy.Occur.Must
        chosen = tantivy.Query.term_set_query(self._schema, "document", sorted(documents))
        # Which document a passage is of does not change its score.
        only_chosen = tantivy.Query.const_score_query(chosen, 0.0)
        return tantivy.Query.boolean_query([(must, query), (must, only_chosen)])


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    # The terms are stems already: only the spaces between them divide them.
    builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
    for name in ("passage", "document", "version"):
        builder.add_text_field(name, stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("start", stored=True)
    return builder.build()


def _tantivy_document(document: str, passage: PassageTerms) -> tantivy.Document:
    return tantivy.Document(
        terms=passage.terms,
        passage=passage.passage,
        document=document,
        version=passage.version,
        start=passage.start,
    )
