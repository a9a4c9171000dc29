"""Labelled claims: read with their errors, checked as sentences of a model, and counted."""

import json
from pathlib import Path

import pytest

from eval.claims import LabelledClaim, check_claims, detection, read_claims
from qa.answer.verify import SupportThresholds, Verifier
from qa.documents.passages import split
from qa.documents.sentences import segment
from qa.errors import QuestionFileError
from qa.models.embedding import EncodingCache
from tests.qa.fakes import CoverEntailment, WordEmbedder, snapshot_of, text_document

TEXT = "The bridge cost 48 million euros. The ferry stops in May."
OWN = Path(__file__).parents[2] / "eval" / "claims.jsonl"
SEEDS = Path(__file__).parents[2] / "seeds"


def _row(**changes: object) -> str:
    row = {
        "id": "1",
        "claim": "The bridge cost much.",
        "supported": False,
        "kind": "detail",
        "evidence": [TEXT[:33]],
    }
    return json.dumps({**row, **changes})


def _write(folder: Path, *lines: str) -> Path:
    path = folder / "claims.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_read_claims_gives_labelled_claims(tmp_path: Path) -> None:
    """One JSON object a line."""
    found = read_claims(_write(tmp_path, _row()), [text_document(TEXT)])
    assert found == (LabelledClaim("1", "The bridge cost much.", False, "detail", (TEXT[:33],)),)


def test_read_claims_names_every_bad_line(tmp_path: Path) -> None:
    """All problems in one error."""
    path = _write(
        tmp_path,
        "{",
        _row(supported="yes"),
        _row(evidence=[]),
        _row(evidence=["No such words."]),
        "[1]",
        _row(claim="\ud800"),
        "[" * 100_000,
    )
    with pytest.raises(QuestionFileError) as raised:
        read_claims(path, [text_document(TEXT)])
    assert [f"line {number}:" in str(raised.value) for number in range(1, 8)] == [True] * 7


@pytest.mark.parametrize("content", [None, b"", b"\xff"])
def test_read_claims_of_an_unusable_file_raises(tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty, or not UTF-8."""
    path = tmp_path / "claims.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(QuestionFileError, match=r"claims\.jsonl"):
        read_claims(path, [text_document(TEXT)])


def test_check_claims_uses_passages_with_evidence() -> None:
    """As sentences of a model that cites them."""
    document, embedder = text_document(TEXT), WordEmbedder()
    passages = split(document, segment(document), embedder.count_tokens)
    snapshot = snapshot_of(passages, [document])
    verifier = Verifier(EncodingCache(embedder), CoverEntailment(), SupportThresholds(0.2, 0.5))
    claims = [
        LabelledClaim("1", "The bridge cost 48 million euros.", True, "verbatim", (TEXT[:33],)),
        LabelledClaim(
            "2", "It was 48 million euros that the bridge cost.", True, "paraphrase", (TEXT[:33],)
        ),
        LabelledClaim("3", "The bridge cost 49 million euros.", False, "number", (TEXT[:33],)),
        LabelledClaim(
            "4", "The bridge cost 48 million euros and a prize.", False, "detail", (TEXT[:33],)
        ),
    ]
    assert check_claims(claims, verifier, snapshot) == [
        "verbatim",
        "supported",
        "unsupported",
        "unsupported",
    ]


def test_detection_by_hand() -> None:
    """Precision and recall of "unsupported"."""
    labels = [True, True, False, False, False]
    claims = [
        LabelledClaim(str(number), "", label, "k", ("e",)) for number, label in enumerate(labels)
    ]
    found = detection(claims, ["supported", "unsupported", "unsupported", "weak", "unsupported"])
    assert found.precision is not None
    assert found.recall is not None
    assert (found.precision.value, found.precision.n) == (2 / 3, 3)
    assert (found.recall.value, found.recall.n) == (2 / 3, 3)
    assert found.counts == {("k", "supported"): 1, ("k", "unsupported"): 3, ("k", "weak"): 1}
    assert detection(claims[:1], ["supported"]).precision is None


def test_own_claims_are_300_with_evidence() -> None:
    """Half of them are supported."""
    from qa.documents.load import load

    found = read_claims(OWN, load([SEEDS]).documents)
    assert len(found) == len({claim.text for claim in found}) == 300
    assert sum(claim.supported for claim in found) == 150
