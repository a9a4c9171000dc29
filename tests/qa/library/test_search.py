"""Retrieval: two rankings, fused."""

from pathlib import Path

import pytest

from qa.library import stored_document
from qa.library.index import Index
from qa.library.search import DEPTH, RRF_K, retrieve
from qa.library.word_index import Hit
from qa.types import Passage, Span
from tests.qa.fakes import WordEmbedder, text_document
from tests.qa.texts import NEWS


def test_retrieve_score_is_sum_of_reciprocal_ranks(tmp_path: Path) -> None:
    index = Index(tmp_path / "index", WordEmbedder())
    for name, text in (("a.txt", "gold gold gold"), ("b.txt", "salt"), ("c.txt", "gold salt coal")):
        index.add(text_document(text, name, title=""))
    library = index.snapshot()
    by_name = {passage.document.name: passage for passage in library.all_passages()}
    gone = Passage(text_document("gold", "gone.txt"), Span(0, 4))

    def nearest(*_: object) -> list[Hit]:
        return [Hit.of(by_name["b.txt"], 0.9), Hit.of(gone, 0.85), Hit.of(by_name["a.txt"], 0.8)]

    found = retrieve("gold", WordEmbedder().encode(["gold"])[0].vector, library, nearest, top_k=5)
    assert {
        one.passage.document.name: (one.why.dense_rank, one.why.lexical_rank) for one in found
    } == {
        "a.txt": (2, 1),
        "b.txt": (1, None),
        "c.txt": (None, 2),
    }
    assert [one.passage.document.name for one in found] == ["a.txt", "b.txt", "c.txt"]
    assert found[0].score == pytest.approx(1 / (RRF_K + 2) + 1 / (RRF_K + 1))
    assert all(one.score == one.why.fused for one in found)


@pytest.mark.parametrize("year", ["2023", "2024"])
def test_retrieve_year_of_a_folder_decides(tmp_path: Path, year: str) -> None:
    """Two invoices differ only in the folder. Both rankings see it, and no year is missing."""
    index = Index(tmp_path / "index", WordEmbedder())
    for folder in ("2023", "2024"):
        index.add(text_document("The amount due is 40 euros.", f"{folder}/invoice.txt", "Invoice"))
    library = index.snapshot()
    question = f"amount due in {year}"
    vector = WordEmbedder().encode([question])[0].vector
    best = retrieve(question, vector, library, index.nearest, top_k=5)[0]
    assert best.passage.document.name == f"{year}/invoice.txt"
    assert (best.why.dense_rank, best.why.lexical_rank) == (1, 1)
    assert library.frequencies.count(year) == 1


def test_retrieve_adds_original_of_a_duplicate(tmp_path: Path) -> None:
    pull = "This bridge belongs to the people who waited for it for nine long years."
    filler = "\n".join(f"Paragraph {n} is about the ferry and its boats. " * 12 for n in range(20))
    document = text_document(
        f"{pull}\n{filler}\n“{pull[:-1]},” the mayor of the town told the crowd on Tuesday."
    )
    index = Index(tmp_path / "index", WordEmbedder())
    index.add(document)
    library = index.snapshot()

    def only_the_first(*_: object) -> list[Hit]:
        return [Hit.of(library.all_passages()[0], 1.0)]

    found = retrieve(
        "zzz", WordEmbedder().encode(["zzz"])[0].vector, library, only_the_first, top_k=1
    )
    assert [one.passage.text.endswith("on Tuesday.") for one in found] == [False, True]


def test_snapshot_has_each_sentence_in_one_passage(tmp_path: Path) -> None:
    index = Index(tmp_path / "index", WordEmbedder())
    index.add(text_document(NEWS * 4))
    library = index.snapshot()
    inside = [
        sentence for passage in library.all_passages() for sentence in library.sentences_in(passage)
    ]
    (stored,) = library.stored_documents()
    assert tuple(inside) == stored.sentences
    assert DEPTH >= len(stored.passages) > 2


def test_snapshot_of_names_has_only_these_documents(tmp_path: Path) -> None:
    index = Index(tmp_path / "index", WordEmbedder())
    for name in ("a.txt", "b.txt"):
        index.add(text_document("gold", name))
    assert [entry.name for entry in index.snapshot({"b.txt"}).entries] == ["b.txt"]
    assert index.snapshot(set()).all_passages() == []


def test_passage_at_looks_at_few_passages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The passage of a character is searched for by halving, not one passage after the other."""
    index = Index(tmp_path / "index", WordEmbedder())
    for name in ("a.txt", "b.txt"):
        index.add(text_document(NEWS * 40, name))
    library = index.snapshot()
    looked_at = []

    def start(passage: Passage) -> int:
        looked_at.append(passage)
        return passage.span.start

    monkeypatch.setattr(stored_document, "_passage_start", start)
    passages = library.all_passages()
    for passage in passages:
        for offset in (passage.span.start, passage.span.end - 1):
            assert library.passage_at(passage.document, offset) == passage
    assert len(looked_at) < 2 * len(passages) * (1 + len(passages).bit_length())

    document = passages[0].document
    with pytest.raises(LookupError, match="holds character"):
        library.passage_at(document, len(document.text))
