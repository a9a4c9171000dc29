"""The library as a question sees it. What search, reader and answer need is read when needed."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import overload

from qa.documents.sentences import Sentence
from qa.documents.views import View, embedded_text, view_of
from qa.errors import DocumentError
from qa.library.catalog import Entry
from qa.library.frequencies import SentenceFrequencies
from qa.library.local_index import LocalIndex
from qa.library.records import Record, record_of
from qa.library.spelling import Vocabulary
from qa.library.stored_document import StoredDocument, sentences_in
from qa.library.word_index import Hit
from qa.text.words import terms
from qa.types import Document, Passage


class Snapshot:
    """The documents to answer a question from.

    Each document is read once, when it is first needed, and stays the same from then on. It is not
    for several threads at a time.
    """

    def __init__(
        self,
        local: LocalIndex,
        generation: str = "",
        chosen: frozenset[str] | None = None,
    ) -> None:
        """`chosen`: the ids of the documents to answer from; None: from all of them."""
        self.generation = generation
        """The generation of the index when the snapshot was made."""
        self.chosen = chosen
        self.entries: Sequence[Entry] = _Entries(local, chosen)
        """The documents without their texts, sorted by name."""
        self._local = local
        self._stored: dict[str, StoredDocument] = {}
        """The documents that were needed so far, by id."""
        self._views: dict[str, View] = {}
        """Those that were needed so far, by passage id."""

    @classmethod
    def in_memory(
        cls, documents: Sequence[Document], count_tokens: Callable[[str], int]
    ) -> "Snapshot":
        """Splits documents and makes a snapshot of them alone, without a stored library.

        `count_tokens`: the embedder's, which limits the length of a passage.
        """
        stored = [StoredDocument.of(document, count_tokens) for document in documents]
        return cls.of(stored)

    @classmethod
    def of(cls, documents: Sequence[StoredDocument]) -> "Snapshot":
        """Makes a snapshot of these documents alone, without a stored library."""
        by_id = {}
        for stored in documents:
            document = stored.document
            by_id[document.id] = (stored, record_of(document))

        def read(ids: Collection[str]) -> dict[str, tuple[StoredDocument, Record]]:
            return {key: by_id[key] for key in ids}

        local = LocalIndex(None, read)
        for stored, record in by_id.values():
            local.catalog.put(stored, record)
        return cls(local)

    @cached_property
    def frequencies(self) -> SentenceFrequencies:
        """How rare each term is among the sentences of these documents."""
        catalog = self._local.catalog
        if self.chosen is None:
            return SentenceFrequencies(catalog.sentences, catalog.sentences_with)
        counts, size = catalog.counts_of(self.chosen)
        return SentenceFrequencies(size, counts.__getitem__)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Every word of the library, its titles and its names."""
        return Vocabulary(self._local.catalog.has_word, self._local.catalog.words_like)

    def only(self, ids: Collection[str]) -> "Snapshot":
        """Returns a snapshot of some of these documents."""
        return Snapshot(self._local, self.generation, frozenset(ids))

    def find_by_words(self, question: str, count: int) -> list[Hit]:
        """Returns the passages with the highest BM25 score (Robertson and Zaragoza 2009)."""
        return self._local.search(terms(question), count, self.chosen)

    def in_order(self, hits: Sequence[Hit]) -> list[Hit]:
        """Returns those of the hits whose passage exists, highest score first.

        Hits with equal scores are in the order of the documents' names, and of the text.
        """
        documents = {hit.document for hit in hits}
        if self.chosen is not None:
            documents &= self.chosen
        names = self._local.catalog.names(documents)
        existing = []
        for hit in hits:
            _, version = names.get(hit.document, ("", ""))
            if version == hit.version:
                existing.append(hit)

        def order(hit: Hit) -> tuple[float, str, int]:
            name, _ = names[hit.document]
            return -hit.score, name, hit.start

        return sorted(existing, key=order)

    def passages_of(self, hits: Iterable[Hit]) -> dict[str, Passage]:
        """Returns the passages of the hits by id, without those that are gone meanwhile."""
        hits = list(hits)
        self._read({hit.document for hit in hits})
        passages = {}
        for hit in hits:
            stored = self._stored.get(hit.document)
            if stored and stored.document.version == hit.version:
                passages[hit.passage] = stored.passage_at(hit.start)
        return passages

    def stored(self, document_id: str) -> StoredDocument:
        """Returns a document with its sentences and passages.

        Raises DocumentError for a document that was removed meanwhile.
        """
        self._read([document_id])
        stored = self._stored.get(document_id)
        if stored is None:
            raise DocumentError("A document was removed while it was read. Ask again.")
        return stored

    def stored_documents(self) -> Iterator[StoredDocument]:
        """Yields all documents, sorted by name: for a small library, or a few chosen documents."""
        for entry in self.entries:
            yield self.stored(entry.id)

    def all_passages(self) -> list[Passage]:
        """Returns the passages of all documents, in order: for a small library."""
        passages: list[Passage] = []
        for stored in self.stored_documents():
            passages += stored.passages
        return passages

    def document_named(self, name: str) -> Document:
        """Returns the document with this name. Raises LookupError where there is none."""
        for stored in self._stored.values():
            if stored.document.name == name:
                return stored.document
        for key in self._local.catalog.ids_named([name]):
            return self.stored(key).document
        raise LookupError(f"no document is named {name}")

    def sentences_of(self, document: Document) -> tuple[Sentence, ...]:
        """Returns the sentences of a document of the library, in order."""
        return self.stored(document.id).sentences

    def sentences_in(self, passage: Passage) -> list[Sentence]:
        """Returns the sentences that begin in a passage, in order."""
        return sentences_in(passage, self.sentences_of(passage.document))

    def view_of(self, passage: Passage) -> View:
        """Returns the view of a passage; of a passage of no document of the library, its text."""
        key = passage.id
        view = self._views.get(key)
        if view is None:
            document = passage.document
            self._read([document.id])
            stored = self._stored.get(document.id)
            sentences = stored.sentences if stored else ()
            view = view_of(passage, sentences_in(passage, sentences))
            self._views[key] = view
        return view

    def embedded_text(self, passage: Passage) -> str:
        """Returns the text that the vector of a passage stands for: its name line and its view."""
        return embedded_text(passage, self.view_of(passage))

    def passage_at(self, document: Document, offset: int) -> Passage:
        """Returns the passage of a document that holds the character at this offset."""
        return self.stored(document.id).passage_at(offset)

    def _read(self, ids: Collection[str]) -> None:
        missing = [key for key in ids if key not in self._stored]
        if missing:
            self._stored |= self._local.stored(missing)


class _Entries(Sequence[Entry]):
    """Entries that are read only when one of them is looked at: most questions need none."""

    def __init__(self, local: LocalIndex, chosen: frozenset[str] | None) -> None:
        self._local = local
        self._chosen = chosen

    def __len__(self) -> int:
        if self._chosen is None:
            return self._local.catalog.count()
        return len(self._all)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        return self._all[index]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._all)

    @cached_property
    def _all(self) -> list[Entry]:
        return self._local.catalog.entries(self._chosen)
