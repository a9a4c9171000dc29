"""Sentences of language models: read with their errors, checked again, compared with the labels."""

import json
from pathlib import Path

import pytest

from eval.commands.shared import load_documents
from eval.model_claims import (
    LABELS,
    ModelClaim,
    check_metrics,
    check_model_claims,
    outcome,
    read_model_claims,
)
from qa.answer.verify import SupportThresholds, Verifier
from qa.documents.passages import split
from qa.documents.sentences import segment
from qa.errors import QuestionFileError
from qa.models.embedding import EncodingCache
from tests.qa.fakes import CoverEntailment, WordEmbedder, snapshot_of, text_document

TEXT = "The bridge cost 48 million euros. The ferry stops in May."


def _row(**changes: object) -> dict[str, object]:
    name = text_document(TEXT).name
    row: dict[str, object] = {
        "id": "1",
        "model": "small",
        "question": "What did the bridge cost?",
        "claim": "The bridge cost 48 million euros.",
        "label": "supported",
        "cited": [[name, 0, 34]],
        "seen": [[name, 0, 34], [name, 34, len(TEXT)]],
        "split": "test",
    }
    return {**row, **changes}


def _write(folder: Path, *rows: object) -> Path:
    path = folder / "sentences.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def _read(folder: Path, *rows: object) -> tuple[ModelClaim, ...]:
    return read_model_claims(_write(folder, *rows), [text_document(TEXT)])


def test_sentences_are_read(tmp_path: Path) -> None:
    (claim,) = _read(tmp_path, _row())
    assert claim.label == "supported"
    assert claim.cited == ((text_document(TEXT).name, 0, 34),)


def test_every_bad_line_is_named(tmp_path: Path) -> None:
    rows = (
        [1],
        _row(label="true"),
        _row(cited=[], seen=[["other.txt", 0, 3]]),
        _row(cited=[], seen=[[text_document(TEXT).name, 5, 999]]),
        _row(cited=[[text_document(TEXT).name, 5, 9]]),
        _row(split="train"),
    )
    with pytest.raises(QuestionFileError) as raised:
        _read(tmp_path, *rows)
    for number in range(1, 7):
        assert f"line {number}:" in str(raised.value)


@pytest.mark.parametrize("content", [None, b"", b"\xff"])
def test_unusable_file_raises(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "sentences.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(QuestionFileError, match=r"sentences\.jsonl"):
        read_model_claims(path, [])


def test_sentences_are_checked_over_what_the_model_saw(tmp_path: Path) -> None:
    """A sentence that cites the wrong part is supported by the other part that the model saw."""
    name = text_document(TEXT).name
    claims = _read(
        tmp_path,
        _row(),
        _row(cited=[[name, 34, len(TEXT)]]),
        _row(cited=[], seen=[[name, 34, len(TEXT)]]),
        _row(claim="Here is the answer:", label="empty"),
    )
    document, embedder = text_document(TEXT), WordEmbedder()
    passages = split(document, segment(document), embedder.count_tokens)
    snapshot = snapshot_of(passages, [document])
    verifier = Verifier(EncodingCache(embedder), CoverEntailment(), SupportThresholds(0.2, 0.5))
    outcomes = [outcome(one) for one in check_model_claims(claims, verifier, snapshot)]
    assert outcomes == ["verbatim", "verbatim", "unsupported", "left out"]


def test_metrics_of_marks() -> None:
    def claim(label: str) -> ModelClaim:
        return ModelClaim("1", "m", "q", "c", label, (), (), "test")  # type: ignore[arg-type]  # a label

    pairs = [
        ("supported", "verbatim"),
        ("supported", "supported"),
        ("supported", "weak"),
        ("partly", "unsupported"),
        ("partly", "supported"),
        ("unsupported", "unsupported"),
        ("unsupported", "supported"),
        ("supported", "unsupported"),
        ("empty", "left out"),
        ("empty", "supported"),
    ]
    labels = [claim(label) for label, _ in pairs]
    metrics = check_metrics(labels, [mark for _, mark in pairs])  # type: ignore[misc]  # marks
    shares = (
        metrics.unsupported_recall,
        metrics.unsupported_precision,
        metrics.supported_precision,
        metrics.supported_recall,
        metrics.weak,
        metrics.empty_left_out,
    )
    values = [(round(share.value * share.n), share.n) for share in shares if share]
    assert values == [(1, 2), (2, 3), (2, 4), (2, 4), (1, 8), (1, 2)]
    assert check_metrics([], []).weak is None


@pytest.mark.slow
def test_own_sentences_fit_the_documents() -> None:
    """The project's sentences name passages of its documents; each label occurs."""
    folder = Path(__file__).parents[2]
    documents = load_documents([folder / "seeds", folder / "eval" / "ordinary" / "documents"])
    claims = read_model_claims(folder / "eval" / "model_claims.jsonl", documents)
    assert {claim.label for claim in claims} == set(LABELS)
